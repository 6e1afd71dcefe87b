// Package queues hands values from one worker to another: over a channel, and
// over a queue in the manner of Python's multiprocessing.Queue, which can be
// given up on, closed, and made without a limit.
//
// The lesson's text is lessons/queues/README.md.
package queues

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"
)

// ErrClosed is what Put returns once the queue is closed, and Get once it is
// closed and empty.
var ErrClosed = errors.New("queue closed")

// Sleepy is a worker who sleeps for dozeOff, then sends "Worker awake." to out,
// once. It does not close out.
func Sleepy(out chan<- string, dozeOff time.Duration) {
	time.Sleep(dozeOff)
	out <- "Worker awake."
}

// Work waits for one message from in, as long as it takes, and writes
//
//	Got 'MESSAGE' from Queue.
//
// and a newline to w, with one call of Write. An empty message is a message
// too. If in is closed without one, Work writes nothing.
func Work(in <-chan string, w io.Writer) {
	if msg, ok := <-in; ok {
		_, _ = fmt.Fprintf(w, "Got '%s' from Queue.\n", msg)
	}
}

// Queue hands items from those who Put to those who Get: first in, first out, in
// the order in which the Puts succeeded. Who goes first among those who block is
// open. Any number of goroutines may use it at the same time. Make it with [New].
type Queue[T any] struct {
	max int // items that may wait; no limit if max <= 0

	mu     sync.Mutex
	item   sync.Cond // an item came, or the queue was closed
	room   sync.Cond // an item went, or the queue was closed
	items  []T
	closed bool
}

// New returns an empty queue in which at most maxsize items can wait; if
// maxsize <= 0, any number.
func New[T any](maxsize int) *Queue[T] {
	q := &Queue[T]{max: maxsize}
	q.item.L = &q.mu
	q.room.L = &q.mu
	return q
}

// Put adds v behind all waiting items. It blocks while maxsize items wait; on a
// queue without a limit it never does.
//
// Put returns an error, and v is not in the queue, if ctx ends while it blocks
// or had ended before the call, even if there is room (an error that matches
// ctx.Err()), and if the queue is closed by then (ErrClosed). If the context
// ends just as room comes, or as the queue is closed, either outcome is right.
func (q *Queue[T]) Put(ctx context.Context, v T) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	q.mu.Lock()
	defer q.mu.Unlock()

	err := await(ctx, &q.room, func() bool {
		return q.closed || q.max <= 0 || len(q.items) < q.max
	})
	if err != nil {
		return err
	}
	if q.closed {
		return ErrClosed
	}
	q.items = append(q.items, v)
	q.item.Signal()
	return nil
}

// Get takes the item that has waited longest. It blocks while no item waits.
// Every item is got exactly once, also one that is the zero value of its type.
//
// Get returns an error, and takes nothing, if ctx ends while it blocks or had
// ended before the call, even if an item waits (an error that matches
// ctx.Err()), and if the queue is closed and empty (ErrClosed). If the context
// ends just as an item comes, or as the queue is closed, either outcome is
// right.
func (q *Queue[T]) Get(ctx context.Context) (T, error) {
	var none T
	if err := ctx.Err(); err != nil {
		return none, err
	}
	q.mu.Lock()
	defer q.mu.Unlock()

	err := await(ctx, &q.item, func() bool {
		return q.closed || len(q.items) > 0
	})
	if err != nil {
		return none, err
	}
	if len(q.items) == 0 {
		return none, ErrClosed
	}
	v := q.items[0]
	q.items[0] = none // the array lives on; what v points to need not
	q.items = q.items[1:]
	q.room.Signal()
	return v, nil
}

// Len returns the number of waiting items. An item whose Put still blocks does
// not wait yet.
func (q *Queue[T]) Len() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.items)
}

// Close ends the queue for those who Put: every Put from now on, and every one
// that blocks, returns ErrClosed and leaves its item out. Items that wait can
// still be got; once none is left every Get returns ErrClosed, one that blocks
// too. Closing a closed queue does nothing.
//
// Put and Close may be called at the same time: an item whose Put returned nil
// can be got afterwards.
func (q *Queue[T]) Close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
	q.item.Broadcast()
	q.room.Broadcast()
}

// await waits on c until ready, or returns ctx's error. The caller holds c.L.
//
// Ready comes before the context: a Signal wakes one waiter only, and one that
// left because of its context would take the wake-up with it that another one
// needs.
func await(ctx context.Context, c *sync.Cond, ready func() bool) error {
	if ready() {
		return nil
	}
	// A Cond knows no contexts, so the end of this one has to knock. It does so
	// with the lock held: not between the look at ctx.Err and the Wait.
	stop := context.AfterFunc(ctx, func() {
		c.L.Lock()
		defer c.L.Unlock()
		c.Broadcast()
	})
	defer stop()

	for !ready() {
		if err := ctx.Err(); err != nil {
			return err
		}
		c.Wait()
	}
	return nil
}
