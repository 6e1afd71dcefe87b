package eventloop_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/stretchr/testify/suite"

	"conclab/internal/contract/eventloop"
	"conclab/internal/labtest"
)

// tolerance is by how much something may come late that has a time: a loop may
// look now and then, if it does so often.
const tolerance = 500 * time.Millisecond

// onFire is what callbacks panic with. Who does not run them in Run's goroutine
// reads it as the last words of the whole program.
const onFire = "the pan is on fire (a callback's panic, which must come out of Run)"

// Task 1: a loop that runs callbacks.

type LoopSuite struct{ labtest.Suite }

func TestLoop(t *testing.T) { suite.Run(t, new(LoopSuite)) }

func (s *LoopSuite) TestCallbacksRunInOrder() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("a-queue-of-callbacks", "Callbacks must run in the order of CallSoon, those that callbacks queue too", eventloop.Declared.CallSoon, eventloop.Declared.Run)
		l, said := eventloop.New(), new(words)
		l.CallSoon(func() {
			said.add("1")
			l.CallSoon(func() { said.add("4"); l.CallSoon(l.Stop) })
		})
		l.CallSoon(func() { said.add("2"); l.CallSoon(func() { said.add("5") }) })
		l.CallSoon(func() { said.add("3") })
		assert.Empty(t, said.all(), "the loop does not run yet, and these callbacks have run")
		runs(t, l)
		assert.Equal(t, "1 2 3 4 5", said.all(), "they ran in another order")
	})
}

func (s *LoopSuite) TestOneAtATimeInTheGoroutineOfRun() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("a-queue-of-callbacks", "Callbacks must run one at a time, in the goroutine that called Run", eventloop.Declared.Run)
		l := eventloop.New()
		var inside labtest.Gauge
		callback := aloneIn(t, goroutine(), &inside)
		for range 10 {
			l.CallSoon(callback)
		}
		l.CallSoon(l.Stop)
		runs(t, l)
		t.Wait() // for those that run in goroutines of their own
		assert.Equal(t, 1, inside.Max(), "so many callbacks ran at the same time")
	})
}

func (s *LoopSuite) TestAnyNumberMayWait() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("a-queue-of-callbacks", "CallSoon must take any number of callbacks, before Run and in callbacks too", eventloop.Declared.CallSoon)
		const many = 2200
		l, ran := eventloop.New(), 0
		count := func() {
			ran++
			t.Progress()
		}
		queue := func(n int) {
			for range n {
				l.CallSoon(count)
				t.Progress()
			}
		}
		queue(many)
		l.CallSoon(func() {
			queue(many)
			l.CallSoon(l.Stop)
		})
		runs(t, l)
		assert.Equal(t, 2*many, ran, "of %d callbacks so many have run", 2*many)

		l = eventloop.New() // this one never runs
		queue(5 * many)
	})
}

func (s *LoopSuite) TestAPanicComesOutOfRun() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("a-queue-of-callbacks", "A panic of a callback must come out of Run, and the loop must work when it is run again", eventloop.Declared.Run)
		l, said := eventloop.New(), new(words)
		l.CallSoon(func() { said.add("before") })
		l.CallSoon(func() { panic(onFire) })
		burns(t, l)
		assert.Equal(t, "before", said.all(), "these callbacks had run by then")
		l.CallSoon(func() { said.add("after") })
		l.CallSoon(l.Stop)
		runs(t, l)
		assert.Equal(t, "before after", said.all(), "these callbacks have run in the end")
	})
}

func (s *LoopSuite) TestCallSoonWakesAnIdleLoop() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("waiting-without-spinning", "CallSoon must wake an idle loop, from any goroutine", eventloop.Declared.CallSoon)
		l := start(t, eventloop.New())
		for range 3 {
			time.Sleep(20*time.Second + tolerance/2) // which it cannot, if the loop spins
			begun := time.Now()
			ran := make(chan time.Duration, 1)
			l.CallSoon(func() { ran <- time.Since(begun) })
			t.Settle()
			require.Equal(t, 1, len(ran), "the loop was idle, and the callback has not run")
			require.Less(t, <-ran, tolerance, "the loop was idle, and the callback came after")
		}
		l.stop(t)
	})
}

func (s *LoopSuite) TestNoCallbackIsLost() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("waiting-without-spinning", "Whoever calls CallSoon, and whenever, every callback must run once, in the caller's order", eventloop.Declared.CallSoon)
		l := start(t, eventloop.New())
		const callers, each = 8, 50
		var got [callers][]int
		var calls []*labtest.Call
		for c := range callers {
			calls = append(calls, t.Go(func() {
				for i := range each {
					l.CallSoon(func() { got[c] = append(got[c], i) })
					if i%7 == 0 {
						runtime.Gosched()
					}
				}
			}))
		}
		for _, c := range calls {
			c.Join()
		}
		l.stop(t)
		for c := range got {
			require.Equal(t, each, len(got[c]), "of so many callbacks of one goroutine these have run")
			require.True(t, slices.IsSorted(got[c]), "the callbacks of one goroutine ran in the order %v", got[c])
		}
		t.Race(func() labtest.Heat {
			loop := eventloop.New()
			var ran atomic.Int64
			again := func(int) {
				for range 4 { // somewhere they meet
					loop.CallSoon(func() { ran.Add(1) })
				}
			}
			return labtest.Heat{Rounds: 200, Racers: []func(int){again, again}, Check: func() {
				l := start(t, loop)
				t.Settle()
				require.EqualValues(t, 1600, ran.Load(), "of 1600 callbacks so many have run")
				l.stop(t)
			}}
		})
	})
}

func (s *LoopSuite) TestNoWakeUpIsLost() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("waiting-without-spinning", "A callback that comes just when the loop falls idle must run", eventloop.Declared.CallSoon, eventloop.Declared.Run)
		t.InTurn(20, func(ctx *labtest.Moment) {
			l := eventloop.New()
			var runs atomic.Bool
			l.CallSoon(func() { runs.Store(true) })
			ran := make(chan struct{}, 1)
			between := ""
			ctx.Then = func() {
				t.Beside(func() {
					l.CallSoon(func() { ran <- struct{}{} })
					if runs.Load() {
						between = "then a second Run was called and refused, "
						assert.ErrorIs(t, l.Run(t.Context()), eventloop.ErrRunning, "the loop runs, and a second Run returned something else")
					}
				})
			}
			r := &running{l, t.Go(func() { assert.NoError(t, l.Run(ctx), "Run failed") })}
			t.Settle()
			if ctx.Came() {
				require.Equal(t, 1, len(ran), "it came when Run had just called its context's Err or Done, %sand it has not run", between)
			}
			runs.Store(false)
			r.stop(t)
		})
	})
}

func (s *LoopSuite) TestStopLetsTheQueuedRun() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("stop", "Stop must let the callbacks run that are queued, and leave those that are queued later for the next Run", eventloop.Declared.Stop)
		l, said := eventloop.New(), new(words)
		l.CallSoon(func() {
			said.add("1")
			l.CallSoon(func() { said.add("2"); l.CallSoon(func() { said.add("4") }) })
			l.Stop()
			l.CallSoon(func() { said.add("3") })
		})
		runs(t, l)
		require.Equal(t, "1 2", said.all(), "1 has queued 2, called Stop and queued 3, 2 has queued 4, and Run has run")
		l.CallSoon(l.Stop)
		runs(t, l)
		assert.Equal(t, "1 2 3 4", said.all(), "the next Run went on, and in the end these have run")

		l, said = eventloop.New(), new(words)
		for range 5 {
			l.CallSoon(func() {})
		}
		l.CallSoon(func() {
			l.Stop()
			l.CallSoon(func() { said.add("1"); l.Stop(); l.CallSoon(func() { said.add("4") }) })
			l.CallSoon(func() { said.add("2") })
			l.CallSoon(func() { said.add("3") })
		})
		runs(t, l)
		require.Empty(t, said.all(), "all were queued after Stop, and Run has run")
		runs(t, l)
		require.Equal(t, "1 2 3", said.all(), "an earlier Stop had left 1, 2 and 3, in the next Run 1 called Stop and queued 4, and Run has run")
		l.Stop()
		runs(t, l)
		require.Equal(t, "1 2 3 4", said.all(), "and in the end these have run")
	})
}

