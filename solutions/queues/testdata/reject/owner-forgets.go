// The owner ends when it sees Close, with items in the door that Put has
// returned nil for.
//
// test: TestClose/TestPutAndCloseRace
package queues

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
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

// Queue is a goroutine with a door in and a door out.
type Queue[T any] struct {
	in, out chan T
	n       atomic.Int64
	closing chan struct{}
	empty   chan struct{}
	once    sync.Once
}

// New starts the owner. The door takes one item, so the owner keeps one less.
func New[T any](maxsize int) *Queue[T] {
	q := &Queue[T]{
		in: make(chan T, 1), out: make(chan T),
		closing: make(chan struct{}), empty: make(chan struct{}),
	}
	go q.own(maxsize - 1)
	return q
}

func (q *Queue[T]) own(keep int) {
	defer close(q.empty)
	var items []T
	closing := q.closing
	for closing != nil || len(items) > 0 {
		in := q.in
		if closing == nil || keep >= 0 && len(items) >= max(keep, 1) {
			in = nil
		}
		var out chan T
		var first T
		if len(items) > 0 {
			out, first = q.out, items[0]
		}
		select {
		case v := <-in:
			items = append(items, v)
		case out <- first:
			items = items[1:]
		case <-closing:
			closing = nil
		}
	}
}

// Put leaves v at the door.
func (q *Queue[T]) Put(ctx context.Context, v T) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case <-q.closing:
		return ErrClosed
	default:
	}
	select {
	case q.in <- v:
		q.n.Add(1)
		return nil
	case <-q.closing:
		return ErrClosed
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Get takes an item from the owner.
func (q *Queue[T]) Get(ctx context.Context) (v T, err error) {
	if err := ctx.Err(); err != nil {
		return v, err
	}
	select {
	case v = <-q.out:
		q.n.Add(-1)
		return v, nil
	case <-q.empty:
		return v, ErrClosed
	case <-ctx.Done():
		return v, ctx.Err()
	}
}

// Len counts.
func (q *Queue[T]) Len() int { return int(q.n.Load()) }

// Close tells the owner.
func (q *Queue[T]) Close() { q.once.Do(func() { close(q.closing) }) }
