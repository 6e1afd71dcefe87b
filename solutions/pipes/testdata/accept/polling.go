// One mutex around plain state, and everyone who must wait sleeps a few milliseconds and looks again.

package pipes

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"time"
)

const (
	Workers = 2
	Nap     = 100 * time.Millisecond
)

const tick = 5 * time.Millisecond

type state[T any] struct {
	mu     sync.Mutex
	closed [2]bool
	unread [2][]T
	ticket [2]int // how many messages were ever accepted
	read   [2]int // how many were ever received
	wants  [2]int // receivers that wait
	buffer int
}

type Conn[T any] struct {
	s  *state[T]
	me int
}

func Pipe[T any](buffer int) (left, right *Conn[T]) {
	s := &state[T]{buffer: buffer}
	return &Conn[T]{s, 0}, &Conn[T]{s, 1}
}

func (c *Conn[T]) Send(ctx context.Context, v T) error {
	s := c.s
	for ; ; time.Sleep(tick) {
		s.mu.Lock()
		if err := ctx.Err(); err != nil {
			s.mu.Unlock()
			return err
		}
		if s.closed[0] || s.closed[1] {
			s.mu.Unlock()
			return io.ErrClosedPipe
		}
		// Without a buffer a message is handed over only to a receiver that
		// waits and cannot go away any more.
		if room := s.buffer + s.wants[c.me]; len(s.unread[c.me]) < room {
			s.unread[c.me] = append(s.unread[c.me], v)
			s.mu.Unlock()
			return nil
		}
		s.mu.Unlock()
	}
}

func (c *Conn[T]) Recv(ctx context.Context) (T, error) {
	var zero T
	s, from := c.s, 1-c.me
	waiting := false
	for ; ; time.Sleep(tick) {
		s.mu.Lock()
		if waiting {
			s.wants[from]--
			waiting = false
			if len(s.unread[from]) > s.buffer {
				// A sender counted on this call.
				v := s.unread[from][0]
				s.unread[from] = s.unread[from][1:]
				s.mu.Unlock()
				return v, nil
			}
		}
		var err error
		switch {
		case ctx.Err() != nil:
			err = ctx.Err()
		case s.closed[c.me]:
			err = io.ErrClosedPipe
		case len(s.unread[from]) > 0:
			v := s.unread[from][0]
			s.unread[from] = s.unread[from][1:]
			s.mu.Unlock()
			return v, nil
		case s.closed[from]:
			err = io.EOF
		}
		if err != nil {
			s.mu.Unlock()
			return zero, err
		}
		s.wants[from]++
		waiting = true
		s.mu.Unlock()
	}
}

func (c *Conn[T]) Close() error {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	c.s.closed[c.me] = true
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
	var (
		mu      sync.Mutex
		work    []string
		ended   bool
		readErr error
		busy    atomic.Int32
	)
	go func() {
		defer func() {
			mu.Lock()
			defer mu.Unlock()
			ended = true
		}()
		s := bufio.NewScanner(in)
		s.Buffer(nil, 128<<10)
		for s.Scan() {
			line := s.Text()
			if line == "quit" {
				return
			}
			for full := line != ""; full; {
				if ctx.Err() != nil {
					return
				}
				mu.Lock()
				if full = len(work) >= 12; !full {
					work = append(work, line)
				}
				mu.Unlock()
				if full {
					time.Sleep(tick)
				}
			}
		}
		mu.Lock()
		defer mu.Unlock()
		readErr = s.Err()
	}()

	busy.Store(Workers)
	for n := 1; n <= Workers; n++ {
		go func() {
			defer busy.Add(-1)
			for ctx.Err() == nil {
				mu.Lock()
				line, over := "", ended
				if len(work) > 0 {
					line, work = work[0], work[1:]
				}
				mu.Unlock()
				if line == "" {
					if over {
						return
					}
					time.Sleep(tick)
					continue
				}
				fmt.Fprintf(out, "worker %d: %s\n", n, line)
				for woken := time.Now().Add(Nap); time.Now().Before(woken) && ctx.Err() == nil; {
					time.Sleep(tick)
				}
			}
		}()
	}
	for busy.Load() > 0 {
		time.Sleep(tick)
	}
	mu.Lock()
	defer mu.Unlock()
	if err := ctx.Err(); err != nil {
		return err
	}
	return readErr
}
