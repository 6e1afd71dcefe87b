// There is one place for a Get to wait; a second one that comes takes it, and
// the first is forgotten.
//
// test: TestUnbounded/TestEveryWaitingGetIsServed
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

// Queue hands an item to the first Get that waits.
type Queue[T any] struct {
	mu     sync.Mutex
	items  []T
	max    int
	closed bool
	get    chan T // the Get that waits
	room   *sync.Cond
}

// New makes a queue.
func New[T any](maxsize int) *Queue[T] {
	q := &Queue[T]{max: maxsize}
	q.room = sync.NewCond(&q.mu)
	return q
}

// Put gives v to a Get that waits, or adds it.
func (q *Queue[T]) Put(ctx context.Context, v T) error {
	defer context.AfterFunc(ctx, func() {
		q.mu.Lock()
		defer q.mu.Unlock()
		q.room.Broadcast()
	})()
	q.mu.Lock()
	defer q.mu.Unlock()
	for ctx.Err() == nil && !q.closed && q.max > 0 && len(q.items) >= q.max {
		q.room.Wait()
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if q.closed {
		return ErrClosed
	}
	if q.get != nil {
		q.get <- v
		q.get = nil
		return nil
	}
	q.items = append(q.items, v)
	return nil
}

// Get takes an item, or waits for a Put to bring one.
func (q *Queue[T]) Get(ctx context.Context) (v T, err error) {
	if err := ctx.Err(); err != nil {
		return v, err
	}
	q.mu.Lock()
	if len(q.items) > 0 {
		v, q.items = q.items[0], q.items[1:]
		q.room.Broadcast()
		q.mu.Unlock()
		return v, nil
	}
	if q.closed {
		q.mu.Unlock()
		return v, ErrClosed
	}
	mine := make(chan T, 1)
	q.get = mine
	q.mu.Unlock()
	select {
	case v, ok := <-mine:
		if !ok {
			return v, ErrClosed
		}
		return v, nil
	case <-ctx.Done():
		q.mu.Lock()
		defer q.mu.Unlock()
		if q.get == mine {
			q.get = nil
		}
		return v, ctx.Err()
	}
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
	q.closed = true
	q.room.Broadcast()
	if q.get != nil {
		close(q.get)
		q.get = nil
	}
}
