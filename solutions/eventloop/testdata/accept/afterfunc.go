// A time.AfterFunc for each timer, which only knocks; whoever changes something closes a channel, which the loop replaces.
package eventloop

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"sync/atomic"
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

type state int32

const (
	waiting state = iota
	over
)

type Loop struct {
	mu      sync.Mutex
	soon    []*Timer
	later   []*Timer
	last    int
	bound   int
	bounded bool
	change  chan struct{}
	busy    atomic.Bool
	closed  bool
	end     context.Context
	finish  context.CancelFunc
	group   sync.WaitGroup
}

type Timer struct {
	state  atomic.Int32
	due    time.Time
	number int
	fn     func()
	bell   *time.Timer
}

func New() *Loop {
	end, finish := context.WithCancel(context.Background())
	return &Loop{change: make(chan struct{}), end: end, finish: finish}
}

func (l *Loop) ring() {
	close(l.change)
	l.change = make(chan struct{})
}

func (l *Loop) CallSoon(fn func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return
	}
	l.push(&Timer{fn: fn})
}

func (l *Loop) push(t *Timer) {
	l.last++
	t.number = l.last
	l.soon = append(l.soon, t)
	l.ring()
}

func (l *Loop) CallLater(d time.Duration, fn func()) *Timer {
	l.mu.Lock()
	defer l.mu.Unlock()
	t := &Timer{due: time.Now().Add(max(d, 0)), fn: fn}
	if l.closed {
		t.state.Store(int32(over))
		return t
	}
	l.later = append(l.later, t)
	slices.SortStableFunc(l.later, func(a, b *Timer) int { return cmp.Compare(a.due.UnixNano(), b.due.UnixNano()) })
	t.bell = time.AfterFunc(d, func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.promote()
	})
	return t
}

// promote queues all timers that are due, in order: the bells ring in any.
func (l *Loop) promote() {
	now := time.Now()
	for len(l.later) > 0 && !l.later[0].due.After(now) {
		t := l.later[0]
		l.later = l.later[1:]
		l.push(t)
	}
}

func (t *Timer) Cancel() bool {
	if !t.state.CompareAndSwap(int32(waiting), int32(over)) {
		return false
	}
	t.bell.Stop()
	return true
}

func (l *Loop) Stop() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.promote()
	l.bound, l.bounded = l.last, true
	l.ring()
}

func (l *Loop) Run(ctx context.Context) error {
	l.mu.Lock()
	if l.closed {
		l.mu.Unlock()
		return ErrClosed
	}
	if !l.busy.CompareAndSwap(false, true) {
		l.mu.Unlock()
		return ErrRunning
	}
	l.mu.Unlock()
	defer l.busy.Store(false)
	for ctx.Err() == nil {
		l.mu.Lock()
		l.promote()
		var t *Timer
		if len(l.soon) > 0 && (!l.bounded || l.soon[0].number <= l.bound) {
			t, l.soon = l.soon[0], l.soon[1:]
		} else if l.bounded {
			l.bounded = false
			l.mu.Unlock()
			return nil
		}
		change := l.change
		l.mu.Unlock()
		if t == nil {
			select {
			case <-change:
			case <-ctx.Done():
			}
			continue
		}
		if t.state.CompareAndSwap(int32(waiting), int32(over)) {
			t.fn()
		}
	}
	return ctx.Err()
}

func Omelette(l *Loop, w io.Writer) {
	l.CallSoon(func() {
		for _, step := range []struct {
			at   time.Duration
			line string
		}{{Cut, "vegetables: cut"}, {HalfDone, "vegetables: in the pan"}, {Done, "omelette: done"}} {
			l.CallLater(step.at, func() {
				fmt.Fprintln(w, step.line)
				if step.at == Done {
					l.Stop()
				}
			})
		}
		fmt.Fprintln(w, "eggs: in the pan")
	})
}

func Watch[T any](l *Loop, events <-chan T, react func(v T, ok bool)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return
	}
	var pass func()
	pass = func() {
		select {
		case v, ok := <-events:
			l.CallSoon(func() {
				if ok {
					l.mu.Lock()
					l.group.Go(pass)
					l.mu.Unlock()
				}
				react(v, ok)
			})
		case <-l.end.Done():
		}
	}
	l.group.Go(pass)
}

func (l *Loop) Close() error {
	l.mu.Lock()
	if l.busy.Load() {
		l.mu.Unlock()
		return ErrRunning
	}
	l.closed = true
	for _, t := range slices.Concat(l.soon, l.later) {
		t.state.Store(int32(over))
		if t.bell != nil {
			t.bell.Stop()
		}
	}
	l.soon, l.later = nil, nil
	l.mu.Unlock()
	l.finish()
	l.group.Wait()
	return nil
}
