// Bob and Alice hang up when they have no more to say; the crew is a chain of callbacks, where naps are timers, and only who writes has a goroutine.
package pipes

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"
)

const (
	Workers = 2
	Nap     = 100 * time.Millisecond
)

type Conn[T any] struct {
	in         <-chan T
	out        chan<- T
	here, away chan struct{}
	sealed     chan struct{} // here, and no Send is under way any more
	lid        chan struct{} // the other's
	sending    sync.Mutex
	once       *sync.Once
}

func Pipe[T any](buffer int) (left, right *Conn[T]) {
	lr, rl := make(chan T, buffer), make(chan T, buffer)
	l, r := make(chan struct{}), make(chan struct{})
	ls, rs := make(chan struct{}), make(chan struct{})
	left = &Conn[T]{in: rl, out: lr, here: l, away: r, sealed: ls, lid: rs, once: new(sync.Once)}
	right = &Conn[T]{in: lr, out: rl, here: r, away: l, sealed: rs, lid: ls, once: new(sync.Once)}
	return left, right
}

func (c *Conn[T]) Send(ctx context.Context, v T) error {
	c.sending.Lock() // there is one sender at a time, so only a Close ever waits here
	defer c.sending.Unlock()
	select {
	case <-ctx.Done():
		return ctx.Err()
	default:
	}
	select {
	case <-c.here:
		return fmt.Errorf("send: %w", io.ErrClosedPipe)
	case <-c.away:
		return fmt.Errorf("send: %w", io.ErrClosedPipe)
	default:
	}
	select {
	case c.out <- v:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-c.here:
	case <-c.away:
	}
	return io.ErrClosedPipe
}

func (c *Conn[T]) Recv(ctx context.Context) (v T, err error) {
	select {
	case <-c.here:
		return v, io.ErrClosedPipe
	default:
	}
	if err := ctx.Err(); err != nil {
		return v, err
	}
	select {
	case v = <-c.in:
		return v, nil
	case <-c.here:
		return v, io.ErrClosedPipe
	case <-ctx.Done():
		return v, ctx.Err()
	case <-c.lid:
	}
	select {
	case v = <-c.in:
		return v, nil
	default:
		return v, io.EOF
	}
}

func (c *Conn[T]) Close() error {
	c.once.Do(func() {
		close(c.here)
		c.sending.Lock()
		defer c.sending.Unlock()
		close(c.sealed)
	})
	return nil
}

func Alice(ctx context.Context, right *Conn[string], w io.Writer) (err error) {
	defer right.Close()
	var m string
	for _, step := range []func() error{
		func() error { m, err = right.Recv(ctx); return err },
		func() error { w.Write([]byte("I heard Bob say '" + m + "'.\n")); return nil },
		func() error { return right.Send(ctx, "Roger roger. Over and out.") },
	} {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

func Bob(ctx context.Context, left *Conn[string], w io.Writer) error {
	defer left.Close()
	err := left.Send(ctx, "Hello, Alice!")
	if err != nil {
		return err
	}
	answer, err := left.Recv(ctx)
	if err != nil {
		return err
	}
	io.WriteString(w, fmt.Sprint("I heard Alice say '", answer, "'.\n"))
	return nil
}

// Crew as a chain of callbacks: nobody is there while both nap but the reader.
func Crew(ctx context.Context, in io.Reader, out io.Writer) error {
	c := &crew{user: ctx, out: out, over: make(chan struct{}), wants: make(chan struct{}, 12)}
	c.ctx, c.cancel = context.WithCancelCause(ctx)
	defer c.cancel(nil)
	for n := Workers; n > 0; n-- {
		c.idle = append(c.idle, n)
	}
	for range cap(c.wants) {
		c.wants <- struct{}{}
	}
	to, from := Pipe[string](0)
	go func() {
		err := c.read(in, to)
		c.mu.Lock()
		c.err = err
		c.mu.Unlock()
		to.Close()
	}()
	go func() {
		for {
			line, err := from.Recv(c.ctx)
			c.mu.Lock()
			if err != nil {
				c.ended = true
				c.look()
				c.mu.Unlock()
				return
			}
			c.queue = append(c.queue, line)
			c.look()
			c.mu.Unlock()
		}
	}()
	stop := context.AfterFunc(ctx, func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.ended = true
		c.queue = nil
		for n, t := range c.naps {
			if t != nil && t.Stop() {
				c.naps[n] = nil
				c.idle = append(c.idle, n)
			}
		}
		c.look()
	})
	defer stop()
	<-c.over
	if ctx.Err() != nil {
		return ctx.Err()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err
}

type crew struct {
	user   context.Context // Crew's own
	ctx    context.Context // ends with Crew as well
	cancel context.CancelCauseFunc
	out    io.Writer
	wants  chan struct{}
	over   chan struct{}

	mu    sync.Mutex
	idle  []int
	naps  [Workers + 1]*time.Timer
	queue []string
	ended bool
	done  bool
	err   error
}

func (c *crew) read(in io.Reader, to *Conn[string]) error {
	r := bufio.NewReader(in)
	for {
		select {
		case <-c.wants:
		case <-c.ctx.Done():
			return nil
		}
		line, err := r.ReadString('\n')
		if err != nil && !errors.Is(err, io.EOF) {
			return fmt.Errorf("reading: %w", err)
		}
		if n := len(line); n > 0 && line[n-1] == '\n' {
			line = line[:n-1]
		}
		if line == "quit" {
			return nil
		}
		if line == "" {
			c.wants <- struct{}{}
		} else if to.Send(c.ctx, line) != nil {
			return nil
		}
		if err != nil {
			return nil
		}
	}
}

// look starts whoever can be started; called with the lock.
func (c *crew) look() {
	for c.user.Err() == nil && len(c.queue) > 0 && len(c.idle) > 0 {
		line, n := c.queue[0], c.idle[len(c.idle)-1]
		c.queue, c.idle = c.queue[1:], c.idle[:len(c.idle)-1]
		go func() {
			fmt.Fprintf(c.out, "worker %d: %s\n", n, line)
			c.mu.Lock()
			defer c.mu.Unlock()
			c.wants <- struct{}{}
			if c.user.Err() != nil {
				c.idle = append(c.idle, n)
				c.look()
				return
			}
			c.naps[n] = time.AfterFunc(Nap, func() {
				c.mu.Lock()
				defer c.mu.Unlock()
				c.naps[n] = nil
				c.idle = append(c.idle, n)
				c.look()
			})
		}()
	}
	if c.ended && len(c.idle) == Workers && (len(c.queue) == 0 || c.user.Err() != nil) && !c.done {
		c.done = true
		close(c.over)
	}
}
