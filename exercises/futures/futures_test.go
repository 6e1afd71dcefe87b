package futures_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/stretchr/testify/suite"

	"conclab/internal/contract/futures"
	"conclab/internal/labtest"
)

// Whoever leaves a choice between what has already happened and what has not to
// select sees it fall the right way now and then, but not so many times in a
// row.
const often = 50

// later is more time than Blocks and Returns let pass.
const later = 15 * time.Second

// many is more than anybody's limit, and still cheap.
const many = 300

var errWork = errors.New("no milk today")

// Task 1: a future is settled once.

type FutureSuite struct{ labtest.Suite }

func TestFuture(t *testing.T) { suite.Run(t, new(FutureSuite)) }

func (s *FutureSuite) TestSetResultSettles() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("a-struct-and-a-closed-channel", "SetResult must settle the future, and Wait return the result", futures.Declared.SetResult, futures.Declared.Wait)
		f := futures.NewFuture[int]()
		t.Go(func() { assert.NoError(t, f.SetResult(7), "SetResult failed on a new future") }).
			Returns("SetResult blocks, and nobody waits")
		got(t, f, 7)
		t.Go(func() { got(t, f, 7) }).Returns("the future is settled, one Wait has returned, and a second one blocks")
	})
}

func (s *FutureSuite) TestSetErrorSettles() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("a-struct-and-a-closed-channel", "SetError must settle the future, and Wait return the error", futures.Declared.SetError, futures.Declared.Wait)
		for _, err := range []error{errWork, futures.ErrDone, context.Canceled} {
			f := futures.NewFuture[int]()
			t.Go(func() { assert.NoError(t, f.SetError(err), "SetError failed on a new future") }).
				Returns("SetError blocks, and nobody waits")
			gotError(t, f, err)
			gotError(t, f, err)
		}
	})
}

func (s *FutureSuite) TestZeroValuesAreResults() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("a-struct-and-a-closed-channel", "Any value must be a result like any other: zero, nil, an error", futures.Declared.SetResult, futures.Declared.Wait)
		zero := futures.NewFuture[int]()
		require.NoError(t, zero.SetResult(0), "SetResult(0) failed")
		require.True(t, zero.Done(), "after SetResult(0) Done is false")
		require.ErrorIs(t, zero.SetResult(1), futures.ErrDone, "after SetResult(0) a second one returned something else than ErrDone")
		got(t, zero, 0)

		for _, want := range []error{nil, io.EOF} {
			f := futures.NewFuture[error]()
			waiter := t.Go(func() {
				v, err := f.Wait(t.Context())
				assert.NoError(t, err, "after SetResult(%v) Wait failed", want)
				assert.Equal(t, want, v, "Wait returned another result")
			})
			waiter.Blocks("Wait returned before the future was settled")
			require.NoError(t, f.SetResult(want), "SetResult(%v) failed", want)
			waiter.Returns("after SetResult(%v) Wait still blocks", want)
			require.True(t, f.Done(), "after SetResult(%v) Done is false", want)
			require.ErrorIs(t, f.SetError(errWork), futures.ErrDone, "after SetResult(%v) SetError returned something else than ErrDone", want)
		}
	})
}

func (s *FutureSuite) TestItIsSettledOnce() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("settled-once", "What settles a future later must return ErrDone and change nothing", futures.Declared.SetResult, futures.Declared.SetError)
		again := func(f future, outcome func()) {
			for range 2 {
				require.ErrorIs(t, f.SetResult(8), futures.ErrDone, "SetResult returned something else")
				outcome()
				require.ErrorIs(t, f.SetError(io.ErrUnexpectedEOF), futures.ErrDone, "SetError returned something else")
				outcome()
				require.True(t, f.Done(), "afterwards Done is false")
			}
		}

		f := futures.NewFuture[int]()
		require.NoError(t, f.SetResult(7), "SetResult failed on a new future")
		again(f, func() { got(t, f, 7) })

		f = futures.NewFuture[int]()
		require.NoError(t, f.SetError(errWork), "SetError failed on a new future")
		again(f, func() { gotError(t, f, errWork) })
	})
}

func (s *FutureSuite) TestOfSettersThatRaceOneWins() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("settled-once", "Of calls that settle a future at the same moment, exactly one must return nil, and its outcome must stay", futures.Declared.SetResult, futures.Declared.SetError)
		t.Race(func() labtest.Heat {
			const rounds = 200
			fs := newFutures(rounds)
			var settled [2][rounds]error
			fails := func(round int) bool { return round%2 == 0 }
			return labtest.Heat{
				Rounds: rounds,
				Racers: []func(int){
					func(i int) { settled[0][i] = fs[i].SetResult(1) },
					func(i int) {
						if fails(i) {
							settled[1][i] = fs[i].SetError(errWork)
						} else {
							settled[1][i] = fs[i].SetResult(2)
						}
					},
				},
				Check: func() {
					for i, f := range fs {
						winner, loser := 0, settled[1][i]
						if settled[0][i] != nil {
							winner, loser = 1, settled[0][i]
						}
						require.NoError(t, settled[winner][i], "both failed")
						require.ErrorIs(t, loser, futures.ErrDone, "one returned nil, and the other something else than ErrDone")
						if winner == 1 && fails(i) {
							gotError(t, f, errWork)
						} else {
							got(t, f, winner+1)
						}
					}
				},
			}
		})
	})
}

func (s *FutureSuite) TestWaitBlocksUntilItIsSettled() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("a-struct-and-a-closed-channel", "Wait must block until the future is settled, for any number of waiters", futures.Declared.Wait)
		for _, err := range []error{nil, errWork} {
			f := futures.NewFuture[int]()
			waiters := make([]*labtest.Call, 20)
			for i := range waiters {
				waiters[i] = t.Go(func() {
					v, waitErr := f.Wait(t.Context())
					if err == nil {
						assert.NoError(t, waitErr, "a waiter was told an error")
						assert.Equal(t, 7, v, "a waiter was told another result")
					} else {
						assert.ErrorIs(t, waitErr, err, "a waiter was told something else")
					}
				})
			}
			waiters = append(waiters, t.Go(func() {
				_, waitErr := f.Wait(context.Background()) // which has no Done
				assert.ErrorIs(t, waitErr, err, "a waiter with context.Background() was told something else")
			}))
			waiters[0].Blocks("Wait returned before the future was settled")
			for _, w := range waiters {
				require.False(t, w.Returned(), "Wait returned before the future was settled")
			}

			t.Go(func() {
				if err == nil {
					assert.NoError(t, f.SetResult(7), "SetResult failed")
				} else {
					assert.NoError(t, f.SetError(err), "SetError failed")
				}
			}).Returns("while others wait, the call that settles the future blocks")
			waiters[0].Returns("the future is settled, and Wait still blocks")
			for _, w := range waiters {
				require.True(t, w.Returned(), "%d wait, the future is settled, and not all of them are woken", len(waiters))
			}
		}
	})
}

func (s *FutureSuite) TestWaitEndsWithItsContext() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("changing-your-mind", "Wait must end with its context, and settle nothing by that", futures.Declared.Wait)
		for _, ending := range t.Endings() {
			f := futures.NewFuture[int]()
			other := t.Go(func() {
				v, err := f.Wait(t.Context())
				assert.NoError(t, err, "nobody has settled the future with an error, the context of another Wait has ended, and this Wait failed")
				assert.Equal(t, 7, v, "Wait returned another result")
			})
			other.Blocks("Wait returned before the future was settled")
			ctx, end := ending.Start()
			waiter := t.Go(func() {
				_, err := f.Wait(ctx)
				assert.ErrorIs(t, err, ending.Err, "the context of Wait has ended, and it returned something else")
			})
			waiter.Blocks("Wait returned before the future was settled")
			end()
			waiter.Returns("the context has ended, and Wait still blocks")
			t.Settle()
			require.False(t, other.Returned(), "the context of one Wait has ended, and another Wait returned")

			require.False(t, f.Done(), "the context of a Wait has ended, and Done is true")
			require.NoError(t, f.SetResult(7), "the context of a Wait has ended, and then SetResult failed")
			other.Returns("the context of one Wait has ended, then the future was settled, and another Wait still blocks")
			got(t, f, 7)
		}

		for n := range 12 { // of four who wait, two leave, in every order, and then one comes
			f := futures.NewFuture[int]()
			var waiters []*labtest.Call
			var leave []context.CancelFunc
			come := func() {
				ctx, cancel := context.WithCancel(t.Context())
				waiters, leave = append(waiters, t.Go(func() { _, _ = f.Wait(ctx) })), append(leave, cancel)
				t.Wait()
			}
			for range 4 {
				come()
			}
			for _, i := range []int{n % 4, (n%4 + 1 + n/4) % 4} {
				leave[i]()
				waiters[i].Returns("the context has ended, and Wait still blocks")
			}
			come()
			require.NoError(t, f.SetResult(7), "the contexts of two Waits have ended, and then SetResult failed")
			for _, w := range waiters {
				w.Returns("two who waited have left, one has come, then the future was settled, and not all are woken")
			}
		}
	})
}

