// One goroutine owns the cell and does what it is asked to; a screen that is printed on has an owner as long as somebody waits.
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

type Screen struct {
	mu    sync.Mutex
	w     io.Writer
	taken bool
	queue []chan struct{} // of those who wait for their turn
}

func NewScreen(w io.Writer) *Screen { return &Screen{w: w} }

func (s *Screen) Print(lines ...string) error {
	return s.PrintContext(context.Background(), lines...)
}

func (s *Screen) PrintContext(ctx context.Context, lines ...string) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	s.mu.Lock()
	if s.taken {
		turn := make(chan struct{})
		s.queue = append(s.queue, turn)
		s.mu.Unlock()
		select {
		case <-turn:
		case <-ctx.Done():
			s.mu.Lock()
			for i, q := range s.queue {
				if q == turn {
					s.queue = append(s.queue[:i:i], s.queue[i+1:]...)
					s.mu.Unlock()
					return ctx.Err()
				}
			}
			s.mu.Unlock()
			s.next() // the turn came at the same moment: pass it on
			return ctx.Err()
		}
	} else {
		s.taken = true
		s.mu.Unlock()
	}
	defer s.next()
	for _, l := range lines {
		if _, err := io.WriteString(s.w, l+"\n"); err != nil {
			return err
		}
	}
	return nil
}

func (s *Screen) next() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.queue) == 0 {
		s.taken = false
		return
	}
	close(s.queue[0])
	s.queue = s.queue[1:]
}

type Tally struct{ ask chan func(Cell) }

func NewTally(c Cell) *Tally {
	t := &Tally{make(chan func(Cell))}
	go func() {
		for f := range t.ask {
			f(c)
		}
	}()
	return t
}

func (t *Tally) Add(n int) {
	done := make(chan struct{})
	t.ask <- func(c Cell) {
		c.Store(c.Load() + n)
		close(done)
	}
	<-done
}

func (t *Tally) Total() int {
	total := make(chan int, 1)
	t.ask <- func(c Cell) { total <- c.Load() }
	return <-total
}

func Crew(jobs []string, screen *Screen, tally *Tally) {
	work := make(chan string)
	done := make(chan struct{})
	for n := 1; n <= Workers; n++ {
		go func() {
			defer func() { done <- struct{}{} }()
			for job := range work {
				<-time.After(Nap)
				screen.Print(fmt.Sprintf("worker %d:", n), "  "+job)
				tally.Add(1)
			}
		}()
	}
	for _, job := range jobs {
		work <- job
	}
	close(work)
	for range Workers {
		<-done
	}
}
