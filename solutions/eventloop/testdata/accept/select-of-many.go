// CallSoon is CallLater(0), all in one heap; Run itself receives from all channels that are watched, by one reflect.Select.
package eventloop

import (
	"container/heap"
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

// Everything is a timer: CallSoon is CallLater(0).

type Timer struct {
	loop  *Loop
	when  time.Time
	seq   uint64
	index int // -1: not in the heap
	fn    func()
}

type timers []*Timer

func (h timers) Len() int { return len(h) }
func (h timers) Less(i, j int) bool {
	if c := h[i].when.Compare(h[j].when); c != 0 {
		return c < 0
	}
	return h[i].seq < h[j].seq
}
func (h timers) Swap(i, j int) { h[i], h[j] = h[j], h[i]; h[i].index, h[j].index = i, j }
func (h *timers) Push(x any)   { t := x.(*Timer); t.index = len(*h); *h = append(*h, t) }
func (h *timers) Pop() any {
	t := (*h)[len(*h)-1]
	*h = (*h)[:len(*h)-1]
	t.index = -1
	return t
}

type Loop struct {
	mu              sync.Mutex
	heap            timers
	seq             uint64
	wake            chan struct{}
	running, closed bool
	stop            *Timer // the mark behind which nothing runs
	life            context.Context
	kill            context.CancelFunc
	watched         []*watched
}

func New() *Loop {
	l := &Loop{wake: make(chan struct{}, 1)}
	l.life, l.kill = context.WithCancel(context.Background())
	return l
}

func (l *Loop) poke() {
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

func (l *Loop) CallSoon(fn func()) { l.CallLater(0, fn) }

func (l *Loop) CallLater(d time.Duration, fn func()) *Timer {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.seq++
	t := &Timer{loop: l, when: time.Now().Add(max(d, 0)), seq: l.seq, index: -1, fn: fn}
	if !l.closed {
		heap.Push(&l.heap, t)
		l.poke()
	}
	return t
}

func (t *Timer) Cancel() bool {
	t.loop.mu.Lock()
	defer t.loop.mu.Unlock()
	if t.index < 0 {
		return false
	}
	heap.Remove(&t.loop.heap, t.index)
	return true
}

func (l *Loop) Stop() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.stop = &Timer{when: time.Now(), seq: l.seq}
	l.poke()
}

// next gives what is to be run now, or how long to wait.
func (l *Loop) next() (fn func(), wait time.Duration, stopped bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if s := l.stop; s != nil {
		// the first in the heap that was queued before the mark
		var best *Timer
		for _, t := range l.heap {
			if !t.when.After(s.when) && t.seq <= s.seq && (best == nil || timers{t, best}.Less(0, 1)) {
				best = t
			}
		}
		if best == nil {
			l.stop = nil
			return nil, 0, true
		}
		heap.Remove(&l.heap, best.index)
		return best.fn, 0, false
	}
	if len(l.heap) == 0 {
		return nil, time.Hour, false
	}
	if wait = time.Until(l.heap[0].when); wait > 0 {
		return nil, wait, false
	}
	return heap.Pop(&l.heap).(*Timer).fn, 0, false
}

func (l *Loop) Run(ctx context.Context) error {
	l.mu.Lock()
	if l.running || l.closed {
		defer l.mu.Unlock()
		if l.closed {
			return ErrClosed
		}
		return ErrRunning
	}
	l.running = true
	l.mu.Unlock()
	defer func() { l.mu.Lock(); l.running = false; l.mu.Unlock() }()
	clock := time.NewTimer(time.Hour)
	defer clock.Stop()
	for ctx.Err() == nil {
		fn, wait, stopped := l.next()
		if stopped {
			return nil
		}
		clock.Reset(wait)
		receive := func(ch any) reflect.SelectCase {
			return reflect.SelectCase{Dir: reflect.SelectRecv, Chan: reflect.ValueOf(ch)}
		}
		cases := []reflect.SelectCase{receive(l.wake), receive(clock.C), receive(ctx.Done())}
		l.mu.Lock()
		now := append([]*watched{}, l.watched...)
		l.mu.Unlock()
		for _, w := range now {
			cases = append(cases, reflect.SelectCase{Dir: reflect.SelectRecv, Chan: w.ch})
		}
		if fn != nil {
			fn()
			// and one look at the channels, without waiting
			cases = append(cases[3:], reflect.SelectCase{Dir: reflect.SelectDefault})
		} else {
			now = append([]*watched{nil, nil, nil}, now...)
		}
		l.mu.Lock()
		stopping := l.stop != nil
		l.mu.Unlock()
		if stopping {
			continue
		}
		i, v, ok := reflect.Select(cases)
		if i >= len(now) || now[i] == nil {
			continue
		}
		w := now[i]
		if !ok {
			l.mu.Lock()
			l.watched = slices.DeleteFunc(l.watched, func(x *watched) bool { return x == w })
			l.mu.Unlock()
		}
		w.react(v, ok)
	}
	return ctx.Err()
}

func Omelette(l *Loop, w io.Writer) {
	l.CallSoon(func() {
		io.WriteString(w, "eggs: in the pan\n")
		l.CallLater(Cut, func() { io.WriteString(w, "vegetables: cut\n") })
		l.CallLater(HalfDone, func() { io.WriteString(w, "vegetables: in the pan\n") })
		l.CallLater(Done, func() { io.WriteString(w, "omelette: done\n"); l.Stop() })
	})
}

// Watch starts no goroutine: Run itself selects over all channels that are watched.
func Watch[T any](l *Loop, events <-chan T, react func(v T, ok bool)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return
	}
	l.watched = append(l.watched, &watched{
		ch: reflect.ValueOf(events),
		react: func(v reflect.Value, ok bool) {
			x, _ := v.Interface().(T)
			react(x, ok)
		},
	})
	l.poke()
}

type watched struct {
	ch    reflect.Value
	react func(reflect.Value, bool)
}

func (l *Loop) Close() error {
	l.mu.Lock()
	if l.running {
		l.mu.Unlock()
		return ErrRunning
	}
	l.closed = true
	for _, t := range l.heap {
		t.index = -1
	}
	l.heap, l.watched = nil, nil
	l.kill()
	l.mu.Unlock()
	return nil
}
