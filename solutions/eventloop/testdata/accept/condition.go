// A condition variable that everybody broadcasts on: timers, contexts and callers; a Stop is an entry of the queue.
package eventloop

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
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

type entry struct {
	t    *Timer // nil: this is where a Stop stands
	stop int
}

type Loop struct {
	mu      sync.Mutex
	changed *sync.Cond
	ready   []entry
	later   []*Timer
	stops   int
	running bool
	closed  bool
	done    chan struct{}
	started sync.WaitGroup
}

type Timer struct {
	l    *Loop
	due  time.Time
	fn   func()
	gone bool
	wake *time.Timer
}

func New() *Loop {
	l := &Loop{done: make(chan struct{})}
	l.changed = sync.NewCond(&l.mu)
	return l
}

func (l *Loop) CallSoon(fn func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.closed {
		l.ready = append(l.ready, entry{t: &Timer{l: l, fn: fn}})
		l.changed.Broadcast()
	}
}

func (l *Loop) CallLater(d time.Duration, fn func()) *Timer {
	l.mu.Lock()
	defer l.mu.Unlock()
	t := &Timer{l: l, fn: fn, due: time.Now().Add(max(0, d))}
	if l.closed {
		t.gone = true
		return t
	}
	at, _ := slices.BinarySearchFunc(l.later, t, func(a, b *Timer) int {
		if a.due.After(b.due) {
			return 1
		}
		return -1
	})
	l.later = slices.Insert(l.later, at, t)
	t.wake = time.AfterFunc(d, func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.changed.Broadcast()
	})
	l.changed.Broadcast()
	return t
}

func (t *Timer) Cancel() bool {
	t.l.mu.Lock()
	defer t.l.mu.Unlock()
	if t.gone {
		return false
	}
	t.gone = true
	if t.wake != nil {
		t.wake.Stop()
	}
	return true
}

func (l *Loop) move() {
	for len(l.later) > 0 && !time.Now().Before(l.later[0].due) {
		l.ready = append(l.ready, entry{t: l.later[0]})
		l.later = l.later[1:]
	}
}

func (l *Loop) Stop() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.move()
	l.stops++
	l.ready = append(l.ready, entry{stop: l.stops})
	l.changed.Broadcast()
}

func (l *Loop) Run(ctx context.Context) error {
	l.mu.Lock()
	if l.closed || l.running {
		defer l.mu.Unlock()
		if l.closed {
			return ErrClosed
		}
		return ErrRunning
	}
	l.running = true
	l.mu.Unlock()
	stop := context.AfterFunc(ctx, func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.changed.Broadcast()
	})
	defer func() {
		stop()
		l.mu.Lock()
		defer l.mu.Unlock()
		l.running = false
	}()
	for {
		fn, err := l.take(ctx)
		if fn == nil {
			return err
		}
		fn()
	}
}

// take waits for a callback; nil means that the loop ends.
func (l *Loop) take(ctx context.Context) (func(), error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for {
		if ctx.Err() != nil {
			return nil, fmt.Errorf("event loop: %w", ctx.Err())
		}
		l.move()
		if len(l.ready) == 0 {
			l.changed.Wait()
			continue
		}
		e := l.ready[0]
		l.ready = l.ready[1:]
		switch {
		case e.t == nil && e.stop == l.stops: // the last Stop that was called
			return nil, nil
		case e.t != nil && !e.t.gone:
			e.t.gone = true
			return e.t.fn, nil
		}
	}
}

func Omelette(l *Loop, w io.Writer) {
	var steps func(last time.Duration, at []time.Duration, lines []string)
	steps = func(last time.Duration, at []time.Duration, lines []string) {
		l.CallLater(at[0]-last, func() {
			io.WriteString(w, lines[0]+"\n")
			if len(at) == 1 {
				l.Stop()
				return
			}
			steps(at[0], at[1:], lines[1:])
		})
	}
	l.CallSoon(func() {
		steps(0, []time.Duration{0, Cut, HalfDone, Done},
			[]string{"eggs: in the pan", "vegetables: cut", "vegetables: in the pan", "omelette: done"})
	})
}

func Watch[T any](l *Loop, events <-chan T, react func(v T, ok bool)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return
	}
	l.started.Add(1)
	go func() {
		defer l.started.Done()
		for ok := true; ok; {
			var v T
			select {
			case <-l.done:
				return
			case v, ok = <-events:
			}
			reacted := make(chan struct{})
			l.CallSoon(func() {
				close(reacted)
				react(v, ok)
			})
			select { // no further than one ahead
			case <-reacted:
			case <-l.done:
				return
			}
		}
	}()
}

func (l *Loop) Close() error {
	l.mu.Lock()
	if l.running {
		l.mu.Unlock()
		return ErrRunning
	}
	if !l.closed {
		l.closed = true
		close(l.done)
		for _, t := range l.later {
			t.gone = true
			t.wake.Stop()
		}
		l.ready, l.later = nil, nil
	}
	l.mu.Unlock()
	l.started.Wait()
	return nil
}
