// Package queues is yours to write. Two workers hand a message over a channel
// (Sleepy and Work), then you build a queue in the manner of Python's
// multiprocessing.Queue: one that can be full, given up on, closed, and, for the
// brave, made without a limit.
//
// The text is lessons/queues/README.md, the rules are the comments below, and
// the suite beside this file proves them. Nothing here needs a variable at
// package level: what a queue must know belongs to the queue.
package queues

import (
	"context"
	"errors"
	"io"
	"time"
)

// ErrClosed is what Put returns once the queue is closed, and Get once it is
// closed and empty.
var ErrClosed = errors.New("queue closed")

// Sleepy is a worker who sleeps for dozeOff, then sends "Worker awake." to out,
// once. It does not close out.
func Sleepy(out chan<- string, dozeOff time.Duration) {
	panic("TODO: sleep for dozeOff, then send the message")
}

// Work waits for one message from in, as long as it takes, and writes
//
//	Got 'MESSAGE' from Queue.
//
// and a newline to w, with one call of Write. An empty message is a message
// too. If in is closed without one, Work writes nothing.
func Work(in <-chan string, w io.Writer) {
	panic("TODO: wait for one message and write the line")
}

// Queue hands items from those who Put to those who Get: first in, first out, in
// the order in which the Puts succeeded. Who goes first among those who block is
// open. Any number of goroutines may use it at the same time. Make it with [New].
type Queue[T any] struct {
	// your fields
}

// New returns an empty queue in which at most maxsize items can wait; if
// maxsize <= 0, any number.
func New[T any](maxsize int) *Queue[T] {
	panic("TODO: make an empty queue")
}

// Put adds v behind all waiting items. It blocks while maxsize items wait; on a
// queue without a limit it never does.
//
// Put returns an error, and v is not in the queue, if ctx ends while it blocks
// or had ended before the call, even if there is room (an error that matches
// ctx.Err()), and if the queue is closed by then (ErrClosed). If the context
// ends just as room comes, or as the queue is closed, either outcome is right.
func (q *Queue[T]) Put(ctx context.Context, v T) error {
	panic("TODO: wait for room, then add the item")
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
	panic("TODO: wait for an item, then take it")
}

// Len returns the number of waiting items. An item whose Put still blocks does
// not wait yet.
func (q *Queue[T]) Len() int {
	panic("TODO: count the waiting items")
}

// Close ends the queue for those who Put: every Put from now on, and every one
// that blocks, returns ErrClosed and leaves its item out. Items that wait can
// still be got; once none is left every Get returns ErrClosed, one that blocks
// too. Closing a closed queue does nothing.
//
// Put and Close may be called at the same time: an item whose Put returned nil
// can be got afterwards.
func (q *Queue[T]) Close() {
	panic("TODO: close the queue and wake everyone who waits")
}
