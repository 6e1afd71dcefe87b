// Lets one Join at a time wait for the end, while the others queue up for a mutex of their own.

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

func PrintTask(w io.Writer, name string) { fmt.Fprint(w, name, "\n") }

func RunTasks(w io.Writer, names ...string) {
	var wg sync.WaitGroup
	defer wg.Wait()
	for i := range names {
		wg.Add(1)
		go func(i int) {
			PrintTask(w, names[i])
			wg.Done()
		}(i)
	}
}

type Process struct {
	target func()

	mu      sync.RWMutex // guards the fields below
	started bool
	ended   bool
	err     error

	joining sync.Mutex // held by the Join that waits
	end     chan error
}

func NewProcess(target func()) *Process {
	if target == nil {
		return NewProcess(func() {})
	}
	return &Process{target: target, end: make(chan error, 1)}
}

func (p *Process) Start() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.started {
		return ErrStarted
	}
	p.started = true
	go func() { p.end <- p.call() }()
	return nil
}

// call runs the target in a goroutine of its own, which may end as it likes.
func (p *Process) call() error {
	result := make(chan error)
	go func() {
		var err error
		defer func() { result <- err }()
		defer func() {
			if value := recover(); value != nil {
				err = &CrashError{Value: value, Stack: debug.Stack()}
			}
		}()
		p.target()
	}()
	err := <-result
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ended, p.err = true, err
	return err
}

func (p *Process) Join() error {
	p.mu.RLock()
	started := p.started
	p.mu.RUnlock()
	if !started {
		return ErrNotStarted
	}
	p.joining.Lock()
	defer p.joining.Unlock()
	if p.IsAlive() {
		<-p.end
	}
	p.mu.RLock()
	defer p.mu.RUnlock()
	return p.err
}

func (p *Process) IsAlive() bool {
	p.mu.RLock()
	defer p.mu.RUnlock()
	return p.started && !p.ended
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

func (s *Spider) Run() { fmt.Fprintf(s.Out, "Crawling through %v.\n", s.Addr) }

type CrashError struct {
	Value any
	Stack []byte
}

func (e *CrashError) Error() string { return fmt.Sprintf("process crashed: %v", e.Value) }

func (e *CrashError) Unwrap() error {
	err, _ := e.Value.(error)
	return err
}
