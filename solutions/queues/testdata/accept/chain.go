// Every item lies in a cell that knows the next one; the first and the last cell pass from hand to hand through channels.

package queues

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"time"
)

var ErrClosed = errors.New("queue closed")

func Sleepy(out chan<- string, dozeOff time.Duration) {
	for t := time.Now(); time.Since(t) < dozeOff; {
		time.Sleep(min(dozeOff, time.Millisecond))
	}
	for {
		select {
		case out <- "Worker awake.":
			return
		default:
			time.Sleep(time.Millisecond)
		}
	}
}

func Work(in <-chan string, w io.Writer) {
	for {
		select {
		case m, ok := <-in:
			if ok {
				b := bufio.NewWriterSize(w, len(m)+40)
				fmt.Fprint(b, "Got '", m, "' from Queue.\n")
				b.Flush()
			}
			return
		default:
			time.Sleep(time.Millisecond)
		}
	}
}

type Queue[T any] struct {
	head chan *cell[T] // the token of the Gets
	tail chan *cell[T] // the token of the Puts
	room chan struct{}
	n    atomic.Int64
	over chan struct{}
	once sync.Once
}

type cell[T any] struct {
	full chan struct{}
	v    T
	next *cell[T]
}

func newCell[T any]() *cell[T] { return &cell[T]{full: make(chan struct{})} }

func New[T any](maxsize int) *Queue[T] {
	q := &Queue[T]{head: make(chan *cell[T], 1), tail: make(chan *cell[T], 1), over: make(chan struct{})}
	if maxsize > 0 {
		q.room = make(chan struct{}, maxsize)
	}
	c := newCell[T]()
	q.head <- c
	q.tail <- c
	return q
}

func (q *Queue[T]) Put(ctx context.Context, v T) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if q.room != nil {
		select {
		case q.room <- struct{}{}:
		case <-ctx.Done():
			return ctx.Err()
		case <-q.over:
			return ErrClosed
		}
	}
	c := <-q.tail
	defer func() { q.tail <- c }()
	select {
	case <-q.over:
		if q.room != nil {
			<-q.room
		}
		return ErrClosed
	default:
	}
	next := newCell[T]()
	c.v, c.next = v, next
	q.n.Add(1)
	close(c.full)
	c = next
	return nil
}

func (q *Queue[T]) Get(ctx context.Context) (v T, err error) {
	var c *cell[T]
	select {
	case c = <-q.head:
	case <-ctx.Done():
		return v, ctx.Err()
	}
	defer func() { q.head <- c }()
	if ctx.Err() != nil {
		return v, ctx.Err()
	}
	select {
	case <-c.full:
	case <-ctx.Done():
		return v, ctx.Err()
	case <-q.over:
		select {
		case <-c.full:
		default:
			return v, ErrClosed
		}
	}
	v, c = c.v, c.next
	q.n.Add(-1)
	if q.room != nil {
		<-q.room
	}
	return v, nil
}

func (q *Queue[T]) Len() int { return int(q.n.Load()) }

func (q *Queue[T]) Close() {
	q.once.Do(func() {
		c := <-q.tail
		close(q.over)
		q.tail <- c
	})
}
