package labtest

import (
	"runtime"
	"sync/atomic"
)

// Collide calls all functions at the same moment, as nearly as the machine
// allows, and returns when all have returned.
func (t *T) Collide(fs ...func()) {
	t.mustBubble("Collide")
	racers := make([]func(int), len(fs))
	for i, f := range fs {
		racers[i] = func(int) { f() }
	}
	t.heat(Heat{Rounds: 1, Racers: racers})
}

// A Heat is a number of rounds that some racers run side by side. In each round
// all begin at the same moment, as nearly as the machine allows. Check looks at
// the outcome, when all rounds have been run.
type Heat struct {
	Rounds int
	Racers []func(round int)
	Check  func()
}

const (
	// enoughMeetings is how often racers must have been at work at the same
	// time before a race is over. Of such rounds about one in twenty gets in
	// between a check and the store behind it.
	enoughMeetings = 500

	// maxLooks bounds a race on a machine that is too busy to run two racers at
	// once: in looks of the watchdog, since a bubble has no other real clock.
	maxLooks = 15

	// maxHeats bounds it in what it may leave behind: a right answer may keep a
	// goroutine in everything that the heats make.
	maxHeats = 64
)

// Race finds what only shows when two callers meet within a few nanoseconds. It
// runs heats, each made afresh, until the racers have really met some hundred
// times, which a machine with nothing else to do achieves in the first few. Two
// racers meet best, since that many processors are nearly always there; some
// hundred rounds a heat cost milliseconds. It is for calls that do not sleep:
// who spins for the next round keeps the clock of a bubble from moving.
func (t *T) Race(next func() Heat) {
	t.mustBubble("Race")
	last := t.looks.Load() + maxLooks
	meetings := 0
	for range maxHeats {
		h := next()
		meetings += t.heat(h)
		h.Check()
		if meetings >= enoughMeetings || t.looks.Load() >= last || runtime.GOMAXPROCS(0) < len(h.Racers) {
			return
		}
	}
}

// heat runs one heat and returns in how many rounds racers met.
func (t *T) heat(h Heat) (meetings int) {
	// Goroutines that are woken begin microseconds apart, those that spin
	// nanoseconds. But on a busy machine who spins may keep the one it waits for
	// from its processor, and giving way within the program puts both on one,
	// where they never meet: so after a while it gives way to all programs. With
	// fewer processors than racers some have to take turns anyway.
	turns, giveWay := 1<<13, t.rest
	if runtime.GOMAXPROCS(0) < len(h.Racers) {
		turns, giveWay = 1<<10, runtime.Gosched
	}
	var arrived, met atomic.Int64
	begun, ended := make([]atomic.Int64, len(h.Racers)), make([]atomic.Int64, len(h.Racers))

	calls := make([]*Call, len(h.Racers))
	for i, racer := range h.Racers {
		calls[i] = t.Go(func() {
			for round := range h.Rounds {
				arrived.Add(1)
				all := int64((round + 1) * len(h.Racers))
				for turn := 1; arrived.Load() < all; turn++ {
					for range 32 { // so that a turn is much the same with the race detector, which slows down Load
					}
					if turn%turns != 0 {
						continue
					}
					if t.Failed() {
						return
					}
					giveWay()
				}
				// Who comes last goes on first, by the time that the news takes to
				// the other processor. A little patience, another one each round,
				// makes up for it now and then.
				for range round * (7*i + 3) % 501 {
				}

				now := int64(round + 1)
				begun[i].Store(now)
				racer(round)
				for j := range begun {
					if j != i && begun[j].Load() == now && ended[j].Load() < now {
						met.Add(1)
						break
					}
				}
				ended[i].Store(now)
				t.tick()
			}
		})
	}
	for _, c := range calls {
		c.join()
	}
	if t.Failed() {
		runtime.Goexit()
	}
	return int(met.Load())
}
