// A lock is an atomic flag and a bell that rings once: who finds the flag up waits for the bell, and then all try again.
package locks

import (
	"context"
	"io"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

const (
	Workers = 2
	Nap     = 100 * time.Millisecond
)

// gate is a flag, and a bell that is made anew each time that it has rung.
type gate struct {
	busy atomic.Bool
	bell atomic.Pointer[chan struct{}]
}

func newGate() *gate {
	g := &gate{}
	c := make(chan struct{})
	g.bell.Store(&c)
	return g
}

func (g *gate) enter(stop <-chan struct{}) bool {
	for {
		bell := *g.bell.Load()
		if g.busy.CompareAndSwap(false, true) {
			return true
		}
		select {
		case <-bell:
		case <-stop:
			return false
		}
	}
}

func (g *gate) leave() {
	fresh := make(chan struct{})
	g.busy.Store(false) // first: who has heard the new bell must find it down
	close(*g.bell.Swap(&fresh))
}

func Hello(w io.Writer, n int) {
	g := newGate()
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() {
			g.enter(nil)
			defer g.leave()
			w.Write([]byte("Hello, world " + strconv.Itoa(i) + "\n"))
		})
	}
	all.Wait()
}

type Screen struct {
	*gate
	w io.Writer
}

func NewScreen(w io.Writer) *Screen { return &Screen{newGate(), w} }

func (s *Screen) write(lines []string) (err error) {
	defer s.leave()
	for i := 0; i < len(lines) && err == nil; i++ {
		_, err = s.w.Write([]byte(lines[i] + "\n"))
	}
	return
}

func (s *Screen) Print(lines ...string) error {
	if len(lines) == 0 {
		return nil
	}
	s.enter(nil)
	return s.write(lines)
}

func (s *Screen) PrintContext(ctx context.Context, lines ...string) error {
	if ctx.Err() != nil || !s.enter(ctx.Done()) {
		return ctx.Err()
	}
	return s.write(lines)
}

type Cell interface {
	Load() int
	Store(v int)
}

type Tally struct {
	g *gate
	c Cell
}

func NewTally(c Cell) *Tally { return &Tally{newGate(), c} }

func (t *Tally) Add(n int) {
	t.g.enter(nil)
	defer t.g.leave()
	t.c.Store(t.c.Load() + n)
}

func (t *Tally) Total() int {
	t.g.enter(nil)
	defer t.g.leave()
	return t.c.Load()
}

func Crew(jobs []string, screen *Screen, tally *Tally) {
	var next atomic.Int64
	var all sync.WaitGroup
	worker := func(n int) {
		for i := int(next.Add(1)) - 1; i < len(jobs); i = int(next.Add(1)) - 1 {
			time.Sleep(Nap)
			_ = screen.Print("worker "+strconv.Itoa(n)+":", "  "+jobs[i])
			tally.Add(1)
		}
	}
	for n := range Workers {
		all.Go(func() { worker(n + 1) })
	}
	all.Wait()
}
