// Blocks queue up, and who finds nobody printing starts a goroutine that prints until the queue is empty; panics are handed back.
package locks

import (
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

type Cell interface {
	Load() int
	Store(v int)
}

func Hello(w io.Writer, n int) {
	s := NewScreen(w)
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() { s.Print(fmt.Sprintf("Hello, world %d", i)) })
	}
	wg.Wait()
}

// Screen: blocks queue up; whoever comes to an empty queue becomes the printer and
// starts a goroutine that prints until the queue is empty.
type Screen struct {
	mu      sync.Mutex
	w       io.Writer
	blocks  []*block
	working bool
}

type block struct {
	lines []string
	taken bool
	err   error
	crash any
	done  chan struct{}
}

func NewScreen(w io.Writer) *Screen { return &Screen{w: w} }

func (s *Screen) serve() {
	for {
		s.mu.Lock()
		if len(s.blocks) == 0 {
			s.working = false
			s.mu.Unlock()
			return
		}
		b := s.blocks[0]
		s.blocks = s.blocks[1:]
		b.taken = true
		s.mu.Unlock()
		func() {
			defer close(b.done)
			defer func() { b.crash = recover() }()
			for _, l := range b.lines {
				if _, b.err = io.WriteString(s.w, l+"\n"); b.err != nil {
					return
				}
			}
		}()
	}
}

func (s *Screen) Print(lines ...string) error { return s.PrintContext(context.Background(), lines...) }

func (s *Screen) PrintContext(ctx context.Context, lines ...string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	b := &block{lines: lines, done: make(chan struct{})}
	s.mu.Lock()
	s.blocks = append(s.blocks, b)
	if !s.working {
		s.working = true
		go s.serve()
	}
	s.mu.Unlock()
	select {
	case <-b.done:
	case <-ctx.Done():
		s.mu.Lock()
		if !b.taken {
			for i := range s.blocks {
				if s.blocks[i] == b {
					s.blocks = append(s.blocks[:i], s.blocks[i+1:]...)
					break
				}
			}
			s.mu.Unlock()
			return ctx.Err()
		}
		s.mu.Unlock()
		<-b.done
	}
	if b.crash != nil {
		panic(b.crash)
	}
	return b.err
}

type Tally struct {
	mu    sync.Mutex
	cond  *sync.Cond
	inUse bool
	c     Cell
}

func NewTally(c Cell) *Tally {
	t := &Tally{c: c}
	t.cond = sync.NewCond(&t.mu)
	return t
}

func (t *Tally) use() (back func()) {
	t.mu.Lock()
	for t.inUse {
		t.cond.Wait()
	}
	t.inUse = true
	t.mu.Unlock()
	return func() {
		t.mu.Lock()
		t.inUse = false
		t.mu.Unlock()
		t.cond.Signal()
	}
}

func (t *Tally) Add(n int)  { defer t.use()(); t.c.Store(n + t.c.Load()) }
func (t *Tally) Total() int { defer t.use()(); return t.c.Load() }

func Crew(jobs []string, screen *Screen, tally *Tally) {
	half := len(jobs) / 2
	var wg sync.WaitGroup
	for n, mine := range [][]string{jobs[:half], jobs[half:]} {
		wg.Go(func() {
			for _, job := range mine {
				ctx, cancel := context.WithTimeout(context.Background(), Nap)
				<-ctx.Done()
				cancel()
				screen.Print(fmt.Sprintf("worker %d:", n+1), "  "+job)
				tally.Add(1)
			}
		})
	}
	wg.Wait()
}
