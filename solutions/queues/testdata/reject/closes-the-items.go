// Close closes the channel that the items travel on; a Put under way panics.
//
// test: TestClose/TestBlockedPutsEnd
package queues

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync/atomic"
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

// Queue is a buffered channel.
type Queue[T any] struct {
	items  chan T
	closed atomic.Bool
}

// New makes the channel.
func New[T any](maxsize int) *Queue[T] {
	if maxsize <= 0 {
		maxsize = 1 << 20
	}
	return &Queue[T]{items: make(chan T, maxsize)}
}

// Put sends v.
func (q *Queue[T]) Put(ctx context.Context, v T) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if q.closed.Load() {
		return ErrClosed
	}
	select {
	case q.items <- v:
		return nil
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
	case v, ok := <-q.items:
		if !ok {
			return v, ErrClosed
		}
		return v, nil
	case <-ctx.Done():
		return v, ctx.Err()
	}
}

// Len looks at the buffer.
func (q *Queue[T]) Len() int { return len(q.items) }

// Close closes the channel, once.
func (q *Queue[T]) Close() {
	if !q.closed.Swap(true) {
		close(q.items)
	}
}
