// A loop that wakes up every millisecond and looks at everything, at the channels that it watches too: no goroutine besides, and nobody wakes anybody.
package eventloop

import (
	"context"
	"errors"
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

const tick = time.Millisecond

type Loop struct {
	mu       sync.RWMutex
	entries  []*Timer
	marked   bool // by Stop
	runs     bool
	closed   bool
	watching []func() (ended bool)
}

type Timer struct {
	mu    *sync.RWMutex
	at    time.Time
	fn    func()
	state string
	last  bool // may run although the loop stops
}

func New() *Loop { return &Loop{} }

func (l *Loop) add(at time.Time, fn func()) *Timer {
	t := &Timer{mu: &l.mu, at: at, fn: fn, state: "waits"}
	if l.closed {
		t.state = "closed"
		return t
	}
	l.entries = append(l.entries, t)
	return t
}

func (l *Loop) CallSoon(fn func()) {
	l.mu.Lock()
	l.add(time.Time{}, fn)
	l.mu.Unlock()
}

func (l *Loop) CallLater(d time.Duration, fn func()) *Timer {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	if d > 0 {
		now = now.Add(d)
	}
	return l.add(now, fn)
}

func (t *Timer) Cancel() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.state != "waits" {
		return false
	}
	t.state = "cancelled"
	return true
}

func (l *Loop) Stop() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.marked = true
	for _, t := range l.entries {
		t.last = !t.at.After(time.Now())
	}
}

func (l *Loop) Run(ctx context.Context) error {
	if err := l.begin(); err != nil {
		return err
	}
	defer func() {
		l.mu.Lock()
		l.runs = false
		l.mu.Unlock()
	}()
	for ; ; time.Sleep(tick) {
		for {
			if err := ctx.Err(); err != nil {
				return err
			}
			fn, stop := l.next()
			if stop {
				return nil
			}
			if fn == nil {
				break
			}
			fn()
		}
		l.mu.RLock()
		watching := l.watching
		l.mu.RUnlock()
		for i, look := range watching {
			if look != nil && look() {
				l.mu.Lock()
				l.watching[i] = nil
				l.mu.Unlock()
			}
		}
	}
}

func (l *Loop) begin() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return ErrClosed
	}
	if l.runs {
		return ErrRunning
	}
	l.runs = true
	return nil
}

func (l *Loop) next() (fn func(), stop bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	best := -1
	now := time.Now()
	kept := l.entries[:0]
	for _, t := range l.entries {
		if t.state != "waits" {
			continue
		}
		kept = append(kept, t)
		if t.at.After(now) || l.marked && !t.last {
			continue
		}
		if best < 0 || t.at.Before(kept[best].at) {
			best = len(kept) - 1
		}
	}
	l.entries = kept
	if best < 0 {
		stop, l.marked = l.marked, false
		return nil, stop
	}
	kept[best].state = "has begun"
	return kept[best].fn, false
}

func Omelette(l *Loop, w io.Writer) {
	var begun time.Time
	var cook func()
	steps := []struct {
		at   time.Duration
		line string
	}{{0, "eggs: in the pan\n"}, {Cut, "vegetables: cut\n"}, {HalfDone, "vegetables: in the pan\n"}, {Done, "omelette: done\n"}}
	cook = func() { // looks at the clock ten times a second
		if begun.IsZero() {
			begun = time.Now()
		}
		for len(steps) > 0 && time.Since(begun) >= steps[0].at {
			_, _ = w.Write([]byte(steps[0].line))
			steps = steps[1:]
		}
		if len(steps) == 0 {
			l.Stop()
			return
		}
		l.CallLater(100*time.Millisecond, cook)
	}
	l.CallSoon(cook)
}

func Watch[T any](l *Loop, events <-chan T, react func(v T, ok bool)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.watching = append(l.watching, func() bool {
		select {
		case v, ok := <-events:
			react(v, ok)
			return !ok
		default:
			return false
		}
	})
}

func (l *Loop) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.runs {
		return ErrRunning
	}
	l.closed = true
	l.entries, l.watching = nil, nil
	return nil
}
