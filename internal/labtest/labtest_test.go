package labtest_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/stretchr/testify/suite"

	"conclab/internal/labtest"
	"conclab/internal/labtest/wrong"
)

func TestRight(t *testing.T) { suite.Run(t, new(RightSuite)) }

// RightSuite's methods do what a suite may do, and pass.
type RightSuite struct{ labtest.Suite }

func (s *RightSuite) TestTimeIsVirtual() {
	s.Bubble(func(t *labtest.T) {
		start := time.Now()
		time.Sleep(1000 * time.Hour)
		assert.Equal(t, 1000*time.Hour, time.Since(start))
	})
}

func (s *RightSuite) TestASleeperMayLinger() {
	s.Bubble(func(t *labtest.T) {
		t.NothingStays()
		wrong.LeaveSleeper()
	})
}

func (s *RightSuite) TestWhatNoRuleForbidsMayStay() {
	s.Bubble(func(*labtest.T) { wrong.LeaveSender() })
	s.Bubble(func(*labtest.T) { wrong.LeavePoller() })
}

func (s *RightSuite) TestPassWaitsForTheOneWhoWaits() {
	s.Bubble(func(t *labtest.T) {
		done := make(chan struct{})
		start := time.Now()
		go func() {
			defer close(done)
			t.Pass(time.Hour)
			assert.Equal(t, time.Hour, time.Since(start))
		}()
		go wrong.Deaf(t.Context())
		<-done
	})
}

func (s *RightSuite) TestPassBearsALock() {
	s.Bubble(func(t *labtest.T) {
		var mu sync.Mutex
		mu.Lock()
		start := time.Now()
		go func() {
			defer mu.Unlock()
			t.Pass(time.Hour)
			assert.Zero(t, time.Since(start))
		}()
		wrong.Lock(&mu)
	})
}

func (s *RightSuite) TestContextEndsWithTheTest() {
	s.Bubble(func(t *labtest.T) {
		t.NothingStays()
		require.NoError(t, t.Context().Err())
		go func() { <-t.Context().Done() }()
	})
}

func (s *RightSuite) TestCalls() {
	s.Bubble(func(t *labtest.T) {
		gate := labtest.NewGate()
		call := t.Go(gate.Pass)
		call.Blocks("it is through")
		assert.Equal(t, 1, gate.Waiting())
		gate.Open()
		call.Returns("it still waits")
		assert.True(t, call.Returned())
		call.Join()
	})
}

func (s *RightSuite) TestACallThatPollsIsGivenTheTime() {
	s.Bubble(func(t *labtest.T) {
		var open atomic.Bool
		call := t.Go(func() {
			for !open.Load() {
				time.Sleep(time.Millisecond)
			}
		})
		call.Blocks("it is through")
		open.Store(true)
		call.Returns("it still waits")
	})
}

func (s *RightSuite) TestManyRoundsAreNoStandstill() {
	s.Bubble(func(t *labtest.T) {
		procs := runtime.GOMAXPROCS(0)
		var racing atomic.Int64
		rounds := 0
		t.Race(func() labtest.Heat {
			racer := func(int) {
				racing.Add(1)
				assert.LessOrEqual(t, runtime.GOMAXPROCS(0), 2, "racers")
			}
			return labtest.Heat{Rounds: 1000, Racers: []func(int){racer, racer}, Check: func() {
				rounds += 2000
				assert.EqualValues(t, rounds, racing.Load())
			}}
		})
		assert.Equal(t, procs, runtime.GOMAXPROCS(0), "the processors are not all back")
	})
}

func (s *RightSuite) TestASlowReaderIsNoStandstill() {
	s.Bubble(func(t *labtest.T) {
		client, server := labtest.Connect()
		got := 0
		reader := t.Go(func() {
			for buf := make([]byte, 1<<10); got < 80<<10; {
				n, err := server.Read(buf)
				if !assert.NoError(t, err) {
					return
				}
				got += n
				for range 15 { // in all it takes more than the watchdog's patience
					t.Linger()
				}
			}
		})
		require.NoError(t, t.Send(client, strings.Repeat("x", 80<<10)))
		reader.Join()
		assert.Equal(t, 80<<10, got)
	})
}

func (s *RightSuite) TestMeeting() {
	s.Bubble(func(t *labtest.T) {
		together := labtest.NewMeeting(3)
		attend := func() { assert.True(t, together.Attend()) }
		calls := []*labtest.Call{t.Go(attend), t.Go(attend)}
		calls[0].Blocks("two are not three")
		attend()
		calls[0].Join()
		calls[1].Join()

		assert.False(t, labtest.NewMeeting(2).Attend(), "it met alone")
	})
}

func (s *RightSuite) TestContextsEndInEveryWay() {
	s.Bubble(func(t *labtest.T) {
		var ways []error
		for _, ending := range t.Endings() {
			ctx, end := ending.Start()
			assert.NoError(t, ctx.Err())
			end()
			assert.ErrorIs(t, ctx.Err(), ending.Err)
			assert.NotErrorIs(t, context.Cause(ctx), ending.Err)
			ways = append(ways, ending.Err)
		}
		assert.Equal(t, []error{context.Canceled, context.DeadlineExceeded, context.Canceled}, ways)
	})
}

