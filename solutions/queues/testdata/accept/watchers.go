// Two stacks make the queue, one condition variable wakes everybody, and each call has a goroutine that watches its context.
package queues

import (
	"context"
	"errors"
	"io"
	"sync"
	"sync/atomic"
	"time"
)

var ErrClosed = errors.New("queue closed")

func Sleepy(out chan<- string, dozeOff time.Duration) {
	ctx, cancel := context.WithTimeout(context.Background(), dozeOff)
	defer cancel()
	<-ctx.Done()
	out <- "Worker awake."
}

func Work(in <-chan string, w io.Writer) {
	select {
	case msg, ok := <-in:
		if !ok {
			break
		}
		io.WriteString(w, "Got '"+msg+"' from Queue.\n")
	}
}

// Two stacks, a condition, and a goroutine that watches over each call's context.
type Queue[T any] struct {
	*sync.Cond
	max    int
	in, ex []T
	n      atomic.Int64
	closed atomic.Bool
}

func New[T any](maxsize int) *Queue[T] {
	return &Queue[T]{Cond: sync.NewCond(new(sync.Mutex)), max: maxsize}
}

func (q *Queue[T]) watch(ctx context.Context) func() {
	stop := make(chan struct{})
	go func() {
		select {
		case <-ctx.Done():
			q.L.Lock()
			q.Broadcast()
			q.L.Unlock()
		case <-stop:
		}
	}()
	return func() { close(stop) }
}

func (q *Queue[T]) Put(ctx context.Context, v T) error {
	defer q.watch(ctx)()
	q.L.Lock()
	defer q.L.Unlock()
	for {
		if q.closed.Load() {
			return ErrClosed
		}
		if ctx.Err() != nil {
			return errors.Join(errors.New("put"), ctx.Err())
		}
		if q.max <= 0 || int(q.n.Load()) < q.max {
			q.in = append(q.in, v)
			q.n.Add(1)
			q.Broadcast()
			return nil
		}
		q.Wait()
	}
}

func (q *Queue[T]) Get(ctx context.Context) (v T, err error) {
	defer q.watch(ctx)()
	q.L.Lock()
	defer q.L.Unlock()
	for {
		if ctx.Err() != nil {
			return v, errors.Join(errors.New("get"), ctx.Err())
		}
		if len(q.ex) == 0 {
			for i := len(q.in) - 1; i >= 0; i-- {
				q.ex = append(q.ex, q.in[i])
			}
			q.in = nil
		}
		if last := len(q.ex) - 1; last >= 0 {
			v = q.ex[last]
			q.ex = q.ex[:last]
			q.n.Add(-1)
			q.Broadcast()
			return v, nil
		}
		if q.closed.Load() {
			return v, ErrClosed
		}
		q.Wait()
	}
}

func (q *Queue[T]) Len() int { return int(q.n.Load()) }

func (q *Queue[T]) Close() {
	q.L.Lock()
	defer q.L.Unlock()
	q.closed.Store(true)
	q.Broadcast()
}
