// The run itself holds a lock from Start to the end: whoever can lock it has joined.

package processes

import (
	"errors"
	"fmt"
	"io"
	"runtime/debug"
	"strings"
	"sync"
	"sync/atomic"
)

var (
	ErrStarted    = errors.New("process already started")
	ErrNotStarted = errors.New("process not started")
)

func PrintTask(w io.Writer, name string) { io.Copy(w, strings.NewReader(name+"\n")) }

func RunTasks(w io.Writer, names ...string) {
	var mu sync.Mutex
	c := sync.NewCond(&mu)
	n := len(names)
	gate := make(chan struct{})
	for _, name := range names {
		go func() {
			<-gate
			PrintTask(w, name)
			mu.Lock()
			defer mu.Unlock()
			if n--; n == 0 {
				c.Signal()
			}
		}()
	}
	close(gate)
	mu.Lock()
	for n > 0 {
		c.Wait()
	}
	mu.Unlock()
}

type Process struct {
	target func()
	start  sync.Mutex
	on     atomic.Bool
	run    sync.RWMutex
	crash  *CrashError
}

func NewProcess(target func()) *Process { return &Process{target: target} }

func (p *Process) Start() error {
	p.start.Lock()
	defer p.start.Unlock()
	if p.on.Load() {
		return ErrStarted
	}
	p.run.Lock()
	p.on.Store(true)
	go func() {
		defer p.run.Unlock()
		defer func() {
			if v := recover(); v != nil {
				p.crash = &CrashError{Value: v, Stack: debug.Stack()}
			}
		}()
		if p.target != nil {
			p.target()
		}
	}()
	return nil
}

func (p *Process) Join() error {
	if !p.on.Load() {
		return ErrNotStarted
	}
	p.run.RLock()
	defer p.run.RUnlock()
	if p.crash != nil {
		return p.crash
	}
	return nil
}

func (p *Process) IsAlive() bool {
	if !p.on.Load() {
		return false
	}
	if p.run.TryRLock() {
		p.run.RUnlock()
		return false
	}
	return true
}

func Spawn(r Runner) (p *Process) {
	defer func() { _ = p.Start() }()
	return NewProcess(func() { (Runner).Run(r) })
}

func (s *Spider) Run() { s.Out.Write([]byte("Crawling through " + s.Addr + ".\n")) }

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
