// Package locks is where you keep apart what must not happen at the same time:
// greetings, blocks of lines on a screen, updates of a tally. And you repair a
// crew that somebody wrote in a hurry.
//
// The text is lessons/locks/README.md, hints are in lessons/locks/hints.md, and
// locks_test.go beside this file says what every rule means. Fill in the fields,
// replace each panic, and repair Crew. Helpers of your own are welcome,
// package-level variables are not needed.
//
// Writers and cells are NOT safe for concurrent use here: no two calls of Write,
// and no two calls of Load or Store, may ever run at the same time, whoever
// makes them.
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

// Hello starts n goroutines. Each writes "Hello, world I" and a newline to w, in
// one Write, where I is its number from 0 to n-1; in any order, but never two at
// the same time. Hello returns when all are written.
func Hello(w io.Writer, n int) {
	panic("TODO: start n goroutines that write one at a time, and wait for them")
}

// Screen lets one at a time write to a writer. It is made by [NewScreen]. Any
// number of goroutines may call its methods at the same time.
type Screen struct {
	// your fields
}

// NewScreen returns a screen that writes to w. Nobody else does.
func NewScreen(w io.Writer) *Screen {
	panic("TODO: make a screen that writes to w")
}

// Print writes each line, with its newline, by a Write of its own. What others
// print at the same time comes before the first line or after the last one, never
// in between. Without lines it writes nothing.
//
// It returns the first error of a Write and writes no line after it. A Write
// that fails, or panics, leaves the screen usable for the next one.
func (s *Screen) Print(lines ...string) error {
	panic("TODO: wait until the screen is free, write the lines, set it free")
}

// PrintContext does what Print does, but while somebody else has the screen it
// waits no longer than ctx allows: then it writes nothing and returns an error
// that matches ctx.Err() (see errors.Is). It does so too if ctx had ended before
// the call, even if the screen is free.
//
// Once it prints, it prints all its lines, even if ctx ends meanwhile. Whenever
// it returns, it does not have the screen any more, and once the screen is free
// no goroutine of its own is left.
func (s *Screen) PrintContext(ctx context.Context, lines ...string) error {
	panic("TODO: wait for the screen or for the end of ctx, then do as Print does")
}

// Cell is a place in memory for one number. It has no lock: no two of its methods
// may run at the same time, not even two Loads.
type Cell interface {
	Load() int
	Store(v int)
}

// Tally counts in a [Cell]. It is made by [NewTally]. Any number of goroutines
// may call its methods at the same time.
type Tally struct {
	// your fields
}

// NewTally returns a tally that counts in c. Nobody else uses c.
func NewTally(c Cell) *Tally {
	panic("TODO: make a tally that counts in c")
}

// Add adds n to the tally. No update is ever lost.
func (t *Tally) Add(n int) {
	panic("TODO: add n to what the cell holds")
}

// Total returns what has been added so far: it sees every Add that has returned.
func (t *Tally) Total() int {
	panic("TODO: return what the cell holds")
}

// Crew does the jobs with [Workers] workers, who are numbered from 1. For each
// job a worker first naps for [Nap], which is the work; then it prints the two
// lines
//
//	worker N:
//	  JOB
//
// as one block, and adds 1 to the tally, also if the screen returned an error.
// Each job is done exactly once. Both workers nap at the same time, so that 2k
// jobs take k naps. Crew returns when all is done.
//
// This is somebody's first try. It compiles, and it runs. REPAIR IT.
func Crew(jobs []string, screen *Screen, tally *Tally) {
	next := 0
	var crew sync.WaitGroup
	for n := range Workers {
		crew.Go(func() {
			for {
				i := next
				if i >= len(jobs) {
					return
				}
				time.Sleep(Nap)
				next = i + 1
				_ = screen.Print(fmt.Sprintf("worker %d:", n+1))
				_ = screen.Print("  " + jobs[i])
				tally.Add(1)
			}
		})
	}
	crew.Wait()
}
