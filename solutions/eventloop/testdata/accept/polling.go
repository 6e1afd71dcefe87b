// A loop that looks every millisecond or so; timers and callbacks lie in one list, in which the next one is searched for.
package eventloop

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"
)

var (
	ErrRunning = errors.New("event loop is running")
	ErrClosed  = errors.New("event loop is closed")
)

const (
	Cut      = 1 * time.Minute
	HalfDone = 2 * time.Minute
	Done     = 4 * time.Minute
)

type Loop struct {
	mu      sync.Mutex
	all     []*Timer // in the order in which they were made
	stop    int      // how many of all may still run; -1: no Stop
	limit   map[*Timer]bool
	running bool
	closed  bool
	quit    chan struct{}
	watches sync.WaitGroup
}

type Timer struct {
	l   *Loop
	due time.Time
	fn  func()
}

func New() *Loop { return &Loop{quit: make(chan struct{})} }

func (l *Loop) CallSoon(fn func()) { l.CallLater(0, fn) }

func (l *Loop) CallLater(d time.Duration, fn func()) *Timer {
	if d < 0 {
		d = 0
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	t := &Timer{l, time.Now().Add(d), fn}
	if !l.closed {
		l.all = append(l.all, t)
	}
	return t
}

func (t *Timer) Cancel() bool {
	t.l.mu.Lock()
	defer t.l.mu.Unlock()
	return t.l.remove(t)
}

func (l *Loop) remove(t *Timer) bool {
	for i, one := range l.all {
		if one == t {
			l.all = append(l.all[:i:i], l.all[i+1:]...)
			return true
		}
	}
	return false
}

// next removes and returns the one that is due and was due first.
func (l *Loop) next() (t *Timer, stop bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	for _, one := range l.all {
		if one.due.After(now) || l.limit != nil && !l.limit[one] {
			continue
		}
		if t == nil || one.due.Before(t.due) {
			t = one
		}
	}
	if t != nil {
		l.remove(t)
		return t, false
	}
	stop = l.limit != nil
	l.limit = nil
	return nil, stop
}

func (l *Loop) Run(ctx context.Context) (err error) {
	l.mu.Lock()
	switch {
	case l.closed:
		err = ErrClosed
	case l.running:
		err = ErrRunning
	default:
		l.running = true
	}
	l.mu.Unlock()
	if err != nil {
		return err
	}
	defer func() {
		l.mu.Lock()
		l.running = false
		l.mu.Unlock()
	}()
	for {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		t, stop := l.next()
		switch {
		case t != nil:
			t.fn()
		case stop:
			return nil
		default:
			l.nap(ctx)
		}
	}
}

// nap sleeps until the next timer, but not for long.
func (l *Loop) nap(ctx context.Context) {
	d := 50 * time.Millisecond
	l.mu.Lock()
	for _, t := range l.all {
		d = min(d, max(time.Until(t.due), 0))
	}
	l.mu.Unlock()
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}

func (l *Loop) Stop() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.limit = map[*Timer]bool{}
	for _, t := range l.all {
		if !t.due.After(time.Now()) {
			l.limit[t] = true
		}
	}
}

func Omelette(l *Loop, w io.Writer) {
	print := func(line string) func() {
		return func() { fmt.Fprintf(w, "%s\n", line) }
	}
	l.CallLater(0, func() {
		print("eggs: in the pan")()
		l.CallLater(Cut, print("vegetables: cut"))
		l.CallLater(HalfDone, print("vegetables: in the pan"))
		l.CallLater(Done, print("omelette: done"))
		l.CallLater(Done, l.Stop)
	})
}

func Watch[T any](l *Loop, events <-chan T, react func(v T, ok bool)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return
	}
	l.watches.Add(1)
	go func() {
		defer l.watches.Done()
		for {
			select {
			case <-l.quit:
				return
			default:
			}
			select {
			case <-l.quit:
				return
			case v, ok := <-events:
				l.CallSoon(func() { react(v, ok) })
				if !ok {
					return
				}
			}
		}
	}()
}

func (l *Loop) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.running {
		return ErrRunning
	}
	if !l.closed {
		l.closed = true
		l.all = nil
		close(l.quit)
	}
	l.mu.Unlock()
	l.watches.Wait()
	l.mu.Lock()
	return nil
}