func (s *LoopSuite) TestASecondStopReplacesTheFirst() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("stop", "A second Stop must replace the first", eventloop.Declared.Stop)
		l, said := eventloop.New(), new(words)
		l.CallSoon(func() {
			l.CallSoon(func() { said.add("1") })
			l.Stop()
			l.CallSoon(func() { said.add("2") })
			l.Stop()
			l.CallSoon(func() { said.add("3") })
		})
		runs(t, l)
		require.Equal(t, "1 2", said.all(), "between the two Stops 2 was queued, and Run has run")

		next := start(t, l)
		next.call.Blocks("both Stops are done with, and the next Run returned")
		require.Equal(t, "1 2 3", said.all(), "in the next Run these have run")
		next.stop(t)

		l.Stop()
		l.Stop()
		runs(t, l)
		next = start(t, l)
		next.call.Blocks("Stop was called twice before one Run, and the Run after that returned too")
		next.stop(t)

		for range 10 {
			l, ran := eventloop.New(), 0
			caller := func() {
				l.CallSoon(func() { ran++ })
				l.Stop()
			}
			t.Collide(caller, caller)
			runs(t, l)
			require.Equal(t, 2, ran, "two goroutines have called CallSoon and then Stop, and by the end of Run so many callbacks have run")
		}
	})
}

func (s *LoopSuite) TestStopBeforeRun() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("stop", "After Stop the next Run must run what is queued and return", eventloop.Declared.Stop)
		l, said := eventloop.New(), new(words)
		l.Stop()
		runs(t, l)
		l.CallSoon(func() { said.add("1"); l.CallSoon(func() { said.add("3") }) })
		l.CallSoon(func() { said.add("2") })
		l.Stop()
		runs(t, l)
		require.Equal(t, "1 2", said.all(), "1 and 2 were queued, Stop was called, then Run, in which 1 queued 3, and these have run")
		l.Stop()
		runs(t, l)
		assert.Equal(t, "1 2 3", said.all(), "Stop was called once more, then Run, and in the end these have run")
	})
}

func (s *LoopSuite) TestStopWakesAnIdleLoop() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("stop", "Stop must end an idle loop, and one that just falls idle, from any goroutine", eventloop.Declared.Stop)
		l := start(t, eventloop.New())
		const then = 20*time.Second + tolerance/2
		begun := time.Now()
		time.AfterFunc(then, l.Stop)
		l.call.Join()
		require.Less(t, time.Since(begun)-then, tolerance, "it returned after")

		t.InTurn(20, func(ctx *labtest.Moment) {
			l := eventloop.New()
			ctx.Then = func() { t.Beside(l.Stop) }
			call := t.Go(func() { assert.NoError(t, l.Run(ctx), "Run failed") })
			t.Settle()
			if !ctx.Came() {
				l.Stop()
			}
			call.Returns("Stop was called when Run had just looked at its context, and Run does not return")
		})
	})
}

func (s *LoopSuite) TestRunEndsWithItsContext() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("the-end-of-the-context", "Run must end with its context, and the loop can be run again", eventloop.Declared.Run)
		for _, ending := range t.Endings() {
			l := eventloop.New()
			endsWith(t, l, ending)
			l.CallSoon(l.Stop)
			runs(t, l)
		}
		t.InTurn(20, func(ctx *labtest.Moment) {
			l := eventloop.New()
			ctx.Then = ctx.Cancel
			call := t.Go(func() {
				assert.ErrorIs(t, l.Run(ctx), context.Canceled, "its context has ended, and Run returned something else")
			})
			t.Settle()
			ctx.Cancel()
			call.Returns("its context ended when Run had just looked at it, and Run does not return")
		})
	})
}

func (s *LoopSuite) TestNobodyKeepsRunFromEnding() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("the-end-of-the-context", "A callback that queues itself for ever must not keep Run from ending with its context", eventloop.Declared.Run)
		l := eventloop.New()
		forEver(t, l, l.CallSoon)
	})
}

func (s *LoopSuite) TestALoopRunsOnce() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("a-queue-of-callbacks", "Run must return ErrRunning if the loop runs already, and not disturb it", eventloop.Declared.Run)
		l := start(t, eventloop.New())
		t.Wait()
		for range 2 {
			t.Go(func() {
				assert.ErrorIs(t, l.Run(t.Context()), eventloop.ErrRunning, "the loop runs, and another Run returned something else")
			}).Returns("the loop runs, and another Run does not return")
		}
		inside := make(chan error, 1)
		l.CallSoon(func() { inside <- l.Run(t.Context()) })
		t.Settle()
		require.Equal(t, 1, len(inside), "Run was called in a callback, and does not return")
		assert.ErrorIs(t, <-inside, eventloop.ErrRunning, "Run was called in a callback, and returned something else")
		l.stop(t)

		stopped := eventloop.New()
		stopped.CallSoon(func() {
			stopped.Stop()
			assert.ErrorIs(t, stopped.Run(t.Context()), eventloop.ErrRunning, "a callback called Stop and then Run, which returned something else")
			stopped.Stop() // what a refused Run makes of a Stop is its own business
		})
		runs(t, stopped)

		outer, inner, said := eventloop.New(), eventloop.New(), new(words)
		inner.CallSoon(func() { said.add("2"); outer.CallSoon(func() { said.add("4"); outer.Stop() }) })
		go func() { // CallLater is for a later task
			time.Sleep(time.Second)
			inner.CallSoon(func() { said.add("3"); inner.Stop() })
		}()
		outer.CallSoon(func() {
			said.add("1")
			assert.NoError(t, inner.Run(t.Context()), "another loop was run in a callback, and Run failed")
		})
		runs(t, outer)
		assert.Equal(t, "1 2 3 4", said.all(), "a callback has run another loop, and these have run")
	})
}

func (s *LoopSuite) TestOfRunsThatRaceOneRuns() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("a-queue-of-callbacks", "Of two Runs at the same moment one must return ErrRunning, or come when the other has ended", eventloop.Declared.Run)
		for range 100 {
			l := eventloop.New()
			ctx, cancel := context.WithCancel(t.Context())
			var inside labtest.Gauge
			callback := func() {
				defer inside.Enter()()
				for range 20 {
					runtime.Gosched()
				}
			}
			end := func() {
				l.Stop()
				cancel() // for one that comes late
			}
			for _, fn := range []func(){callback, callback, callback, end} {
				l.CallSoon(fn)
			}
			run := func() { _ = l.Run(ctx) }
			t.Collide(run, run)
			require.Equal(t, 1, inside.Max(), "both ran, and so many callbacks at the same time")
		}
	})
}

// Task 2: timers.

type TimersSuite struct{ labtest.Suite }

func TestTimers(t *testing.T) { suite.Run(t, new(TimersSuite)) }

