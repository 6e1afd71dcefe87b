// The end of a process is the end of a context and a crash is its cause; RunTasks starts one task and calls itself for the others.
package processes

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime/debug"
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

func PrintTask(w io.Writer, name string) { fmt.Fprintln(w, name) }

func RunTasks(w io.Writer, names ...string) {
	if len(names) == 0 {
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		defer cancel()
		PrintTask(w, names[0])
	}()
	RunTasks(w, names[1:]...)
	<-ctx.Done()
}

type Process struct {
	target  func()
	started atomic.Bool
	ctx     context.Context
	end     context.CancelCauseFunc
}

// errEnd is the reason of a process that came to its end in peace.
var errEnd = errors.New("end")

func NewProcess(target func()) *Process {
	p := &Process{target: target}
	p.ctx, p.end = context.WithCancelCause(context.Background())
	return p
}

func (p *Process) Start() error {
	if !p.started.CompareAndSwap(false, true) {
		return ErrStarted
	}
	go p.run()
	return nil
}

func (p *Process) run() {
	defer func() {
		if v := recover(); v != nil {
			p.end(&CrashError{v, debug.Stack()})
		} else {
			p.end(errEnd)
		}
	}()
	if p.target != nil {
		p.target()
	}
}

func (p *Process) Join() error {
	if !p.started.Load() {
		return ErrNotStarted
	}
	<-p.ctx.Done()
	if err := context.Cause(p.ctx); err != errEnd {
		return err
	}
	return nil
}

func (p *Process) IsAlive() bool { return p.started.Load() && p.ctx.Err() == nil }

func Spawn(r Runner) *Process {
	p := NewProcess(r.Run)
	_ = p.Start()
	return p
}

func (s *Spider) Run() { fmt.Fprintf(s.Out, "Crawling through %s.\n", s.Addr) }
