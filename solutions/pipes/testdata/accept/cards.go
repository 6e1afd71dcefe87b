// Each direction is a monitor with one condition variable for all; a message is a card, on which Recv notes that it was taken.
package pipes

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"sync"
	"time"
)

const (
	Workers = 2
	Nap     = 100 * time.Millisecond
)

type message[T any] struct {
	value T
	taken bool
}

// wire is one direction of a pipe: a monitor.
type wire[T any] struct {
	mu         sync.Mutex
	cond       *sync.Cond
	buffer     int
	queue      []*message[T]
	receivers  int // how many are waiting in recv
	sendClosed bool
	recvClosed bool
}

func newWire[T any](buffer int) *wire[T] {
	w := &wire[T]{buffer: buffer}
	w.cond = sync.NewCond(&w.mu)
	return w
}

func (w *wire[T]) watch(ctx context.Context) (stop func() bool) {
	return context.AfterFunc(ctx, func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.cond.Broadcast()
	})
}

func (w *wire[T]) send(ctx context.Context, v T) error {
	defer w.watch(ctx)()
	w.mu.Lock()
	defer w.mu.Unlock()
	// wait for a place
	for {
		if w.sendClosed || w.recvClosed {
			return io.ErrClosedPipe
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if w.buffer == 0 || len(w.queue) < w.buffer {
			break
		}
		w.cond.Wait()
	}
	m := &message[T]{value: v}
	w.queue = append(w.queue, m)
	w.cond.Broadcast()
	if w.buffer > 0 {
		return nil
	}
	// wait for the receiver
	for !m.taken {
		var err error
		if w.sendClosed || w.recvClosed {
			err = io.ErrClosedPipe
		} else if ctx.Err() != nil {
			err = ctx.Err()
		}
		if err != nil {
			for i := range w.queue {
				if w.queue[i] == m {
					w.queue = append(w.queue[:i], w.queue[i+1:]...)
					break
				}
			}
			w.cond.Broadcast()
			return err
		}
		w.cond.Wait()
	}
	return nil
}

func (w *wire[T]) recv(ctx context.Context) (T, error) {
	var zero T
	defer w.watch(ctx)()
	w.mu.Lock()
	defer w.mu.Unlock()
	for {
		if w.recvClosed {
			return zero, io.ErrClosedPipe
		}
		if err := ctx.Err(); err != nil {
			return zero, err
		}
		if w.buffer == 0 && w.sendClosed {
			// what waits in the queue belongs to Sends that fail
			return zero, io.EOF
		}
		if len(w.queue) > 0 {
			m := w.queue[0]
			w.queue = w.queue[1:]
			m.taken = true
			w.cond.Broadcast()
			return m.value, nil
		}
		if w.sendClosed {
			return zero, io.EOF
		}
		w.cond.Wait()
	}
}

type Conn[T any] struct {
	out, in *wire[T]
}

func Pipe[T any](buffer int) (left, right *Conn[T]) {
	a, b := newWire[T](buffer), newWire[T](buffer)
	return &Conn[T]{out: a, in: b}, &Conn[T]{out: b, in: a}
}

func (c *Conn[T]) Send(ctx context.Context, v T) error { return c.out.send(ctx, v) }
func (c *Conn[T]) Recv(ctx context.Context) (T, error) { return c.in.recv(ctx) }
func (c *Conn[T]) Close() error {
	c.out.mu.Lock()
	c.out.sendClosed = true
	c.out.mu.Unlock()
	c.out.cond.Broadcast()
	c.in.mu.Lock()
	c.in.recvClosed = true
	c.in.mu.Unlock()
	c.in.cond.Broadcast()
	return nil
}

func Alice(ctx context.Context, right *Conn[string], w io.Writer) error {
	heard, err := right.Recv(ctx)
	if err != nil {
		return fmt.Errorf("alice listens: %w", err)
	}
	if _, err := fmt.Fprintf(w, "I heard Bob say '%s'.\n", heard); err != nil {
		return err
	}
	if err := right.Send(ctx, "Roger roger. Over and out."); err != nil {
		return fmt.Errorf("alice speaks: %w", err)
	}
	return nil
}

func Bob(ctx context.Context, left *Conn[string], w io.Writer) error {
	if err := left.Send(ctx, "Hello, Alice!"); err != nil {
		return fmt.Errorf("bob speaks: %w", err)
	}
	heard, err := left.Recv(ctx)
	if err != nil {
		return fmt.Errorf("bob listens: %w", err)
	}
	_, err = fmt.Fprintf(w, "I heard Alice say '%s'.\n", heard)
	return err
}

// Crew: sixteen cards. Whoever reads a line takes one, whoever has written it gives it back.
func Crew(ctx context.Context, in io.Reader, out io.Writer) error {
	cards := make(chan struct{}, 16)
	for range cap(cards) {
		cards <- struct{}{}
	}
	parent, manager := Pipe[string](16)
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var mu sync.Mutex
	var failure error
	go func() {
		defer parent.Close()
		b := bufio.NewReaderSize(in, 70000)
		for {
			select {
			case <-cards:
			case <-ctx.Done():
				return
			}
			data, err := b.ReadSlice('\n')
			last := err != nil
			if last && err != io.EOF {
				mu.Lock()
				failure = err
				mu.Unlock()
			}
			line := string(data)
			if len(line) > 0 && line[len(line)-1] == '\n' {
				line = line[:len(line)-1]
			}
			if line == "quit" {
				return
			}
			if line != "" {
				if parent.Send(ctx, line) != nil {
					return
				}
			} else {
				cards <- struct{}{}
			}
			if last {
				return
			}
		}
	}()
	queue := make(chan string, 16)
	var team sync.WaitGroup
	team.Go(func() {
		defer close(queue)
		for {
			line, err := manager.Recv(ctx)
			if err != nil {
				return
			}
			queue <- line
		}
	})
	for n := range Workers {
		team.Go(func() {
			for line := range queue {
				if ctx.Err() != nil {
					continue // drop the rest
				}
				fmt.Fprintf(out, "worker %d: %s\n", n+1, line)
				cards <- struct{}{}
				wake := make(chan struct{})
				alarm := time.AfterFunc(Nap, func() { close(wake) })
				select {
				case <-wake:
				case <-ctx.Done():
					alarm.Stop()
				}
			}
		})
	}
	team.Wait()
	if err := ctx.Err(); err != nil {
		return err
	}
	mu.Lock()
	defer mu.Unlock()
	return failure
}
