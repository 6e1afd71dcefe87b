// A select is trusted to look at the context first; it takes any case that is
// ready, by chance.
//
// test: TestQueue/TestEndedContextPutsNothing
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
	case v = <-q.items:
		return v, nil
	case <-ctx.Done():
		return v, ctx.Err()
	case <-q.done:
	}
	select {
	case v = <-q.items:
		return v, nil
	default:
		return v, ErrClosed
	}
}

// Len looks at the buffer.
func (q *Queue[T]) Len() int { return len(q.items) }

// Close closes the channel that carries no items.
func (q *Queue[T]) Close() {
	q.once.Do(func() { close(q.done) })
}
