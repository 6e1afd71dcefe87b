// Nobody is woken: who has to wait looks again every few milliseconds.
package queues

import (
	"context"
	"errors"
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
	msg, ok := <-in
	if !ok {
		return
	}
	io.WriteString(w, "Got '"+msg+"' from Queue.\n")
}

const pause = 20 * time.Millisecond

// Queue is a locked slice.
type Queue[T any] struct {
	sync.Mutex
	items  []T
	max    int
	closed bool
}

// New makes a queue.
func New[T any](maxsize int) *Queue[T] { return &Queue[T]{max: maxsize} }

// Put tries until it can.
func (q *Queue[T]) Put(ctx context.Context, v T) error {
	for ctx.Err() == nil {
		q.Lock()
		closed, room := q.closed, q.max < 1 || len(q.items) < q.max
		if room && !closed {
			q.items = append(q.items, v)
		}
		q.Unlock()
		if closed {
			return ErrClosed
		}
		if room {
			return nil
		}
		time.Sleep(pause)
	}
	return ctx.Err()
}

// Get tries until it can.
func (q *Queue[T]) Get(ctx context.Context) (v T, err error) {
	for ctx.Err() == nil {
		q.Lock()
		closed, some := q.closed, len(q.items) > 0
		if some {
			v, q.items = q.items[0], q.items[1:]
		}
		q.Unlock()
		if some {
			return v, nil
		}
		if closed {
			return v, ErrClosed
		}
		time.Sleep(pause)
	}
	return v, ctx.Err()
}

// Len counts.
func (q *Queue[T]) Len() int {
	q.Lock()
	defer q.Unlock()
	return len(q.items)
}

// Close closes.
func (q *Queue[T]) Close() {
	q.Lock()
	defer q.Unlock()
	q.closed = true
}