func (s *TimersSuite) TestEachAtItsTime() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("timers", "A timer must run once its time has passed, and never before", eventloop.Declared.CallLater)
		l := start(t, eventloop.New())
		times := make(chan time.Duration, 10)
		all := []time.Duration{0, 1500 * time.Millisecond, 2*time.Second - 1, 7 * time.Second, time.Minute}
		begun := time.Now()
		for _, d := range all {
			l.CallLater(d, func() { times <- time.Since(begun) })
		}
		t.Pass(2 * time.Minute)
		for _, d := range all {
			require.NotEmpty(t, times, "the timer of %v did not run", d)
			late := <-times - d
			require.GreaterOrEqual(t, late, time.Duration(0), "the timer of %v ran too early, by", d)
			require.Less(t, late, tolerance, "the timer of %v ran too late, by", d)
		}

		l.CallSoon(func() {
			time.Sleep(10 * time.Second)
			made := time.Now()
			l.CallLater(5*time.Second, func() { times <- time.Since(made) })
		})
		t.Pass(time.Minute)
		require.NotEmpty(t, times, "a callback slept and then made a timer, and it did not run")
		require.GreaterOrEqual(t, <-times, 5*time.Second, "a callback slept for 10 seconds and then made a timer of 5, and it ran too early, after")
		l.stop(t)
		assert.Empty(t, times, "a timer ran twice")
	})
}

func (s *TimersSuite) TestTheyRunOnTheLoop() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("timers", "Timers must run on the loop: one at a time, in the goroutine that called Run", eventloop.Declared.CallLater)
		l := eventloop.New()
		var inside labtest.Gauge
		callback := aloneIn(t, goroutine(), &inside)
		for i := range 12 {
			l.CallLater(time.Duration(i%4)*time.Second, callback)
			l.CallSoon(callback)
		}
		l.CallSoon(func() { time.Sleep(3 * time.Second) })
		l.CallLater(10*time.Second, l.Stop)
		runs(t, l)
		t.Wait() // for those that run in goroutines of their own
		assert.Equal(t, 1, inside.Max(), "so many ran at the same time")
	})
}

func (s *TimersSuite) TestInTheOrderOfTheirTimes() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("timers", "Timers must run in the order they fall due, those due at the same time in the order of CallLater", eventloop.Declared.CallLater)
		l, said := eventloop.New(), new(words)
		want := make([][]string, 5)
		for i := range 40 {
			d := (i * 7) % 5
			name := fmt.Sprint(i)
			want[d] = append(want[d], name)
			l.CallLater(time.Duration(d)*time.Second, func() { said.add(name) })
		}
		l.CallLater(10*time.Second, l.Stop)
		runs(t, l)
		assert.Equal(t, strings.Join(slices.Concat(want...), " "), said.all(), "the i-th is due after (7 times i) modulo 5 seconds, and they ran in another order")

		said = new(words)
		for i, d := range []time.Duration{0, -time.Hour, 0, -time.Minute} {
			l.CallLater(d, func() { said.add(fmt.Sprint(i)) })
		}
		l.CallLater(time.Second, l.Stop)
		runs(t, l)
		assert.Equal(t, "0 1 2 3", said.all(), "d < 0 counts as 0, so all four are due at the same time, and they ran in another order")

		said = new(words)
		l.CallLater(5*time.Second, func() { said.add("1") })
		time.Sleep(2 * time.Second)
		l.CallLater(3*time.Second, func() { said.add("2") })
		time.Sleep(time.Second)
		l.CallLater(2*time.Second, func() { said.add("3") })
		l.CallLater(10*time.Second, l.Stop)
		runs(t, l)
		assert.Equal(t, "1 2 3", said.all(), "1 was due after 5 seconds, 2 was made 2 seconds later and due after 3, 3 another second later and due after 2, and they ran in another order")

		said = new(words)
		for i, d := range []time.Duration{1700, 1201, 1200} {
			l.CallLater(d*time.Microsecond, func() { said.add(fmt.Sprint(i)) })
		}
		l.CallLater(1200*time.Microsecond+1, func() { said.add("1 ns later") })
		l.CallLater(time.Second, l.Stop)
		runs(t, l)
		assert.Equal(t, "2 1 ns later 1 0", said.all(), "they are due after 1700, 1201 and 1200 µs, and a nanosecond after that, and they ran in another order")

		said = new(words)
		l.CallLater(time.Second, func() { said.add("1") })
		l.CallSoon(func() {
			time.Sleep(10 * time.Second)
			l.CallLater(0, func() { said.add("2"); l.Stop() })
		})
		runs(t, l)
		assert.Equal(t, "1 2", said.all(), "1 was due for some seconds when 2 was made, with a d of 0, and they ran in another order")

		said = new(words)
		var timers []eventloop.Timer
		for i := range 12 {
			timers = append(timers, l.CallLater(time.Second, func() { said.add(fmt.Sprint(i)) }))
			if i == 7 {
				for _, timer := range timers[:5] {
					timer.Cancel()
				}
			}
		}
		l.CallLater(time.Second, l.Stop)
		runs(t, l)
		assert.Equal(t, "5 6 7 8 9 10 11", said.all(), "eight timers of a second were made, five cancelled, four more made, and they ran in another order")

		l, said = eventloop.New(), new(words)
		var inOrder []string
		four := func() {
			for range 4 {
				name := fmt.Sprint(len(inOrder))
				inOrder = append(inOrder, name)
				l.CallLater(time.Minute, func() { said.add(name) })
			}
		}
		four()
		l.Stop()
		four()
		runs(t, l) // nothing is due
		four()
		l.CallSoon(func() { four(); l.Stop() })
		runs(t, l)
		four()
		time.Sleep(time.Minute + time.Second)
		l.Stop()
		runs(t, l)
		assert.Equal(t, strings.Join(inOrder, " "), said.all(), "they were made before, in and between several Runs, at the same moment, and they ran in another order")
	})
}

func (s *TimersSuite) TestANewTimerMayBeTheNext() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("timers", "CallLater must wake a loop that waits for a later timer", eventloop.Declared.CallLater)
		l := eventloop.New()
		l.CallLater(100*time.Hour, func() {})
		r := start(t, l)
		t.Settle()
		begun := time.Now()
		ran := make(chan time.Duration, 1)
		l.CallLater(time.Minute, func() { ran <- time.Since(begun) })
		t.Pass(2 * time.Minute)
		require.Equal(t, 1, len(ran), "the timer of a minute has not run after two")
		require.Less(t, <-ran, time.Minute+tolerance, "the timer of a minute ran after")
		r.stop(t)

		t.InTurn(20, func(ctx *labtest.Moment) {
			l := eventloop.New()
			ran := make(chan struct{}, 1)
			ctx.Then = func() { t.Beside(func() { l.CallLater(time.Second, func() { ran <- struct{}{} }) }) }
			r := &running{l, t.Go(func() { assert.NoError(t, l.Run(ctx), "Run failed") })}
			t.Settle()
			if ctx.Came() {
				require.Equal(t, 1, len(ran), "it was made when Run had just called its context's Err or Done, and has not run")
			}
			r.stop(t)
		})
	})
}