func (s *FutureSuite) TestWaitOfAnEndedContextFails() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("changing-your-mind", "Wait with a context that has ended must return its error while the future is not settled", futures.Declared.Wait)
		for _, ending := range t.Endings() {
			f := futures.NewFuture[int]()
			ctx, end := ending.Start()
			end()
			t.Go(func() {
				_, err := f.Wait(ctx)
				assert.ErrorIs(t, err, ending.Err, "Wait returned another error")
			}).Returns("Wait blocks")
			require.False(t, f.Done(), "then Done was true")
		}
	})
}

func (s *FutureSuite) TestWaitSleepsThroughNothing() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("changing-your-mind", "Wait must return when its context ends or the future is settled, even if that happens just behind a look at the context", futures.Declared.Wait)
		t.InTurn(20, func(ctx *labtest.Moment) {
			f := futures.NewFuture[int]()
			ctx.Then = ctx.Cancel
			waiter := t.Go(func() {
				_, err := f.Wait(ctx)
				assert.ErrorIs(t, err, context.Canceled, "Wait returned something else")
			})
			t.Settle()
			ctx.Cancel()
			waiter.Returns("the context has ended, and Wait still blocks")
		})
		t.InTurn(20, func(ctx *labtest.Moment) {
			f := futures.NewFuture[int]()
			settle := func() { _ = f.SetResult(7) } // perhaps twice
			ctx.Then = func() { t.Beside(settle) }  // Wait may hold a lock while it looks
			waiter := t.Go(func() {
				v, err := f.Wait(ctx)
				assert.NoError(t, err, "Wait failed")
				assert.Equal(t, 7, v, "Wait returned another result")
			})
			t.Settle()
			if !ctx.Came() {
				settle()
			}
			waiter.Returns("the future is settled, and Wait still blocks")
		})
	})
}

func (s *FutureSuite) TestASettledFutureGivesItsOutcome() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("changing-your-mind", "A settled future must give its outcome even if the context has ended", futures.Declared.Wait)
		for _, ending := range t.Endings() {
			ctx, end := ending.Start()
			end()
			f, failed := futures.NewFuture[int](), futures.NewFuture[int]()
			require.NoError(t, f.SetResult(7), "SetResult failed")
			require.NoError(t, failed.SetError(errWork), "SetError failed")
			for range often {
				v, err := f.Wait(ctx)
				require.NoError(t, err, "Wait returned an error")
				require.Equal(t, 7, v, "Wait returned another result")
			}
			for range often {
				_, err := failed.Wait(ctx)
				require.ErrorIs(t, err, errWork, "Wait returned another error")
			}
		}
	})
}

func (s *FutureSuite) TestASettledFutureGivesItsOutcomeToAll() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("changing-your-mind", "A settled future must give its outcome to everyone who asks at the same moment, ended context or not", futures.Declared.Wait, futures.Declared.Done)
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		t.Race(func() labtest.Heat {
			f := futures.NewFuture[int]()
			require.NoError(t, f.SetResult(7), "SetResult failed")
			ask := func(ctx context.Context) func(int) {
				return func(int) {
					assert.True(t, f.Done(), "while another one waits, Done is false")
					v, err := f.Wait(ctx)
					assert.NoError(t, err, "while another one waits, Wait failed")
					assert.Equal(t, 7, v, "Wait returned another result")
				}
			}
			return labtest.Heat{
				Rounds: 200,
				Racers: []func(int){ask(t.Context()), ask(ended)},
				Check:  func() {},
			}
		})
	})
}

func (s *FutureSuite) TestDoneTells() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("a-struct-and-a-closed-channel", "Done must tell whether the future is settled", futures.Declared.Done)
		for _, err := range []error{nil, errWork, context.Canceled, context.DeadlineExceeded} {
			f := futures.NewFuture[int]()
			require.False(t, f.Done(), "it is true before the future is settled")
			waiter := t.Go(func() { _, _ = f.Wait(t.Context()) })
			waiter.Blocks("Wait returned before the future was settled")
			t.Go(func() { assert.False(t, f.Done(), "it is true before the future is settled") }).
				Returns("while somebody waits, Done blocks")

			if err == nil {
				require.NoError(t, f.SetResult(7), "SetResult failed")
			} else {
				require.NoError(t, f.SetError(err), "SetError failed")
			}
			require.True(t, f.Done(), "it is false although the future is settled (error: %v)", err)
			waiter.Returns("the future is settled, and Wait still blocks")
			require.True(t, f.Done(), "it is false after the outcome has been asked for")
		}
	})
}

func (s *FutureSuite) TestTheOutcomeIsThereWhenDoneSaysSo() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("settled-once", "As soon as Done is true, or Wait returns, the outcome must be there in full", futures.Declared.SetResult, futures.Declared.Done, futures.Declared.Wait)
		type crate = [256]int // more than is written at a stroke
		var whole crate
		for i := range whole {
			whole[i] = 7
		}
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		look := func(f futures.Future[crate]) (settled bool) {
			done := f.Done()
			v, err := f.Wait(ended)
			if err != nil {
				if done {
					t.Errorf("Done was true, and then Wait returned %v", err)
				}
			} else if v != whole {
				t.Errorf("Wait returned a result that had not been stored to its end")
			}
			return err == nil
		}
		t.Race(func() labtest.Heat {
			const rounds = 200
			fs := make([]futures.Future[crate], rounds)
			for i := range fs {
				fs[i] = futures.NewFuture[crate]()
			}
			return labtest.Heat{
				Rounds: rounds,
				Racers: []func(int){
					func(i int) { assert.NoError(t, fs[i].SetResult(whole), "SetResult failed") },
					func(i int) {
						for range 100 { // and no more, since a right answer may need this processor
							if look(fs[i]) {
								return
							}
						}
					},
				},
				Check: func() {},
			}
		})
	})
}

// Task 2: call me when it is done.

type CallbacksSuite struct{ labtest.Suite }

func TestCallbacks(t *testing.T) { suite.Run(t, new(CallbacksSuite)) }

func (s *CallbacksSuite) TestACallbackRunsOnce() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("call-me-when-it-is-done", "A callback must run exactly once, and not before the future is settled", futures.Declared.AddDoneCallback)
		for _, way := range ways {
			f := futures.NewFuture[int]()
			var ran atomic.Int64
			callback := func(g future) {
				ran.Add(1)
				assert.True(t, g == f, "it was called with another future")
			}
			t.Go(func() { f.AddDoneCallback(callback) }).
				Returns("AddDoneCallback blocks although the future is not settled")
			t.Settle()
			require.Zero(t, ran.Load(), "it ran before the future was settled")

			require.NoError(t, way.settle(f), "%s failed", way.name)
			require.EqualValues(t, 1, ran.Load(), "%s has returned: wrong number of calls", way.name)

			require.ErrorIs(t, f.SetResult(8), futures.ErrDone, "a later SetResult returned something else")
			require.ErrorIs(t, f.SetError(errWork), futures.ErrDone, "a later SetError returned something else")
			f.AddDoneCallback(func(future) {})
			t.Settle()
			require.EqualValues(t, 1, ran.Load(), "SetResult and SetError were called again, both returned ErrDone, and the callback has run so often")
			f.AddDoneCallback(callback)
			require.EqualValues(t, 2, ran.Load(), "it was added once more, to the settled future: wrong number of calls")
		}
	})
}

