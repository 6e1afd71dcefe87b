// The state of the pipe lies in a channel of capacity 1, whoever takes it out owns it; a change is announced by closing a channel.

package pipes

import (
	"bytes"
	"context"
	"errors"
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

type parcel[T any] struct {
	v    T
	done chan struct{} // closed when it has a place in the buffer or was received
}

type table[T any] struct {
	line    [2][]*parcel[T] // by sender
	closed  [2]bool
	changed chan struct{}
}

func (t *table[T]) announce() {
	close(t.changed)
	t.changed = make(chan struct{})
}

type Conn[T any] struct {
	table  chan *table[T]
	me     int
	buffer int
}

func Pipe[T any](buffer int) (left, right *Conn[T]) {
	ch := make(chan *table[T], 1)
	ch <- &table[T]{changed: make(chan struct{})}
	return &Conn[T]{ch, 0, buffer}, &Conn[T]{ch, 1, buffer}
}

func (c *Conn[T]) settle(t *table[T], from int) {
	for i, p := range t.line[from] {
		if i >= c.buffer {
			break
		}
		select {
		case <-p.done:
		default:
			close(p.done)
		}
	}
}

func (c *Conn[T]) Send(ctx context.Context, v T) error {
	t := <-c.table
	if err := ctx.Err(); err != nil {
		c.table <- t
		return err
	}
	if t.closed[0] || t.closed[1] {
		c.table <- t
		return io.ErrClosedPipe
	}
	p := &parcel[T]{v, make(chan struct{})}
	t.line[c.me] = append(t.line[c.me], p)
	c.settle(t, c.me)
	t.announce()
	for {
		changed := t.changed
		c.table <- t
		select {
		case <-p.done:
			return nil
		case <-changed:
		case <-ctx.Done():
		}
		t = <-c.table
		select {
		case <-p.done:
			c.table <- t
			return nil
		default:
		}
		err := ctx.Err()
		if t.closed[0] || t.closed[1] {
			err = errors.Join(io.ErrClosedPipe, err)
		}
		if err != nil {
			for i, o := range t.line[c.me] {
				if o == p {
					t.line[c.me] = append(t.line[c.me][:i:i], t.line[c.me][i+1:]...)
					break
				}
			}
			c.table <- t
			return err
		}
	}
}

func (c *Conn[T]) Recv(ctx context.Context) (T, error) {
	var zero T
	from := 1 - c.me
	for {
		t := <-c.table
		var err error
		switch {
		case ctx.Err() != nil:
			err = ctx.Err()
		case t.closed[c.me]:
			err = io.ErrClosedPipe
		case len(t.line[from]) > 0:
			p := t.line[from][0]
			t.line[from] = t.line[from][1:]
			select {
			case <-p.done:
			default:
				close(p.done)
			}
			c.settle(t, from)
			t.announce()
			c.table <- t
			return p.v, nil
		case t.closed[from]:
			err = io.EOF
		}
		changed := t.changed
		c.table <- t
		if err != nil {
			return zero, err
		}
		select {
		case <-changed:
		case <-ctx.Done():
		}
	}
}

func (c *Conn[T]) Close() error {
	t := <-c.table
	t.closed[c.me] = true
	for i, line := range t.line {
		if len(line) > c.buffer {
			t.line[i] = line[:c.buffer]
		}
	}
	t.announce()
	c.table <- t
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

// lineReader cuts what it reads into lines by hand.
type lineReader struct {
	in   io.Reader
	have []byte
	err  error
}

func (r *lineReader) next() (string, error) {
	for {
		if line, rest, ok := bytes.Cut(r.have, []byte("\n")); ok {
			r.have = rest
			return string(line), nil
		}
		if r.err != nil {
			line := string(r.have)
			r.have = nil
			if line != "" && errors.Is(r.err, io.EOF) {
				return line, nil
			}
			return "", r.err
		}
		chunk := make([]byte, 4096)
		var n int
		n, r.err = r.in.Read(chunk)
		r.have = append(r.have, chunk[:n]...)
	}
}

// Crew's workers ask the pipe themselves, one at a time.
func Crew(ctx context.Context, in io.Reader, out io.Writer) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	left, right := Pipe[string](1)
	result := make(chan error, 1)
	go func() {
		defer left.Close()
		r := &lineReader{in: in}
		for {
			line, err := r.next()
			if line == "quit" || errors.Is(err, io.EOF) {
				result <- nil
				return
			}
			if err == nil && line != "" {
				err = left.Send(ctx, line)
			}
			if err != nil {
				result <- err
				return
			}
		}
	}()

	turn := make(chan struct{}, 1)
	worker := func(n int) {
		for {
			turn <- struct{}{}
			line, err := right.Recv(ctx)
			if err == nil && ctx.Err() == nil {
				_, _ = out.Write([]byte("worker " + strconv.Itoa(n) + ": " + line + "\n"))
			}
			<-turn
			if err != nil || ctx.Err() != nil {
				return
			}
			select {
			case <-time.After(Nap):
			case <-ctx.Done():
				return
			}
		}
	}
	var wg sync.WaitGroup
	for n := range Workers {
		wg.Add(1)
		go func() {
			defer wg.Done()
			worker(n + 1)
		}()
	}
	wg.Wait()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return <-result
}
