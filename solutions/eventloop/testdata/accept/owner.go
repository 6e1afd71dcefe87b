// One goroutine owns everything and is asked over a channel; it offers what is due on another one, from which Run receives.
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

type Loop struct {
	asks chan func()
	jobs chan job
	gone chan struct{} // closed when the owner goes
	all  sync.WaitGroup

	// The owner's.
	ready    []*Timer
	later    []*Timer
	stopping bool
	mayRun   int // of ready, before a Stop
	running  bool
	closed   bool
}

type job struct {
	fn   func()
	stop bool
}

type Timer struct {
	l   *Loop
	due time.Time
	fn  func()
}

func New() *Loop {
	l := &Loop{asks: make(chan func()), jobs: make(chan job), gone: make(chan struct{})}
	l.all.Go(l.own)
	return l
}

func (l *Loop) own() {
	for !l.closed {
		l.collect()
		var offer chan job
		var next job
		var due <-chan time.Time
		switch {
		case l.stopping && l.mayRun == 0:
			offer, next = l.jobs, job{stop: true}
		case len(l.ready) > 0:
			offer, next = l.jobs, job{fn: l.ready[0].fn}
		}
		if len(l.later) > 0 {
			due = time.After(time.Until(l.later[0].due))
		}
		select {
		case ask := <-l.asks:
			ask()
		case offer <- next:
			if next.stop {
				l.stopping = false
			} else {
				l.forget(0)
			}
		case <-due:
		}
	}
}

func (l *Loop) collect() {
	for now := time.Now(); len(l.later) > 0 && !l.later[0].due.After(now); l.later = l.later[1:] {
		l.ready = append(l.ready, l.later[0])
	}
}

func (l *Loop) forget(i int) {
	l.ready = slices.Delete(l.ready, i, i+1)
	if l.stopping && i < l.mayRun {
		l.mayRun--
	}
}

// ask lets the owner run f, and tells whether there is an owner.
func (l *Loop) ask(f func()) bool {
	done := make(chan struct{})
	select {
	case l.asks <- func() { defer close(done); f() }:
		<-done
		return true
	case <-l.gone:
		return false
	}
}

func (l *Loop) CallSoon(fn func()) {
	l.ask(func() { l.ready = append(l.ready, &Timer{l: l, fn: fn}) })
}

func (l *Loop) CallLater(d time.Duration, fn func()) *Timer {
	t := &Timer{l: l, fn: fn, due: time.Now().Add(max(d, 0))}
	l.ask(func() {
		l.later = append(l.later, t)
		slices.SortStableFunc(l.later, func(a, b *Timer) int { return a.due.Compare(b.due) })
	})
	return t
}

func (t *Timer) Cancel() (kept bool) {
	t.l.ask(func() {
		if i := slices.Index(t.l.later, t); i >= 0 {
			t.l.later = slices.Delete(t.l.later, i, i+1)
			kept = true
		} else if i := slices.Index(t.l.ready, t); i >= 0 {
			t.l.forget(i)
			kept = true
		}
	})
	return kept
}

func (l *Loop) Stop() {
	l.ask(func() {
		l.collect()
		l.stopping, l.mayRun = true, len(l.ready)
	})
}

func (l *Loop) Run(ctx context.Context) error {
	already := false
	if !l.ask(func() { already, l.running = l.running, true }) {
		return ErrClosed
	}
	if already {
		return ErrRunning
	}
	defer l.ask(func() { l.running = false })
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case j := <-l.jobs:
			if j.stop {
				return nil
			}
			j.fn()
		}
	}
}

func Omelette(l *Loop, w io.Writer) {
	l.CallLater(0, func() {
		fmt.Fprintf(w, "eggs: in the pan\n")
		l.CallLater(Cut, func() {
			fmt.Fprintf(w, "vegetables: cut\n")
		})
		l.CallLater(HalfDone, func() {
			fmt.Fprintf(w, "vegetables: in the pan\n")
			l.CallLater(Done-HalfDone, func() {
				defer l.Stop()
				fmt.Fprintf(w, "omelette: done\n")
			})
		})
	})
}

func Watch[T any](l *Loop, events <-chan T, react func(v T, ok bool)) {
	l.ask(func() {
		l.all.Go(func() {
			for {
				select {
				case v, ok := <-events:
					l.CallSoon(func() { react(v, ok) })
					if !ok {
						return
					}
				case <-l.gone:
					return
				}
			}
		})
	})
}

func (l *Loop) Close() error {
	running := false
	l.ask(func() {
		if running = l.running; !running {
			l.closed = true
			close(l.gone)
		}
	})
	if running {
		return ErrRunning
	}
	l.all.Wait()
	return nil
}
