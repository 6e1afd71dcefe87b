// A reactor of the old kind: nobody is started, Run itself waits by reflect.Select for all channels, the clock, a knock and its context.
package eventloop

import (
	"context"
	"errors"
	"io"
	"reflect"
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

// Loop is a reactor in the old way: it starts nobody, and waits itself for all
// that may happen.
type Loop struct {
	mu      sync.Mutex
	soon    []*Timer // in order
	later   []*Timer // in the order of CallLater
	last    *Timer   // after Stop: Run ends when this one has had its turn
	stopped bool
	watched []*watch
	knock   chan struct{}
	state   string
}

type watch struct {
	ch    reflect.Value
	react func(v reflect.Value, ok bool)
}

// Timer is something to do, now or later.
type Timer struct {
	loop *Loop
	due  time.Time
	fn   func() // nil: not any more
}

func New() *Loop { return &Loop{knock: make(chan struct{}, 1)} }

func (l *Loop) change(f func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.state != "closed" {
		f()
	}
	select {
	case l.knock <- struct{}{}:
	default:
	}
}

func (l *Loop) CallSoon(fn func()) {
	l.change(func() { l.soon = append(l.soon, &Timer{loop: l, fn: fn}) })
}

func (l *Loop) CallLater(d time.Duration, fn func()) *Timer {
	t := &Timer{loop: l}
	l.change(func() {
		t.due, t.fn = time.Now().Add(max(d, 0)), fn
		l.later = append(l.later, t)
	})
	return t
}

func (t *Timer) Cancel() (kept bool) {
	t.loop.mu.Lock()
	defer t.loop.mu.Unlock()
	kept, t.fn = t.fn != nil, nil
	return
}

// promote moves what is due to what is to do soon.
func (l *Loop) promote() {
	now := time.Now()
	slices.SortStableFunc(l.later, func(a, b *Timer) int { return a.due.Compare(b.due) })
	for len(l.later) > 0 && !l.later[0].due.After(now) {
		l.soon = append(l.soon, l.later[0])
		l.later = l.later[1:]
	}
}

func (l *Loop) Stop() {
	l.change(func() {
		l.promote()
		l.stopped, l.last = true, nil
		if n := len(l.soon); n > 0 {
			l.last = l.soon[n-1]
		}
	})
}

func (l *Loop) Run(ctx context.Context) error {
	l.mu.Lock()
	switch l.state {
	case "running":
		l.mu.Unlock()
		return ErrRunning
	case "closed":
		l.mu.Unlock()
		return ErrClosed
	}
	l.state = "running"
	l.mu.Unlock()
	defer func() {
		l.mu.Lock()
		l.state = ""
		l.mu.Unlock()
	}()
	for ctx.Err() == nil {
		l.mu.Lock()
		if l.stopped && l.last == nil {
			l.stopped = false
			l.mu.Unlock()
			return nil
		}
		l.promote()
		if len(l.soon) > 0 {
			t := l.soon[0]
			l.soon = l.soon[1:]
			if l.last == t {
				l.last = nil
			}
			fn := t.fn
			t.fn = nil
			l.mu.Unlock()
			if fn != nil {
				fn()
			}
			l.poll(ctx, false)
			continue
		}
		l.mu.Unlock()
		l.poll(ctx, true)
	}
	return ctx.Err()
}

// poll takes one event from somewhere; if it may, it waits for one.
func (l *Loop) poll(ctx context.Context, wait bool) {
	l.mu.Lock()
	watched := slices.Clone(l.watched)
	alarm := time.NewTimer(time.Hour)
	if len(l.later) > 0 {
		alarm.Reset(time.Until(l.later[0].due))
	}
	l.mu.Unlock()
	defer alarm.Stop()
	var cases []reflect.SelectCase
	for _, w := range watched {
		cases = append(cases, reflect.SelectCase{Dir: reflect.SelectRecv, Chan: w.ch})
	}
	if wait {
		for _, c := range []any{ctx.Done(), l.knock, alarm.C} {
			cases = append(cases, reflect.SelectCase{Dir: reflect.SelectRecv, Chan: reflect.ValueOf(c)})
		}
	} else {
		cases = append(cases, reflect.SelectCase{Dir: reflect.SelectDefault})
	}
	i, v, ok := reflect.Select(cases)
	if i >= len(watched) {
		return
	}
	w := watched[i]
	if !ok {
		l.mu.Lock()
		l.watched = slices.DeleteFunc(l.watched, func(x *watch) bool { return x == w })
		l.mu.Unlock()
	}
	l.CallSoon(func() { w.react(v, ok) })
}

func (l *Loop) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.state == "running" {
		return ErrRunning
	}
	l.state = "closed"
	l.soon, l.later, l.watched = nil, nil, nil
	return nil
}

func Omelette(l *Loop, w io.Writer) {
	say := func(s string) func() { return func() { io.WriteString(w, s+"\n") } }
	l.CallSoon(func() {
		say("eggs: in the pan")()
		l.CallLater(Cut, say("vegetables: cut"))
		l.CallLater(HalfDone, say("vegetables: in the pan"))
		l.CallLater(Done, say("omelette: done"))
		l.CallLater(Done, l.Stop)
	})
}

func Watch[T any](l *Loop, events <-chan T, react func(v T, ok bool)) {
	l.change(func() {
		l.watched = append(l.watched, &watch{reflect.ValueOf(events), func(v reflect.Value, ok bool) {
			t, _ := reflect.TypeAssert[T](v)
			react(t, ok)
		}})
	})
}
