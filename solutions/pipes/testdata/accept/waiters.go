// As the runtime does it: lists of waiting senders and receivers, each woken by a channel of its own, under one lock for the whole pipe.

package pipes

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"
)

const (
	Workers = 2
	Nap     = 100 * time.Millisecond
)

type waiter[T any] struct {
	v     T
	err   error
	ready chan struct{}
}

func (w *waiter[T]) wake(v T, err error) {
	w.v, w.err = v, err
	close(w.ready)
}

type way[T any] struct {
	buf       []T
	senders   []*waiter[T]
	receivers []*waiter[T]
}

type Conn[T any] struct {
	mu      *sync.Mutex
	buffer  int
	in, out *way[T]
	closed  *bool
	peer    *bool
}

func Pipe[T any](buffer int) (left, right *Conn[T]) {
	var (
		mu     sync.Mutex
		lr, rl way[T]
		lc, rc bool
	)
	return &Conn[T]{&mu, buffer, &rl, &lr, &lc, &rc}, &Conn[T]{&mu, buffer, &lr, &rl, &rc, &lc}
}

func (c *Conn[T]) await(ctx context.Context, w *waiter[T], list *[]*waiter[T]) (T, error) {
	select {
	case <-w.ready:
		return w.v, w.err
	case <-ctx.Done():
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if i := slices.Index(*list, w); i >= 0 {
		*list = slices.Delete(*list, i, i+1)
		return w.v, ctx.Err()
	}
	return w.v, w.err
}

func (c *Conn[T]) Send(ctx context.Context, v T) error {
	c.mu.Lock()
	switch {
	case ctx.Err() != nil:
		c.mu.Unlock()
		return ctx.Err()
	case *c.closed || *c.peer:
		c.mu.Unlock()
		return io.ErrClosedPipe
	case len(c.out.receivers) > 0:
		r := c.out.receivers[0]
		c.out.receivers = c.out.receivers[1:]
		r.wake(v, nil)
		c.mu.Unlock()
		return nil
	case len(c.out.buf) < c.buffer:
		c.out.buf = append(c.out.buf, v)
		c.mu.Unlock()
		return nil
	}
	w := &waiter[T]{v: v, ready: make(chan struct{})}
	c.out.senders = append(c.out.senders, w)
	c.mu.Unlock()
	_, err := c.await(ctx, w, &c.out.senders)
	return err
}

func (c *Conn[T]) Recv(ctx context.Context) (T, error) {
	var zero T
	c.mu.Lock()
	switch {
	case ctx.Err() != nil:
		c.mu.Unlock()
		return zero, ctx.Err()
	case *c.closed:
		c.mu.Unlock()
		return zero, io.ErrClosedPipe
	case len(c.in.buf)+len(c.in.senders) > 0:
		if len(c.in.senders) > 0 {
			s := c.in.senders[0]
			c.in.senders = c.in.senders[1:]
			c.in.buf = append(c.in.buf, s.v)
			s.wake(s.v, nil)
		}
		v := c.in.buf[0]
		c.in.buf = c.in.buf[1:]
		c.mu.Unlock()
		return v, nil
	case *c.peer:
		c.mu.Unlock()
		return zero, io.EOF
	}
	w := &waiter[T]{ready: make(chan struct{})}
	c.in.receivers = append(c.in.receivers, w)
	c.mu.Unlock()
	return c.await(ctx, w, &c.in.receivers)
}

func (c *Conn[T]) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	*c.closed = true
	var zero T
	release := func(list *[]*waiter[T], err error) {
		for _, w := range *list {
			w.wake(zero, err)
		}
		*list = nil
	}
	release(&c.out.senders, io.ErrClosedPipe)
	release(&c.out.receivers, io.EOF)
	release(&c.in.senders, io.ErrClosedPipe)
	release(&c.in.receivers, io.ErrClosedPipe)
	return nil
}

func Alice(ctx context.Context, right *Conn[string], w io.Writer) error {
	said, err := right.Recv(ctx)
	if err != nil {
		return fmt.Errorf("alice listens: %w", err)
	}
	if _, err := io.WriteString(w, "I heard Bob say '"+said+"'.\n"); err != nil {
		return err
	}
	return right.Send(ctx, "Roger roger. Over and out.")
}

func Bob(ctx context.Context, left *Conn[string], w io.Writer) error {
	if err := left.Send(ctx, "Hello, Alice!"); err != nil {
		return fmt.Errorf("bob speaks: %w", err)
	}
	said, err := left.Recv(ctx)
	if err != nil {
		return fmt.Errorf("bob listens: %w", err)
	}
	_, err = io.WriteString(w, "I heard Alice say '"+said+"'.\n")
	return err
}

// Crew reads a line only when there is room for it: the slots are counted
// before the line is taken. The lines keep their "\r".
func Crew(ctx context.Context, in io.Reader, out io.Writer) error {
	left, right := Pipe[string](16)
	slots := make(chan struct{}, 16)
	var readErr error
	go func() {
		defer left.Close()
		r := bufio.NewReaderSize(in, 16)
		for {
			select {
			case slots <- struct{}{}:
			case <-ctx.Done():
				return
			}
			line, err := r.ReadString('\n')
			line, whole := strings.CutSuffix(line, "\n")
			switch {
			case err != nil && !errors.Is(err, io.EOF):
				readErr = err
				return
			case line == "quit":
				return
			case line == "":
				<-slots
			default:
				if left.Send(ctx, line) != nil {
					return
				}
			}
			if !whole {
				return
			}
		}
	}()

	type job struct {
		line string
		err  error
	}
	jobs := make(chan job)
	var wg sync.WaitGroup
	wg.Go(func() {
		defer close(jobs)
		defer right.Close()
		for {
			line, err := right.Recv(ctx)
			if err != nil {
				return
			}
			select {
			case jobs <- job{line: line}:
			case <-ctx.Done():
				return
			}
		}
	})
	var screen sync.Mutex
	for n := 1; n <= Workers; n++ {
		wg.Go(func() {
			for {
				var j job
				var ok bool
				select {
				case j, ok = <-jobs:
				case <-ctx.Done():
				}
				if !ok || ctx.Err() != nil {
					return
				}
				screen.Lock()
				fmt.Fprintf(out, "worker %d: %s\n", n, j.line)
				screen.Unlock()
				<-slots
				rest, stop := context.WithTimeout(ctx, Nap)
				<-rest.Done()
				stop()
			}
		})
	}
	wg.Wait()
	if ctx.Err() != nil {
		return fmt.Errorf("crew sent home: %w", ctx.Err())
	}
	return readErr
}
