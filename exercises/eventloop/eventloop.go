// Package eventloop is where you build what asyncio is made of: a loop that runs
// callbacks one after the other, timers, and channels that it watches. Then you
// cook an omelette on it.
//
// The text is lessons/eventloop/README.md, hints are in
// lessons/eventloop/hints.md, and eventloop_test.go beside this file says what
// every rule means. Fill in the fields and replace each panic. Helpers of your own
// are welcome, package-level variables are not needed.
package eventloop

import (
	"context"
	"errors"
	"io"
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

// Loop runs callbacks, one at a time, in the goroutine that calls Run. All its
// methods may be called from any goroutine, at any time, and from callbacks.
type Loop struct {
	// your fields
}

// New returns a loop that does not run yet.
func New() *Loop {
	panic("TODO: make a loop")
}

// CallSoon queues fn. Callbacks run in the order of CallSoon. An idle loop wakes
// up for it; if the loop does not run, fn waits for the next Run.
func (l *Loop) CallSoon(fn func()) {
	panic("TODO: queue fn, and wake the loop")
}

// Run runs callbacks in the goroutine that calls it. While there is nothing to do
// it waits, without spinning. It returns
//
//   - nil after Stop, see there,
//   - an error that matches ctx.Err() (see errors.Is) when ctx ends; callbacks that
//     are queued then may still run or not, but one that queues itself for ever
//     must not keep Run from ending,
//   - ErrRunning if the loop runs already, and ErrClosed if it is closed.
//
// A panic of a callback comes out of Run. In each case the loop can be run again,
// unless it is closed.
func (l *Loop) Run(ctx context.Context) error {
	panic("TODO: run callbacks until Stop or the end of ctx")
}

// Stop makes Run return nil, after it has run the callbacks that are queued when
// Stop is called; timers that are already due count as queued. What is queued
// later stays for the next Run. A second Stop replaces the first.
//
// If the loop does not run, the next Run runs what is queued and returns.
func (l *Loop) Stop() {
	panic("TODO: let Run end when it has run what is queued now")
}

// Timer is a callback that runs at its time. It is made by CallLater.
type Timer struct {
	// your fields
}

// CallLater makes the loop run fn once d has passed, and never before; a d below 0
// counts as 0. Timers run in the order in which they fall due, those that fall due
// at the same time in the order of CallLater. Between a timer that is due and a
// callback of CallSoon the order is free. A slow callback delays timers, but none
// gets lost.
func (l *Loop) CallLater(d time.Duration, fn func()) *Timer {
	panic("TODO: remember fn and its time, and wake the loop")
}

// Cancel keeps the timer's callback from running, also if it is due already, and
// reports whether it did: false if the callback has begun or was cancelled before.
// It may be called from any goroutine.
func (t *Timer) Cancel() bool {
	panic("TODO: cancel the timer, if it is not too late")
}

// Omelette cooks an omelette on the loop. It may be called before the loop runs or
// while it does, and returns at once, without having written anything. The loop
// writes these lines to w, each in one Write and at its time, counted from the
// first, and then stops:
//
//	eggs: in the pan            at once
//	vegetables: cut             after Cut
//	vegetables: in the pan      after HalfDone
//	omelette: done              after Done
//
// Nothing blocks the loop meanwhile.
func Omelette(l *Loop, w io.Writer) {
	panic("TODO: schedule the four lines, and the Stop")
}

// Watch makes the loop run react(v, true) for every value v of events, in order.
// When events is closed, it makes the loop run react(zero, false) once, where zero
// is T's zero value, and the watch ends. How far a watch reads ahead of the loop is
// free.
func Watch[T any](l *Loop, events <-chan T, react func(v T, ok bool)) {
	panic("TODO: let somebody receive, and the loop react")
}

// Close ends all watches and timers, waits for what the loop has started, and
// returns nil; a second time too. While the loop runs it returns ErrRunning and
// does nothing. A closed loop's Run returns ErrClosed, and what is given to its
// CallSoon, CallLater (which still returns a Timer) and Watch never runs. No
// goroutine stays behind.
func (l *Loop) Close() error {
	panic("TODO: end the watches and wait for them")
}
