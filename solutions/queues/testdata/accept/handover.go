// Those who wait stand in a list, and an item or room is handed to the first of them in person.
package queues

import (
	"container/list"
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"
)

// ErrClosed is what a closed queue returns.
var ErrClosed = errors.New("queue closed")

// Sleepy sleeps for dozeOff, then sends one message.
func Sleepy(out chan<- string, dozeOff time.Duration) {
	<-time.After(dozeOff)
	out <- "Worker awake."
}

// Work writes one message.
func Work(in <-chan string, w io.Writer) {
	for msg := range in {
		fmt.Fprintf(w, "Got '%s' from Queue.\n", msg)
		return
	}
}

// Queue keeps a list of items and two of those who wait.
type Queue[T any] struct {
	mu               sync.Mutex
	max              int
	closed           bool
	items            list.List // of T
	getters, putters list.List // of *visitor[T]
}

// visitor is someone who waits; served is closed when ok has been decided.
type visitor[T any] struct {
	item   T
	ok     bool
	served chan struct{}
}

// New makes a queue.
func New[T any](maxsize int) *Queue[T] { return &Queue[T]{max: maxsize} }

// serve decides for the first in line.
func (q *Queue[T]) serve(line *list.List, v T, ok bool) bool {
	first := line.Front()
	if first == nil {
		return false
	}
	who := line.Remove(first).(*visitor[T])
	if line == &q.getters {
		who.item = v
	}
	who.ok = ok
	close(who.served)
	return true
}

// wait stands in line. It is called with the lock, and returns without.
func (q *Queue[T]) wait(ctx context.Context, line *list.List, who *visitor[T]) error {
	who.served = make(chan struct{})
	place := line.PushBack(who)
	q.mu.Unlock()
	select {
	case <-who.served:
	case <-ctx.Done():
		q.mu.Lock()
		defer q.mu.Unlock()
		select {
		case <-who.served: // too late to leave
		default:
			line.Remove(place)
			return ctx.Err()
		}
	}
	if !who.ok {
		return ErrClosed
	}
	return nil
}

// Put adds v, or waits to have it added.
func (q *Queue[T]) Put(ctx context.Context, v T) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	q.mu.Lock()
	if q.closed {
		q.mu.Unlock()
		return ErrClosed
	}
	if q.serve(&q.getters, v, true) {
		q.mu.Unlock()
		return nil
	}
	if q.max > 0 && q.items.Len() >= q.max {
		return q.wait(ctx, &q.putters, &visitor[T]{item: v})
	}
	q.items.PushBack(v)
	q.mu.Unlock()
	return nil
}

// Get takes the first item, or waits to be given one.
func (q *Queue[T]) Get(ctx context.Context) (v T, err error) {
	if err := ctx.Err(); err != nil {
		return v, fmt.Errorf("get: %w", err)
	}
	q.mu.Lock()
	first := q.items.Front()
	if first == nil && q.closed {
		q.mu.Unlock()
		return v, fmt.Errorf("get: %w", ErrClosed)
	}
	if first == nil {
		who := new(visitor[T])
		err := q.wait(ctx, &q.getters, who)
		return who.item, err
	}
	defer q.mu.Unlock()
	v, _ = q.items.Remove(first).(T)
	if next := q.putters.Front(); next != nil {
		q.items.PushBack(next.Value.(*visitor[T]).item)
		q.serve(&q.putters, v, true)
	}
	return v, nil
}

// Len counts.
func (q *Queue[T]) Len() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.items.Len()
}

// Close sends everyone home.
func (q *Queue[T]) Close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
	var none T
	for q.serve(&q.getters, none, false) || q.serve(&q.putters, none, false) {
	}
}
