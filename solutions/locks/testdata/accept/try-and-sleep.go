// A lock that is tried every few milliseconds; the jobs are split beforehand, by even and odd.
package locks

import (
	"bytes"
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
	var wg sync.WaitGroup
	turn := make(chan struct{}, 1)
	wg.Add(n)
	for i := range n {
		go func() {
			defer wg.Done()
			turn <- struct{}{}
			fmt.Fprintf(w, "Hello, world %d\n", i)
			<-turn
		}()
	}
	wg.Wait()
}

type Screen struct {
	mu sync.Mutex
	w  io.Writer
}

func NewScreen(w io.Writer) *Screen { return &Screen{w: w} }

func (s *Screen) Print(lines ...string) error {
	for !s.mu.TryLock() {
		time.Sleep(3 * time.Millisecond)
	}
	return s.printLocked(lines)
}

func (s *Screen) PrintContext(ctx context.Context, lines ...string) error {
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		if s.mu.TryLock() {
			return s.printLocked(lines)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

func (s *Screen) printLocked(lines []string) (err error) {
	defer s.mu.Unlock()
	var b bytes.Buffer
	for i := 0; i < len(lines) && err == nil; i++ {
		b.WriteString(lines[i])
		b.WriteByte('\n')
		_, err = b.WriteTo(s.w)
	}
	return err
}

type Tally struct {
	mu sync.RWMutex
	c  Cell
}

func NewTally(c Cell) *Tally { return &Tally{c: c} }

func (t *Tally) Add(n int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	v := t.c.Load()
	t.c.Store(v + n)
}

func (t *Tally) Total() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.c.Load()
}

func Crew(jobs []string, screen *Screen, tally *Tally) {
	var wg sync.WaitGroup
	for n := range Workers {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for i := n; i < len(jobs); i += Workers {
				time.Sleep(Nap)
				if err := screen.Print(fmt.Sprintf("worker %d:", n+1), fmt.Sprintf("  %s", jobs[i])); err != nil {
					// the job is done all the same
					_ = err
				}
				tally.Add(1)
			}
		}()
	}
	wg.Wait()
}
