// Lets Join look again every few milliseconds, which is late but right.

package processes

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"runtime"
	"sync/atomic"
	"time"
)

var (
	ErrStarted    = errors.New("process already started")
	ErrNotStarted = errors.New("process not started")
)

func PrintTask(w io.Writer, name string) {
	var line bytes.Buffer
	line.WriteString(name)
	line.WriteByte('\n')
	line.WriteTo(w)
}

func RunTasks(w io.Writer, names ...string) {
	var left atomic.Int64
	for _, name := range names {
		left.Add(1)
		go func() {
			defer left.Add(-1)
			PrintTask(w, name)
		}()
	}
	for left.Load() > 0 {
		time.Sleep(5 * time.Millisecond)
	}
}

const (
	created int32 = iota
	running
	ended
)

type Process struct {
	target func()
	state  atomic.Int32
	crash  *CrashError
}

func NewProcess(target func()) *Process { return &Process{target: target} }

func (p *Process) Start() error {
	if !p.state.CompareAndSwap(created, running) {
		return ErrStarted
	}
	go p.work()
	return nil
}

func (p *Process) work() {
	defer p.state.Store(ended)
	defer func() {
		if value := recover(); value != nil {
			stack := make([]byte, 4096)
			p.crash = &CrashError{value, stack[:runtime.Stack(stack, false)]}
		}
	}()
	if p.target == nil {
		return
	}
	p.target()
}

func (p *Process) Join() error {
	for {
		switch p.state.Load() {
		case created:
			return ErrNotStarted
		case ended:
			if p.crash != nil {
				return p.crash
			}
			return nil
		}
		time.Sleep(5 * time.Millisecond)
	}
}

func (p *Process) IsAlive() bool { return p.state.Load() == running }

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

func (s *Spider) Run() {
	line := fmt.Sprintf("Crawling through %s.", s.Addr)
	PrintTask(s.Out, line)
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
