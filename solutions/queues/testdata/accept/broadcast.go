// One condition variable for everything, and a Broadcast at every change; coarse, and right.
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

// Queue is a linked list under one lock.
type Queue[T any] struct {
	c           *sync.Cond
	first, last *node[T]
	n, max      int
	closed      bool
}

type node[T any] struct {
	v    T
	next *node[T]
}

// New makes a queue.
func New[T any](maxsize int) *Queue[T] {
	return &Queue[T]{c: sync.NewCond(new(sync.Mutex)), max: maxsize}
}

func (q *Queue[T]) shout() {
	q.c.L.Lock()
	q.c.L.Unlock()
	q.c.Broadcast()
}

// Put adds v.
func (q *Queue[T]) Put(ctx context.Context, v T) error {
	defer context.AfterFunc(ctx, q.shout)()
	q.c.L.Lock()
	defer q.c.L.Unlock()
	for !q.closed && ctx.Err() == nil && q.max > 0 && q.n >= q.max {
		q.c.Wait()
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if q.closed {
		return ErrClosed
	}
	added := &node[T]{v: v}
	if q.n == 0 {
		q.first = added
	} else {
		q.last.next = added
	}
	q.last = added
	q.n++
	q.c.Broadcast()
	return nil
}

// Get takes an item.
func (q *Queue[T]) Get(ctx context.Context) (v T, err error) {
	defer context.AfterFunc(ctx, q.shout)()
	q.c.L.Lock()
	defer q.c.L.Unlock()
	for !q.closed && ctx.Err() == nil && q.n == 0 {
		q.c.Wait()
	}
	if err := ctx.Err(); err != nil {
		return v, err
	}
	if q.n == 0 {
		return v, ErrClosed
	}
	v, q.first = q.first.v, q.first.next
	q.n--
	q.c.Broadcast()
	return v, nil
}

// Len counts.
func (q *Queue[T]) Len() int {
	q.c.L.Lock()
	defer q.c.L.Unlock()
	return q.n
}

// Close closes.
func (q *Queue[T]) Close() {
	q.c.L.Lock()
	q.closed = true
	q.c.L.Unlock()
	q.c.Broadcast()
}
