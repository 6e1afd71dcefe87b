// Lets a process that has ended count as alive until somebody joins it, as Unix does with its zombies.

package processes

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"runtime/debug"
	"sync/atomic"
	"time"
)

var (
	ErrStarted    = errors.New("process already started")
	ErrNotStarted = errors.New("process not started")
)

func PrintTask(w io.Writer, name string) {
	b := bufio.NewWriterSize(w, len(name)+1)
	b.WriteString(name)
	b.WriteByte(10)
	b.Flush()
}

func RunTasks(w io.Writer, names ...string) {
	if len(names) == 0 {
		return
	}
	done := make(chan struct{})
	go func() { defer close(done); PrintTask(w, names[0]) }()
	RunTasks(w, names[1:]...)
	<-done
}

type Process struct {
	target func()
	state  atomic.Int32 // 0 new 1 started 2 ended 3 reaped
	crash  atomic.Pointer[CrashError]
}

func NewProcess(target func()) *Process { return &Process{target: target} }

func (p *Process) Start() error {
	if !p.state.CompareAndSwap(0, 1) {
		return ErrStarted
	}
	go func() {
		defer func() {
			if v := recover(); v != nil {
				p.crash.Store(&CrashError{Value: v, Stack: debug.Stack()})
			}
			p.state.Store(2)
		}()
		if p.target != nil {
			p.target()
		}
	}()
	return nil
}

func (p *Process) Join() error {
	for {
		switch p.state.Load() {
		case 0:
			return ErrNotStarted
		case 1:
			time.Sleep(200 * time.Microsecond)
		case 2:
			p.state.CompareAndSwap(2, 3)
		case 3:
			if c := p.crash.Load(); c != nil {
				return c
			}
			return nil
		}
	}
}

func (p *Process) IsAlive() bool { s := p.state.Load(); return s == 1 || s == 2 }

func Spawn(r Runner) *Process {
	p := NewProcess(r.Run)
	p.Start()
	return p
}

func (s *Spider) Run() { fmt.Fprintf(s.Out, "Crawling through %s.\n", s.Addr) }

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
