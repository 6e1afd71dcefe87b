// There is no lock: the state itself travels through three channels, and lies in the one that says who may take it.
package queues

import (
	"context"
	"errors"
	"io"
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

type state[T any] struct {
	items  []T
	closed bool
}

// Queue holds its state in exactly one of the channels.
type Queue[T any] struct {
	max               int
	empty, some, full chan state[T]
	over              chan struct{} // closed when the state is closed and empty
}

// New puts the state into its first place.
func New[T any](maxsize int) *Queue[T] {
	q := &Queue[T]{
		max: maxsize, over: make(chan struct{}),
		empty: make(chan state[T], 1), some: make(chan state[T], 1), full: make(chan state[T], 1),
	}
	q.empty <- state[T]{}
	return q
}

func (q *Queue[T]) give(s state[T]) {
	switch {
	case len(s.items) == 0:
		q.empty <- s
	case q.max > 0 && len(s.items) == q.max && !s.closed:
		q.full <- s
	default:
		q.some <- s // who puts and who gets may both look at it
	}
}

// Put waits for a state that is not full.
func (q *Queue[T]) Put(ctx context.Context, v T) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	var s state[T]
	select {
	case s = <-q.empty:
	case s = <-q.some:
	case <-ctx.Done():
		return ctx.Err()
	}
	if s.closed {
		q.give(s)
		return ErrClosed
	}
	s.items = append(s.items, v)
	q.give(s)
	return nil
}

// Get waits for a state that is not empty.
func (q *Queue[T]) Get(ctx context.Context) (v T, err error) {
	if err := ctx.Err(); err != nil {
		return v, err
	}
	var s state[T]
	select {
	case s = <-q.some:
	case s = <-q.full:
	case <-q.over:
		return v, ErrClosed
	case <-ctx.Done():
		return v, ctx.Err()
	}
	v, s.items = s.items[0], s.items[1:]
	if s.closed && len(s.items) == 0 {
		close(q.over)
	}
	q.give(s)
	return v, nil
}

func (q *Queue[T]) take() state[T] {
	select {
	case s := <-q.empty:
		return s
	case s := <-q.some:
		return s
	case s := <-q.full:
		return s
	}
}

// Len looks at the state.
func (q *Queue[T]) Len() int {
	s := q.take()
	defer q.give(s)
	return len(s.items)
}

// Close marks the state.
func (q *Queue[T]) Close() {
	s := q.take()
	if !s.closed && len(s.items) == 0 {
		close(q.over)
	}
	s.closed = true
	q.give(s)
}