func (s *TimersSuite) TestATimerMayBeMadeBeforeRun() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("timers", "The time of a timer must begin with CallLater, and timers must wait for a Run", eventloop.Declared.CallLater)
		l, said := eventloop.New(), new(words)
		begun := time.Now()
		l.CallLater(2*time.Minute, func() {
			said.add("2")
			assert.Less(t, time.Since(begun), 2*time.Minute+tolerance, "the timer of two minutes ran after")
		})
		l.CallLater(10*time.Second, func() { said.add("1") })
		time.Sleep(time.Minute)
		require.Empty(t, said.all(), "the loop does not run, and these timers have run")
		l.CallLater(0, l.Stop)
		runs(t, l)
		require.Equal(t, "1", said.all(), "a minute later these have run")
		l.CallLater(2*time.Minute, l.Stop)
		runs(t, l)
		require.Equal(t, "1 2", said.all(), "the timer of two minutes was not due when one Run ended; the next went on for two minutes, and these have run")
	})
}

func (s *TimersSuite) TestTheyOutliveARun() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("timers", "Timers that are not due must outlive a Run, whichever way it ends", eventloop.Declared.Run, eventloop.Declared.CallLater)
		l, said := eventloop.New(), new(words)
		l.CallLater(time.Minute, func() { said.add("1") })
		l.CallSoon(func() { panic(onFire) })
		burns(t, l)
		l.CallLater(2*time.Minute, l.Stop)
		runs(t, l)
		require.Equal(t, "1", said.all(), "a panic came out of Run, and in the next Run these have run")

		ctx, cancel := context.WithCancel(t.Context())
		l.CallLater(time.Minute, func() { said.add("2") })
		l.CallSoon(cancel)
		require.ErrorIs(t, l.Run(ctx), context.Canceled, "its context has ended, and Run returned something else")
		l.CallLater(2*time.Minute, l.Stop)
		runs(t, l)
		assert.Equal(t, "1 2", said.all(), "Run has ended with its context, and by the end of the next these have run")
	})
}

func (s *TimersSuite) TestAPanicComesOutOfRun() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("timers", "A panic of a timer's callback must come out of Run, and the callback must not run again", eventloop.Declared.Run)
		l, times := eventloop.New(), 0
		l.CallLater(time.Second, func() {
			if times++; times == 1 {
				panic(onFire)
			}
		})
		burns(t, l)
		l.CallLater(time.Minute, l.Stop)
		runs(t, l)
		assert.Equal(t, 1, times, "it panicked, the loop was run again, and in the end it has run so often")
	})
}

func (s *TimersSuite) TestASlowCallbackLosesNone() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("timers", "A slow callback may delay timers, but must lose none", eventloop.Declared.CallLater)
		l, said := eventloop.New(), new(words)
		for _, seconds := range []int{3, 1, 5, 2, 4, 20} {
			l.CallLater(time.Duration(seconds)*time.Second, func() { said.add(fmt.Sprint(seconds)) })
		}
		l.CallSoon(func() { time.Sleep(10 * time.Second) })
		l.CallLater(30*time.Second, l.Stop)
		runs(t, l)
		assert.Equal(t, "1 2 3 4 5 20", said.all(), "a callback took 10 seconds, and these timers ran (by their seconds)")

		const many = 1_500
		ran := 0
		l.CallSoon(func() {
			for i := range many {
				l.CallLater(time.Duration(1+i%7)*time.Second, func() { ran++ }) // not 0: see TestCancelFromElsewhere
				t.Progress()
			}
			time.Sleep(10 * time.Second)
		})
		l.CallLater(30*time.Second, l.Stop)
		runs(t, l)
		assert.Equal(t, many, ran, "a callback has made %d timers, and so many have run", many)
	})
}

func (s *TimersSuite) TestWhatIsDueCountsAsQueued() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("stop", "Timers that are due when Stop is called must run first, those due later stay for the next Run", eventloop.Declared.Stop)
		l, said := eventloop.New(), new(words)
		l.CallLater(5*time.Second, func() { said.add("due"); time.Sleep(10 * time.Second) })
		l.CallLater(12*time.Second, func() { said.add("later") })
		l.CallSoon(func() {
			time.Sleep(10 * time.Second)
			l.Stop()
		})
		runs(t, l)
		require.Equal(t, "due", said.all(), "one timer was due when Stop was called, one fell due after that, and before Run returned these ran")
		l.CallLater(time.Second, l.Stop)
		runs(t, l)
		require.Equal(t, "due later", said.all(), "and in the end these")

		l.CallLater(time.Second, func() { said.add("again") })
		l.CallLater(time.Hour, func() { said.add("never") })
		time.Sleep(time.Minute)
		l.Stop()
		runs(t, l)
		assert.Equal(t, "due later again", said.all(), "one more timer fell due, then Stop was called, then Run, and in the end these have run")

		l, said = eventloop.New(), new(words)
		l.CallLater(5*time.Second, func() { said.add("later") })
		l.CallSoon(func() {
			l.CallSoon(func() { time.Sleep(10 * time.Second) })
			for range 3 {
				l.CallSoon(func() { said.add("queued") })
			}
			l.Stop()
		})
		runs(t, l)
		require.Equal(t, "queued queued queued", said.all(), "a timer fell due after Stop, while callbacks ran that had been queued before it, and before Run returned these ran")
		l.CallLater(time.Second, l.Stop)
		runs(t, l)
		require.Equal(t, "queued queued queued later", said.all(), "and in the end these")

		l, said = eventloop.New(), new(words)
		for _, seconds := range []int{5, 2, 8, 1, 11, 3, 7, 4, 6, 2} {
			l.CallLater(time.Duration(seconds)*time.Second, func() { said.add(fmt.Sprint(seconds)) })
		}
		time.Sleep(10 * time.Second)
		l.Stop()
		runs(t, l)
		assert.Equal(t, "1 2 2 3 4 5 6 7 8", said.all(), "Stop was called after 10 seconds, then Run, and these timers have run (by their seconds)")
	})
}

func (s *TimersSuite) TestRunEndsWithItsContext() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("the-end-of-the-context", "Run must end with its context, while it waits for a timer too", eventloop.Declared.Run)
		for _, ending := range t.Endings() {
			l := eventloop.New()
			l.CallLater(100*time.Hour, func() { t.Errorf("a timer ran too early") })
			endsWith(t, l, ending)
			l.CallLater(0, l.Stop)
			runs(t, l)
		}
	})
}

func (s *TimersSuite) TestNobodyKeepsRunFromEnding() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("the-end-of-the-context", "A timer that makes itself again for ever must not keep Run from ending with its context", eventloop.Declared.Run)
		l := eventloop.New()
		forEver(t, l, func(fn func()) { l.CallLater(0, fn) })
	})
}

func (s *TimersSuite) TestCancel() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("cancel", "Cancel must report whether it kept the callback from running, and a cancelled one must never run", eventloop.Declared.Cancel)
		l := start(t, eventloop.New())
		never := func() { t.Errorf("a cancelled callback has run") }
		timer := l.CallLater(time.Minute, never)
		time.Sleep(time.Second)
		require.True(t, timer.Cancel(), "it was cancelled in time, and Cancel returned false")
		require.False(t, timer.Cancel(), "it had been cancelled before, and Cancel returned true")

		var own eventloop.Timer
		inside := make(chan bool, 1)
		l.CallSoon(func() { own = l.CallLater(time.Second, func() { inside <- own.Cancel() }) })
		time.Sleep(2 * time.Second)
		require.Equal(t, 1, len(inside), "Cancel was called in the timer's own callback, and does not return")
		require.False(t, <-inside, "it was called in the timer's own callback, and Cancel returned true")
		require.False(t, own.Cancel(), "its callback had run, and Cancel returned true")
		t.Pass(2 * time.Minute)
		l.stop(t)
	})
}

