package labtest

import (
	"context"
	"fmt"
	"path"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

const (
	// interval is the time between two looks at a test that is still running.
	interval = 25 * time.Millisecond

	// patience is how many looks in a row may show no progress: two seconds.
	// Virtual time waits for nothing, so a right answer needs milliseconds. Looks
	// are counted, not time, which a busy machine takes away from the test as it
	// does from its watchdog.
	patience = int(2 * time.Second / interval)

	// realPatience is the same for a test on the real clock, where waiting
	// takes time.
	realPatience = int(5 * time.Second / interval)

	// afterFailure is how many looks a test on the real clock has to end by itself
	// when it has failed.
	afterFailure = int(500 * time.Millisecond / interval)

	// sightings is how many looks in a row must show the same standstill.
	sightings = 3

	// endLooks and endInterval bound how long a goroutine may take to end in a
	// test on the real clock.
	endLooks    = 250
	endInterval = 20 * time.Millisecond

	// day is how long a bubble's clock runs on before a goroutine that is
	// still there counts as leaked.
	day = 24 * time.Hour

	// maxSpins is how many tests of one process may end with a loop that goes
	// on spinning behind them. Each takes the watchdog's patience and then a
	// processor; the tests after that would be judged by the noise.
	maxSpins = 3
)

// spins counts the tests of this process that left a spinning loop behind.
var spins atomic.Int32

// Bubble runs f in a bubble of virtual time (see testing/synctest): time stands
// still while anything can run and jumps when everything waits. It returns when
// f has returned and fails the suite's current test if f failed, if all
// goroutines are blocked for ever, or if for some two real seconds nothing moves.
// A goroutine that is still blocked when f has returned is a failure only after
// [T.NothingStays].
func (s *Suite) Bubble(f func(t *T)) {
	t := newT(s.T())
	t.bubbled = true
	var id atomic.Value // string; the bubble's number
	var over atomic.Bool
	goroutines := func() []goroutine {
		if own, ok := id.Load().(string); ok {
			return inBubble(dump(own), own)
		}
		return nil
	}

	finished := make(chan struct{})
	t.ask, t.rested = make(chan struct{}), make(chan time.Time)
	go t.clock(finished)
	go func() {
		defer close(finished)
		defer func() {
			if r := recover(); r != nil {
				t.bubbleEnded(r, goroutines)
			}
		}()
		synctest.Test(s.T(), func(*testing.T) {
			id.Store(self().bubble)
			t.run(f)
			over.Store(true)
			if t.noLeak.Load() && !t.Failed() {
				time.Sleep(day)
			}
		})
	}()

	// A dump stops the world, and is dear where earlier tests have left many
	// goroutines behind: it may take a tenth of the time.
	var next time.Time
	if !t.watch(finished, patience, func(moved, standstill bool) (hung, spinning bool) {
		if moved {
			t.sightings = 0
			return false, false
		}
		start := time.Now()
		if !standstill && start.Before(next) {
			return false, false
		}
		bubble := goroutines()
		next = time.Now().Add(10 * time.Since(start))
		return t.hangs(bubble, standstill, over.Load())
	}) {
		s.T().FailNow()
	}
	t.skipIfAsked()
}

// Real runs f on the real clock, for tests that need real sockets. A test that
// shows no progress for five seconds fails, and the message says where the
// learner's goroutines are.
func (s *Suite) Real(f func(t *T)) {
	t := newT(s.T())
	before := map[string]bool{}
	for _, g := range dump("") {
		before[g.id] = true
	}
	own := func() []goroutine {
		return slices.DeleteFunc(dump(""), func(g goroutine) bool { return before[g.id] })
	}
	finished := make(chan struct{})
	go func() {
		defer close(finished)
		t.run(f)
		if t.noLeak.Load() && !t.Failed() {
			t.awaitEnd(own)
		}
	}()
	failed := 0 // how often it was found to have failed, and not to have ended
	if !t.watch(finished, realPatience, func(_, standstill bool) (hung, spinning bool) {
		if t.Failed() {
			// Nothing more can come of it: perhaps it waits for a server that has
			// crashed.
			failed++
			return failed > afterFailure, false
		}
		if !standstill {
			return false, false
		}
		return t.hangs(own(), true, false)
	}) {
		s.T().FailNow()
	}
	t.skipIfAsked()
}

// awaitEnd waits until nothing that the learner's code started is there any more,
// on the real clock. Looks are counted, not time, which a busy machine takes away
// from those who are about to end.
func (t *T) awaitEnd(own func() []goroutine) {
	var still []goroutine
	for range endLooks {
		still = slices.DeleteFunc(own(), func(g goroutine) bool {
			_, inside := g.learner()
			return !inside && !g.created.ofLearner()
		})
		if len(still) == 0 {
			return
		}
		time.Sleep(endInterval)
		t.tick()
	}
	t.report(Leak, "a goroutine stays behind:", append(blockedIn(still), startedIn(still)...)...)
}

// skipIfAsked ends a test that asked to be skipped, in the suite's own goroutine.
func (t *T) skipIfAsked() {
	if why := t.skipped(); why != "" {
		fmt.Fprintln(t.outer.Output(), "skipped, because "+why)
		t.outer.SkipNow()
	}
}

func newT(outer *testing.T) *T {
	if spins.Load() >= maxSpins {
		_, _ = fmt.Fprintf(outer.Output(), "did not run: %d tests before this one are still spinning and keep the processors busy; mend those first\n", maxSpins)
		outer.Attr(VerdictAttr, string(DidNotRun))
		outer.FailNow()
	}
	name, _, _ := strings.Cut(path.Base(checkedFile()), "_test.go")
	return &T{outer: outer, lesson: name}
}

// checkedFile returns the file of the suite that calls this package.
func checkedFile() string {
	pcs := make([]uintptr, 64)
	frames := runtime.CallersFrames(pcs[:runtime.Callers(2, pcs)])
	for {
		f, more := frames.Next()
		if !more || strings.HasSuffix(f.File, "_test.go") {
			return f.File
		}
	}
}

// run calls f in a goroutine of its own, so that ending that goroutine, by the
// test or by the code under test, ends nothing else.
func (t *T) run(f func(t *T)) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	t.ctx = ctx
	t.Go(func() { f(t) }).join()
}

