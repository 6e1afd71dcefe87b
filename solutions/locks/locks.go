// Package locks is the reference solution of the lesson "locks": greetings one
// at a time, a screen that keeps blocks of lines together, a tally that loses
// nothing, and a crew that uses both.
package locks

import (
	"context"
	"fmt"
	"io"
	"sync"
	"time"
)

const (
	// Workers is how many workers a crew has.
	Workers = 2

	// Nap is how long the work on one job takes.
	Nap = 100 * time.Millisecond
)

// Hello has n goroutines write "Hello, world I" and a newline to w, I from 0 to
// n-1, each once, in any order, and never two at once. It returns when all are
// written.
func Hello(w io.Writer, n int) {
	var mu sync.Mutex
	var greeters sync.WaitGroup
	for i := range n {
		greeters.Go(func() {
			mu.Lock()
			defer mu.Unlock()
			fmt.Fprintln(w, "Hello, world", i)
		})
	}
	greeters.Wait()
}

// Screen lets one at a time write to a writer that is not safe for concurrent
// use. It is made by [NewScreen], and all may use it at the same time.
type Screen struct {
	w io.Writer

	// turn is a lock that one can stop waiting for: it is taken by a send and
	// given back by a receive.
	turn chan struct{}
}

// NewScreen returns a screen that writes to w, and is the only one that does.
func NewScreen(w io.Writer) *Screen {
	return &Screen{w: w, turn: make(chan struct{}, 1)}
}

// Print writes the lines, each with its newline in a Write of its own, and
// nobody else's between them. It returns the first error of a Write and writes
// no line after it.
func (s *Screen) Print(lines ...string) error {
	return s.PrintContext(context.Background(), lines...)
}

// PrintContext does what [Screen.Print] does, but waits for the screen no longer
// than ctx allows: then it writes nothing and returns ctx.Err(), and so it does
// if ctx had ended before the call. Once it prints, it prints all.
func (s *Screen) PrintContext(ctx context.Context, lines ...string) error {
	// With a free screen, select would let a coin decide.
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case s.turn <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-s.turn }()

	for _, line := range lines {
		if _, err := fmt.Fprintln(s.w, line); err != nil {
			return err
		}
	}
	return nil
}

// Cell is a place in memory for one number. It is not safe for concurrent use:
// no two of its methods may run at the same time.
type Cell interface {
	Load() int
	Store(v int)
}

// Tally counts in a [Cell]. It is made by [NewTally], and all may use it at the
// same time.
type Tally struct {
	mu   sync.Mutex
	cell Cell
}

// NewTally returns a tally that counts in c, and is the only one that uses it.
func NewTally(c Cell) *Tally { return &Tally{cell: c} }

// Add adds n.
func (t *Tally) Add(n int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.cell.Store(t.cell.Load() + n)
}

// Total returns the sum of all that has been added.
func (t *Tally) Total() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.cell.Load()
}

// Crew has [Workers] workers do the jobs, each job once. For a job a worker
// naps for [Nap], prints "worker N:" and the job behind two spaces as one block,
// and adds 1 to the tally, whether the screen fails or not. Crew returns when all
// is done.
func Crew(jobs []string, screen *Screen, tally *Tally) {
	queue := make(chan string, len(jobs))
	for _, job := range jobs {
		queue <- job
	}
	close(queue)

	var crew sync.WaitGroup
	for n := range Workers {
		crew.Go(func() {
			for job := range queue {
				time.Sleep(Nap)
				_ = screen.Print(fmt.Sprintf("worker %d:", n+1), "  "+job)
				tally.Add(1)
			}
		})
	}
	crew.Wait()
}
