// Who blocks has a condition variable of its own, on a stack: who came last is woken first, and looks again.
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
	time.Sleep(dozeOff)
	out <- "Worker awake."
}

func Work(in <-chan string, w io.Writer) {
	for m := range in {
		_, _ = fmt.Fprintf(w, "Got '%s' from Queue.\n", m)
		break
	}
}

// Queue: each who blocks has a condition variable of his own, on a stack; the one who came last
// is woken first, and has to look again.
type Queue[T any] struct {
	sync.Mutex
	items   []T
	max     int
	closed  bool
	putters []*sleeper
	getters []*sleeper
}

type sleeper struct {
	*sync.Cond
	woken bool
}

func New[T any](maxsize int) *Queue[T] { return &Queue[T]{max: maxsize} }

func wakeOne(stack *[]*sleeper) {
	if n := len(*stack); n > 0 {
		s := (*stack)[n-1]
		*stack = (*stack)[:n-1]
		s.woken = true
		s.Signal()
	}
}

// sleep waits on the stack until woken or ctx ends.
func (q *Queue[T]) sleep(ctx context.Context, stack *[]*sleeper) {
	s := &sleeper{Cond: sync.NewCond(&q.Mutex)}
	*stack = append(*stack, s)
	stop := context.AfterFunc(ctx, func() {
		q.Lock()
		defer q.Unlock()
		s.Signal()
	})
	defer stop()
	for !s.woken && ctx.Err() == nil {
		s.Wait()
	}
	if !s.woken {
		for i, x := range *stack {
			if x == s {
				*stack = append((*stack)[:i], (*stack)[i+1:]...)
				return
			}
		}
	}
}

func (q *Queue[T]) Put(ctx context.Context, v T) error {
	q.Lock()
	defer q.Unlock()
	for {
		full := q.max > 0 && len(q.items) >= q.max
		switch {
		case ctx.Err() != nil:
			if !full {
				wakeOne(&q.putters) // it may have been meant for us
			}
			return ctx.Err()
		case q.closed:
			return ErrClosed
		case !full:
			q.items = append(q.items, v)
			wakeOne(&q.getters)
			return nil
		}
		q.sleep(ctx, &q.putters)
	}
}

func (q *Queue[T]) Get(ctx context.Context) (T, error) {
	q.Lock()
	defer q.Unlock()
	for {
		switch {
		case ctx.Err() != nil:
			if len(q.items) > 0 {
				wakeOne(&q.getters)
			}
			return *new(T), ctx.Err()
		case len(q.items) > 0:
			v := q.items[0]
			q.items = q.items[1:]
			wakeOne(&q.putters)
			return v, nil
		case q.closed:
			return *new(T), ErrClosed
		}
		q.sleep(ctx, &q.getters)
	}
}

func (q *Queue[T]) Len() int { q.Lock(); defer q.Unlock(); return len(q.items) }

func (q *Queue[T]) Close() {
	q.Lock()
	defer q.Unlock()
	q.closed = true
	for len(q.putters) > 0 {
		wakeOne(&q.putters)
	}
	for len(q.getters) > 0 {
		wakeOne(&q.getters)
	}
}