func (s *CallbacksSuite) TestNoCallbackIsMissed() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("between-the-look-and-the-list", "Of callbacks that are added while others are, or while the future is being settled, every one must run once, before the calls have returned", futures.Declared.AddDoneCallback, futures.Declared.SetResult)
		t.Race(func() labtest.Heat {
			const rounds = 200
			fs := newFutures(rounds)
			var ran [rounds][5]atomic.Int64
			add := func(round, i int) { fs[round].AddDoneCallback(func(future) { ran[round][i].Add(1) }) }
			return labtest.Heat{
				Rounds: rounds,
				Racers: []func(int){
					func(i int) {
						for n := range i % 3 {
							add(i, n)
						}
						assert.NoError(t, fs[i].SetResult(7), "SetResult failed")
					},
					func(i int) {
						for n := 2; n < 5; n++ {
							add(i, n)
						}
					},
				},
				Check: func() {
					for i := range fs {
						for n := range ran[i] {
							want := 1
							if n < 2 && n >= i%3 {
								want = 0 // never added
							}
							require.Equal(t, want, int(ran[i][n].Load()), "one callback has run so often")
						}
					}
				},
			}
		})
	})
}

func (s *CallbacksSuite) TestTheyRunInTheOrderAdded() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("call-me-when-it-is-done", "Callbacks must run in the order in which they were added, one after the other", futures.Declared.SetResult, futures.Declared.SetError, futures.Declared.AddDoneCallback)
		for _, way := range ways {
			f := futures.NewFuture[int]()
			var story story
			var want []string
			for i := range 5 {
				name := fmt.Sprint(i)
				f.AddDoneCallback(func(future) {
					story.tell(name + " begins")
					labtest.StepAside() // so that the next one could come in between
					story.tell(name + " ends")
				})
				want = append(want, name+" begins", name+" ends")
			}
			require.NoError(t, way.settle(f), "%s failed", way.name)
			assert.Equal(t, want, story.told(), "by the time at which %s returned, this had happened", way.name)
		}

		const crowd = 1000
		f := futures.NewFuture[int]()
		var ran story
		var inside labtest.Gauge
		t.Go(func() {
			for i := range crowd {
				f.AddDoneCallback(func(future) {
					defer inside.Enter()()
					runtime.Gosched()
					ran.tell(fmt.Sprint(i))
				})
			}
		}).Returns("AddDoneCallback blocks, called %d times on a future that is not settled", crowd)
		require.NoError(t, f.SetResult(7), "SetResult failed")
		require.Equal(t, 1, inside.Max(), "of %d callbacks so many ran at the same time", crowd)
		for i, name := range ran.told() {
			require.Equal(t, fmt.Sprint(i), name, "of %d callbacks another one ran as number %d, counted from 0", crowd, i)
		}
		require.Equal(t, crowd, len(ran.told()), "wrong number of callbacks that ran")
	})
}

func (s *CallbacksSuite) TestTheSettlingCallWaitsForThem() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("call-me-when-it-is-done", "The call that settles the future must return after its callbacks", futures.Declared.SetResult, futures.Declared.SetError)
		for _, way := range ways {
			f := futures.NewFuture[int]()
			gate := labtest.NewGate()
			f.AddDoneCallback(func(future) { gate.Pass() })
			settling := t.Go(func() { assert.NoError(t, way.settle(f), "%s failed", way.name) })
			settling.Blocks("a callback still runs, and %s has returned", way.name)
			require.Equal(t, 1, gate.Waiting(), "wrong number of callbacks that run")
			gate.Open()
			settling.Returns("the callback has returned, and %s still blocks", way.name)
		}
	})
}

func (s *CallbacksSuite) TestOneAddedLaterRunsAtOnce() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("call-me-when-it-is-done", "A callback that is added to a settled future must run before AddDoneCallback returns", futures.Declared.AddDoneCallback)
		for _, way := range ways {
			f := futures.NewFuture[int]()
			require.NoError(t, way.settle(f), "%s failed", way.name)
			for range 2 {
				ran := false
				f.AddDoneCallback(func(f future) {
					labtest.StepAside()
					assert.True(t, f.Done(), "in the callback Done is false")
					ran = true
				})
				require.True(t, ran, "%s had returned, then AddDoneCallback was called and has returned, and the callback has not run", way.name)
			}

			gate := labtest.NewGate()
			adding := t.Go(func() { f.AddDoneCallback(func(future) { gate.Pass() }) })
			adding.Blocks("AddDoneCallback was called on a settled future and has returned, and its callback still runs")
			gate.Open()
			adding.Returns("the callback has returned, and AddDoneCallback still blocks")
		}

		t.Race(func() labtest.Heat {
			const rounds = 200
			fs := newFutures(rounds)
			return labtest.Heat{
				Rounds: rounds,
				Racers: []func(int){
					func(i int) { assert.NoError(t, fs[i].SetResult(7), "SetResult failed") },
					func(i int) {
						for range 100 { // and no more, since a right answer may need this processor
							if fs[i].Done() {
								var ran atomic.Bool
								fs[i].AddDoneCallback(func(future) { ran.Store(true) })
								assert.True(t, ran.Load(), "Done was true, AddDoneCallback has returned, and the callback has not run")
								return
							}
						}
					},
				},
				Check: func() {},
			}
		})
	})
}

func (s *CallbacksSuite) TestOneAddedLaterDoesNotQueueUp() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("without-the-lock", "A callback that is added later must run at once, even while earlier ones still run", futures.Declared.AddDoneCallback)
		f := futures.NewFuture[int]()
		var story story
		gate := labtest.NewGate()
		f.AddDoneCallback(func(future) {
			gate.Pass()
			story.tell("first")
		})
		f.AddDoneCallback(func(future) { story.tell("second") })
		settling := t.Go(func() { assert.NoError(t, f.SetResult(7), "SetResult failed") })
		settling.Blocks("a callback still runs, and SetResult has returned")

		for _, name := range []string{"late", "later"} {
			t.Go(func() { f.AddDoneCallback(func(future) { story.tell(name) }) }).
				Returns("an earlier callback still runs, and AddDoneCallback blocks")
		}
		require.Equal(t, []string{"late", "later"}, story.told(), "AddDoneCallback has returned, an earlier callback still runs, and this had happened")

		slow := labtest.NewGate() // two added later have nothing to do with each other, either
		t.Go(func() { f.AddDoneCallback(func(future) { slow.Pass() }) }).
			Blocks("AddDoneCallback has returned, and its callback still runs")
		t.Go(func() { f.AddDoneCallback(func(future) { story.tell("last") }) }).
			Returns("another callback that was added later still runs, and AddDoneCallback blocks")
		slow.Open()

		gate.Open()
		settling.Returns("all callbacks have returned, and SetResult still blocks")
		assert.Equal(t, []string{"late", "later", "last", "first", "second"}, story.told(), "all in all, this has happened")
	})
}

func (s *CallbacksSuite) TestACallbackSeesTheOutcome() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("call-me-when-it-is-done", "In a callback the future must be settled: Done true, Wait returning the outcome", futures.Declared.SetResult, futures.Declared.SetError)
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		see := func(f future, outcome func(f future)) {
			f.AddDoneCallback(func(f future) {
				assert.True(t, f.Done(), "Done is false")
				outcome(f)
				_, err := f.Wait(ended)
				assert.NotErrorIs(t, err, context.Canceled, "the outcome is not there")
			})
		}
		f := futures.NewFuture[int]()
		see(f, func(f future) { got(t, f, 7) })
		t.Go(func() { assert.NoError(t, f.SetResult(7), "SetResult failed") }).
			Returns("Wait in a callback blocks")

		f = futures.NewFuture[int]()
		see(f, func(f future) { gotError(t, f, errWork) })
		t.Go(func() { assert.NoError(t, f.SetError(errWork), "SetError failed") }).
			Returns("Wait in a callback blocks")
	})
}

