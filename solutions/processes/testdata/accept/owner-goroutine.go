// Gives every process a goroutine that owns its state and answers all questions about it, one after the other.

package processes

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime/debug"
)

var (
	ErrStarted    = errors.New("process already started")
	ErrNotStarted = errors.New("process not started")
)

func PrintTask(w io.Writer, name string) { fmt.Fprintln(w, name) }

func RunTasks(w io.Writer, names ...string) {
	var all []*Process
	for _, name := range names {
		all = append(all, Spawn(task{w, name}))
	}
	for _, p := range all {
		_ = p.Join()
	}
}

type task struct {
	w    io.Writer
	name string
}

func (t task) Run() { PrintTask(t.w, t.name) }

type Process struct {
	starts chan chan error
	asks   chan chan bool
	joins  chan chan error
	end    context.Context
	finish context.CancelCauseFunc
}

func NewProcess(target func()) *Process {
	p := &Process{
		starts: make(chan chan error),
		asks:   make(chan chan bool),
		joins:  make(chan chan error),
	}
	p.end, p.finish = context.WithCancelCause(context.Background())
	go p.own(target)
	return p
}

var errFinished = errors.New("finished")

func (p *Process) own(target func()) {
	started := false
	for {
		select {
		case answer := <-p.starts:
			if started {
				answer <- ErrStarted
				continue
			}
			started = true
			go p.run(target)
			answer <- nil
		case answer := <-p.asks:
			answer <- started && p.end.Err() == nil
		case answer := <-p.joins:
			if started {
				answer <- nil
			} else {
				answer <- ErrNotStarted
			}
		}
	}
}

func (p *Process) run(target func()) {
	cause := errFinished
	defer func() {
		if value := recover(); value != nil {
			cause = &CrashError{Value: value, Stack: debug.Stack()}
		}
		p.finish(cause)
	}()
	if target != nil {
		target()
	}
}

func (p *Process) Start() error {
	answer := make(chan error)
	p.starts <- answer
	return <-answer
}

func (p *Process) Join() error {
	answer := make(chan error)
	p.joins <- answer
	if err := <-answer; err != nil {
		return err
	}
	<-p.end.Done()
	if cause := context.Cause(p.end); !errors.Is(cause, errFinished) {
		return cause
	}
	return nil
}

func (p *Process) IsAlive() bool {
	answer := make(chan bool)
	p.asks <- answer
	return <-answer
}

func Spawn(r Runner) *Process {
	p := NewProcess(r.Run)
	_ = p.Start()
	return p
}

type Runner interface{ Run() }

type Spider struct {
	Addr string
	Out  io.Writer
}

func (s *Spider) Run() { fmt.Fprintf(s.Out, "Crawling through %s.\n", s.Addr) }

type CrashError struct {
	Value any
	Stack []byte
}

func (e *CrashError) Error() string { return fmt.Sprintf("process crashed: %v", e.Value) }

func (e *CrashError) Unwrap() error {
	err, _ := e.Value.(error)
	return err
}
