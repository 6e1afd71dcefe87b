// A goroutine for each timer, which sleeps and then reports, and two for each watch; a condition variable for the queue, and a goroutine that waits for the context.
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
	mu      sync.Mutex
	news    sync.Cond
	work    []*Timer // what may run, and what will be due
	made    int
	limit   int // of what was queued, when Stop was called; -1: it was not
	queued  int
	running bool
	end     chan struct{} // closed by Close
	ended   bool
	others  sync.WaitGroup
}

type Timer struct {
	l      *Loop
	fn     func()
	number int
	due    time.Time
	place  int // in the queue, from 1; 0: not queued yet
	off    chan struct{}
}

func New() *Loop {
	l := &Loop{limit: -1, end: make(chan struct{})}
	l.news.L = &l.mu
	return l
}

func (l *Loop) CallSoon(fn func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.ended {
		return
	}
	l.made++
	t := &Timer{l: l, fn: fn, number: l.made}
	l.work = append(l.work, t)
	l.queue(t)
}

func (l *Loop) queue(t *Timer) {
	l.queued++
	t.place = l.queued
	l.news.Broadcast()
}

// due queues the timers whose time has come.
func (l *Loop) due() {
	var all []*Timer
	for _, t := range l.work {
		if t.place == 0 && time.Until(t.due) <= 0 {
			all = append(all, t)
		}
	}
	sort.Slice(all, func(i, j int) bool {
		if all[i].due.Equal(all[j].due) {
			return all[i].number < all[j].number
		}
		return all[i].due.Before(all[j].due)
	})
	for _, t := range all {
		l.queue(t)
	}
}

func (l *Loop) CallLater(d time.Duration, fn func()) *Timer {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.made++
	t := &Timer{l: l, fn: fn, number: l.made, due: time.Now().Add(max(d, 0)), off: make(chan struct{})}
	if l.ended {
		t.fn = nil
		return t
	}
	l.work = append(l.work, t)
	l.others.Add(1)
	go func() {
		defer l.others.Done()
		select {
		case <-time.After(d):
			l.mu.Lock()
			l.due()
			l.mu.Unlock()
		case <-t.off:
		case <-l.end:
		}
	}()
	return t
}

// take takes the timer out of the list, and tells whether it was there.
func (l *Loop) take(t *Timer) bool {
	for i := range l.work {
		if l.work[i] == t {
			l.work = append(l.work[:i], l.work[i+1:]...)
			if t.off != nil {
				close(t.off)
			}
			return true
		}
	}
	return false
}

func (t *Timer) Cancel() bool {
	t.l.mu.Lock()
	defer t.l.mu.Unlock()
	return t.l.take(t)
}

func (l *Loop) Stop() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.due()
	l.limit = l.queued
	l.news.Broadcast()
}

func (l *Loop) Run(ctx context.Context) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.ended {
		return ErrClosed
	}
	if l.running {
		return ErrRunning
	}
	l.running = true
	over := make(chan struct{})
	var watcher sync.WaitGroup
	watcher.Add(1)
	go func() {
		defer watcher.Done()
		select {
		case <-ctx.Done():
			l.mu.Lock()
			defer l.mu.Unlock()
			l.news.Broadcast()
		case <-over:
		}
	}()
	defer func() {
		close(over)
		l.mu.Unlock()
		watcher.Wait()
		l.mu.Lock()
		l.running = false
	}()
	for {
		if ctx.Err() != nil {
			return errors.Join(ctx.Err(), errors.New("the loop has not been stopped"))
		}
		l.due()
		var next *Timer
		for _, t := range l.work {
			if t.place > 0 && (l.limit < 0 || t.place <= l.limit) && (next == nil || t.place < next.place) {
				next = t
			}
		}
		switch {
		case next != nil:
			l.take(next)
			l.call(next.fn)
		case l.limit >= 0:
			l.limit = -1
			return nil
		default:
			l.news.Wait()
		}
	}
}

func (l *Loop) call(fn func()) {
	l.mu.Unlock()
	defer l.mu.Lock()
	fn()
}

func Omelette(l *Loop, w io.Writer) {
	eggs := make(chan struct{})
	l.CallSoon(func() {
		fmt.Fprintln(w, "eggs: in the pan")
		close(eggs)
	})
	for at, line := range map[time.Duration]string{Cut: "vegetables: cut", HalfDone: "vegetables: in the pan", Done: "omelette: done"} {
		go func() {
			<-eggs
			time.Sleep(at)
			l.CallSoon(func() {
				fmt.Fprintln(w, line)
				if at == Done {
					l.Stop()
				}
			})
		}()
	}
}

func Watch[T any](l *Loop, events <-chan T, react func(v T, ok bool)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.ended {
		return
	}
	type event struct {
		v  T
		ok bool
	}
	between := make(chan event)
	l.others.Add(2)
	go func() {
		defer l.others.Done()
		defer close(between)
		for {
			var e event
			select {
			case e.v, e.ok = <-events:
			case <-l.end:
				return
			}
			select {
			case between <- e:
			case <-l.end:
				return
			}
			if !e.ok {
				return
			}
		}
	}()
	go func() {
		defer l.others.Done()
		for e := range between {
			l.CallSoon(func() { react(e.v, e.ok) })
		}
	}()
}

func (l *Loop) Close() error {
	l.mu.Lock()
	if l.running {
		l.mu.Unlock()
		return ErrRunning
	}
	if !l.ended {
		l.ended = true
		close(l.end)
		l.work = nil
	}
	l.mu.Unlock()
	l.others.Wait()
	return nil
}