func (s *TimersSuite) TestCancelledAmongOthers() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("cancel", "Cancel must concern its own timer only", eventloop.Declared.Cancel)
		l, said := eventloop.New(), new(words)
		var timers []eventloop.Timer
		for i := range 12 {
			timers = append(timers, l.CallLater(time.Duration((i*5)%12)*time.Second, func() { said.add(fmt.Sprint((i * 5) % 12)) }))
		}
		for i, timer := range timers {
			if (i*5)%12%3 == 0 {
				require.True(t, timer.Cancel(), "it was cancelled in time, and Cancel returned false")
			}
		}
		l.CallLater(time.Minute, l.Stop)
		runs(t, l)
		assert.Equal(t, "1 2 4 5 7 8 10 11", said.all(), "0, 3, 6 and 9 were cancelled, and these ran (by their seconds)")
	})
}

func (s *TimersSuite) TestCancelWhatIsDue() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("cancel", "A timer that is due, but has not run, can still be cancelled", eventloop.Declared.Cancel)
		l, said := eventloop.New(), new(words)
		var second eventloop.Timer
		l.CallLater(time.Second, func() {
			said.add("first")
			assert.True(t, second.Cancel(), "it was due at the same time and had not run, and Cancel returned false")
		})
		second = l.CallLater(time.Second, func() { said.add("second") })
		third := l.CallLater(2*time.Second, func() { said.add("third") })
		fourth := l.CallLater(2*time.Second, func() { said.add("fourth") })
		l.CallLater(1500*time.Millisecond, func() {
			time.Sleep(10 * time.Second)
			assert.True(t, third.Cancel(), "it was due for some seconds and had not run, and Cancel returned false")
			l.CallSoon(func() {})
			l.Stop() // now the fourth is queued
			assert.True(t, fourth.Cancel(), "it was due for some seconds, Stop had been called, it had not run, and Cancel returned false")
			l.CallSoon(func() { said.add("behind") })
		})
		runs(t, l)
		require.Equal(t, "first", said.all(), "three were cancelled, the third of them after Stop, then a callback was queued, and these ran before Run returned")
		l.CallLater(time.Second, l.Stop)
		runs(t, l)
		assert.Equal(t, "first behind", said.all(), "three were cancelled, and by the end of the next Run these ran")

		timer := l.CallLater(time.Second, func() { said.add("fifth") })
		time.Sleep(2 * time.Second)
		l.Stop()
		assert.True(t, timer.Cancel(), "it was due, Stop had been called and Run not yet, and Cancel returned false")
		assert.False(t, timer.Cancel(), "it had been cancelled before, and Cancel returned true")
		l.CallSoon(func() { said.add("behind") })
		runs(t, l)
		assert.Equal(t, "first behind", said.all(), "one more was cancelled after Stop, then a callback was queued, and these ran")
	})
}

func (s *TimersSuite) TestCancelFromElsewhere() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("cancel", "Cancel must be safe from any goroutine: either it returns true, once, or the callback runs", eventloop.Declared.Cancel)
		const rounds, each = 100, 8
		t.Race(func() labtest.Heat {
			var loops [rounds]eventloop.Loop
			var timers [rounds][each]eventloop.Timer
			var ran, kept [rounds][each]int
			for i := range loops {
				loops[i] = eventloop.New()
				for j := range each {
					// CallLater(0) may be time.After(0), and many goroutines that look
					// at once crash the race detector: https://go.dev/issue/78156.
					timers[i][j] = loops[i].CallLater(time.Millisecond, func() { ran[i][j]++ })
				}
			}
			time.Sleep(2 * time.Millisecond) // all are due
			for _, l := range loops {
				l.Stop() // so that Run does not wait
			}
			returned := make(chan struct{}, 1)
			return labtest.Heat{Rounds: rounds, Racers: []func(int){
				func(i int) {
					for j, timer := range slices.Backward(timers[i][:]) { // somewhere they meet
						if timer.Cancel() {
							kept[i][j]++
						}
					}
					for patience := 1 << 14; len(returned) == 0 && patience > 0; patience-- {
					}
					<-returned // Run may sleep, and then nobody must spin
				},
				func(i int) {
					_ = loops[i].Run(t.Context())
					returned <- struct{}{}
				},
			}, Check: func() {
				for i, l := range loops {
					l.Stop()
					_ = l.Run(t.Context()) // what the first Run may have left to another
					for j := range each {
						require.Equal(t, 1, ran[i][j]+kept[i][j], "the callback has run %d times, and Cancel returned true %d times: together", ran[i][j], kept[i][j])
					}
				}
			}}
		})

		t.Race(func() labtest.Heat {
			l := eventloop.New()
			var timers [rounds]eventloop.Timer
			var kept [rounds]atomic.Int64
			for i := range timers {
				timers[i] = l.CallLater(time.Hour, func() {})
			}
			cancel := func(i int) {
				l.CallLater(time.Hour, func() {})
				if timers[i].Cancel() {
					kept[i].Add(1)
				}
			}
			return labtest.Heat{Rounds: rounds, Racers: []func(int){cancel, cancel}, Check: func() {
				for i := range kept {
					require.EqualValues(t, 1, kept[i].Load(), "two Cancels met, and so many returned true")
				}
			}}
		})
	})
}

// Task 3: an omelette.

type OmeletteSuite struct{ labtest.Suite }

func TestOmelette(t *testing.T) { suite.Run(t, new(OmeletteSuite)) }

var recipe = []string{"eggs: in the pan\n", "vegetables: cut\n", "vegetables: in the pan\n", "omelette: done\n"}

func (s *OmeletteSuite) TestEachLineAtItsTime() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("the-omelette", "Each line must be written at its time, counted from the first, and then the loop must stop", eventloop.Declared.Omelette)
		for _, wait := range []time.Duration{0, time.Hour} {
			var w labtest.Recorder
			l := eventloop.New()
			eventloop.Omelette(l, &w)
			time.Sleep(wait)
			require.Empty(t, w.Writes(), "the loop does not run, and this was written")
			begun := time.Now()
			cooks(t, l)
			require.Less(t, time.Since(begun), eventloop.Done+tolerance, "the loop stopped after")
			checkOmelette(t, &w, begun)
		}

		l := eventloop.New()
		for range 3 {
			var w labtest.Recorder
			eventloop.Omelette(l, &w)
			begun := time.Now()
			cooks(t, l)
			checkOmelette(t, &w, begun)
			time.Sleep(time.Minute)
		}
	})
}

func (s *OmeletteSuite) TestWhileTheLoopRuns() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("the-omelette", "Omelette may be called while the loop runs, and must return at once without having written", eventloop.Declared.Omelette)
		for _, call := range []func(do func()){
			func(do func()) { t.Go(do).Returns("Omelette was called while the loop runs, and does not return") },
			func(do func()) { do() }, // in the goroutine that called Run
		} {
			var w labtest.Recorder
			l := eventloop.New()
			var begun time.Time
			l.CallSoon(func() {
				begun = time.Now()
				call(func() {
					eventloop.Omelette(l, &w)
					assert.Zero(t, time.Since(begun), "it took")
				})
				assert.Empty(t, w.Writes(), "it returned, and had written this")
				time.Sleep(time.Until(begun.Add(30 * time.Second))) // the first line has to wait for this, also on a loop that prefers timers
			})
			cooks(t, l)
			checkOmelette(t, &w, begun.Add(30*time.Second))
		}
	})
}

func (s *OmeletteSuite) TestTheLoopWrites() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("the-omelette", "The loop must write the lines: its callbacks, in the goroutine that called Run", eventloop.Declared.Omelette)
		here := goroutine()
		l, lines := eventloop.New(), 0
		eventloop.Omelette(l, labtest.WriterFunc(func(p []byte) (int, error) {
			lines++
			assert.Equal(t, here, goroutine(), "another goroutine wrote %q", p)
			return len(p), nil
		}))
		cooks(t, l)
		assert.Equal(t, len(recipe), lines, "so many lines were written")
	})
}