func (s *CallbacksSuite) TestACallbackMaySettle() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("without-the-lock", "A callback may call SetResult and SetError, which return ErrDone, and settle another future", futures.Declared.SetResult, futures.Declared.SetError)
		for _, way := range ways {
			f := futures.NewFuture[int]()
			again := func(f future) {
				assert.ErrorIs(t, f.SetResult(8), futures.ErrDone, "SetResult returned something else")
				assert.ErrorIs(t, f.SetError(io.ErrUnexpectedEOF), futures.ErrDone, "SetError returned something else")
			}
			ran := 0
			f.AddDoneCallback(again)
			f.AddDoneCallback(func(future) { ran++ })
			t.Go(func() { assert.NoError(t, way.settle(f), "%s failed", way.name) }).
				Returns("SetResult or SetError of its own future in a callback blocks")
			require.Equal(t, 1, ran, "a callback called SetResult and SetError, and the next one has run so often")
			one, other := futures.NewFuture[int](), futures.NewFuture[int]()
			other.AddDoneCallback(func(future) { ran++ })
			one.AddDoneCallback(func(future) { assert.NoError(t, way.settle(other), "%s of another future failed", way.name) })
			t.Go(func() { assert.NoError(t, way.settle(one), "%s failed", way.name) }).
				Returns("a callback settles another future, and that blocks")
			require.Equal(t, 2, ran, "a callback settled another future, whose callback has run so often")
			t.Go(func() { f.AddDoneCallback(again) }).
				Returns("SetResult or SetError in a callback that was added later blocks")
		}
	})
}

func (s *CallbacksSuite) TestACallbackMayAddCallbacks() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("without-the-lock", "A callback may add another one, which runs at once, before AddDoneCallback returns", futures.Declared.AddDoneCallback)
		for _, late := range []bool{false, true} {
			f := futures.NewFuture[int]()
			var story story
			outer := func(f future) {
				story.tell("outer begins")
				f.AddDoneCallback(func(f future) {
					story.tell("inner begins")
					f.AddDoneCallback(func(future) { story.tell("innermost") })
					story.tell("inner ends")
				})
				story.tell("outer ends")
			}
			add := func() {
				f.AddDoneCallback(outer)
				f.AddDoneCallback(func(future) { story.tell("next") })
			}
			t.Go(func() {
				if !late {
					add()
				}
				assert.NoError(t, f.SetResult(7), "SetResult failed")
				if late {
					add()
				}
			}).Returns("AddDoneCallback in a callback blocks")
			assert.Equal(t, []string{"outer begins", "inner begins", "innermost", "inner ends", "outer ends", "next"}, story.told(), "this has happened")
		}
	})
}

func (s *CallbacksSuite) TestWaitDoesNotWaitForCallbacks() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("call-me-when-it-is-done", "Wait must block until the future is settled and no longer, even if callbacks still run", futures.Declared.Wait)
		f := futures.NewFuture[int]()
		early := t.Go(func() { got(t, f, 7) })
		early.Blocks("Wait returned before the future was settled")
		gate := labtest.NewGate()
		f.AddDoneCallback(func(future) { gate.Pass() })
		behind := t.Go(func() { got(t, f, 7) })
		behind.Blocks("Wait returned before the future was settled")
		settling := t.Go(func() { assert.NoError(t, f.SetResult(7), "SetResult failed") })
		settling.Blocks("a callback still runs, and SetResult has returned")

		require.True(t, f.Done(), "a callback runs, and Done is false")
		early.Returns("a callback still runs, and a Wait from before blocks")
		behind.Returns("a callback still runs, and a Wait that began when it had been added blocks")
		t.Go(func() { got(t, f, 7) }).Returns("a callback still runs, and a new Wait blocks")
		gate.Open()
		settling.Returns("the callback has returned, and SetResult still blocks")
	})
}

// Task 3: a task is a future with work in it.

type TaskSuite struct{ labtest.Suite }

// Where nobody recovers these, they are all that a learner reads.
const (
	boom    = "boom (fn's panic, which must become the outcome of the task)"
	tooLate = "late (the panic of a fn that was cancelled, which must become the outcome of the task)"
)

func TestTask(t *testing.T) { suite.Run(t, new(TaskSuite)) }

func (s *TaskSuite) TestItStartsAtOnce() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("work-that-has-begun", "Go must start fn at once, awaited or not, and return", futures.Declared.Go)
		gate := labtest.NewGate()
		var task *futures.Task[int]
		t.Go(func() {
			task = futures.Go(t.Context(), func(context.Context) (int, error) {
				gate.Pass()
				return 7, nil
			})
		}).Returns("fn has not returned, and Go blocks")
		require.Equal(t, 1, gate.Waiting(), "nobody has asked for the outcome: wrong number of calls of fn")
		require.False(t, task.Done(), "fn still runs, and Done is true")
		waiter := t.Go(func() { got(t, task.Future, 7) })
		waiter.Blocks("fn still runs, and Wait has returned")

		gate.Open()
		t.Settle()
		require.True(t, task.Done(), "fn has returned, and the task is not done")
		waiter.Returns("fn has returned, and Wait still blocks")

		unasked := futures.Go(t.Context(), func(context.Context) (int, error) { return 7, nil })
		t.Settle()
		require.True(t, unasked.Done(), "fn has returned, nobody has asked for the outcome, and the task is not done")
	})
}

func (s *TaskSuite) TestItStartsWhateverTheContext() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("work-that-has-begun", "Go must start fn even if the context ends before fn gets going, and fn's outcome be the task's", futures.Declared.Go)
		var started atomic.Int64
		fn := func(ctx context.Context) (int, error) {
			started.Add(1)
			select {
			case <-ctx.Done():
			case <-time.After(later):
				t.Errorf("the context that Go was given had ended, or Cancel was called right after Go, and fn's context has not ended")
			}
			return 7, nil
		}
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		for range often {
			task := futures.Go(ended, fn)
			got(t, task.Future, 7)
		}
		require.EqualValues(t, often, started.Load(), "the context had ended before Go: wrong number of calls of fn")
		for range often {
			task := futures.Go(t.Context(), fn)
			task.Cancel()
			got(t, task.Future, 7)
		}
		require.EqualValues(t, 2*often, started.Load(), "Cancel right after Go: wrong number of calls of fn")
	})
}

func (s *TaskSuite) TestTasksRunAtTheSameTime() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("work-that-has-begun", "Every fn must run in a goroutine of its own", futures.Declared.Go)
		meeting := labtest.NewMeeting(2 * many)
		attend := func(context.Context) (met int, err error) {
			if meeting.Attend() {
				met = 1
			}
			return met, nil
		}
		var tasks []*futures.Task[int]
		for range many {
			tasks = append(tasks, futures.Go(t.Context(), func(ctx context.Context) (int, error) {
				inner := futures.Go(ctx, attend)
				if met, err := attend(ctx); met == 0 {
					return 0, err
				}
				return inner.Wait(ctx)
			}))
		}
		for _, task := range tasks {
			met, err := task.Wait(t.Context())
			require.NoError(t, err, "Wait failed")
			require.Equal(t, 1, met, "%d tasks, started by %d others, and not all were at work at the same time", many, many)
		}
	})
}

func (s *TaskSuite) TestTheOutcomeIsWhatFnReturns() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("work-that-has-begun", "The outcome of a task must be what fn returns", futures.Declared.Go)
		for _, v := range []int{7, 0} {
			task := futures.Go(t.Context(), func(context.Context) (int, error) { return v, nil })
			for range 3 {
				got(t, task.Future, v)
			}
		}
		nothing, err := futures.Go(t.Context(), func(context.Context) (error, error) { return nil, nil }).Wait(t.Context())
		require.NoError(t, err, "fn returned nil as its result, of type error, and Wait an error")
		require.Nil(t, nothing, "fn returned nil as its result, of type error, and Wait another one")
		broken := &brokenError{"the cup"}
		for _, err := range []error{errWork, context.Canceled, futures.ErrDone, broken} {
			task := futures.Go(t.Context(), func(context.Context) (int, error) { return 0, err })
			for range 3 {
				gotError(t, task.Future, err)
			}
		}
		task := futures.Go(t.Context(), func(context.Context) (int, error) { return 0, fmt.Errorf("kitchen: %w", broken) })
		_, err = task.Wait(t.Context())
		var target *brokenError
		require.ErrorAs(t, err, &target, "fn returned an error that wraps another, and Wait another error")
		crashed := futures.NewPanic()
		require.False(t, errors.As(err, crashed.Target()), "fn returned an error, and Wait a *PanicError")

		called := futures.Go(t.Context(), func(ctx context.Context) (int, error) {
			<-ctx.Done()
			return 0, errors.Join(ctx.Err(), broken)
		})
		called.Cancel()
		_, err = called.Wait(t.Context())
		require.ErrorIs(t, err, context.Canceled, "fn was cancelled and returned an error that wraps two, and Wait returned something else")
		require.ErrorAs(t, err, &target, "fn was cancelled and returned an error that wraps two, and Wait returned something else")
		timeless := futures.Go(context.Background(), func(ctx context.Context) (int, error) {
			_, limited := ctx.Deadline()
			assert.False(t, limited, "the context of Go has no deadline, and fn's has one")
			return 7, nil
		})
		got(t, timeless.Future, 7)
	})
}

