// Run is driven by a ticker: every ten milliseconds it runs what is there, and in between nobody wakes it up but the end of its context.
package eventloop

import (
	"container/heap"
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"
)

var (
	// ErrRunning says that the loop runs already.
	ErrRunning = errors.New("event loop is running")

	// ErrClosed says that the loop is closed.
	ErrClosed = errors.New("event loop is closed")
)

// When something happens to the omelette, counted from the first line.
const (
	Cut      = 1 * time.Minute
	HalfDone = 2 * time.Minute
	Done     = 4 * time.Minute
)

// Loop runs callbacks one after the other. It is made by [New]. All its methods
// may be called from any goroutine, and from callbacks.
type Loop struct {
	closing chan struct{} // closed by Close
	watches sync.WaitGroup

	mu       sync.Mutex // never held while a callback runs
	queue    []*Timer   // callbacks that are due, in the order in which they run
	timers   schedule
	made     int // timers so far
	queued   int // callbacks so far
	stopping bool
	stopAt   int // the number of the last callback that a Stop lets run
	running  bool
	closed   bool
}

// New returns a loop that does not run yet.
func New() *Loop {
	return &Loop{closing: make(chan struct{})}
}

// CallSoon makes the loop run fn after the callbacks that are queued already.
func (l *Loop) CallSoon(fn func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return
	}
	l.enqueue(&Timer{loop: l, fn: fn, index: -1})
}

// enqueue queues a callback that is due. The caller holds the lock.
func (l *Loop) enqueue(t *Timer) {
	l.queued++
	t.number = l.queued
	l.queue = append(l.queue, t)
}

// Run runs callbacks, in the goroutine that calls it, until [Loop.Stop] or the
// end of ctx; then it returns nil, or ctx.Err(). A loop that runs already is
// [ErrRunning], one that is closed [ErrClosed]. A panic of a callback comes out of
// Run, and the loop can be run again.
func (l *Loop) Run(ctx context.Context) error {
	if err := l.begin(); err != nil {
		return err
	}
	defer l.end()
	ticker := time.NewTicker(10 * time.Millisecond)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-ticker.C:
		}
		if stopped, err := l.drain(ctx); stopped || err != nil {
			return err
		}
	}
}

// drain runs callbacks until none is due.
func (l *Loop) drain(ctx context.Context) (stopped bool, err error) {
	for {
		if err := ctx.Err(); err != nil {
			return false, err
		}
		fn, stopped := l.next()
		if fn == nil {
			return stopped, nil
		}
		fn()
	}
}

func (l *Loop) begin() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.closed:
		return ErrClosed
	case l.running:
		return ErrRunning
	}
	l.running = true
	return nil
}

func (l *Loop) end() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.running = false
}

// next takes the next callback that is due. Stopped tells that the loop has run all
// that it had to before a Stop.
func (l *Loop) next() (fn func(), stopped bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.collect()
	for len(l.queue) > 0 && (!l.stopping || l.queue[0].number <= l.stopAt) {
		t := l.queue[0]
		l.queue = l.queue[1:]
		if fn := t.take(); fn != nil {
			return fn, false
		}
	}
	stopped, l.stopping = l.stopping, false
	return nil, stopped
}

// collect queues the timers that are due. The caller holds the lock.
func (l *Loop) collect() {
	for now := time.Now(); len(l.timers) > 0 && !l.timers[0].due.After(now); {
		l.enqueue(heap.Pop(&l.timers).(*Timer))
	}
}

// Stop makes Run return nil, or the next Run if none runs now, as soon as it has
// run the callbacks that are queued when Stop is called; timers that are due
// count as queued. A second Stop replaces the first.
func (l *Loop) Stop() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.collect()
	l.stopping, l.stopAt = true, l.queued
}

// Timer is a callback that the loop runs at its time. Its methods may be called
// from any goroutine.
type Timer struct {
	loop   *Loop
	fn     func() // nil when it has run or will never run
	due    time.Time
	order  int // among the timers of a loop
	number int // among the callbacks that were queued
	index  int // in the schedule; -1 if it is not there
}

// take returns the callback and makes sure that nobody else will. The caller
// holds the loop's lock.
func (t *Timer) take() func() {
	fn := t.fn
	t.fn = nil
	return fn
}

// Cancel keeps the callback from running, and reports whether it did: false if it
// has run, runs just now, or had been cancelled before.
func (t *Timer) Cancel() bool {
	t.loop.mu.Lock()
	defer t.loop.mu.Unlock()
	if t.index >= 0 {
		heap.Remove(&t.loop.timers, t.index)
	}
	return t.take() != nil
}

// CallLater makes the loop run fn once d has passed. Timers run in the order in
// which they fall due, and those that are due at the same time in the order of
// CallLater.
func (l *Loop) CallLater(d time.Duration, fn func()) *Timer {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return &Timer{loop: l, index: -1}
	}
	l.made++
	t := &Timer{loop: l, fn: fn, due: time.Now().Add(max(d, 0)), order: l.made}
	heap.Push(&l.timers, t)
	return t
}

// schedule is a heap of timers, the next one first.
type schedule []*Timer

func (s schedule) Len() int { return len(s) }

func (s schedule) Less(i, j int) bool {
	if s[i].due.Equal(s[j].due) {
		return s[i].order < s[j].order
	}
	return s[i].due.Before(s[j].due)
}

func (s schedule) Swap(i, j int) {
	s[i], s[j] = s[j], s[i]
	s[i].index, s[j].index = i, j
}

func (s *schedule) Push(x any) {
	t := x.(*Timer)
	t.index = len(*s)
	*s = append(*s, t)
}

func (s *schedule) Pop() any {
	last := len(*s) - 1
	t := (*s)[last]
	(*s)[last] = nil
	*s = (*s)[:last]
	t.index = -1
	return t
}

// Omelette cooks an omelette on the loop, whose progress it writes to w, a line
// each, and then stops the loop. It returns at once.
func Omelette(l *Loop, w io.Writer) {
	l.CallSoon(func() {
		fmt.Fprintln(w, "eggs: in the pan")
		l.CallLater(Cut, func() { fmt.Fprintln(w, "vegetables: cut") })
		l.CallLater(HalfDone, func() { fmt.Fprintln(w, "vegetables: in the pan") })
		l.CallLater(Done, func() {
			fmt.Fprintln(w, "omelette: done")
			l.Stop()
		})
	})
}

// Watch makes the loop run react(v, true) for each value v of events, in order,
// and react(zero, false) once when events is closed, which ends the watch.
func Watch[T any](l *Loop, events <-chan T, react func(v T, ok bool)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return
	}
	l.watches.Go(func() {
		for {
			select {
			case v, ok := <-events:
				l.CallSoon(func() { react(v, ok) })
				if !ok {
					return
				}
			case <-l.closing:
				return
			}
		}
	})
}

// Close ends all watches and timers of a loop that does not run, waits for its
// goroutines, and returns nil, any number of times. A loop that runs is
// [ErrRunning]. What is asked of a closed loop never runs.
func (l *Loop) Close() error {
	l.mu.Lock()
	if l.running {
		l.mu.Unlock()
		return ErrRunning
	}
	if !l.closed {
		l.closed = true
		close(l.closing)
		for _, t := range append(l.queue, l.timers...) {
			t.fn, t.index = nil, -1
		}
		l.queue, l.timers = nil, nil
	}
	l.mu.Unlock()
	l.watches.Wait()
	return nil
}