// watch waits until the test has finished, looking at it now and then, and
// tells whether it passed. A test that hangs is given up: its goroutines stay,
// and nothing that they say counts any more.
func (t *T) watch(finished <-chan struct{}, patience int, look func(moved, standstill bool) (hung, spinning bool)) bool {
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	last, still := t.progress.Load(), 0
	for {
		select {
		case <-finished:
			return !t.Failed()
		case <-ticker.C:
			t.looks.Add(1)
		}
		still++
		now := t.progress.Load()
		moved := now != last
		if moved {
			last, still = now, 0
		}
		hung, spinning := look(moved, still >= patience)
		if !hung {
			continue
		}
		t.mu.Lock()
		t.abandoned = true
		t.mu.Unlock()
		if spinning {
			// The loop keeps a processor for itself; the next tests get another.
			spins.Add(1)
			procs.limit(func() { procs.all++ })
		}
		return !t.Failed()
	}
}

// bubbleEnded turns the panic that ends a bubble into a failure in words.
func (t *T) bubbleEnded(panicked any, goroutines func() []goroutine) {
	text := fmt.Sprint(panicked)
	switch {
	case strings.Contains(text, "main bubble goroutine has exited"):
		if t.noLeak.Load() {
			bubble := goroutines()
			how := "blocked for ever"
			if slices.ContainsFunc(bubble, goroutine.sleeps) {
				how = "a day later too"
			}
			t.report(Leak, "a goroutine stays behind, "+how+":", slices.Concat(blockedIn(bubble), startedIn(bubble), leftIn(bubble))...)
		}
	case strings.Contains(text, "all goroutines in bubble are blocked"):
		bubble := goroutines()
		t.report(Deadlock, "deadlock, all goroutines wait and nothing can wake them:",
			slices.Concat(blockedIn(bubble), testWaits(bubble))...)
	default:
		t.report(Panic, "panic: "+text)
	}
}

// hangs tells whether the test will not end by itself, and reports why.
// Standstill says that the watchdog's patience is over; over, that the test
// function has returned.
func (t *T) hangs(goroutines []goroutine, standstill, over bool) (hung, spinning bool) {
	spinning = slices.ContainsFunc(goroutines, func(g goroutine) bool {
		_, inside := g.learner()
		return inside && g.busy()
	})
	t.sightings++
	if !t.bubbled || !stuck(goroutines) {
		t.sightings = 0
	}
	certain := t.sightings >= sightings
	if !certain && !standstill {
		return false, false
	}

	verdict, what := Timeout, "it hangs:"
	switch {
	case over && !t.noLeak.Load():
		return true, spinning // no rule asks that what is left behind ends
	case over:
		verdict, what = Leak, "a goroutine stays behind:"
	case certain:
		verdict, what = Deadlock, "deadlock, nothing can go on and time stands still:"
	case spinning && t.bubbled:
		what = "it hangs, in a loop that spins:"
	}
	t.report(verdict, what, slices.Concat(blockedIn(goroutines), testWaits(goroutines))...)
	return true, spinning
}
