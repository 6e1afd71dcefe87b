// As in the textbook: one counting semaphore for the room, one for the stock, each with a line of those who wait for it.
package queues

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"
)

var ErrClosed = errors.New("queue closed")

func Sleepy(out chan<- string, dozeOff time.Duration) {
	<-time.After(dozeOff)
	out <- "Worker awake."
}

func Work(in <-chan string, w io.Writer) {
	msg, ok := <-in
	if !ok {
		return
	}
	if _, err := fmt.Fprintln(w, "Got '"+msg+"' from Queue."); err != nil {
		return
	}
}

// semaphore counts what there is; who wants one and finds none waits for its turn.
type semaphore struct {
	n       int
	waiters []chan bool
}

func (s *semaphore) give() {
	if len(s.waiters) > 0 {
		s.waiters[0] <- true
		s.waiters = s.waiters[1:]
		return
	}
	s.n++
}

func (s *semaphore) drop(w chan bool) {
	for i := range s.waiters {
		if s.waiters[i] == w {
			s.waiters = append(s.waiters[:i], s.waiters[i+1:]...)
			return
		}
	}
}

// Queue counts its room and its items with a semaphore each.
type Queue[T any] struct {
	mu     sync.Mutex
	room   semaphore
	stock  semaphore
	items  []T
	closed bool
	end    chan struct{}
	limit  bool
}

func New[T any](maxsize int) *Queue[T] {
	return &Queue[T]{room: semaphore{n: maxsize}, end: make(chan struct{}), limit: maxsize > 0}
}

// take takes one of s; the lock is held before and after.
func (q *Queue[T]) take(ctx context.Context, s *semaphore) error {
	if s.n > 0 {
		s.n--
		return nil
	}
	if q.closed {
		return ErrClosed
	}
	w := make(chan bool, 1)
	s.waiters = append(s.waiters, w)
	q.mu.Unlock()
	var err error
	select {
	case <-w:
	case <-q.end:
		err = ErrClosed
	case <-ctx.Done():
		err = ctx.Err()
	}
	q.mu.Lock()
	if err == nil {
		return nil
	}
	select {
	case <-w:
		return nil // it came all the same
	default:
		s.drop(w)
		return err
	}
}

func (q *Queue[T]) Put(ctx context.Context, v T) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return ErrClosed
	}
	if q.limit {
		if err := q.take(ctx, &q.room); err != nil {
			return err
		}
	}
	if q.closed {
		return ErrClosed
	}
	q.items = append(q.items, v)
	q.stock.give()
	return nil
}

func (q *Queue[T]) Get(ctx context.Context) (v T, err error) {
	if err := ctx.Err(); err != nil {
		return v, err
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if err := q.take(ctx, &q.stock); err != nil {
		return v, err
	}
	v = q.items[0]
	q.items = q.items[1:]
	if q.limit {
		q.room.give()
	}
	return v, nil
}

func (q *Queue[T]) Len() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.items)
}

func (q *Queue[T]) Close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	if !q.closed {
		q.closed = true
		close(q.end)
	}
}
