// Package processes is the exercise of the lesson on processes: work that runs
// on its own, and waiting for it. The text is lessons/processes/README.md; this
// file is the only one to edit. Every rule that the tests check stands in the
// comments below.
package processes

import (
	"errors"
	"fmt"
	"io"
)

// The two ways to use a process out of turn.
var (
	ErrStarted    = errors.New("process already started")
	ErrNotStarted = errors.New("process not started")
)

// PrintTask writes name and a newline to w, with one call of Write.
func PrintTask(w io.Writer, name string) {
	panic("TODO: write the name and a newline")
}

// RunTasks calls PrintTask once for each name, all at the same time: it starts
// a goroutine a name, all of them before it waits for any, and returns when all
// have finished. A name that is given twice is printed twice. Without names it
// returns at once. The writer is safe for concurrent use.
func RunTasks(w io.Writer, names ...string) {
	panic("TODO: start a goroutine for each name, then wait for all")
}

// A Process runs a function on its own, once. All its methods may be called
// from any number of goroutines at the same time.
type Process struct {
	// your fields
}

// NewProcess returns a process that will run target. It runs nothing yet. A nil
// target is a process that has nothing to do: once started, it finishes at once.
func NewProcess(target func()) *Process {
	panic("TODO: make a process that knows its target")
}

// Start begins to run the target and returns without waiting for it. A process
// starts once: every further Start returns ErrStarted and runs nothing. When
// several callers race, exactly one gets nil.
func (p *Process) Start() error {
	panic("TODO: run the target in a goroutine, once")
}

// Join waits until the target has returned; what the target wrote may be read
// then. Any number of goroutines may join, any number of times, also after the
// end. Before Start it returns ErrNotStarted, without waiting.
//
// Brave: if the target panicked, every Join returns an error that matches
// *CrashError (see errors.As); the program goes on. A target that ends its
// goroutine by runtime.Goexit has returned, as far as Join is concerned: nil.
func (p *Process) Join() error {
	panic("TODO: wait for the target's end")
}

// IsAlive tells whether the process runs, without waiting: false before Start,
// true from the moment when Start has returned until the target returns, false
// once a Join has returned. (Between the target's end and the Join's, either
// answer is right.)
func (p *Process) IsAlive() bool {
	panic("TODO: tell whether the target runs")
}

// A Runner is something that can be run.
type Runner interface{ Run() }

// Spawn returns a process, already started, that runs r.Run.
func Spawn(r Runner) *Process {
	panic("TODO: start a process that runs r.Run")
}

// A Spider crawls through the site at Addr and tells Out about it.
type Spider struct {
	Addr string
	Out  io.Writer
}

// Run writes "Crawling through ADDR." and a newline to Out, with one call of
// Write.
func (s *Spider) Run() {
	panic("TODO: write that the spider crawls through its address")
}

// CrashError is what became of a process whose target panicked with Value.
// Stack is the stack of the goroutine at that moment (see runtime/debug).
type CrashError struct {
	Value any
	Stack []byte
}

func (e *CrashError) Error() string { return fmt.Sprintf("process crashed: %v", e.Value) }

// Unwrap returns the panic's value if that is an error, so that errors.Is and
// errors.As see through the crash.
func (e *CrashError) Unwrap() error {
	err, _ := e.Value.(error)
	return err
}
