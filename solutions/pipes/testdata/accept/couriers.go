// Each direction of a pipe with a buffer has a courier, who carries the messages from one channel to another in a bag; free workers ask the manager for a line.
package pipes

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"strconv"
	"sync"
	"time"
)

const (
	Workers = 2
	Nap     = 100 * time.Millisecond
)

// lane is one direction, with a courier who carries what waits.
type lane[T any] struct {
	in, out  chan T
	from, to chan struct{} // closed when that end is
	buffer   int
}

func (l *lane[T]) courier() {
	var bag []T
	defer close(l.out)
	for {
		var in, out chan T
		var next T
		if len(bag) < l.buffer {
			in = l.in
		}
		if len(bag) > 0 {
			out, next = l.out, bag[0]
		}
		if isClosed(l.from) {
			in = nil
			if out == nil {
				return
			}
			select {
			case out <- next:
				bag = bag[1:]
			case <-l.to:
				return
			}
			continue
		}
		select {
		case v := <-in:
			bag = append(bag, v)
		case out <- next:
			bag = bag[1:]
		case <-l.from:
		case <-l.to:
			return
		}
	}
}

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

type Conn[T any] struct {
	send, recv *lane[T]
	mine       chan struct{}
	other      chan struct{}
	once       sync.Once
}

func Pipe[T any](buffer int) (left, right *Conn[T]) {
	l, r := make(chan struct{}), make(chan struct{})
	build := func(from, to chan struct{}) *lane[T] {
		x := &lane[T]{in: make(chan T), from: from, to: to, buffer: buffer}
		if buffer == 0 {
			x.out = x.in
		} else {
			x.out = make(chan T)
			go x.courier()
		}
		return x
	}
	lr, rl := build(l, r), build(r, l)
	return &Conn[T]{send: lr, recv: rl, mine: l, other: r}, &Conn[T]{send: rl, recv: lr, mine: r, other: l}
}

func (c *Conn[T]) Send(ctx context.Context, v T) error {
	if isClosed(c.mine) || isClosed(c.other) {
		return io.ErrClosedPipe
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	select {
	case c.send.in <- v:
		return nil
	case <-c.mine:
	case <-c.other:
	case <-ctx.Done():
		return ctx.Err()
	}
	return io.ErrClosedPipe
}

func (c *Conn[T]) Recv(ctx context.Context) (v T, err error) {
	if isClosed(c.mine) {
		return v, io.ErrClosedPipe
	}
	if ctx.Err() != nil {
		return v, ctx.Err()
	}
	over := c.other
	if c.recv.buffer > 0 {
		over = nil // the courier says so
	} else if isClosed(over) {
		return v, io.EOF
	}
	select {
	case v, ok := <-c.recv.out:
		if !ok {
			if isClosed(c.mine) {
				return v, io.ErrClosedPipe
			}
			return v, io.EOF
		}
		return v, nil
	case <-c.mine:
		return v, io.ErrClosedPipe
	case <-over:
		return v, io.EOF
	case <-ctx.Done():
		return v, ctx.Err()
	}
}

func (c *Conn[T]) Close() error {
	c.once.Do(func() { close(c.mine) })
	return nil
}

func Alice(ctx context.Context, right *Conn[string], w io.Writer) error {
	said, err := right.Recv(ctx)
	if err != nil {
		return fmt.Errorf("alice listens: %w", err)
	}
	fmt.Fprintf(w, "I heard Bob say '%s'.\n", said)
	return right.Send(ctx, "Roger roger. Over and out.")
}

func Bob(ctx context.Context, left *Conn[string], w io.Writer) error {
	if err := left.Send(ctx, "Hello, Alice!"); err != nil {
		return err
	}
	said, err := left.Recv(ctx)
	if err == nil {
		io.WriteString(w, "I heard Alice say '"+said+"'.\n")
	}
	return err
}

// Crew, as a pull: a worker that is free says so, and is given a line.
func Crew(ctx context.Context, in io.Reader, out io.Writer) error {
	left, right := Pipe[string](0)
	defer left.Close()
	defer right.Close()
	type reading struct{ err error }
	end := make(chan reading, 1)
	go func() {
		defer left.Close()
		lines := bufio.NewScanner(in)
		lines.Buffer(make([]byte, 1024), 66000)
		for lines.Scan() && lines.Text() != "quit" {
			if ctx.Err() != nil {
				return
			}
			if lines.Text() != "" && left.Send(ctx, lines.Text()) != nil {
				return
			}
		}
		err := lines.Err()
		if lines.Text() == "quit" {
			err = nil
		}
		end <- reading{err}
	}()

	free := make(chan chan string)
	done := make(chan bool)
	for n := 1; n <= Workers; n++ {
		go worker(ctx, n, free, done, out)
	}
	for {
		line, err := right.Recv(ctx)
		if err != nil {
			break
		}
		select {
		case hand := <-free:
			hand <- line
			continue
		case <-ctx.Done():
		}
		break
	}
	for range Workers {
		select {
		case hand := <-free:
			close(hand)
			<-done
		case <-done:
		}
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return (<-end).err
}

func worker(ctx context.Context, n int, free chan chan string, done chan bool, out io.Writer) {
	defer func() { done <- true }()
	name := "worker " + strconv.Itoa(n) + ": "
	for {
		hand := make(chan string)
		select {
		case free <- hand:
		case <-ctx.Done():
			return
		}
		line, ok := <-hand
		if !ok || ctx.Err() != nil {
			return
		}
		io.WriteString(out, name+line+"\n")
		select {
		case <-time.After(Nap):
		case <-ctx.Done():
			return
		}
	}
}