func (s *OmeletteSuite) TestNothingBlocksTheLoop() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("the-omelette", "Nothing may block the loop meanwhile", eventloop.Declared.Omelette)
		var w labtest.Recorder
		l := eventloop.New()
		eventloop.Omelette(l, &w)
		last, ticks := time.Now(), 0
		var tick func()
		tick = func() {
			assert.Less(t, time.Since(last), 10*time.Second+tolerance, "a timer of 10 seconds ran after")
			last = time.Now()
			ticks++
			l.CallLater(10*time.Second, tick)
		}
		l.CallSoon(tick)
		cooks(t, l)
		assert.GreaterOrEqual(t, ticks, 24, "in four minutes a timer of 10 seconds ran so often")

		for _, long := range []time.Duration{90 * time.Second, 150 * time.Second, 5 * time.Minute} {
			var w labtest.Recorder
			l := eventloop.New()
			eventloop.Omelette(l, &w)
			l.CallSoon(func() { time.Sleep(long) })
			cooks(t, l)
			assert.Equal(t, recipe, w.Writes(), "somebody else's callback has kept the loop for %v, and these lines were written", long)
		}

		l, said := eventloop.New(), new(words)
		l.CallLater(eventloop.Done-time.Second, func() {
			time.Sleep(2 * time.Second)
			l.CallSoon(func() { said.add("queued") })
		})
		eventloop.Omelette(l, io.Discard)
		l.CallSoon(func() { l.CallLater(eventloop.Done, func() { said.add("due") }) })
		cooks(t, l)
		assert.Contains(t, []string{"queued due", "due queued"}, said.all(), "when the omelette was done a callback was queued and a timer was due, and by the end of Run these have run")
	})
}

// Task 4, for the brave: watch channels, and close in good order.

type WatchSuite struct{ labtest.Suite }

func TestWatch(t *testing.T) { suite.Run(t, new(WatchSuite)) }

func (s *WatchSuite) TestEveryValueInOrder() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("watching-channels", "Every value must make react(v, true) run on the loop, in order, and the close react(zero, false), once", eventloop.Declared.Watch)
		t.NothingStays()
		for _, room := range []int{0, 3} {
			l, said := eventloop.New(), new(words)
			events := make(chan int, room)
			var here string
			react := func(v int, ok bool) {
				assert.Equal(t, here, goroutine(), "react ran in another goroutine than Run")
				said.add(fmt.Sprint(v, ok))
			}
			l.CallSoon(func() {
				here = goroutine()
				eventloop.Watch(l, events, react)
			})
			r := start(t, l)
			for _, v := range []int{3, 0, 1} {
				t.Go(func() { events <- v }).Returns("a value was sent, and nobody receives")
			}
			close(events)
			t.Settle()
			r.stop(t)
			require.Equal(t, "3 true 0 true 1 true 0 false", said.all(), "react was called in another way")
			require.NoError(t, l.Close(), "Close failed")
		}

		l, many := eventloop.New(), make(chan int, 1000)
		var got []int
		eventloop.Watch(l, many, func(v int, ok bool) {
			if ok {
				got = append(got, v)
				return
			}
			assert.ErrorIs(t, l.Close(), eventloop.ErrRunning, "Close was called in react, and returned something else")
			eventloop.Watch(l, many, func(int, bool) { l.Stop() })
		})
		for v := range cap(many) {
			many <- v
		}
		close(many)
		t.Settle()
		runs(t, l)
		require.Equal(t, cap(many), len(got), "%d values came before Run, and react was called for so many", cap(many))
		require.True(t, slices.IsSorted(got), "react was called in the order %v", got)
		require.NoError(t, l.Close(), "Close failed")
	})
}

func (s *WatchSuite) TestAWatchMayBeginBeforeRun() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("watching-channels", "A watch may begin before the loop runs, and on a channel that is closed", eventloop.Declared.Watch)
		t.NothingStays()
		l, said := eventloop.New(), new(words)
		events := make(chan string, 3)
		events <- "one"
		events <- "two"
		close(events)
		eventloop.Watch(l, events, func(v string, ok bool) { said.add(fmt.Sprint(v, ok)) })
		empty, ends := make(chan string), 0
		close(empty)
		eventloop.Watch(l, empty, func(string, bool) { ends++ })
		t.Settle()
		require.Empty(t, said.all(), "the loop does not run, and react was called")
		l.CallLater(10*time.Second, l.Stop)
		runs(t, l)
		require.Equal(t, "onetrue twotrue false", said.all(), "react was called in another way")
		require.Equal(t, 1, ends, "a channel was empty and closed before Run, and its react was called so often")
		require.NoError(t, l.Close(), "Close failed")

		l, said = eventloop.New(), new(words)
		errs := make(chan error, 2)
		errs <- nil
		errs <- eventloop.ErrRunning
		close(errs)
		eventloop.Watch(l, errs, func(err error, ok bool) { said.add(fmt.Sprintf("(%v, %v)", err, ok)) })
		l.CallLater(10*time.Second, l.Stop)
		runs(t, l)
		require.Equal(t, "(<nil>, true) (event loop is running, true) (<nil>, false)", said.all(), "a nil error, another one and the close came, and react was called in another way")
		require.NoError(t, l.Close(), "Close failed")
	})
}

func (s *WatchSuite) TestAWatchOutlivesARun() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("watching-channels", "A watch must go on when the loop is run again, and lose no value between two Runs", eventloop.Declared.Watch)
		t.NothingStays()
		l, said := eventloop.New(), new(words)
		events := make(chan int, 9)
		eventloop.Watch(l, events, func(v int, ok bool) { said.add(fmt.Sprint(v, ok)) })
		for i := range 3 {
			r := start(t, l)
			t.Settle()
			events <- 2 * i
			t.Settle()
			r.stop(t)
			events <- 2*i + 1
			t.Settle()
		}
		r := start(t, l)
		t.Settle()
		r.stop(t)
		assert.Equal(t, "0 true 1 true 2 true 3 true 4 true 5 true", said.all(), "in three Runs and between them so many values came, and react was called in another way")
		require.NoError(t, l.Close(), "Close failed")

		l, said = eventloop.New(), new(words)
		eventloop.Watch(l, events, func(v int, ok bool) {
			if v == 1 {
				panic(onFire)
			}
			said.add(fmt.Sprint(v, ok))
		})
		events <- 1
		burns(t, l)
		events <- 2
		r = start(t, l)
		t.Settle()
		r.stop(t)
		assert.Equal(t, "2 true", said.all(), "react panicked at 1, then 2 came, and in the next Run react was called in another way")
		require.NoError(t, l.Close(), "Close failed")

		l, said = eventloop.New(), new(words)
		eventloop.Watch(l, events, func(v int, ok bool) { said.add(fmt.Sprint(v, ok)) })
		l.CallSoon(func() {
			l.Stop()
			for _, v := range []int{1, 2} {
				events <- v
				time.Sleep(time.Second)
			}
		})
		runs(t, l)
		r = start(t, l)
		t.Settle()
		r.stop(t)
		assert.Equal(t, "1 true 2 true", said.all(), "1 and 2 came when Stop had been called and Run had not yet returned, and by the end of the next Run react was called in another way")
		require.NoError(t, l.Close(), "Close failed")
	})
}