func (s *RightSuite) TestInTurnComesBehindEveryLook() {
	s.Bubble(func(t *labtest.T) {
		var saw []int
		t.InTurn(10, func(ctx *labtest.Moment) {
			ctx.Then = ctx.Cancel
			for looks := range 3 {
				if ctx.Err() != nil {
					saw = append(saw, looks)
					return
				}
			}
			saw = append(saw, -1)
		})
		assert.Equal(t, []int{1, 2, -1, -1}, saw)
	})
}

func (s *RightSuite) TestRealTime() {
	s.Real(func(t *labtest.T) {
		start := time.Now()
		time.Sleep(20 * time.Millisecond)
		assert.GreaterOrEqual(t, time.Since(start), 20*time.Millisecond)
		assert.Panics(t, t.Wait, "there is no bubble to wait for")
	})
}

func (s *RightSuite) TestWhatEndsDoesNotStay() {
	s.Real(func(t *labtest.T) {
		t.NothingStays()
		ctx, cancel := context.WithCancel(t.Context())
		wrong.LeaveFor(ctx)
		time.AfterFunc(100*time.Millisecond, cancel)
	})
}

func TestSkip(t *testing.T) {
	t.Run("suite", func(outer *testing.T) {
		outer.Cleanup(func() { assert.True(t, outer.Skipped()) })
		var s labtest.Suite
		s.SetT(outer)
		s.Real(func(t *labtest.T) { t.Skip("this machine has no tea") })
		assert.Fail(t, "the test goes on")
	})
}

func TestRecorderKeepsEveryWrite(t *testing.T) {
	var r labtest.Recorder
	fmt.Fprintf(&r, "a %d\n", 1)
	fmt.Fprint(&r, "b\n")

	assert.Equal(t, []string{"a 1\n", "b\n"}, r.Writes())
	assert.Len(t, r.Times(), 2)
	assert.Equal(t, "a 1\nb\n", r.String())
}

func TestExclusiveSeesAnOverlap(t *testing.T) {
	write := func(together bool) bool {
		var e labtest.Exclusive
		done := make(chan struct{})
		go func() {
			defer close(done)
			if together {
				fmt.Fprintln(&e, "one")
			}
		}()
		if !together {
			<-done
		}
		for range 100 {
			fmt.Fprintln(&e, "two")
		}
		<-done
		return e.Overlapped()
	}
	assert.False(t, write(false), "one writer alone overlaps")
	// On one processor the second writer comes in at the first Gosched.
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	assert.True(t, write(true), "two at a time do not overlap")
}

func TestStepAsideLetsAllOthersRun(t *testing.T) {
	procs := runtime.GOMAXPROCS(0)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			// Each wakes the next one.
			first := make(chan struct{})
			last := first
			for range 100 {
				from, to := last, make(chan struct{})
				wg.Go(func() { <-from; close(to) })
				last = to
			}
			close(first)

			labtest.StepAside()

			select {
			case <-last:
			default:
				assert.Fail(t, "not all have run")
			}
		})
	}
	wg.Wait()
	assert.Equal(t, procs, runtime.GOMAXPROCS(0), "the processors are not all back")
}

func TestGauge(t *testing.T) {
	var g labtest.Gauge
	first, second := g.Enter(), g.Enter()
	assert.Equal(t, 2, g.Now())
	first()
	second()
	g.Enter()()
	assert.Equal(t, 0, g.Now())
	assert.Equal(t, 2, g.Max())
}

// SpinSuite's methods all spin: only the first few may wear the machine out.
type SpinSuite struct{ labtest.Suite }

func TestSpins(t *testing.T) {
	if os.Getenv(runsWrong) == "" {
		t.Skip("skipped, because these tests must fail: TestSpinningEnds runs them and reads what they say")
	}
	suite.Run(t, new(SpinSuite))
}

func (s *SpinSuite) TestA() { s.Bubble(func(*labtest.T) { wrong.Spin() }) }
func (s *SpinSuite) TestB() { s.Bubble(func(*labtest.T) { wrong.Spin() }) }
func (s *SpinSuite) TestC() { s.Bubble(func(*labtest.T) { wrong.Spin() }) }
func (s *SpinSuite) TestD() { s.Bubble(func(*labtest.T) { wrong.Spin() }) }

func TestSpinningEnds(t *testing.T) {
	cmd := exec.Command(os.Args[0], "-test.run=^TestSpins$", "-test.v")
	cmd.Env = append(os.Environ(), runsWrong+"=1", "GORACE=atexit_sleep_ms=0")
	out, err := cmd.CombinedOutput()

	require.Error(t, err)
	assert.Equal(t, 3, strings.Count(string(out), "a loop that spins"), string(out))
	assert.Equal(t, 1, strings.Count(string(out), "did not run: 3 tests before this one are still spinning"), string(out))
	assert.Contains(t, string(out), "=== ATTR  TestSpins/TestD "+labtest.VerdictAttr+" "+string(labtest.DidNotRun))
}
