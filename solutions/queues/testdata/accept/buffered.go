// A buffered channel for the items and one that is closed for the end; without a limit, the buffer is grown by a goroutine in between.
package queues

import (
	"context"
	"errors"
	"io"
	"sync"
	"sync/atomic"
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

// Queue is a buffered channel that is never closed.
type Queue[T any] struct {
	in, out chan T
	limited bool
	count   atomic.Int64 // without a limit
	done    chan struct{}
	drained chan struct{} // without a limit: the pump has nothing left
	once    sync.Once
	putting sync.RWMutex // without a limit: held for reading by a Put under way
}

// New makes the channels.
func New[T any](maxsize int) *Queue[T] {
	q := &Queue[T]{done: make(chan struct{}), drained: make(chan struct{}), limited: maxsize > 0}
	if q.limited {
		q.in = make(chan T, maxsize)
		q.out = q.in
		return q
	}
	q.in, q.out = make(chan T), make(chan T)
	go q.pump()
	return q
}

// pump moves items from in to out and keeps what nobody wants yet.
func (q *Queue[T]) pump() {
	defer close(q.drained)
	var items []T
	in := q.in
	for in != nil || len(items) > 0 {
		var out chan T
		var first T
		if len(items) > 0 {
			out, first = q.out, items[0]
		}
		select {
		case v, ok := <-in:
			if !ok {
				in = nil
				continue
			}
			items = append(items, v)
		case out <- first:
			items = items[1:]
		}
	}
}

// Put sends v.
func (q *Queue[T]) Put(ctx context.Context, v T) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if !q.limited {
		q.putting.RLock() // the pump takes everything at once
		defer q.putting.RUnlock()
	}
	select {
	case <-q.done:
		return ErrClosed
	default:
	}
	if !q.limited {
		q.count.Add(1)
		q.in <- v
		return nil
	}
	select {
	case q.in <- v:
		return nil
	case <-q.done:
		return ErrClosed
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Get receives an item.
func (q *Queue[T]) Get(ctx context.Context) (v T, err error) {
	if err := ctx.Err(); err != nil {
		return v, err
	}
	end := q.drained
	if q.limited {
		end = q.done
	}
	select {
	case v = <-q.out:
		q.count.Add(-1)
		return v, nil
	case <-ctx.Done():
		return v, ctx.Err()
	case <-end:
	}
	select {
	case v = <-q.out:
		return v, nil
	default:
		return v, ErrClosed
	}
}

// Len looks at the buffer.
func (q *Queue[T]) Len() int {
	if q.limited {
		return len(q.in)
	}
	return int(q.count.Load())
}

// Close closes the channel that carries no items.
func (q *Queue[T]) Close() {
	q.once.Do(func() {
		q.putting.Lock()
		defer q.putting.Unlock()
		close(q.done)
		if !q.limited {
			close(q.in)
		}
	})
}
