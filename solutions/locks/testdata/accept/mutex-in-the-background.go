// Mutexes only: who may give up lets a goroutine lock in its place, which unlocks again if nobody wants the lock any more.
package locks

import (
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

type Cell interface {
	Load() int
	Store(v int)
}

func Hello(w io.Writer, n int) {
	var mu sync.Mutex
	done := make(chan bool)
	for i := 0; i < n; i++ {
		go func(i int) {
			mu.Lock()
			io.WriteString(w, "Hello, world "+strconv.Itoa(i)+"\n")
			mu.Unlock()
			done <- true
		}(i)
	}
	for i := 0; i < n; i++ {
		<-done
	}
}

type Screen struct {
	mu sync.Mutex
	w  io.Writer
}

func NewScreen(w io.Writer) *Screen { return &Screen{w: w} }

func (s *Screen) Print(lines ...string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.write(lines)
}

func (s *Screen) write(lines []string) error {
	for _, l := range lines {
		if _, err := s.w.Write([]byte(l + "\n")); err != nil {
			return fmt.Errorf("screen: %w", err)
		}
	}
	return nil
}

func (s *Screen) PrintContext(ctx context.Context, lines ...string) error {
	if ctx.Err() != nil {
		return fmt.Errorf("screen: %w", ctx.Err())
	}
	locked := make(chan struct{})
	go func() {
		s.mu.Lock()
		select {
		case locked <- struct{}{}:
		case <-ctx.Done():
			s.mu.Unlock()
		}
	}()
	select {
	case <-locked:
		defer s.mu.Unlock()
		return s.write(lines)
	case <-ctx.Done():
		return fmt.Errorf("screen: %w", ctx.Err())
	}
}

type Tally struct {
	sync.Mutex
	c   Cell
	new int // not in the cell yet
}

func NewTally(c Cell) *Tally { return &Tally{c: c} }

func (t *Tally) Add(n int) {
	t.Lock()
	t.new += n
	t.Unlock()
}

func (t *Tally) Total() int {
	t.Lock()
	defer t.Unlock()
	sum := t.c.Load() + t.new
	t.c.Store(sum)
	t.new = 0
	return sum
}

func Crew(jobs []string, screen *Screen, tally *Tally) {
	var mu sync.Mutex
	var wg sync.WaitGroup
	next := 0
	take := func() (string, bool) {
		mu.Lock()
		defer mu.Unlock()
		if next == len(jobs) {
			return "", false
		}
		next++
		return jobs[next-1], true
	}
	for n := 1; n <= Workers; n++ {
		wg.Add(1)
		go func(n int) {
			defer wg.Done()
			for job, ok := take(); ok; job, ok = take() {
				time.Sleep(Nap)
				screen.Print(fmt.Sprint("worker ", n, ":"), "  "+job)
				tally.Add(1)
			}
		}(n)
	}
	wg.Wait()
}
