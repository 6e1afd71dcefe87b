// A Get that finds the queue closed takes what is in the buffer, all of it,
// and returns the first item only.
//
// test: TestClose/TestWaitingItemsCanBeGot
package queues

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"
)

// ErrClosed is what a closed queue returns.
var ErrClosed = errors.New("queue closed")

// Sleepy sends one message.
func Sleepy(out chan<- string, dozeOff time.Duration) {
	time.Sleep(dozeOff)
	out <- "Worker awake."
}

// Work writes one message.
func Work(in <-chan string, w io.Writer) {
	if msg, ok := <-in; ok {
		_, _ = fmt.Fprintf(w, "Got '%s' from Queue.\n", msg)
	}
}

// Queue is a buffered channel and one that is closed for the end.
type Queue[T any] struct {
	items chan T
	done  chan struct{}
	once  sync.Once
}

// New makes the channels.
func New[T any](maxsize int) *Queue[T] {
	if maxsize <= 0 {
		maxsize = 1 << 20
	}
	return &Queue[T]{items: make(chan T, maxsize), done: make(chan struct{})}
}

// Put sends v.
func (q *Queue[T]) Put(ctx context.Context, v T) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case <-q.done:
		return ErrClosed
	default:
	}
	select {
	case q.items <- v:
		return nil
	case <-q.done:
		return ErrClosed
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Get receives an item.
func (q *Queue[T]) Get(ctx context.Context) (v T, err error) {
	if err := ctx.Err(); err != nil {
		return v, err
	}
	select {
	case <-q.done:
		rest := make([]T, 0, len(q.items))
		for len(q.items) > 0 {
			rest = append(rest, <-q.items)
		}
		if len(rest) == 0 {
			return v, ErrClosed
		}
		return rest[0], nil
	default:
	}
	select {
	case v = <-q.items:
		return v, nil
	case <-q.done:
		return v, ErrClosed
	case <-ctx.Done():
		return v, ctx.Err()
	}
}

// Len looks at the buffer.
func (q *Queue[T]) Len() int { return len(q.items) }

// Close closes the channel that carries no items.
func (q *Queue[T]) Close() {
	q.once.Do(func() { close(q.done) })
}
