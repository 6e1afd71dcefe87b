// A Get that was woken for an item finds its context ended and leaves; the
// knock is used up, and nobody else hears of the item.
//
// test: TestQueue/TestNothingIsLostWhenAGetGivesUp
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

// Queue is a locked slice, and a channel that knocks.
type Queue[T any] struct {
	mu     sync.Mutex
	items  []T
	max    int
	closed bool
	item   chan struct{} // knocks when an item came
	room   chan struct{} // knocks when an item went
	done   chan struct{}
}

// New makes a queue.
func New[T any](maxsize int) *Queue[T] {
	return &Queue[T]{
		max: maxsize, done: make(chan struct{}),
		item: make(chan struct{}, 1), room: make(chan struct{}, 1),
	}
}

func knock(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default: // somebody has knocked already
	}
}

// Put adds v.
func (q *Queue[T]) Put(ctx context.Context, v T) error {
	for ctx.Err() == nil {
		q.mu.Lock()
		if q.closed {
			q.mu.Unlock()
			return ErrClosed
		}
		if q.max <= 0 || len(q.items) < q.max {
			q.items = append(q.items, v)
			more := q.max <= 0 || len(q.items) < q.max
			q.mu.Unlock()
			knock(q.item)
			if more {
				knock(q.room) // there is room for the next one too
			}
			return nil
		}
		q.mu.Unlock()
		select {
		case <-q.room:
		case <-q.done:
		case <-ctx.Done():
		}
	}
	return ctx.Err()
}

// Get takes an item.
func (q *Queue[T]) Get(ctx context.Context) (v T, err error) {
	for ctx.Err() == nil {
		q.mu.Lock()
		if len(q.items) > 0 {
			v, q.items = q.items[0], q.items[1:]
			more := len(q.items) > 0
			q.mu.Unlock()
			knock(q.room)
			if more {
				knock(q.item) // there is an item for the next one too
			}
			return v, nil
		}
		closed := q.closed
		q.mu.Unlock()
		if closed {
			return v, ErrClosed
		}
		select {
		case <-q.item:
		case <-q.done:
		case <-ctx.Done():
		}
	}
	return v, ctx.Err()
}

// Len counts.
func (q *Queue[T]) Len() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.items)
}

// Close closes.
func (q *Queue[T]) Close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	if !q.closed {
		q.closed = true
		close(q.done)
	}
}