func (s *TaskSuite) TestATaskHasCallbacks() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("work-that-has-begun", "When fn has returned, and not before, the callbacks of the task must run", futures.Declared.Go)
		gate := labtest.NewGate()
		task := futures.Go(t.Context(), func(context.Context) (int, error) {
			gate.Pass()
			return 7, nil
		})
		var story story
		for _, name := range []string{"first", "second"} {
			task.AddDoneCallback(func(f future) {
				got(t, f, 7)
				story.tell(name)
			})
		}
		t.Settle()
		require.Empty(t, story.told(), "fn still runs, and this has happened")
		gate.Open()
		t.Settle()
		assert.Equal(t, []string{"first", "second"}, story.told(), "fn has returned, and this has happened")
	})
}

func (s *TaskSuite) TestCancelEndsTheContext() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("asking-it-to-stop", "Cancel must end fn's context, and no other one", futures.Declared.Cancel, futures.Declared.Go)
		parent, cancel := context.WithCancel(t.Context())
		defer cancel()
		task := futures.Go(parent, untilEnd)
		other := futures.Go(parent, untilEnd)
		t.Settle()
		require.False(t, task.Done(), "nobody has called it, and fn's context has ended")

		t.Go(task.Cancel)
		t.Settle()
		require.True(t, task.Done(), "Cancel was called, and fn's context has not ended")
		gotError(t, task.Future, context.Canceled)
		t.Go(task.Cancel).Returns("the task is done, and a second Cancel blocks")

		require.NoError(t, parent.Err(), "the context that Go was given has ended")
		require.False(t, other.Done(), "the context of another task has ended")
		t.Go(other.Cancel)
		t.Settle()
		require.True(t, other.Done(), "Cancel of another task was called, and its fn's context has not ended")
		gotError(t, other.Future, context.Canceled)

		gate := labtest.NewGate()
		var own *futures.Task[int]
		cancelling := make(chan *labtest.Call, 1)
		own = futures.Go(parent, func(ctx context.Context) (int, error) {
			gate.Pass()
			call := t.Go(func() {
				for range 3 {
					own.Cancel()
				}
			})
			cancelling <- call
			call.Join()
			own.Cancel()
			return untilEnd(ctx)
		})
		gate.Open()
		(<-cancelling).Returns("fn waits for three calls of Cancel, and one of them does not return")
		t.Settle()
		require.True(t, own.Done(), "fn itself has called Cancel, and has not ended")
		gotError(t, own.Future, context.Canceled)
	})
}

func (s *TaskSuite) TestTheContextOfGoEndsTheContext() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("asking-it-to-stop", "The end of the context that Go was given must end fn's context", futures.Declared.Go)
		for _, ending := range t.Endings() {
			ctx, end := ending.Start()
			task := futures.Go(ctx, func(ctx context.Context) (int, error) {
				<-ctx.Done()
				return 7, nil
			})
			t.Settle()
			require.False(t, task.Done(), "fn's context has ended before")
			end()
			t.Settle()
			require.True(t, task.Done(), "the context that Go was given has ended, and fn's has not")
			got(t, task.Future, 7)
		}
	})
}

func (s *TaskSuite) TestCancelIsARequest() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("asking-it-to-stop", "An ended context must not settle the task: the outcome is what fn returns, when it does", futures.Declared.Cancel, futures.Declared.Go)
		for _, err := range []error{nil, errWork} {
			for _, byCancel := range []bool{true, false} {
				gate := labtest.NewGate()
				ctx, cancel := context.WithCancel(t.Context())
				task := futures.Go(ctx, func(context.Context) (int, error) {
					gate.Pass() // deaf to its context
					return 7, err
				})
				t.Settle()
				if byCancel {
					t.Go(task.Cancel)
				}
				t.Settle()
				if !byCancel {
					cancel()
				}
				t.Settle()
				require.False(t, task.Done(), "fn still runs, and the task is done")
				gate.Open()
				if err == nil {
					got(t, task.Future, 7)
				} else {
					gotError(t, task.Future, err)
				}
				cancel()
			}
		}
	})
}

func (s *TaskSuite) TestCancelAfterTheEndHasNoEffect() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("asking-it-to-stop", "After the end of the task Cancel must have no effect, however often it is called", futures.Declared.Cancel)
		task := futures.Go(t.Context(), func(context.Context) (int, error) { return 7, nil })
		failed := futures.Go(t.Context(), func(context.Context) (int, error) { return 0, errWork })
		t.Settle()
		for range 3 {
			t.Go(task.Cancel).Returns("it blocks")
			got(t, task.Future, 7)
			t.Go(failed.Cancel).Returns("it blocks")
			gotError(t, failed.Future, errWork)
		}

		gate := labtest.NewGate()
		heard := futures.Go(t.Context(), func(context.Context) (int, error) {
			gate.Pass()
			return 7, nil
		})
		var returned atomic.Bool
		heard.AddDoneCallback(func(future) {
			heard.Cancel()
			returned.Store(true)
		})
		gate.Open()
		t.Settle()
		require.True(t, returned.Load(), "a callback of the task calls it, and it blocks")
		got(t, heard.Future, 7)

		for range often {
			task := futures.Go(t.Context(), func(context.Context) (int, error) { return 7, nil })
			t.Collide(task.Cancel, task.Cancel)
			got(t, task.Future, 7)
		}
	})
}

func (s *TaskSuite) TestAWaiterThatLeavesCancelsNothing() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("asking-it-to-stop", "A Wait that ends with its context must not end fn's", futures.Declared.Go, futures.Declared.Cancel)
		task := futures.Go(t.Context(), func(ctx context.Context) (int, error) {
			select {
			case <-ctx.Done():
				return 0, ctx.Err()
			case <-time.After(10 * later):
				return 7, nil
			}
		})
		for _, ending := range t.Endings() {
			ctx, end := ending.Start()
			end()
			_, err := task.Wait(ctx)
			require.ErrorIs(t, err, ending.Err, "Wait returned another error")
			t.Wait()
			require.False(t, task.Done(), "a Wait has ended with its context, and the task is done")
		}
		got(t, task.Future, 7)
	})
}

func (s *TaskSuite) TestAPanicIsAnOutcome() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("a-panic-is-an-outcome", "A panic in fn must become the outcome of the task: a *PanicError", futures.Declared.Go)
		for _, value := range []any{boom, 42, errWork, struct{}{}, futures.PanicWith("inner")} {
			gate := labtest.NewGate()
			task := futures.Go(t.Context(), func(context.Context) (int, error) {
				gate.Pass()
				panic(value)
			})
			var called atomic.Int64
			task.AddDoneCallback(func(future) { called.Add(1) })
			gate.Open()
			err := gotPanic(t, task, value)
			require.Equal(t, value, err.Value(), "after panic(%#v) the value is another", value)
			t.Settle()
			require.EqualValues(t, 1, called.Load(), "after panic(%#v): wrong number of calls of a callback", value)
		}
		task := futures.Go(t.Context(), func(context.Context) (int, error) { panic(errWork) })
		require.ErrorIs(t, gotPanic(t, task, errWork).Err(), errWork, "the panic's value is an error, and the outcome does not match it")

		cancelled := futures.Go(t.Context(), func(ctx context.Context) (int, error) {
			<-ctx.Done()
			panic(tooLate)
		})
		t.Go(cancelled.Cancel)
		require.Equal(t, tooLate, gotPanic(t, cancelled, tooLate).Value(), "the task was cancelled, and then fn panicked: the value is another")
	})
}