func (s *WatchSuite) TestManyWatches() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("watching-channels", "Watches must not disturb each other, and reactions run one at a time", eventloop.Declared.Watch)
		t.NothingStays()
		l := eventloop.New()
		const watches, each = 5, 20
		var inside labtest.Gauge
		var got [watches][]int
		open := watches
		eventloop.Watch(l, make(chan string), func(string, bool) { t.Errorf("a channel is silent, and react was called") })
		for i := range watches {
			events := make(chan int)
			eventloop.Watch(l, events, func(v int, ok bool) {
				defer inside.Enter()()
				runtime.Gosched()
				if ok {
					got[i] = append(got[i], v)
				} else if open--; open == 0 {
					l.Stop()
				}
			})
			t.Go(func() {
				defer close(events)
				for v := range each {
					events <- v
				}
			})
		}
		runs(t, l)
		require.NoError(t, l.Close(), "Close failed")
		assert.Equal(t, 1, inside.Max(), "so many reactions ran at the same time")
		for i := range got {
			require.Equal(t, each, len(got[i]), "of so many values of one channel these came")
			require.True(t, slices.IsSorted(got[i]), "the values of one channel came in the order %v", got[i])
		}

		const many = 300
		l = eventloop.New()
		sum := 0
		for i := range many {
			events := make(chan int, 1)
			events <- i + 1
			eventloop.Watch(l, events, func(v int, _ bool) { sum += v })
		}
		r := start(t, l)
		t.Settle()
		r.stop(t)
		require.NoError(t, l.Close(), "Close failed")
		assert.Equal(t, many*(many+1)/2, sum, "%d channels have told a number each, and this is the sum of what came", many)

		l = eventloop.New()
		shared := make(chan int)
		var shares []int
		var ends [2]int
		for i := range ends {
			eventloop.Watch(l, shared, func(v int, ok bool) {
				if ok {
					shares = append(shares, v)
				} else {
					ends[i]++
				}
			})
		}
		r = start(t, l)
		for v := range each {
			t.Go(func() { shared <- v }).Returns("a channel has two watches, and neither receives")
		}
		close(shared)
		t.Settle()
		r.stop(t)
		require.NoError(t, l.Close(), "Close failed")
		slices.Sort(shares)
		require.Equal(t, each, len(slices.Compact(shares)), "a channel with two watches had so many values, and so many of them came")
		require.Equal(t, [2]int{1, 1}, ends, "a channel with two watches was closed, and so often each of them was told")
	})
}

func (s *WatchSuite) TestCloseEndsEverything() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("close", "Close must end all watches and timers, and return nil, a second time too", eventloop.Declared.Close)
		t.NothingStays()
		never := func() { t.Errorf("a callback ran after Close") }
		l := eventloop.New()
		events := make(chan int, 1)
		for _, silent := range []chan int{events, make(chan int)} {
			eventloop.Watch(l, silent, func(int, bool) { never() })
		}
		timer := l.CallLater(time.Minute, never)
		l.CallSoon(l.Stop)
		ctx, cancel := context.WithCancel(context.Background())
		_ = cancel // who waits for the end of this one stays
		require.NoError(t, l.Run(ctx), "Run failed")
		l.CallSoon(never)
		backlog := make(chan int, 9)
		eventloop.Watch(l, backlog, func(int, bool) { never() })
		for v := range cap(backlog) {
			backlog <- v
		}
		t.Settle()
		for range 2 {
			t.Go(func() { assert.NoError(t, l.Close(), "Close failed") }).Returns("Close does not return")
		}
		events <- 1
		t.Settle()
		require.Equal(t, 1, len(events), "Close has returned, and a watch still receives")
		timer.Cancel()
		time.Sleep(time.Hour)

		for range 50 {
			t.Progress()
			l := eventloop.New()
			values := make(chan int, 9)
			for v := range cap(values) {
				values <- v
			}
			for range 3 {
				eventloop.Watch(l, values, func(int, bool) { never() })
			}
			require.NoError(t, l.Close(), "Close failed")
			left := len(values)
			t.Settle()
			require.Equal(t, left, len(values), "Close has returned, a watch has gone on to receive, and in the channel were left")
		}
	})
}

func (s *WatchSuite) TestSeveralMayClose() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("close", "Several must be able to close a loop at the same time, and all get nil", eventloop.Declared.Close)
		t.NothingStays()
		t.Race(func() labtest.Heat {
			loops := make([]eventloop.Loop, 100)
			for i := range loops {
				loops[i] = eventloop.New()
			}
			closes := func(i int) { assert.NoError(t, loops[i].Close(), "two have closed a loop, and a Close failed") }
			return labtest.Heat{Rounds: len(loops), Racers: []func(int){closes, closes}, Check: func() {}}
		})
	})
}

func (s *WatchSuite) TestCloseConcernsItsOwnLoop() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("close", "Close must end what its own loop has, and not wait for what another has", eventloop.Declared.Close)
		t.NothingStays()
		other, said, events := eventloop.New(), new(words), make(chan int)
		eventloop.Watch(other, events, func(v int, ok bool) { said.add(fmt.Sprint(v, ok)) })
		l := eventloop.New()
		eventloop.Watch(l, make(chan int), func(int, bool) {})
		other.CallLater(time.Minute, func() { said.add("timer") })
		t.Go(func() { assert.NoError(t, l.Close(), "Close failed") }).Returns("another loop has a watch, and Close does not return")
		r := start(t, other)
		t.Go(func() { events <- 7 }).Returns("another loop was closed, and the watch does not receive any more")
		t.Pass(2 * time.Minute)
		r.stop(t)
		assert.Equal(t, "7 true timer", said.all(), "another loop was closed, and react or the timer was called in another way")
		require.NoError(t, other.Close(), "Close failed")
	})
}

func (s *WatchSuite) TestAClosedLoopRunsNothing() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("close", "A closed loop's Run must return ErrClosed, and nothing that it is given may ever run", eventloop.Declared.Close)
		t.NothingStays()
		never := func() { t.Errorf("a closed loop ran a callback") }
		l := eventloop.New()
		require.NoError(t, l.Close(), "Close failed")
		events := make(chan int, 2)
		events <- 1
		close(events)
		l.CallSoon(never)
		timer := l.CallLater(0, never)
		eventloop.Watch(l, events, func(int, bool) { never() })
		eventloop.Watch(l, make(chan int), func(int, bool) { never() })
		l.Stop()
		for range 2 {
			t.Go(func() {
				assert.ErrorIs(t, l.Run(t.Context()), eventloop.ErrClosed, "the loop is closed, and Run returned something else")
			}).Returns("the loop is closed, and Run does not return")
		}
		require.NotNil(t, timer, "the loop is closed, and CallLater returned no Timer")
		timer.Cancel()
		require.False(t, timer.Cancel(), "it had been cancelled before, and Cancel returned true")
		time.Sleep(time.Hour)
		require.NoError(t, l.Close(), "a second Close failed")
	})
}

