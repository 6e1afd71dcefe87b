package labtest

import (
	"runtime"
	"sync"
	"sync/atomic"
	"time"
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
	// once, and the patience of [T.Pass]: in looks of the watchdog, since a bubble
	// has no other real clock.
	maxLooks = int64(1500 * time.Millisecond / interval)

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
		met, crowded := t.heat(h)
		meetings += met
		h.Check()
		if meetings >= enoughMeetings || t.looks.Load() >= last || crowded {
			return
		}
	}
}

// heat runs one heat and returns in how many rounds racers met, and whether there
// are fewer processors than racers.
func (t *T) heat(h Heat) (meetings int, crowded bool) {
	// More processors bring no more meetings, and the race detector of Go 1.26 dies
	// on them now and then, where goroutines of the code under test look at timers
	// that are due: go.dev/issue/78156, docs/decisions/virtual-time.md.
	procs.limit(func() { procs.racers += len(h.Racers) })
	defer procs.limit(func() { procs.racers -= len(h.Racers) })

	// Where other programs are busy, the system puts racers on one processor as soon
	// as they rest a little, and there they never meet.
	places := seats(len(h.Racers))
	crowded = places == nil || runtime.GOMAXPROCS(0) < len(h.Racers)
	start := startLine{racers: len(h.Racers), crowded: crowded}
	var met atomic.Int64
	begun, ended := make([]atomic.Int64, len(h.Racers)), make([]atomic.Int64, len(h.Racers))

	calls := make([]*Call, len(h.Racers))
	for i, racer := range h.Racers {
		calls[i] = t.Go(func() {
			leave := func() {}
			if !crowded {
				leave = sync.OnceFunc(places[i].take())
			}
			defer leave()
			for round := range h.Rounds {
				if !start.wait(t, round) {
					return
				}
				if h.Rounds == 1 {
					leave() // who is bound gives way slowly
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
	return int(met.Load()), crowded
}

// A startLine is where the racers of a heat wait for each other before each round.
type startLine struct {
	racers  int
	crowded bool         // fewer processors than racers
	arrived atomic.Int64 // of all rounds, without those that rest
}

const (
	// firstTurns is spinTurns for the first round, when the other's thread may have
	// to wake up.
	firstTurns = 4 * spinTurns

	// crowdedTurns is spinTurns where it is crowded.
	crowdedTurns = spinTurns / 8
)

// wait returns true when all racers are at the start of the round, or false when
// the test has failed. It spins: goroutines that are woken begin microseconds
// apart, those that spin nanoseconds. But on a busy machine who spins may keep the
// one it waits for from its processor, and giving way within the program puts both
// on one, where they never meet: so after a while it gives way to all programs.
// With fewer processors than racers some have to take turns anyway.
func (s *startLine) wait(t *T, round int) bool {
	s.arrived.Add(1)
	all := int64((round + 1) * s.racers)
	limit := spinTurns
	if round == 0 {
		limit = firstTurns
	}
	if s.crowded {
		limit = crowdedTurns
	}
	for turn := 0; s.arrived.Load() < all; turn++ {
		for range counts {
		}
		if turn < limit {
			continue
		}
		if t.Failed() {
			return false
		}
		turn = 0
		if s.crowded {
			runtime.Gosched()
			continue
		}
		// Who rests is not there: a round that began without it would be over before
		// it is back, and the next one would find the other at rest. Two that come
		// and go have to meet, so each stays a little longer than the last time.
		if n := s.arrived.Load(); n < all && s.arrived.CompareAndSwap(n, n-1) {
			t.rest()
			s.arrived.Add(1)
			limit += spinTurns / 2
		}
	}
	return true
}
