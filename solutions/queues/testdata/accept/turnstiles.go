// Those who put pass one turnstile and those who get another, behind which one of each waits; the items are a linked list.
package queues

import (
	"bufio"
	"context"
	"errors"
	"io"
	"sync/atomic"
	"time"
)

var ErrClosed = errors.New("queue closed")

func Sleepy(out chan<- string, dozeOff time.Duration) {
	defer func() { out <- "Worker awake." }()
	ctx, cancel := context.WithTimeout(context.Background(), dozeOff)
	defer cancel()
	<-ctx.Done()
}

func Work(in <-chan string, w io.Writer) {
	m, ok := <-in
	if !ok {
		return
	}
	b := bufio.NewWriterSize(w, len(m)+100)
	b.WriteString("Got '")
	b.WriteString(m)
	b.WriteString("' from Queue.\n")
	b.Flush()
}

// Queue: producers pass one turnstile, consumers another; behind each at most one waits.
// The items are a linked list; counters are atomic.
type Queue[T any] struct {
	producer chan struct{}
	consumer chan struct{}
	core     chan *core[T] // whoever has it may touch it
	more     chan struct{} // to the consumer: look again
	room     chan struct{} // to the producer: look again
	max      int
	length   atomic.Int64
	closed   chan struct{}
}

type core[T any] struct {
	head, tail *node[T]
	closed     bool
}

type node[T any] struct {
	v    T
	next *node[T]
}

func New[T any](maxsize int) *Queue[T] {
	q := &Queue[T]{
		producer: make(chan struct{}, 1),
		consumer: make(chan struct{}, 1),
		core:     make(chan *core[T], 1),
		more:     make(chan struct{}, 1),
		room:     make(chan struct{}, 1),
		closed:   make(chan struct{}),
		max:      maxsize,
	}
	q.core <- &core[T]{}
	return q
}

func tell(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

func enter(ctx context.Context, gate chan struct{}) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case gate <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (q *Queue[T]) Put(ctx context.Context, v T) error {
	if err := enter(ctx, q.producer); err != nil {
		return err
	}
	defer func() { <-q.producer }()
	for {
		c := <-q.core
		if c.closed {
			q.core <- c
			return ErrClosed
		}
		if q.max <= 0 || q.length.Load() < int64(q.max) {
			n := &node[T]{v: v}
			if c.tail == nil {
				c.head = n
			} else {
				c.tail.next = n
			}
			c.tail = n
			q.length.Add(1)
			q.core <- c
			tell(q.more)
			return nil
		}
		q.core <- c
		select {
		case <-q.room:
		case <-q.closed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (q *Queue[T]) Get(ctx context.Context) (T, error) {
	var zero T
	if err := enter(ctx, q.consumer); err != nil {
		return zero, err
	}
	defer func() { <-q.consumer }()
	for {
		c := <-q.core
		if c.head != nil {
			v := c.head.v
			if c.head = c.head.next; c.head == nil {
				c.tail = nil
			}
			q.length.Add(-1)
			q.core <- c
			tell(q.room)
			return v, nil
		}
		closed := c.closed
		q.core <- c
		if closed {
			return zero, ErrClosed
		}
		select {
		case <-q.more:
		case <-q.closed:
		case <-ctx.Done():
			return zero, ctx.Err()
		}
	}
}

func (q *Queue[T]) Len() int { return int(q.length.Load()) }

func (q *Queue[T]) Close() {
	c := <-q.core
	defer func() { q.core <- c }()
	if !c.closed {
		c.closed = true
		close(q.closed)
	}
}
