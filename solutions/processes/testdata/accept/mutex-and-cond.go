// Keeps the state in plain fields behind a mutex, and lets Join wait for a condition variable.

package processes

import (
	"errors"
	"fmt"
	"io"
	"runtime/debug"
	"sync"
)

var (
	ErrStarted    = errors.New("process already started")
	ErrNotStarted = errors.New("process not started")
)

func PrintTask(w io.Writer, name string) { fmt.Fprintf(w, "%s\n", name) }

func RunTasks(w io.Writer, names ...string) {
	var wg sync.WaitGroup
	wg.Add(len(names))
	for _, name := range names {
		go func(name string) {
			defer wg.Done()
			PrintTask(w, name)
		}(name)
	}
	wg.Wait()
}

type state int

const (
	unborn state = iota
	alive
	dead
)

type Process struct {
	target func()

	mu      sync.Mutex
	changed *sync.Cond
	state   state
	err     error
}

func NewProcess(target func()) *Process {
	p := &Process{target: target}
	p.changed = sync.NewCond(&p.mu)
	return p
}

func (p *Process) Start() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.state != unborn {
		return ErrStarted
	}
	p.state = alive
	go func() {
		defer p.die()
		if p.target != nil {
			p.target()
		}
	}()
	return nil
}

func (p *Process) die() {
	value := recover()
	p.mu.Lock()
	defer p.mu.Unlock()
	if value != nil {
		p.err = &CrashError{value, debug.Stack()}
	}
	p.state = dead
	p.changed.Broadcast()
}

func (p *Process) Join() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.state == unborn {
		return ErrNotStarted
	}
	for p.state == alive {
		p.changed.Wait()
	}
	return p.err
}

func (p *Process) IsAlive() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.state == alive
}

func Spawn(r Runner) *Process {
	p := NewProcess(func() { r.Run() })
	if err := p.Start(); err != nil {
		panic(err)
	}
	return p
}

type Runner interface{ Run() }

type Spider struct {
	Addr string
	Out  io.Writer
}

func (s *Spider) Run() { io.WriteString(s.Out, "Crawling through "+s.Addr+".\n") }

type CrashError struct {
	Value any
	Stack []byte
}

func (e *CrashError) Error() string { return fmt.Sprintf("process crashed: %v", e.Value) }

func (e *CrashError) Unwrap() error {
	err, _ := e.Value.(error)
	return err
}
