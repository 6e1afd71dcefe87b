// All state lies in a channel with one place, which is the lock; Run takes callbacks in batches, as asyncio does, and who waits leaves a channel to be closed.
package eventloop

import (
	"container/list"
	"context"
	"errors"
	"fmt"
	"io"
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

type state struct {
	ready    *list.List // of *Timer
	later    *list.List // of *Timer, the next one first
	round    int        // grows with each Stop
	stopping bool
	running  bool
	closed   bool
	waiting  chan struct{} // nil if nobody waits
	watches  int
}

type Loop struct {
	state  chan *state
	closed context.Context
	close  context.CancelFunc
	last   chan struct{} // for Close: a watch has ended
}

type Timer struct {
	over  atomic.Bool // has begun, or never will
	due   time.Time
	fn    func()
	round int // the Stops that were called before it was queued
}

func New() *Loop {
	l := &Loop{state: make(chan *state, 1), last: make(chan struct{}, 1)}
	l.closed, l.close = context.WithCancel(context.Background())
	l.state <- &state{ready: list.New(), later: list.New()}
	return l
}

// change lets f have the state, and wakes whoever waits for it to change.
func (l *Loop) change(f func(s *state)) {
	s := <-l.state
	f(s)
	if s.waiting != nil {
		close(s.waiting)
		s.waiting = nil
	}
	l.state <- s
}

func (s *state) queue(t *Timer) {
	t.round = s.round
	s.ready.PushBack(t)
}

func (s *state) collect() {
	for e := s.later.Front(); e != nil && time.Since(e.Value.(*Timer).due) >= 0; e = s.later.Front() {
		s.queue(s.later.Remove(e).(*Timer))
	}
}

func (l *Loop) CallSoon(fn func()) {
	l.change(func(s *state) {
		if !s.closed {
			s.queue(&Timer{fn: fn})
		}
	})
}

func (l *Loop) CallLater(d time.Duration, fn func()) *Timer {
	if d < 0 {
		d = 0
	}
	t := &Timer{fn: fn, due: time.Now().Add(d)}
	l.change(func(s *state) {
		if s.closed {
			return
		}
		at := s.later.Back()
		for at != nil && at.Value.(*Timer).due.After(t.due) {
			at = at.Prev()
		}
		if at == nil {
			s.later.PushFront(t)
		} else {
			s.later.InsertAfter(t, at)
		}
	})
	return t
}

func (t *Timer) Cancel() bool { return t.over.CompareAndSwap(false, true) }

func (l *Loop) Stop() {
	l.change(func(s *state) {
		s.collect()
		s.stopping = true
		s.round++
	})
}

func (l *Loop) Run(ctx context.Context) error {
	var err error
	l.change(func(s *state) {
		switch {
		case s.closed:
			err = ErrClosed
		case s.running:
			err = ErrRunning
		default:
			s.running = true
		}
	})
	if err != nil {
		return err
	}
	defer l.change(func(s *state) { s.running = false })
	for {
		stopped, err := l.turn(ctx)
		if stopped || err != nil {
			return err
		}
	}
}

// turn runs what is ready now, or waits until something may be.
func (l *Loop) turn(ctx context.Context) (stopped bool, err error) {
	var batch *list.List
	var changed <-chan struct{}
	var due <-chan time.Time
	l.change(func(s *state) {
		s.collect()
		batch = list.New()
		for e := s.ready.Front(); e != nil && (!s.stopping || e.Value.(*Timer).round < s.round); e = s.ready.Front() {
			batch.PushBack(s.ready.Remove(e))
		}
		if batch.Len() > 0 {
			return
		}
		if s.stopping {
			s.stopping, stopped = false, true
		}
	})
	if stopped {
		return true, nil
	}
	// What a panic or the end of the context leaves of the batch goes back.
	defer l.change(func(s *state) { s.ready.PushFrontList(batch) })
	if batch.Len() == 0 {
		s := <-l.state
		if s.ready.Len() == 0 && !s.stopping {
			s.waiting = make(chan struct{})
			changed = s.waiting
			if e := s.later.Front(); e != nil {
				due = time.After(time.Until(e.Value.(*Timer).due))
			}
		}
		l.state <- s
		if changed == nil {
			return false, nil
		}
		select {
		case <-changed:
		case <-due:
		case <-ctx.Done():
		}
	}
	for e := batch.Front(); e != nil && ctx.Err() == nil; e = batch.Front() {
		t := batch.Remove(e).(*Timer)
		if t.Cancel() {
			t.fn()
		}
	}
	return false, ctx.Err()
}

func Omelette(l *Loop, w io.Writer) {
	say := func(line string) { _, _ = io.WriteString(w, line+"\n") }
	l.CallSoon(func() {
		say("eggs: in the pan")
		begun := time.Now()
		at := func(d time.Duration, line string, then func()) {
			l.CallLater(time.Until(begun.Add(d)), func() {
				say(line)
				then()
			})
		}
		at(Cut, "vegetables: cut", func() {
			at(HalfDone, "vegetables: in the pan", func() {
				at(Done, "omelette: done", l.Stop)
			})
		})
	})
}

func Watch[T any](l *Loop, events <-chan T, react func(v T, ok bool)) {
	l.change(func(s *state) {
		if s.closed {
			return
		}
		s.watches++
		go func() {
			defer func() {
				l.change(func(s *state) {
					s.watches--
					if s.watches == 0 && s.closed {
						l.last <- struct{}{}
					}
				})
			}()
			for l.closed.Err() == nil {
				select {
				case <-l.closed.Done():
				case v, ok := <-events:
					l.CallSoon(func() { react(v, ok) })
					if !ok {
						return
					}
				}
			}
		}()
	})
}

func (l *Loop) Close() error {
	var err error
	wait := false
	l.change(func(s *state) {
		if s.running {
			err = fmt.Errorf("cannot close: %w", ErrRunning)
			return
		}
		wait = !s.closed && s.watches > 0
		s.closed = true
		s.ready.Init()
		s.later.Init()
		l.close()
	})
	if wait {
		<-l.last
	}
	return err
}
