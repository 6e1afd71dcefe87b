// A condition variable that is woken by whoever is done and by the end of a context.
package locks

import (
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

type Cell interface {
	Load() int
	Store(v int)
}

func Hello(w io.Writer, n int) {
	lines := make(chan string)
	for i := range n {
		go func() { lines <- fmt.Sprintf("Hello, world %d\n", i) }()
	}
	for range n {
		io.WriteString(w, <-lines)
	}
}

type Screen struct {
	mu    sync.Mutex
	free  *sync.Cond
	taken bool
	w     io.Writer
}

func NewScreen(w io.Writer) *Screen {
	s := &Screen{w: w}
	s.free = sync.NewCond(&s.mu)
	return s
}

func (s *Screen) Print(lines ...string) error {
	return s.PrintContext(context.Background(), lines...)
}

func (s *Screen) PrintContext(ctx context.Context, lines ...string) error {
	if err := s.take(ctx); err != nil {
		return err
	}
	defer s.release()
	for _, l := range lines {
		if _, err := fmt.Fprintf(s.w, "%s\n", l); err != nil {
			return err
		}
	}
	return nil
}

func (s *Screen) take(ctx context.Context) error {
	stop := context.AfterFunc(ctx, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.free.Broadcast()
	})
	defer stop()
	s.mu.Lock()
	defer s.mu.Unlock()
	for {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if !s.taken {
			s.taken = true
			return nil
		}
		s.free.Wait()
	}
}

func (s *Screen) release() {
	s.mu.Lock()
	s.taken = false
	s.mu.Unlock()
	s.free.Broadcast()
}

type Tally struct {
	busy atomic.Bool
	c    Cell
}

func NewTally(c Cell) *Tally { return &Tally{c: c} }

func (t *Tally) with(f func()) {
	for !t.busy.CompareAndSwap(false, true) {
		time.Sleep(time.Microsecond)
	}
	defer t.busy.Store(false)
	f()
}

func (t *Tally) Add(n int) { t.with(func() { t.c.Store(t.c.Load() + n) }) }

func (t *Tally) Total() (sum int) {
	t.with(func() { sum = t.c.Load() })
	return sum
}

func Crew(jobs []string, screen *Screen, tally *Tally) {
	var next atomic.Int64
	var wg sync.WaitGroup
	for n := range Workers {
		wg.Go(func() {
			for {
				i := int(next.Add(1)) - 1
				if i >= len(jobs) {
					return
				}
				time.Sleep(Nap)
				screen.Print(fmt.Sprintf("worker %d:", n+1), "  "+jobs[i])
				tally.Add(1)
			}
		})
	}
	wg.Wait()
}
