// A goroutine owns the pipe and everybody asks it; the crew's foreman is one select loop that deals out work to idle workers.

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

type answer[T any] struct {
	v   T
	err error
}

type request[T any] struct {
	v     T
	reply chan answer[T] // with room for one
}

// side is what the owner knows about what one end sends.
type side[T any] struct {
	sends  []*request[T] // unread; those beyond the buffer still await their reply
	recvs  []*request[T] // of the other end
	closed bool          // the sending end
}

type Conn[T any] struct {
	do        chan<- func()
	over      <-chan struct{}
	mine, his *side[T]
	buffer    int
}

func Pipe[T any](buffer int) (left, right *Conn[T]) {
	do, over := make(chan func()), make(chan struct{})
	a, b := new(side[T]), new(side[T])
	go func() {
		defer close(over)
		for !a.closed || !b.closed {
			(<-do)()
		}
	}()
	return &Conn[T]{do, over, a, b, buffer}, &Conn[T]{do, over, b, a, buffer}
}

// ask has the owner call f.
func (c *Conn[T]) ask(f func()) bool {
	done := make(chan struct{})
	select {
	case c.do <- func() { f(); close(done) }:
		<-done
		return true
	case <-c.over:
		return false
	}
}

// match hands over what can be handed over, and tells the senders of all that
// has found a place.
func (s *side[T]) match(buffer int) {
	tell := func(m *request[T]) {
		select {
		case m.reply <- answer[T]{}:
		default: // has been told already
		}
	}
	for len(s.sends) > 0 && len(s.recvs) > 0 {
		m, r := s.sends[0], s.recvs[0]
		s.sends, s.recvs = s.sends[1:], s.recvs[1:]
		r.reply <- answer[T]{v: m.v}
		tell(m)
	}
	for _, m := range s.sends[:min(buffer, len(s.sends))] {
		tell(m)
	}
}

func (c *Conn[T]) Send(ctx context.Context, v T) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	m := &request[T]{v, make(chan answer[T], 1)}
	if !c.ask(func() {
		if c.mine.closed || c.his.closed {
			m.reply <- answer[T]{err: io.ErrClosedPipe}
			return
		}
		c.mine.sends = append(c.mine.sends, m)
		c.mine.match(c.buffer)
	}) {
		return io.ErrClosedPipe
	}
	select {
	case a := <-m.reply:
		return a.err
	case <-ctx.Done():
	}
	var err error
	if !c.ask(func() {
		select {
		case a := <-m.reply:
			err = a.err
		default:
			c.mine.sends = slices.DeleteFunc(c.mine.sends, func(o *request[T]) bool { return o == m })
			err = ctx.Err()
		}
	}) {
		return io.ErrClosedPipe
	}
	return err
}

func (c *Conn[T]) Recv(ctx context.Context) (T, error) {
	var zero T
	if ctx.Err() != nil {
		return zero, ctx.Err()
	}
	r := &request[T]{reply: make(chan answer[T], 1)}
	if !c.ask(func() {
		switch {
		case c.mine.closed:
			r.reply <- answer[T]{err: io.ErrClosedPipe}
		case c.his.closed && len(c.his.sends) == 0:
			r.reply <- answer[T]{err: io.EOF}
		default:
			c.his.recvs = append(c.his.recvs, r)
			c.his.match(c.buffer)
		}
	}) {
		return zero, io.ErrClosedPipe
	}
	select {
	case a := <-r.reply:
		return a.v, a.err
	case <-ctx.Done():
	}
	a := answer[T]{err: io.ErrClosedPipe}
	c.ask(func() {
		select {
		case a = <-r.reply:
		default:
			c.his.recvs = slices.DeleteFunc(c.his.recvs, func(o *request[T]) bool { return o == r })
			a.err = ctx.Err()
		}
	})
	return a.v, a.err
}

func (c *Conn[T]) Close() error {
	c.ask(func() {
		refuse := func(rs []*request[T], err error) {
			for _, r := range rs {
				select {
				case r.reply <- answer[T]{err: err}:
				default:
				}
			}
		}
		c.mine.closed = true
		keep := min(c.buffer, len(c.mine.sends))
		refuse(c.mine.sends[keep:], io.ErrClosedPipe)
		c.mine.sends = c.mine.sends[:keep]
		refuse(c.mine.recvs, io.EOF)
		c.mine.recvs = nil
		refuse(c.his.recvs, io.ErrClosedPipe)
		c.his.recvs = nil
		keep = min(c.buffer, len(c.his.sends))
		refuse(c.his.sends[keep:], io.ErrClosedPipe)
		c.his.sends = c.his.sends[:keep]
	})
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

func Crew(ctx context.Context, in io.Reader, out io.Writer) error {
	left, right := Pipe[string](3)
	failed := make(chan error, 1)
	go func() {
		defer left.Close()
		r := bufio.NewReader(in)
		for {
			line, err := r.ReadString('\n')
			if err != nil && !errors.Is(err, io.EOF) {
				failed <- err
				return
			}
			line = strings.TrimSuffix(line, "\n")
			if line == "quit" || line != "" && left.Send(ctx, line) != nil || err != nil {
				failed <- nil
				return
			}
		}
	}()
	defer right.Close()

	work := make(chan string)
	ended := make(chan error, 1)
	go func() {
		for {
			line, err := right.Recv(ctx)
			if err != nil {
				ended <- err
				return
			}
			select {
			case work <- line:
			case <-ctx.Done():
				ended <- ctx.Err()
				return
			}
		}
	}()

	idle := make(chan int, Workers)
	for n := range Workers {
		idle <- n + 1
	}
	var busy sync.WaitGroup
	defer busy.Wait()
	for {
		var n int
		select {
		case n = <-idle:
		case <-ctx.Done():
			return ctx.Err()
		}
		select {
		case line := <-work:
			if ctx.Err() != nil {
				return ctx.Err()
			}
			busy.Go(func() {
				fmt.Fprintf(out, "worker %d: %s\n", n, line)
				select {
				case <-time.After(Nap):
				case <-ctx.Done():
				}
				idle <- n
			})
		case err := <-ended:
			busy.Wait()
			if ctx.Err() != nil {
				return ctx.Err()
			}
			if !errors.Is(err, io.EOF) {
				return err
			}
			return <-failed
		}
	}
}
