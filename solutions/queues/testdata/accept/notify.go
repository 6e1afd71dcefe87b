// A mutex, and a channel that is closed and replaced at every change, so that whoever waits looks again.
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

// Queue tells about every change.
type Queue[T any] struct {
	mu      sync.Mutex
	items   []T
	max     int
	closed  bool
	changed chan struct{}
}

// New makes a queue.
func New[T any](maxsize int) *Queue[T] {
	return &Queue[T]{max: maxsize, changed: make(chan struct{})}
}

// try calls f until it says that it is done.
func (q *Queue[T]) try(ctx context.Context, f func() (bool, error)) error {
	for {
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("queue: gave up: %w", err)
		}
		q.mu.Lock()
		done, err := f()
		changed := q.changed
		if done && err == nil {
			q.tell()
		}
		q.mu.Unlock()
		if done {
			return err
		}
		select {
		case <-changed:
		case <-ctx.Done():
		}
	}
}

func (q *Queue[T]) tell() {
	close(q.changed)
	q.changed = make(chan struct{})
}

// Put adds v.
func (q *Queue[T]) Put(ctx context.Context, v T) error {
	return q.try(ctx, func() (bool, error) {
		switch {
		case q.closed:
			return true, fmt.Errorf("put %v: %w", v, ErrClosed)
		case q.max > 0 && len(q.items) >= q.max:
			return false, nil
		}
		q.items = append(q.items, v)
		return true, nil
	})
}

// Get takes an item.
func (q *Queue[T]) Get(ctx context.Context) (v T, err error) {
	err = q.try(ctx, func() (bool, error) {
		switch {
		case len(q.items) > 0:
			v = q.items[0]
			q.items = append([]T(nil), q.items[1:]...)
			return true, nil
		case q.closed:
			return true, ErrClosed
		}
		return false, nil
	})
	return v, err
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
	if !q.closed {
		q.closed = true
		q.tell()
	}
}
