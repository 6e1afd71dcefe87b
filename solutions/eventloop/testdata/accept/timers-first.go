// Timers that are due go before callbacks, and the omelette begins with a timer of 0; a list says which timers may still run after Stop.
package eventloop

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sort"
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
	mutex    sync.Mutex
	news     *sync.Cond
	queue    []func()
	timers   []*Timer // sorted
	running  bool
	closed   bool
	stopping bool
	budget   int      // how many of the queue may still run after Stop
	last     []*Timer // which timers may still run after Stop
	quit     chan struct{}
	helpers  sync.WaitGroup
}

type timerState string

type Timer struct {
	loop  *Loop
	when  time.Time
	fn    func()
	alarm *time.Timer
	state timerState
}

func New() *Loop {
	l := &Loop{quit: make(chan struct{})}
	l.news = sync.NewCond(&l.mutex)
	return l
}

func (l *Loop) CallSoon(fn func()) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	if l.closed {
		return
	}
	l.queue = append(l.queue, fn)
	l.news.Broadcast()
}

func (l *Loop) Stop() {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	l.stopping = true
	l.budget = len(l.queue)
	l.last = nil
	now := time.Now()
	for _, t := range l.timers {
		if !t.when.After(now) {
			l.last = append(l.last, t)
		}
	}
	l.news.Broadcast()
}

func (l *Loop) ring() {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	l.news.Broadcast()
}

func (l *Loop) CallLater(d time.Duration, fn func()) *Timer {
	if d < 0 {
		d = 0
	}
	l.mutex.Lock()
	defer l.mutex.Unlock()
	t := &Timer{loop: l, fn: fn, when: time.Now().Add(d)}
	if l.closed {
		t.state = "dead"
		return t
	}
	t.state = "waiting"
	l.timers = append(l.timers, t)
	sort.SliceStable(l.timers, func(i, j int) bool { return l.timers[i].when.Before(l.timers[j].when) })
	t.alarm = time.AfterFunc(d, l.ring)
	return t
}

func (t *Timer) Cancel() bool {
	l := t.loop
	l.mutex.Lock()
	defer l.mutex.Unlock()
	if t.state != "waiting" {
		return false
	}
	t.alarm.Stop()
	t.remove("cancelled")
	return true
}

// remove takes the timer from the lists. The loop is locked.
func (t *Timer) remove(s timerState) {
	t.state = s
	for _, list := range []*[]*Timer{&t.loop.timers, &t.loop.last} {
		for i, other := range *list {
			if other == t {
				*list = append((*list)[:i], (*list)[i+1:]...)
				break
			}
		}
	}
}

// pick returns what to run next, if anything. The loop is locked.
func (l *Loop) pick() func() {
	timers := l.timers
	if l.stopping {
		timers = l.last
	}
	if len(timers) > 0 && !timers[0].when.After(time.Now()) {
		t := timers[0]
		t.remove("run")
		return t.fn
	}
	if len(l.queue) > 0 && (!l.stopping || l.budget > 0) {
		fn := l.queue[0]
		l.queue = l.queue[1:]
		if l.stopping {
			l.budget--
		}
		return fn
	}
	return nil
}

func (l *Loop) Run(ctx context.Context) error {
	l.mutex.Lock()
	switch {
	case l.closed:
		l.mutex.Unlock()
		return fmt.Errorf("run: %w", ErrClosed)
	case l.running:
		l.mutex.Unlock()
		return fmt.Errorf("run: %w", ErrRunning)
	}
	l.running = true
	l.mutex.Unlock()
	stop := context.AfterFunc(ctx, l.ring)
	defer stop()
	defer func() {
		l.mutex.Lock()
		l.running = false
		l.mutex.Unlock()
	}()
	for {
		l.mutex.Lock()
		var fn func()
		for {
			if ctx.Err() != nil {
				l.mutex.Unlock()
				return ctx.Err()
			}
			if fn = l.pick(); fn != nil {
				break
			}
			if l.stopping {
				l.stopping = false
				l.mutex.Unlock()
				return nil
			}
			l.news.Wait()
		}
		l.mutex.Unlock()
		fn()
	}
}

func Omelette(l *Loop, w io.Writer) {
	var start time.Time
	var step func(int)
	recipe := []struct {
		after time.Duration
		text  string
	}{
		{0, "eggs: in the pan"},
		{Cut, "vegetables: cut"},
		{HalfDone, "vegetables: in the pan"},
		{Done, "omelette: done"},
	}
	step = func(i int) {
		if i == 0 {
			start = time.Now()
		}
		fmt.Fprintln(w, recipe[i].text)
		if i+1 == len(recipe) {
			l.Stop()
			return
		}
		l.CallLater(time.Until(start.Add(recipe[i+1].after)), func() { step(i + 1) })
	}
	l.CallLater(0, func() { step(0) })
}

func Watch[T any](l *Loop, events <-chan T, react func(v T, ok bool)) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	if l.closed {
		return
	}
	l.helpers.Add(1)
	go func() {
		defer l.helpers.Done()
		done := make(chan struct{}, 1)
		for open := true; open; {
			var v T
			select {
			case <-l.quit:
				return
			case v, open = <-events:
			}
			l.CallSoon(func() {
				defer func() { done <- struct{}{} }()
				react(v, open)
			})
			select {
			case <-l.quit:
				return
			case <-done:
			}
		}
	}()
}

func (l *Loop) Close() error {
	l.mutex.Lock()
	if l.running {
		l.mutex.Unlock()
		return ErrRunning
	}
	if !l.closed {
		l.closed = true
		close(l.quit)
		for _, t := range l.timers {
			t.alarm.Stop()
			t.state = "dead"
		}
		l.timers = nil
		l.queue = nil
	}
	l.mutex.Unlock()
	l.helpers.Wait()
	return nil
}
