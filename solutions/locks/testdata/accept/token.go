// The lock is a token in a channel: who receives it may write, and puts it back.
package locks

import (
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

type Cell interface {
	Load() int
	Store(v int)
}

func Hello(w io.Writer, n int) {
	token := make(chan io.Writer, 1)
	token <- w
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			w := <-token
			defer func() { token <- w }()
			fmt.Fprintf(w, "Hello, world %v\n", i)
		})
	}
	wg.Wait()
}

type Screen struct{ token chan io.Writer }

func NewScreen(w io.Writer) *Screen {
	s := &Screen{make(chan io.Writer, 1)}
	s.token <- w
	return s
}

func (s *Screen) Print(lines ...string) error {
	return s.print(<-s.token, lines)
}

func (s *Screen) PrintContext(ctx context.Context, lines ...string) error {
	select {
	case <-ctx.Done():
		return errors.Join(errors.New("nothing printed"), ctx.Err())
	default:
	}
	select {
	case <-ctx.Done():
		return errors.Join(errors.New("nothing printed"), ctx.Err())
	case w := <-s.token:
		if ctx.Err() != nil { // both at once
			s.token <- w
			return ctx.Err()
		}
		return s.print(w, lines)
	}
}

func (s *Screen) print(w io.Writer, lines []string) error {
	defer func() { s.token <- w }()
	for _, l := range lines {
		if n, err := io.WriteString(w, l+"\n"); err != nil {
			return fmt.Errorf("after %d bytes: %w", n, err)
		}
	}
	return nil
}

type Tally struct{ token chan Cell }

func NewTally(c Cell) *Tally {
	t := &Tally{make(chan Cell, 1)}
	t.token <- c
	return t
}

func (t *Tally) Add(n int) {
	c := <-t.token
	defer func() { t.token <- c }()
	c.Store(c.Load() + n)
}

func (t *Tally) Total() int {
	c := <-t.token
	defer func() { t.token <- c }()
	return c.Load()
}

func Crew(jobs []string, screen *Screen, tally *Tally) {
	half := len(jobs) / 2
	var wg sync.WaitGroup
	for n, part := range [][]string{jobs[:half], jobs[half:]} {
		wg.Go(func() {
			for _, job := range part {
				time.Sleep(Nap)
				screen.Print(fmt.Sprintf("worker %d:", n+1), "  "+job)
				tally.Add(1)
			}
		})
	}
	wg.Wait()
}