func (s *TaskSuite) TestPanicNilIsAPanic() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("a-panic-is-an-outcome", "A panic in fn must become the outcome of the task, whatever its value", futures.Declared.Go)
		for _, value := range []any{nil, error(nil), (*brokenError)(nil)} {
			task := futures.Go(t.Context(), func(context.Context) (int, error) { panic(value) })
			_ = gotPanic(t, task, value)
		}
		panicked := futures.Go(t.Context(), func(context.Context) (int, error) {
			var cups []int
			return cups[len(ways)], nil
		})
		err := gotPanic(t, panicked, "of the runtime")
		var target runtime.Error
		require.ErrorAs(t, err.Err(), &target, "the runtime's panic is not in it")
	})
}

func (s *TaskSuite) TestThePanicHasItsStack() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("a-panic-is-an-outcome", "A *PanicError must have the stack of the panic", futures.Declared.Go)
		task := futures.Go(t.Context(), func(context.Context) (int, error) { return len(strings.Repeat("boom", -1)), nil })
		stack := string(gotPanic(t, task, "of strings.Repeat").Stack())
		require.Contains(t, stack, "strings.Repeat", "strings.Repeat has panicked, and is not in it")
	})
}

func (s *TaskSuite) TestTheContextIsReleasedFirst() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("asking-it-to-stop", "fn's context must be released before the task is done", futures.Declared.Go)
		dated, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		for _, way := range []struct {
			name   string
			parent context.Context
			end    func() (int, error)
		}{
			{"returned a result", t.Context(), func() (int, error) { return 7, nil }},
			{"returned an error", dated, func() (int, error) { return 0, errWork }},
			{"panicked", t.Context(), func() (int, error) { panic(boom) }},
		} {
			gate := labtest.NewGate()
			given := make(chan context.Context, 1)
			var task *futures.Task[int]
			var ending, called atomic.Bool
			parent := &watched{Context: way.parent, done: make(chan struct{})}
			parent.released = func() {
				if !ending.Load() {
					return
				}
				var here atomic.Bool
				here.Store(true)
				t.Beside(func() { // Done may want a lock that is held here, and then comes too late
					if task.Done() && here.Load() && !called.Load() {
						t.Errorf("fn has %s, the task is done, and only then its context is released", way.name)
					}
				})
				here.Store(false)
			}
			task = futures.Go(parent, func(ctx context.Context) (int, error) {
				given <- ctx
				gate.Pass()
				return way.end()
			})
			ctx := <-given
			t.Settle()
			require.NoError(t, ctx.Err(), "fn still runs, and its context has ended")
			task.AddDoneCallback(func(future) {
				called.Store(true)
				assert.True(t, ctx.Err() != nil, "fn has %s, the task is done, and fn's context has not ended", way.name)
			})
			ending.Store(true)
			gate.Open()
			t.Settle()
			require.True(t, called.Load(), "fn has %s, and the task's callback has not run", way.name)
		}
	})
}

func (s *TaskSuite) TestShowWhenDoneWritesTheResult() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("show-when-done", "ShowWhenDone must write the result and a newline, in one Write, and change nothing in it", futures.Declared.ShowWhenDone)
		for _, result := range []string{"Done.", "", "100%d %s%%", " spaces ", "two\nlines\n", "a\r", "error: not really"} {
			var out labtest.Recorder
			task := futures.Go(t.Context(), func(context.Context) (string, error) { return result, nil })
			futures.ShowWhenDone(&out, task)
			t.Settle()
			assert.Equal(t, []string{result + "\n"}, out.Writes(), "the result was %q: wrong writes", result)
		}

		long := strings.Repeat("so much ", 12_500)
		var out labtest.Recorder
		futures.ShowWhenDone(&out, futures.Go(t.Context(), func(context.Context) (string, error) { return long, nil }))
		t.Settle()
		require.Equal(t, 1, len(out.Writes()), "the result had %d bytes: wrong number of writes", len(long))
		assert.True(t, out.String() == long+"\n", "the result had %d bytes, and something else was written", len(long))
	})
}

func (s *TaskSuite) TestShowWhenDoneWritesTheError() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("show-when-done", "ShowWhenDone must write \"error: ERR\" and a newline, in one Write, if there is no result", futures.Declared.ShowWhenDone)
		for _, err := range []error{errWork, errors.New(""), errors.New("100%d %s%%"), errors.New(" two\nlines \n"), fmt.Errorf("kitchen: %w", errWork), errors.Join(errWork, io.EOF), context.Canceled} {
			var out labtest.Recorder
			task := futures.Go(t.Context(), func(context.Context) (string, error) { return "spilt", err })
			futures.ShowWhenDone(&out, task)
			t.Settle()
			assert.Equal(t, []string{"error: " + err.Error() + "\n"}, out.Writes(), "the error was %q: wrong writes", err)
		}

		var out labtest.Recorder
		task := futures.Go(t.Context(), func(context.Context) (string, error) { panic(boom) })
		futures.ShowWhenDone(&out, task)
		t.Settle()
		_, err := task.Wait(t.Context())
		require.Error(t, err, "after a panic Wait returned no error")
		require.Len(t, out.Writes(), 1, "the function panicked: wrong number of writes")
		assert.Regexp(t, "(?s)^error: .*boom.*\n$", out.String(), "the function panicked with boom: this was written")

		var more labtest.Recorder
		futures.ShowWhenDone(&more, task)
		assert.Equal(t, out.Writes(), more.Writes(), "the task was done, ShowWhenDone has returned: wrong writes")
	})
}

func (s *TaskSuite) TestShowWhenDoneIsACallback() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("show-when-done", "ShowWhenDone must add a callback to the task itself", futures.Declared.ShowWhenDone)
		work, earlier := labtest.NewGate(), labtest.NewGate()
		task := futures.Go(t.Context(), func(context.Context) (string, error) {
			work.Pass()
			return "Done.", nil
		})
		var out labtest.Recorder
		task.AddDoneCallback(func(futures.Future[string]) { earlier.Pass() })
		t.Go(func() { futures.ShowWhenDone(&out, task) }).Returns("the task is not done, and ShowWhenDone blocks")
		var seen []string
		task.AddDoneCallback(func(futures.Future[string]) { seen = out.Writes() })
		t.Settle()
		require.Empty(t, out.Writes(), "the task is not done, and this has been written")

		work.Open()
		t.Settle()
		require.Empty(t, out.Writes(), "a callback that was added earlier still runs, and this has been written")
		earlier.Open()
		t.Settle()
		require.Equal(t, []string{"Done.\n"}, seen, "when a callback ran that was added later, this had been written")

		var more labtest.Recorder
		futures.ShowWhenDone(&more, task)
		assert.Equal(t, []string{"Done.\n"}, more.Writes(), "the task was done, ShowWhenDone has returned: wrong writes")
	})
}

// Task 4: the first success wins.

type FirstSuite struct{ labtest.Suite }

func TestFirst(t *testing.T) { suite.Run(t, new(FirstSuite)) }

func (s *FirstSuite) TestAllRunAtTheSameTime() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("the-first-success", "First must run all functions at the same time, each once", futures.Declared.First)
		meeting := labtest.NewMeeting(many)
		var calls [many]atomic.Int64
		fns := make([]work, many)
		for i := range fns {
			fns[i] = func(context.Context) (int, error) {
				calls[i].Add(1)
				if !meeting.Attend() {
					t.Errorf("of %d functions %d have not begun, and the others have waited for them for an hour", many, meeting.Missing())
				}
				return i, nil
			}
		}
		_, err := futures.First(t.Context(), fns...)
		require.NoError(t, err, "First failed")
		for i := range calls {
			require.EqualValues(t, 1, calls[i].Load(), "wrong number of calls of function %d", i)
		}

		ended, cancel := context.WithCancel(t.Context())
		cancel()
		for when, ctx := range map[string]context.Context{
			"all succeed at once, perhaps before the last one is started": t.Context(),
			"the caller's context had ended before the call":              ended,
		} {
			var calls [many]atomic.Int64
			for i := range fns {
				fns[i] = func(context.Context) (int, error) {
					calls[i].Add(1)
					return 7, nil
				}
			}
			v, err := futures.First(ctx, fns...)
			for i := range calls {
				require.EqualValues(t, 1, calls[i].Load(), "%s, and function %d was called so often", when, i)
			}
			require.NoError(t, err, "%s, all functions succeeded, and First failed", when)
			require.Equal(t, 7, v, "%s, and First returned another result", when)
		}
	})
}

