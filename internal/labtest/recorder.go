package labtest

import (
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Recorder is an io.Writer, safe for concurrent use, that keeps every Write by
// itself and the time at which it came. The zero value is ready.
type Recorder struct {
	mu     sync.Mutex
	writes []string
	times  []time.Time
}

// Write keeps p. It never fails.
func (r *Recorder) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.writes = append(r.writes, string(p))
	r.times = append(r.times, time.Now())
	return len(p), nil
}

// Writes returns what was written, an entry a Write, in order.
func (r *Recorder) Writes() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.writes)
}

// Sorted returns a sorted copy of lines: of writes whose order is free.
func Sorted(lines []string) []string {
	return slices.Sorted(slices.Values(lines))
}

// Times returns when each Write came, in order.
func (r *Recorder) Times() []time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.times)
}

// String returns everything that was written.
func (r *Recorder) String() string { return strings.Join(r.Writes(), "") }

// WriterFunc is a function that serves as an io.Writer.
type WriterFunc func(p []byte) (int, error)

// Write calls f.
func (f WriterFunc) Write(p []byte) (int, error) { return f(p) }

// Exclusive is an io.Writer for code that must not write twice at the same
// time: it is in nobody's lock, gives way in the middle of a Write so that a
// second one can come in between, and remembers whether one did. The zero value
// is ready.
type Exclusive struct {
	Recorder
	gauge Gauge
}

// Write keeps p, after having let others run.
func (e *Exclusive) Write(p []byte) (int, error) {
	defer e.gauge.Enter()()
	for range 8 {
		runtime.Gosched()
	}
	return e.Recorder.Write(p)
}

// Overlapped tells whether two Writes were ever at work at the same time.
func (e *Exclusive) Overlapped() bool { return e.gauge.Max() > 1 }

// Gauge counts how many are inside of something at the same time. The zero
// value is ready; it is safe for concurrent use.
type Gauge struct{ now, max atomic.Int64 }

// Enter counts one more, until leave is called.
func (g *Gauge) Enter() (leave func()) {
	n := g.now.Add(1)
	for {
		seen := g.max.Load()
		if n <= seen || g.max.CompareAndSwap(seen, n) {
			return func() { g.now.Add(-1) }
		}
	}
}

// Now returns how many are inside.
func (g *Gauge) Now() int { return int(g.now.Load()) }

// Max returns the most that ever were inside at the same time.
func (g *Gauge) Max() int { return int(g.max.Load()) }

// Gate holds everyone who passes it until it is opened. Make it with [NewGate],
// inside the bubble that uses it.
type Gate struct {
	open    chan struct{}
	waiting atomic.Int64
}

// NewGate returns a closed gate.
func NewGate() *Gate { return &Gate{open: make(chan struct{})} }

// Pass blocks until the gate is open.
func (g *Gate) Pass() {
	g.waiting.Add(1)
	<-g.open
	g.waiting.Add(-1)
}

// Open lets everyone through, from now on. It is called once.
func (g *Gate) Open() { close(g.open) }

// Waiting returns how many wait at the gate.
func (g *Gate) Waiting() int { return int(g.waiting.Load()) }

// Meeting is a place where a number of goroutines must all have come before any
// may go on. Make it with [NewMeeting], inside the bubble that uses it.
type Meeting struct {
	missing  atomic.Int64
	complete chan struct{}
}

// NewMeeting returns a meeting of n.
func NewMeeting(n int) *Meeting {
	m := &Meeting{complete: make(chan struct{})}
	m.missing.Store(int64(n))
	return m
}

// Missing returns how many have not come.
func (m *Meeting) Missing() int { return int(m.missing.Load()) }

// Attend blocks until all have come, and tells whether they did: after an hour
// of virtual time it waits no longer.
func (m *Meeting) Attend() bool {
	if m.missing.Add(-1) == 0 {
		close(m.complete)
	}
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	select {
	case <-m.complete:
		return true
	case <-timer.C:
		return false
	}
}
