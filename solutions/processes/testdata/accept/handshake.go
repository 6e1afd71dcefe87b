// Start waits until the goroutine is there, the state is an atomic number, and each Join leaves a channel of its own.
package processes

import (
	"errors"
	"fmt"
	"io"
	"runtime/debug"
	"sync"
	"sync/atomic"
)

var (
	ErrStarted    = errors.New("process already started")
	ErrNotStarted = errors.New("process not started")
)

type Runner interface{ Run() }

type Spider struct {
	Addr string
	Out  io.Writer
}

type CrashError struct {
	Value any
	Stack []byte
}

func (e *CrashError) Error() string { return fmt.Sprintf("process crashed: %v", e.Value) }

func (e *CrashError) Unwrap() error {
	err, _ := e.Value.(error)
	return err
}
func PrintTask(w io.Writer, name string) { fmt.Fprint(w, name, "\n") }

func RunTasks(w io.Writer, names ...string) {
	var ready, done sync.WaitGroup
	ready.Add(len(names))
	done.Add(len(names))
	for _, name := range names {
		go func() {
			defer done.Done()
			ready.Done()
			ready.Wait() // nobody begins before all are here
			PrintTask(w, name)
		}()
	}
	done.Wait()
}

const (
	created int32 = iota
	starting
	running
	finished
)

type Process struct {
	state  atomic.Int32
	target func()
	mu     sync.Mutex
	crash  error
	queue  []chan struct{}
}

func NewProcess(target func()) *Process { return &Process{target: target} }

func (p *Process) Start() error {
	if !p.state.CompareAndSwap(created, starting) {
		return ErrStarted
	}
	here := make(chan struct{})
	go func() {
		p.state.Store(running)
		close(here)
		defer p.end()
		defer p.guard()
		if p.target == nil {
			return
		}
		p.target()
	}()
	<-here // it runs, but we do not wait for its end
	return nil
}

func (p *Process) guard() {
	if v := recover(); v != nil {
		p.crash = &CrashError{Value: v, Stack: debug.Stack()}
	}
}

func (p *Process) end() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.state.Store(finished)
	for _, c := range p.queue {
		close(c)
	}
	p.queue = nil
}

func (p *Process) Join() error {
	if p.state.Load() == created {
		return ErrNotStarted
	}
	p.mu.Lock()
	if p.state.Load() != finished {
		c := make(chan struct{})
		p.queue = append(p.queue, c)
		p.mu.Unlock()
		<-c
		p.mu.Lock()
	}
	defer p.mu.Unlock()
	return p.crash
}

func (p *Process) IsAlive() bool {
	s := p.state.Load()
	return s == running || s == starting
}

func Spawn(r Runner) *Process {
	p := NewProcess(r.Run)
	if err := p.Start(); err != nil {
		panic(err)
	}
	return p
}

func (s *Spider) Run() { fmt.Fprintln(s.Out, "Crawling through "+s.Addr+".") }
