// Announces the end by one value in a channel of capacity one: whoever takes it puts it back for the next.

package processes

import (
	"errors"
	"fmt"
	"io"
	"runtime/debug"
)

var (
	ErrStarted    = errors.New("process already started")
	ErrNotStarted = errors.New("process not started")
)

func PrintTask(w io.Writer, name string) { io.WriteString(w, name+"\n") }

func RunTasks(w io.Writer, names ...string) {
	done := make(chan struct{})
	for _, name := range names {
		go func() {
			PrintTask(w, name)
			done <- struct{}{}
		}()
	}
	for range names {
		<-done
	}
}

type Process struct {
	target func()
	ticket chan struct{} // may be taken once
	begun  chan struct{} // closed by who took it
	ended  chan struct{} // closed at the end
	result chan error    // holds one value from the end on
}

func NewProcess(target func()) *Process {
	p := &Process{
		target: target,
		ticket: make(chan struct{}, 1),
		begun:  make(chan struct{}),
		ended:  make(chan struct{}),
		result: make(chan error, 1),
	}
	p.ticket <- struct{}{}
	return p
}

func (p *Process) Start() error {
	select {
	case <-p.ticket:
	default:
		return ErrStarted
	}
	go func() {
		var err error
		defer func() {
			if value := recover(); value != nil {
				err = &CrashError{Value: value, Stack: debug.Stack()}
			}
			close(p.ended)
			p.result <- err
		}()
		if p.target != nil {
			p.target()
		}
	}()
	close(p.begun)
	return nil
}

func (p *Process) Join() error {
	select {
	case <-p.begun:
	default:
		return ErrNotStarted
	}
	err := <-p.result
	p.result <- err
	return err
}

func (p *Process) IsAlive() bool {
	select {
	case <-p.begun:
	default:
		return false
	}
	select {
	case <-p.ended:
		return false
	default:
		return true
	}
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

func (s *Spider) Run() { fmt.Fprintln(s.Out, "Crawling through", s.Addr+".") }

type CrashError struct {
	Value any
	Stack []byte
}

func (e *CrashError) Error() string { return fmt.Sprintf("process crashed: %v", e.Value) }

func (e *CrashError) Unwrap() error {
	err, _ := e.Value.(error)
	return err
}
