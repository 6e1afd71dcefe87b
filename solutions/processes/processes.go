// Package processes is the reference solution of the lesson on processes.
package processes

import (
	"errors"
	"fmt"
	"io"
	"runtime/debug"
	"sync"
	"sync/atomic"
)

// The two ways to use a process out of turn.
var (
	ErrStarted    = errors.New("process already started")
	ErrNotStarted = errors.New("process not started")
)

// PrintTask writes name and a newline to w, with one call of Write.
func PrintTask(w io.Writer, name string) {
	fmt.Fprintln(w, name)
}

// RunTasks calls PrintTask once for each name, all at the same time, and returns
// when all calls have returned. The writer must be safe for concurrent use.
func RunTasks(w io.Writer, names ...string) {
	var wg sync.WaitGroup
	for _, name := range names {
		wg.Go(func() { PrintTask(w, name) })
	}
	wg.Wait()
}

// A Process runs a function on its own, once. All its methods may be called
// from any number of goroutines at the same time.
type Process struct {
	target  func()
	started atomic.Bool
	done    chan struct{} // closed when the target has returned
	crash   error         // may be read once done is closed
}

// NewProcess returns a process that will run target; nil means that there is
// nothing to do.
func NewProcess(target func()) *Process {
	if target == nil {
		target = func() {}
	}
	return &Process{target: target, done: make(chan struct{})}
}

// Start begins to run the target and returns without waiting for it. Every
// further Start returns ErrStarted and runs nothing.
func (p *Process) Start() error {
	if !p.started.CompareAndSwap(false, true) {
		return ErrStarted
	}
	go p.run()
	return nil
}

func (p *Process) run() {
	defer close(p.done)
	defer func() {
		// runtime.Goexit runs this too, with nothing to recover.
		if value := recover(); value != nil {
			p.crash = &CrashError{Value: value, Stack: debug.Stack()}
		}
	}()
	p.target()
}

// Join waits until the target has returned. Its error matches *CrashError if
// the target panicked, and is ErrNotStarted before Start.
func (p *Process) Join() error {
	if !p.started.Load() {
		return ErrNotStarted
	}
	<-p.done
	return p.crash
}

// IsAlive tells whether the process has been started and its target has not
// returned yet.
func (p *Process) IsAlive() bool {
	select {
	case <-p.done:
		return false
	default:
		return p.started.Load()
	}
}

// A Runner is something that can be run.
type Runner interface{ Run() }

// Spawn returns a process, already started, that runs r.Run.
func Spawn(r Runner) *Process {
	p := NewProcess(r.Run)
	// Nobody else knows p yet, so nobody can have started it.
	_ = p.Start()
	return p
}

// A Spider crawls through the site at Addr and tells Out about it.
type Spider struct {
	Addr string
	Out  io.Writer
}

// Run writes "Crawling through ADDR." and a newline to Out.
func (s *Spider) Run() {
	fmt.Fprintf(s.Out, "Crawling through %s.\n", s.Addr)
}

// CrashError is what became of a process whose target panicked with Value.
// Stack is the stack of the goroutine at that moment.
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