func (s *FirstSuite) TestTheFirstSuccessWins() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("the-first-success", "First must return the success that comes first", futures.Declared.First)
		for winner := range 3 {
			gate := labtest.NewGate()
			fns := make([]work, 3)
			for i := range fns {
				fns[i] = func(context.Context) (int, error) {
					if i != winner {
						gate.Pass()
						time.Sleep(time.Duration(3-i) * time.Second)
					}
					return 10 + i, nil
				}
			}
			first := t.Go(func() {
				v, err := futures.First(t.Context(), fns...)
				assert.NoError(t, err, "function %d of 3 came first, and First failed", winner)
				assert.Equal(t, 10+winner, v, "function %d of 3 came first, and First returned another result", winner)
			})
			t.Settle()
			gate.Open()
			first.Join()
		}
	})
}

func (s *FirstSuite) TestAnyResultIsASuccess() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("the-first-success", "A nil error must be a success, whatever the result, and any error a failure", futures.Declared.First)
		v, err := futures.First(t.Context(), after(time.Second, 0, nil), after(time.Minute, 5, nil))
		require.NoError(t, err, "a function returned 0 and nil, and First failed")
		require.Equal(t, 0, v, "a function returned 0 and nil first, and First returned another result")

		nothing, err := futures.First(t.Context(), func(context.Context) (error, error) { return nil, nil })
		require.NoError(t, err, "the only function returned nil as its result, of type error, and First failed")
		require.Nil(t, nothing, "the only function returned nil as its result, of type error, and First another one")

		v, err = futures.First(t.Context(), after(time.Second, 5, errWork), after(time.Minute, 7, nil))
		require.NoError(t, err, "a function succeeded, and First failed")
		require.Equal(t, 7, v, "a function returned 5 and an error, another one 7 and nil, and First another result")

		v, err = futures.First(t.Context(), after(time.Second, 7, nil))
		require.NoError(t, err, "the only function succeeded, and First failed")
		require.Equal(t, 7, v, "the only function succeeded, and First returned another result")
	})
}

func (s *FirstSuite) TestAFailureEndsNobody() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("the-first-success", "A failure must not end the others, nor keep First from returning a success", futures.Declared.First)
		gate := labtest.NewGate()
		first := t.Go(func() {
			v, err := futures.First(t.Context(),
				after(0, 0, errWork),
				func(ctx context.Context) (int, error) {
					_, limited := ctx.Deadline()
					assert.False(t, limited, "the caller's context has no deadline, and a function's has one")
					gate.Pass()
					if err := ctx.Err(); err != nil {
						t.Errorf("another function has failed, and the context ended: %v", err)
						return 0, err
					}
					return 7, nil
				},
				after(time.Second, 0, io.EOF))
			assert.NoError(t, err, "two functions failed, one succeeded, and First failed")
			assert.Equal(t, 7, v, "First returned another result")
		})
		t.Pass(2 * time.Minute)
		first.Blocks("two functions have failed, one still works, and First has returned")
		gate.Open()
		first.Returns("all functions have returned, and First still blocks")
	})
}

func (s *FirstSuite) TestTheOthersAreCancelled() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("the-first-success", "After the first success the contexts of the others must end, and what they return must not matter", futures.Declared.First)
		for _, others := range []work{
			untilEnd,
			func(ctx context.Context) (int, error) {
				<-ctx.Done()
				return 99, nil // a success, but not the first
			},
			func(ctx context.Context) (int, error) {
				<-ctx.Done()
				return 0, errWork
			},
		} {
			for winner := range 3 {
				fns := []work{others, others, others}
				fns[winner] = after(time.Second, 7, nil)
				for _, ctx := range []context.Context{
					t.Context(),
					&watched{t.Context(), make(chan struct{}), labtest.StepAside}, // the others go on while it is released
				} {
					t.Go(func() {
						v, err := futures.First(ctx, fns...)
						assert.NoError(t, err, "function %d of 3 succeeded, and First failed", winner)
						assert.Equal(t, 7, v, "function %d of 3 succeeded, then the others were cancelled, and First returned another result", winner)
					}).Returns("function %d of 3 has succeeded, and the contexts of the others have not ended", winner)
				}
			}
		}

		fns := make([]work, many)
		for i := range fns {
			fns[i] = untilEnd
		}
		fns[0] = func(context.Context) (int, error) { return 7, nil } // perhaps before the last one starts
		for range 20 {
			t.Go(func() { _, _ = futures.First(t.Context(), fns...) }).
				Returns("one of %d functions has succeeded at once, and the contexts of others have not ended", many)
		}
		t.InTurn(30, func(ctx *labtest.Moment) {
			ctx.Then = labtest.StepAside
			t.Go(func() { _, _ = futures.First(ctx, fns[:3]...) }).
				Returns("one of 3 functions has succeeded before the last was started, and the contexts of others have not ended")
		})
	})
}

func (s *FirstSuite) TestItWaitsForTheOthers() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("the-first-success", "First must return when all functions have returned, and leave nobody behind", futures.Declared.First)
		t.NothingStays()
		ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
		_ = cancel // nobody ends it: who waits for that stays behind
		for _, err := range []error{nil, errWork} {
			gate := labtest.NewGate()
			var inside labtest.Gauge
			slow := func(context.Context) (int, error) {
				defer inside.Enter()()
				gate.Pass()
				return 99, err
			}
			first := t.Go(func() {
				v, err := futures.First(ctx, slow, after(time.Second, 7, nil), slow)
				assert.Zero(t, inside.Now(), "First has returned: functions that still run")
				assert.NoError(t, err, "First failed")
				assert.Equal(t, 7, v, "First returned another result")
			})
			t.Pass(2 * time.Minute)
			first.Blocks("a function has succeeded, two are not finished, and First has returned")
			gate.Open()
			first.Returns("all functions have returned, and First still blocks")
		}
	})
}

func (s *FirstSuite) TestASuccessStays() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("the-first-success", "A success must be returned even if the caller's context ends, before it or while First waits for the others", futures.Declared.First)
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		gate := labtest.NewGate()
		slow := func(context.Context) (int, error) {
			gate.Pass()
			return 0, errWork
		}
		first := t.Go(func() {
			v, err := futures.First(ctx, slow, after(time.Second, 7, nil), slow)
			assert.NoError(t, err, "First failed")
			assert.Equal(t, 7, v, "First returned another result")
		})
		first.Blocks("a function has succeeded, two are not finished, and First has returned")
		cancel()
		first.Blocks("the context has ended, two functions are not finished, and First has returned")
		gate.Open()
		first.Returns("all functions have returned, and First still blocks")

		working, end := context.WithCancel(t.Context())
		late := labtest.NewGate()
		first = t.Go(func() {
			v, err := futures.First(working, untilEnd, func(context.Context) (int, error) {
				late.Pass()
				return 7, nil
			})
			assert.NoError(t, err, "the context ended, then a function succeeded, and First failed")
			assert.Equal(t, 7, v, "the context ended, then a function succeeded, and First returned another result")
		})
		first.Blocks("no function has returned, and First has")
		end()
		first.Blocks("the context has ended, a function is not finished, and First has returned")
		late.Open()
		first.Returns("all functions have returned, and First still blocks")
	})
}

func (s *FirstSuite) TestAnyNumberMaySucceedTogether() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("the-first-success", "If many succeed at the same moment, First must return one of them, and leave nobody behind", futures.Declared.First)
		t.NothingStays()
		for range 20 {
			meeting := labtest.NewMeeting(8)
			var succeeded atomic.Int64
			fns := make([]work, 8)
			for i := range fns {
				fns[i] = func(context.Context) (int, error) {
					meeting.Attend()
					if i%2 == 0 {
						return 0, errWork
					}
					succeeded.Add(1)
					return i, nil
				}
			}
			t.Go(func() {
				v, err := futures.First(t.Context(), fns...)
				assert.NoError(t, err, "half of the functions succeeded, and First failed")
				assert.Equal(t, 1, v%2, "First returned %d, which is nobody's result", v)
				assert.EqualValues(t, 4, succeeded.Load(), "wrong number of functions that have returned")
			}).Returns("all functions have returned, and First still blocks")
		}
	})
}