func (s *WatchSuite) TestCloseWhileTheLoopRuns() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("close", "While the loop runs Close must return ErrRunning, and end nothing", eventloop.Declared.Close)
		t.NothingStays()
		l, said := eventloop.New(), new(words)
		events := make(chan int)
		eventloop.Watch(l, events, func(v int, ok bool) { said.add(fmt.Sprint(v, ok)) })
		l.CallLater(time.Second, func() { said.add("timer") })
		r := start(t, l)
		t.Wait()
		t.Go(func() {
			assert.ErrorIs(t, l.Close(), eventloop.ErrRunning, "the loop runs, and Close returned something else")
		}).Returns("the loop runs, and Close does not return")
		inside := make(chan error, 1)
		l.CallSoon(func() { inside <- l.Close() })
		t.Settle()
		require.Equal(t, 1, len(inside), "Close was called in a callback, and does not return")
		require.ErrorIs(t, <-inside, eventloop.ErrRunning, "Close was called in a callback, and returned something else")

		t.Go(func() { events <- 7 }).Returns("a Close has failed, and the watch does not receive any more")
		t.Settle()
		r.stop(t)
		assert.Equal(t, "timer 7 true", said.all(), "a Close has failed, and react or the timer was called in another way")
		require.NoError(t, l.Close(), "the loop has ended, and Close failed")

		stopped := eventloop.New()
		stopped.CallSoon(func() {
			stopped.Stop()
			assert.ErrorIs(t, stopped.Close(), eventloop.ErrRunning, "a callback called Stop and then Close, which returned something else")
			stopped.Stop() // what a refused Close makes of a Stop is its own business
		})
		runs(t, stopped)
		require.NoError(t, stopped.Close(), "the loop has ended, and Close failed")

		for range 60 {
			t.Progress()
			l := eventloop.New()
			for range 5 {
				eventloop.Watch(l, make(chan int), func(int, bool) {})
			}
			var gone atomic.Bool
			callback := func() {
				for range 20 {
					runtime.Gosched()
				}
				assert.False(t, gone.Load(), "Close came between two Runs and returned nil, and after that a callback was still running")
			}
			t.Collide(func() {
				var err error
				for n := 0; n < 50 && err == nil; n++ {
					runtime.Gosched()
					l.CallSoon(callback)
					l.Stop()
					err = l.Run(t.Context())
				}
			}, func() {
				for n := 0; n < 1000 && !gone.Load(); n++ {
					runtime.Gosched()
					gone.Store(l.Close() == nil)
				}
			})
			require.NoError(t, l.Close(), "the loop has ended, and Close failed")
		}
	})
}

func (s *WatchSuite) TestCloseWhenRunHasEnded() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("close", "A loop must be closed whichever way its Run has ended", eventloop.Declared.Close)
		t.NothingStays()
		l := eventloop.New()
		eventloop.Watch(l, make(chan int), func(int, bool) {})
		ctx, cancel := context.WithCancel(t.Context())
		l.CallSoon(cancel)
		require.ErrorIs(t, l.Run(ctx), context.Canceled, "its context has ended, and Run returned something else")
		require.NoError(t, l.Close(), "Run has ended with its context, and Close failed")

		l = eventloop.New()
		eventloop.Watch(l, make(chan int), func(int, bool) {})
		l.CallSoon(func() { panic(onFire) })
		burns(t, l)
		assert.NoError(t, l.Close(), "a panic came out of Run, and Close failed")
	})
}

// running is a loop that runs.
type running struct {
	eventloop.Loop
	call *labtest.Call
}

// start runs the loop in a goroutine of its own.
func start(t *labtest.T, l eventloop.Loop) *running {
	return &running{l, t.Go(func() {
		if err := l.Run(t.Context()); t.Context().Err() == nil {
			assert.NoError(t, err, "Run failed")
		}
	})}
}

// stop stops the loop.
func (r *running) stop(t *labtest.T) {
	r.Stop()
	r.call.Returns("Stop was called, and Run does not return")
}

// runs runs the loop, in the goroutine that calls it, until something stops it.
func runs(t *labtest.T, l eventloop.Loop) {
	goesOn(t, l, "Stop was called, or queued with CallSoon or CallLater, and Run does not return")
}

// cooks runs a loop that has an omelette to make.
func cooks(t *labtest.T, l eventloop.Loop) {
	goesOn(t, l, "an omelette is done after four minutes, and after twenty the loop has not stopped")
}

// goesOn runs the loop for twenty minutes at most.
func goesOn(t *labtest.T, l eventloop.Loop, instead string) {
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Minute)
	defer cancel()
	go func() { // some minutes are a long way for a loop that looks every millisecond
		for ctx.Err() == nil {
			time.Sleep(time.Second)
			t.Progress()
		}
	}()
	err := l.Run(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("%s", instead)
	}
	require.NoError(t, err, "Run failed")
}

// burns runs the loop until the panic of a callback comes out of Run.
func burns(t *labtest.T, l eventloop.Loop) {
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second) // for a loop that swallows it
	defer cancel()
	var err error
	defer func() {
		out := recover()
		if out == nil {
			t.Fatalf("a callback panicked, and no panic came out of Run within 20 seconds: it returned %v", err)
		}
		assert.Equal(t, onFire, out, "this panic came out of Run")
	}()
	err = l.Run(ctx)
}

// checkOmelette checks the lines and their times. Begun is when the first one was
// due.
func checkOmelette(t *labtest.T, w *labtest.Recorder, begun time.Time) {
	require.Equal(t, recipe, w.Writes(), "each line must be one Write, and these were written")
	first := w.Times()[0]
	late := first.Sub(begun)
	require.GreaterOrEqual(t, late, time.Duration(0), "so much later than it was due came %q", recipe[0])
	require.Less(t, late, tolerance, "so much later than it was due came %q", recipe[0])
	for i, want := range []time.Duration{0, eventloop.Cut, eventloop.HalfDone, eventloop.Done} {
		at := w.Times()[i].Sub(first)
		require.GreaterOrEqual(t, at, want, "so long after the first line came %q", recipe[i])
		require.Less(t, at, want+tolerance, "so long after the first line came %q", recipe[i])
	}
}

// endsWith checks that Run ends with its context, be it before or after the call.
func endsWith(t *labtest.T, l eventloop.Loop, ending labtest.Ending) {
	ctx, end := ending.Start()
	call := t.Go(func() {
		assert.ErrorIs(t, l.Run(ctx), ending.Err, "its context has ended, and Run returned something else")
	})
	call.Blocks("nobody has asked it to end, and it returned")
	end()
	call.Returns("its context has ended, and Run does not return")
	require.ErrorIs(t, l.Run(ctx), ending.Err, "its context had ended before the call, and Run returned something else")
}

// forEver runs the loop with a callback that queues itself again and again, and
// checks that Run ends with its context.
func forEver(t *labtest.T, l eventloop.Loop, queue func(fn func())) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	const enough = 2000
	times := 0
	var again func()
	again = func() {
		if times++; times == 100 {
			cancel()
		}
		if times >= 100 {
			time.Sleep(time.Millisecond) // others may have to tell Run
		}
		if times < enough {
			queue(again)
		} else {
			t.Errorf("the context ended in the 100th callback, and the %dth has run", enough)
			l.Stop()
		}
	}
	queue(again)
	require.ErrorIs(t, l.Run(ctx), context.Canceled, "the context has ended, and Run returned something else")
}

// aloneIn returns a callback that must run in the given goroutine, and stays a
// while inside.
func aloneIn(t *labtest.T, here string, inside *labtest.Gauge) func() {
	return func() {
		defer inside.Enter()()
		labtest.StepAside()
		assert.Equal(t, here, goroutine(), "a callback ran in another goroutine than Run")
	}
}

// words collects what callbacks say.
type words struct {
	mu   sync.Mutex
	said []string
}

func (w *words) add(word string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.said = append(w.said, word)
}

func (w *words) all() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return strings.Join(w.said, " ")
}

// goroutine names the goroutine that calls it.
func goroutine() string {
	buf := make([]byte, 64)
	name, _, _ := strings.Cut(string(buf[:runtime.Stack(buf, false)]), " [")
	return name
}
