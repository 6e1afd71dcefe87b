// One goroutine owns the items, and everybody talks to it over channels; a case that must not go on has a nil channel.
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

// Queue is a goroutine with a door for every kind of visitor.
type Queue[T any] struct {
	in      chan T
	out     chan T
	length  chan int
	closing chan struct{} // Close was called
	empty   chan struct{} // and the last item has gone
	closer  chan struct{} // holds the right to close
}

// New starts the owner.
func New[T any](maxsize int) *Queue[T] {
	q := &Queue[T]{
		in: make(chan T), out: make(chan T), length: make(chan int),
		closing: make(chan struct{}), empty: make(chan struct{}), closer: make(chan struct{}, 1),
	}
	q.closer <- struct{}{}
	go q.own(maxsize)
	return q
}

func (q *Queue[T]) own(maxsize int) {
	defer close(q.empty)
	closing := q.closing
	var items []T
	for closing != nil || len(items) > 0 {
		var in, out chan T
		var first T
		if closing != nil && (maxsize <= 0 || len(items) < maxsize) {
			in = q.in
		}
		if len(items) > 0 {
			out, first = q.out, items[0]
		}
		select {
		case v := <-in:
			items = append(items, v)
		case out <- first:
			items = items[1:]
		case q.length <- len(items):
		case <-closing:
			closing = nil
		}
	}
}

// Put hands v to the owner.
func (q *Queue[T]) Put(ctx context.Context, v T) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	select {
	case <-q.closing:
		return ErrClosed
	default:
	}
	select {
	case q.in <- v:
		return nil
	case <-q.closing:
		return ErrClosed
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Get takes an item from the owner.
func (q *Queue[T]) Get(ctx context.Context) (v T, err error) {
	if ctx.Err() != nil {
		return v, ctx.Err()
	}
	select {
	case v = <-q.out:
		return v, nil
	case <-q.empty:
		return v, ErrClosed
	case <-ctx.Done():
		return v, ctx.Err()
	}
}

// Len asks the owner.
func (q *Queue[T]) Len() int {
	select {
	case n := <-q.length:
		return n
	case <-q.empty:
		return 0
	}
}

// Close tells everybody.
func (q *Queue[T]) Close() {
	select {
	case <-q.closer:
		close(q.closing)
	default:
	}
}