func (s *FirstSuite) TestIfAllFailEveryErrorIsThere() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("every-error", "If all fail, First's error must match every one of theirs", futures.Declared.First)
		broken := &brokenError{"the cup"}
		var calls atomic.Int64
		for _, errs := range [][]error{
			{errWork, io.EOF},
			{errWork},
			{io.EOF, fmt.Errorf("kitchen: %w", broken), errWork, context.DeadlineExceeded, context.Canceled, futures.ErrDone},
			{errWork, errWork, io.EOF},
		} {
			for _, backwards := range []bool{false, true} {
				fns := make([]work, len(errs))
				for i, err := range errs {
					d := time.Duration(i) * time.Second
					if backwards {
						d = time.Duration(len(errs)-i) * time.Second
					}
					fails := after(d, 0, err)
					fns[i] = func(ctx context.Context) (int, error) {
						calls.Add(1)
						return fails(ctx)
					}
				}
				calls.Store(0)
				_, err := futures.First(t.Context(), fns...)
				require.EqualValues(t, len(fns), calls.Load(), "all functions failed, and so often was one called")
				for _, want := range errs {
					require.ErrorIs(t, err, want, "number of functions that failed: %d", len(errs))
				}
			}
		}
		_, err := futures.First(t.Context(), after(time.Second, 0, errWork), after(0, 0, broken), after(0, 0, uncomparableError{"milk"}), after(0, 0, uncomparableError{"milk"}))
		var target *brokenError
		require.ErrorAs(t, err, &target, "the error of one function has a type of its own")
		assert.Same(t, broken, target, "it is another one")
		var list uncomparableError
		require.ErrorAs(t, err, &list, "the errors of two functions are slices, which cannot be compared, not even with each other")
		assert.Equal(t, uncomparableError{"milk"}, list, "it is another one")

		one, two := errors.New("no milk"), errors.New("no milk")
		_, err = futures.First(t.Context(), after(time.Second, 0, one), after(0, 0, two))
		assert.True(t, errors.Is(err, one) && errors.Is(err, two), "two functions failed with errors that differ but say the same, %q, and First's does not match both", one)
	})
}

func (s *FirstSuite) TestIfAllFailItWaitsForTheLast() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("every-error", "First must not fail before the last function has", futures.Declared.First)
		gate := labtest.NewGate()
		first := t.Go(func() {
			_, err := futures.First(t.Context(), after(0, 0, errWork), func(context.Context) (int, error) {
				gate.Pass()
				return 0, io.EOF
			})
			assert.ErrorIs(t, err, io.EOF, "it failed without the error of the last one")
			assert.ErrorIs(t, err, errWork, "it failed without the error of the first one")
		})
		first.Blocks("one function has failed, one still works, and First has returned")
		gate.Open()
		first.Returns("all functions have returned, and First still blocks")
	})
}

func (s *FirstSuite) TestNoneIsAnError() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("every-error", "First of no functions must return an error", futures.Declared.First)
		t.Go(func() {
			_, err := futures.First[int](t.Context())
			assert.Error(t, err, "it returned nil")
		}).Returns("it blocks")
	})
}

func (s *FirstSuite) TestTheCallersContextEndsThemAll() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("every-error", "When the caller's context ends, so must the contexts of all functions; First still waits for them, and for their errors", futures.Declared.First)
		t.NothingStays()
		for _, ending := range t.Endings() {
			ctx, end := ending.Start()
			gate := labtest.NewGate()
			var ended atomic.Int64
			tidyUp := func(err error) work {
				return func(ctx context.Context) (int, error) {
					<-ctx.Done()
					ended.Add(1)
					gate.Pass()
					return 0, err
				}
			}
			first := t.Go(func() {
				_, err := futures.First(ctx, tidyUp(errWork), tidyUp(io.EOF), untilEnd)
				assert.ErrorIs(t, err, errWork, "all functions failed")
				assert.ErrorIs(t, err, io.EOF, "all functions failed")
			})
			first.Blocks("no function has returned, and First has")
			require.Zero(t, ended.Load(), "the context has not ended: functions whose context has")
			end()
			first.Blocks("the context has ended, two functions still tidy up, and First has returned")
			require.EqualValues(t, 2, ended.Load(), "the context has ended: wrong number of functions, of two, whose context has")
			gate.Open()
			first.Returns("all functions have returned, and First still blocks")

			ctx, end = ending.Start()
			only := t.Go(func() {
				_, err := futures.First(ctx, untilEnd)
				assert.Error(t, err, "its only function returned its context's error")
			})
			only.Blocks("its only function has not returned, and First has")
			end()
			only.Returns("the context has ended, and that of First's only function has not")
		}

		_, err := futures.First(foreign{t.Context(), make(chan struct{})}, after(0, 0, errWork), after(0, 0, io.EOF))
		require.ErrorIs(t, err, errWork, "all functions failed")
	})
}

// foreign is a context of another kind than those of the standard library, for whose
// end those that are made of it wait in a goroutine, until they are released.
type foreign struct {
	context.Context
	done chan struct{}
}

func (c foreign) Done() <-chan struct{} { return c.done }
func (foreign) Err() error              { return nil }

type (
	future = futures.Future[int]
	work   = func(context.Context) (int, error)
)

// ways are the two ways to settle a future.
var ways = []struct {
	name   string
	settle func(f future) error
}{
	{"SetResult", func(f future) error { return f.SetResult(7) }},
	{"SetError", func(f future) error { return f.SetError(errWork) }},
}

func newFutures(n int) []future {
	fs := make([]future, n)
	for i := range fs {
		fs[i] = futures.NewFuture[int]()
	}
	return fs
}

// got expects the result want of f.
func got(t *labtest.T, f future, want int) {
	v, err := f.Wait(t.Context())
	assert.NoError(t, err, "Wait returned an error instead of the result %d", want)
	assert.Equal(t, want, v, "Wait returned another result")
}

// gotError expects the error want of f.
func gotError(t *labtest.T, f future, want error) {
	_, err := f.Wait(t.Context())
	assert.ErrorIs(t, err, want, "Wait returned something else than the error %q", want)
}

// gotPanic expects a *PanicError of task, after panic(value).
func gotPanic(t *labtest.T, task *futures.Task[int], value any) futures.Panic {
	waiter := t.Go(func() { _, _ = task.Wait(t.Context()) })
	waiter.Returns("after panic(%#v) Wait still blocks", value)
	_, err := task.Wait(t.Context())
	crashed := futures.NewPanic()
	require.ErrorAs(t, err, crashed.Target(), "after panic(%#v) Wait returned something else", value)
	return crashed
}

// untilEnd works until its context ends.
func untilEnd(ctx context.Context) (int, error) {
	<-ctx.Done()
	return 0, ctx.Err()
}

// after works for a while, unless its context ends before.
func after(d time.Duration, v int, err error) work {
	return func(ctx context.Context) (int, error) {
		select {
		case <-time.After(d):
			return v, err
		case <-ctx.Done():
			return 0, ctx.Err()
		}
	}
}

// watched is a context that never ends, and is told when one that was made from
// it is released.
type watched struct {
	context.Context
	done     chan struct{}
	released func()
}

func (w *watched) Done() <-chan struct{} { return w.done }

// AfterFunc is what package context calls to watch a context that is not its own.
func (w *watched) AfterFunc(func()) (stop func() bool) {
	return func() bool {
		w.released()
		return true
	}
}

type brokenError struct{ what string }

func (e *brokenError) Error() string {
	if e == nil {
		return "nothing is broken"
	}
	return e.what + " is broken"
}

// uncomparableError is an error that cannot be compared: == panics.
type uncomparableError []string

func (l uncomparableError) Error() string { return "still to buy: " + strings.Join(l, ", ") }

// story is what happened, in order.
type story struct {
	mu     sync.Mutex
	events []string
}

func (s *story) tell(event string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.events = append(s.events, event)
}

func (s *story) told() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.events...)
}
