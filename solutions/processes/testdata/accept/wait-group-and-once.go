// Starts through a sync.Once and joins through a WaitGroup, as a goroutine does that has nothing to hand back.

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

func PrintTask(w io.Writer, name string) { w.Write([]byte(name + "\n")) }

func RunTasks(w io.Writer, names ...string) {
	processes := make([]*Process, len(names))
	for i, name := range names {
		processes[i] = NewProcess(func() { PrintTask(w, name) })
	}
	for _, p := range processes {
		_ = p.Start()
	}
	for _, p := range processes {
		_ = p.Join()
	}
}

type Process struct {
	target  func()
	start   sync.Once
	started atomic.Bool
	running atomic.Bool
	end     sync.WaitGroup
	crash   atomic.Pointer[CrashError]
}

func NewProcess(target func()) *Process {
	p := &Process{target: target}
	p.end.Add(1)
	return p
}

func (p *Process) Start() error {
	err := ErrStarted
	p.start.Do(func() {
		err = nil
		p.running.Store(true)
		p.started.Store(true)
		go func() {
			defer p.end.Done()
			defer p.running.Store(false)
			defer func() {
				if value := recover(); value != nil {
					p.crash.Store(&CrashError{Value: value, Stack: debug.Stack()})
				}
			}()
			if p.target != nil {
				p.target()
			}
		}()
	})
	return err
}

func (p *Process) Join() error {
	if !p.started.Load() {
		return fmt.Errorf("joining: %w", ErrNotStarted)
	}
	p.end.Wait()
	if crash := p.crash.Load(); crash != nil {
		return fmt.Errorf("joining: %w", crash)
	}
	return nil
}

func (p *Process) IsAlive() bool { return p.running.Load() }

func Spawn(r Runner) *Process {
	p := NewProcess(r.Run)
	p.Start()
	return p
}

type Runner interface{ Run() }

type Spider struct {
	Addr string
	Out  io.Writer
}

func (s *Spider) Run() { fmt.Fprint(s.Out, "Crawling through ", s.Addr, ".\n") }

type CrashError struct {
	Value any
	Stack []byte
}

func (e *CrashError) Error() string { return fmt.Sprintf("process crashed: %v", e.Value) }

func (e *CrashError) Unwrap() error {
	err, _ := e.Value.(error)
	return err
}
