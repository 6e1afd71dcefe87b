package processes_test

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

	"conclab/internal/contract/processes"
	"conclab/internal/labtest"
)

// shrimps is what targets panic with. Who does not recover reads it as the last
// words of the whole program.
const shrimps = "out of shrimps (the panic of a target, which Join must return as a *CrashError)"

// Every test runs in virtual time: the seconds below pass at once.

func TestRunTasks(t *testing.T) { suite.Run(t, new(RunTasksSuite)) }

type RunTasksSuite struct{ labtest.Suite }

func (s *RunTasksSuite) TestPrintTaskWritesNameAndNewline() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("first-try", "PrintTask must write the name and a newline, with one Write", processes.PrintTask)
		for _, name := range []string{"100%done", " with space\t", "two\nlines\n", strings.Repeat("long", 2000)} {
			var out labtest.Recorder

			processes.PrintTask(&out, name)

			writes := out.Writes()
			require.True(t, len(writes) == 1, "for a name of %d bytes that begins with %.20q it called Write %d times", len(name), name, len(writes))
			require.True(t, writes[0] == name+"\n", "told to print %d bytes that begin with %.20q, it wrote %d that begin with %.20q", len(name), name, len(writes[0]), writes[0])
		}
	})
}

func (s *RunTasksSuite) TestAllRunAtTheSameTime() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("start-all-then-wait", "RunTasks must run all tasks at the same time", processes.RunTasks)
		for _, n := range []int{3, 400} {
			together := labtest.NewMeeting(n)

			processes.RunTasks(labtest.WriterFunc(func(p []byte) (int, error) {
				assert.True(t, together.Attend(), "while some of %d tasks were writing, the others did not even begin", n)
				return len(p), nil
			}), slices.Repeat([]string{"task"}, n)...)
		}
	})
}

func (s *RunTasksSuite) TestReturnsWhenAllHaveFinished() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("first-try", "RunTasks must return only when all tasks have finished", processes.RunTasks)
		names := []string{"a", "bb", "ccc", "dddd", "eeeee", "ffffff", "ggggggg"}
		for _, n := range []int{1, 3, len(names)} {
			var finished labtest.Recorder

			processes.RunTasks(labtest.WriterFunc(func(p []byte) (int, error) {
				t.Pass(time.Duration(len(p)) * 4 * time.Minute)
				return finished.Write(p)
			}), names[:n]...)

			assert.Equal(t, n, len(finished.Writes()), "it was given %d names (a Write takes minutes here), and when it returned so many tasks had finished", n)
		}
	})
}

func (s *RunTasksSuite) TestOneLineForEachName() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("start-all-then-wait", "RunTasks must print one line for each name, also when names repeat", processes.RunTasks)
		var out labtest.Recorder

		processes.RunTasks(&out, "a", "b", "a", "a", "", "", "c")

		assert.Equal(t, []string{"\n", "\n", "a\n", "a\n", "a\n", "b\n", "c\n"}, labtest.Sorted(out.Writes()), "the lines are others")
	})
}

func (s *RunTasksSuite) TestNoNamesReturnsAtOnce() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("start-all-then-wait", "RunTasks without names must return at once", processes.RunTasks)
		var out labtest.Recorder
		start := time.Now()

		t.Go(func() { processes.RunTasks(&out) }).Join()

		assert.Zero(t, time.Since(start), "it took its time")
		assert.Empty(t, out.Writes(), "it wrote something")
	})
}

func TestProcess(t *testing.T) { suite.Run(t, new(ProcessSuite)) }

type ProcessSuite struct{ labtest.Suite }

func (s *ProcessSuite) TestNewProcessRunsNothing() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("start-and-join", "NewProcess must run nothing", processes.Declared.NewProcess, processes.Declared.IsAlive)
		var ran atomic.Bool

		p := processes.NewProcess(func() { ran.Store(true) })
		t.Settle()

		assert.False(t, ran.Load(), "the target ran before Start")
		assert.False(t, p.IsAlive(), "IsAlive says true before Start")
	})
}

func (s *ProcessSuite) TestStartReturnsWithoutWaiting() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("start-and-join", "Start must run the target, and return without waiting for it", processes.Declared.Start)
		gate := labtest.NewGate()
		p := processes.NewProcess(gate.Pass)

		start := time.Now()
		t.Go(func() {
			assert.NoError(t, p.Start(), "the first Start failed")
			assert.Less(t, time.Since(start), instant, "it waited a little all the same")
		}).Returns("Start still waits while the target runs")

		assert.Equal(t, 1, gate.Waiting(), "the target does not run")
		for n := 1; n < 400; n++ {
			more := processes.NewProcess(gate.Pass)
			t.Go(func() { assert.NoError(t, more.Start(), "Start failed") }).Returns("Start waits while %d other targets run", n)
			require.Equal(t, n+1, gate.Waiting(), "one of %d targets does not run", n+1)
		}
		gate.Open()
		t.Go(func() { assert.NoError(t, p.Join(), "Join failed") }).
			Returns("Join still waits after the target's end")
	})
}

func (s *ProcessSuite) TestSecondStartReturnsErrStarted() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("once", "a second Start must return ErrStarted and run nothing", processes.Declared.Start)
		var runs atomic.Int64
		gate := labtest.NewGate()
		p := processes.NewProcess(func() { runs.Add(1); gate.Pass() })
		require.NoError(t, p.Start(), "the first Start failed")

		t.Go(func() {
			assert.ErrorIs(t, p.Start(), processes.ErrStarted, "while the target runs, another Start returned something else")
			assert.True(t, p.IsAlive(), "another Start was refused while the target runs, and then IsAlive says false")
		}).Returns("the second Start waits")
		gate.Open()
		require.NoError(t, p.Join(), "Join failed")
		assert.ErrorIs(t, p.Start(), processes.ErrStarted, "after the target's end, another Start returned something else")
		assert.False(t, p.IsAlive(), "the target has ended, another Start was refused, and then IsAlive says true")
		t.Settle()

		assert.EqualValues(t, 1, runs.Load(), "the target ran another number of times")

		t.Rule("once", "a Start that is refused must keep nobody from joining", processes.Declared.Start, processes.Declared.Join)
		t.Race(func() labtest.Heat {
			const often = 20
			var ended [200]processes.Process
			for i := range ended {
				ended[i] = processes.NewProcess(nil)
				require.NoError(t, ended[i].Start(), "the first Start failed")
				require.NoError(t, ended[i].Join(), "Join failed")
			}
			return labtest.Heat{Rounds: len(ended), Racers: []func(int){
				func(i int) {
					for range often {
						assert.ErrorIs(t, ended[i].Start(), processes.ErrStarted, "beside a Join another Start returned something else")
					}
				},
				func(i int) {
					for range often {
						assert.NoError(t, ended[i].Join(), "a Join beside it failed")
					}
				},
			}, Check: func() {}}
		})
	})
}

func (s *ProcessSuite) TestOneOfManyStartsWins() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("once", "when several Start race, exactly one must get nil, and the target must run once", processes.Declared.Start)
		t.Race(func() labtest.Heat {
			const rounds = 500
			var wins, runs [rounds]atomic.Int64
			var all [rounds]processes.Process
			gate := labtest.NewGate()
			for i := range all {
				target := func() { runs[i].Add(1); gate.Pass() }
				if i%2 == 0 {
					target = nil // which runs 0 times
				}
				all[i] = processes.NewProcess(target)
			}
			alive := func(round int) bool {
				said := true
				for range 60 {
					said = all[round].IsAlive() && said
				}
				return said
			}
			start := func(round int) {
				switch err := all[round].Start(); {
				case err == nil:
					wins[round].Add(1)
					if round%4 == 1 && !alive(round) {
						t.Errorf("behind the Start that got nil IsAlive says false, to one of two that ask")
					}
				case !errors.Is(err, processes.ErrStarted):
					t.Errorf("a Start returned %v", err)
				}
			}
			startOrAsk := func(round int) {
				if round%4 == 1 {
					alive(round)
				} else {
					start(round)
				}
			}
			return labtest.Heat{Rounds: rounds, Racers: []func(int){start, startOrAsk}, Check: func() {
				t.Wait()
				gate.Open()
				for i := range all {
					require.EqualValues(t, 1, wins[i].Load(), "the number of those that got nil is wrong")
					require.EqualValues(t, i%2, runs[i].Load(), "the target ran another number of times")
				}
			}}
		})
	})
}

func (s *ProcessSuite) TestJoinBeforeStart() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("start-and-join", "Join before Start must return ErrNotStarted", processes.Declared.Join)
		p := processes.NewProcess(func() {})

		start := time.Now()
		t.Go(func() {
			assert.ErrorIs(t, p.Join(), processes.ErrNotStarted, "it returned something else")
			assert.Less(t, time.Since(start), instant, "it waited a little for a Start")
		}).Returns("Join waits for a process that nobody has started")

		t.Rule("start-and-join", "a Join before Start must leave the process as it was", processes.Declared.Join)
		require.NoError(t, p.Start(), "Start failed after it")
		assert.NoError(t, p.Join(), "Join failed after Start")
	})
}

func (s *ProcessSuite) TestJoinWaitsForTheTarget() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("start-and-join", "Join must wait until the target has returned", processes.Declared.Join)
		result := ""
		p := processes.NewProcess(func() {
			t.Pass(2 * time.Minute)
			result = "done"
		})
		require.NoError(t, p.Start(), "Start failed")

		assert.NoError(t, p.Join(), "Join failed")

		assert.Equal(t, "done", result, "it returned before that")
	})
}

func (s *ProcessSuite) TestJoinWhileStartIsAtWork() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("start-and-join", "a Join beside Start must return ErrNotStarted or wait until the target has returned",
			processes.Declared.Start, processes.Declared.Join)
		for range 100 {
			var asked, finished atomic.Bool
			p := processes.NewProcess(func() {
				runtime.Gosched()
				finished.Store(true)
			})
			// Who asks all the time asks in the middle of Start, too.
			join := t.Go(func() {
				err := processes.ErrNotStarted
				asked.Store(true)
				for spin := 1; errors.Is(err, processes.ErrNotStarted); spin++ {
					if err = p.Join(); spin%100 == 0 {
						runtime.Gosched()
					}
				}
				assert.NoError(t, err, "it failed")
				assert.True(t, finished.Load(), "it returned nil before that")
			})
			for !asked.Load() {
				runtime.Gosched()
			}

			require.NoError(t, p.Start(), "Start failed")

			join.Join()
		}
	})
}

func (s *ProcessSuite) TestAnyNumberMayJoin() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("start-and-join", "any number of goroutines must be able to join, any number of times", processes.Declared.Join)
		gate := labtest.NewGate()
		var finished atomic.Bool
		p := processes.NewProcess(func() {
			gate.Pass()
			finished.Store(true)
		})
		require.NoError(t, p.Start(), "Start failed")
		join := func() {
			assert.NoError(t, p.Join(), "a Join failed")
			assert.True(t, finished.Load(), "a Join returned before the target did")
		}

		var joiners []*labtest.Call
		for range 50 {
			joiners = append(joiners, t.Go(func() { join(); join() }))
		}
		others(t)
		ended := processes.NewProcess(nil)
		require.NoError(t, ended.Start(), "Start of another process failed")
		assert.NoError(t, ended.Join(), "a Join of another process failed")
		gate.Open()

		for _, j := range joiners {
			j.Join()
		}
		t.Go(join).Returns("a Join after the end waits")
	})
}

func (s *ProcessSuite) TestIsAliveWhileTheTargetRuns() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("is-alive", "IsAlive must be true from Start's return until the target returns", processes.Declared.IsAlive)
		gate := labtest.NewGate()
		var all []processes.Process
		asked := time.Now()
		for range 20 {
			p := processes.NewProcess(gate.Pass)
			require.NoError(t, p.Start(), "Start failed")
			require.True(t, p.IsAlive(), "it says false right after Start")
			all = append(all, p)
		}
		require.Less(t, time.Since(asked), 20*instant, "it was asked of 20 processes, and waited before it answered")

		t.Settle()
		for _, p := range all {
			assert.True(t, p.IsAlive(), "it says false while the target runs")
		}

		gate.Open()
		t.Rule("is-alive", "IsAlive must be false once Join has returned", processes.Declared.IsAlive)
		for _, p := range all {
			assert.NoError(t, p.Join(), "Join failed")
			assert.False(t, p.IsAlive(), "it says true")
		}
	})
}

func (s *ProcessSuite) TestIsAliveDoesNotWaitForAJoin() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("is-alive", "IsAlive must answer, and with true, while somebody joins", processes.Declared.IsAlive)
		gate := labtest.NewGate()
		p := processes.NewProcess(gate.Pass)
		require.NoError(t, p.Start(), "Start failed")
		join := t.Go(func() { assert.NoError(t, p.Join(), "Join failed") })
		others(t)
		require.False(t, join.Returned(), "the Join returned while the target was running")

		assert.True(t, p.IsAlive(), "it says false")

		gate.Open()
		join.Returns("the Join still waits after the target's end")
	})
}

func (s *ProcessSuite) TestIsAliveMayBeAskedAtAnyTime() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("is-alive", "Any goroutine must be able to ask IsAlive at any time, beside Start and the target's end", processes.Declared.IsAlive)
		for range 100 {
			gate := labtest.NewGate()
			p := processes.NewProcess(gate.Pass)
			ask := t.Go(func() {
				for range 100 {
					p.IsAlive()
					runtime.Gosched()
				}
			})

			require.NoError(t, p.Start(), "Start failed")
			runtime.Gosched()
			gate.Open()

			ask.Join()
			require.NoError(t, p.Join(), "Join failed")
		}
	})
}

func (s *ProcessSuite) TestIsAliveIsOverBeforeJoin() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("is-alive", "IsAlive must be false once any Join has returned", processes.Declared.IsAlive)
		for range 10 {
			var alive atomic.Int64
			crowd(t, func() {}, func(p processes.Process) {
				_ = p.Join()
				if p.IsAlive() {
					alive.Add(1)
				}
			})
			require.Zero(t, alive.Load(), "of a crowd that had joined, %d were told true", alive.Load())
		}
	})
}

// crowd lets many join a process that ends with last. To wake a crowd takes a
// while: the first of it runs before the last is awake, and before whoever wakes
// them gets round to anything else.
func crowd(t *labtest.T, last func(), join func(p processes.Process)) {
	gate := labtest.NewGate()
	var end atomic.Bool
	p := processes.NewProcess(func() {
		gate.Pass()
		end.Store(true)
		last()
	})
	require.NoError(t, p.Start(), "Start failed")
	var joiners sync.WaitGroup
	for range 1000 {
		joiners.Go(func() { join(p) })
	}
	for range 20 {
		runtime.Gosched()
	}

	gate.Open()

	// Whoever spins makes the target run on another processor, and has one ready
	// for the first joiners.
	for spin := 1; !end.Load(); spin++ {
		if spin%10_000 == 0 {
			runtime.Gosched()
			t.Progress()
		}
	}
	joiners.Wait()
	t.Progress()
}

func (s *ProcessSuite) TestNilTargetFinishesAtOnce() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("start-and-join", "a process with a nil target must finish at once", processes.Declared.NewProcess)
		p := processes.NewProcess(nil)
		require.ErrorIs(t, p.Join(), processes.ErrNotStarted, "Join before Start returned something else")

		require.NoError(t, p.Start(), "Start failed")
		t.Go(func() { assert.NoError(t, p.Join(), "Join failed") }).Returns("Join waits")

		assert.False(t, p.IsAlive(), "IsAlive says true after Join")
		assert.ErrorIs(t, p.Start(), processes.ErrStarted, "a second Start is not refused")
	})
}

func TestSpider(t *testing.T) { suite.Run(t, new(SpiderSuite)) }

type SpiderSuite struct{ labtest.Suite }

func (s *SpiderSuite) TestRunWritesOneLine() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("anything-that-runs", "a Spider's Run must write \"Crawling through ADDR.\" and a newline, with one Write",
			processes.Declared.Run)
		for _, addr := range []string{"", "http://www.example.com/%d.", "http://" + strings.Repeat("long", 2500)} {
			var out labtest.Recorder

			processes.NewSpider(addr, &out).Run()

			writes := out.Writes()
			require.True(t, len(writes) == 1, "for an address of %d bytes that begins with %.30q it called Write %d times", len(addr), addr, len(writes))
			require.True(t, writes[0] == "Crawling through "+addr+".\n", "for the address %.30q it wrote %.80q", addr, writes[0])
		}

		var out labtest.Recorder
		again := processes.NewSpider("http://www.example.com", &out)
		again.Run()
		again.Run()
		assert.Equal(t, slices.Repeat([]string{"Crawling through http://www.example.com.\n"}, 2), out.Writes(), "it was run twice, and these Writes came")
	})
}

// runnerFunc is a function that serves as a Runner.
type runnerFunc func()

func (f runnerFunc) Run() { f() }

func (s *SpiderSuite) TestSpawnReturnsAStartedProcess() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("anything-that-runs", "Spawn must return a process that is started, without waiting for it", processes.Declared.Spawn)
		gate := labtest.NewGate()
		var p processes.Process

		t.Go(func() { p = processes.Spawn(runnerFunc(gate.Pass)) }).Returns("Spawn waits for Run")

		require.NotNil(t, p, "it returned nil")
		assert.True(t, p.IsAlive(), "IsAlive says false")
		assert.ErrorIs(t, p.Start(), processes.ErrStarted, "another Start is not refused")
		gate.Open()
		t.Go(func() { assert.NoError(t, p.Join(), "Join failed") }).Returns("Join still waits after Run's end")
	})
}

func (s *SpiderSuite) TestSpawnRunsRunOnce() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("anything-that-runs", "the process must run Run, once, and Join must wait for it", processes.Declared.Spawn)
		runs := 0
		p := processes.Spawn(runnerFunc(func() {
			t.Pass(17 * time.Second)
			runs++
		}))

		assert.NoError(t, p.Join(), "Join failed")

		assert.Equal(t, 1, runs, "Join returned, and so often had Run returned")
	})
}

func (s *SpiderSuite) TestTwoSpidersRunAtTheSameTime() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("anything-that-runs", "two spiders must crawl at the same time", processes.Declared.Spawn, processes.Declared.Run)
		together := labtest.NewMeeting(2)
		var out labtest.Recorder
		web := labtest.WriterFunc(func(p []byte) (int, error) {
			assert.True(t, together.Attend(), "while one was writing, the other did not even begin")
			return out.Write(p)
		})

		first := processes.Spawn(processes.NewSpider("www.fanbase.com", web))
		second := processes.Spawn(processes.NewSpider("www.com", web))
		assert.NoError(t, first.Join(), "Join failed")
		assert.NoError(t, second.Join(), "Join failed")

		assert.Equal(t, []string{"Crawling through www.com.\n", "Crawling through www.fanbase.com.\n"}, labtest.Sorted(out.Writes()),
			"they wrote something else")
	})
}

func TestCrash(t *testing.T) { suite.Run(t, new(CrashSuite)) }

type CrashSuite struct{ labtest.Suite }

// crash runs a process whose target panics and returns what Join says.
func crash(t *labtest.T, target func()) error {
	p := processes.NewProcess(target)
	require.NoError(t, p.Start(), "Start failed")
	var err error
	t.Go(func() { err = p.Join() }).Returns("Join still waits after the panic")
	assert.False(t, p.IsAlive(), "IsAlive says true after the crash")
	return err
}

func (s *CrashSuite) TestPanicBecomesAnError() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("a-crash-stays-inside", "after a panic Join must return a *CrashError with the panic's value and stack",
			processes.Declared.Join)
		for _, value := range []any{shrimps, processes.ErrStarted, processes.ErrNotStarted, "", false, 0, time.Second, []string{"no", "key"}, io.EOF, io.ErrUnexpectedEOF, context.Canceled, context.DeadlineExceeded, processes.CrashWith("another's"), fmt.Errorf("it was told of %w", processes.CrashWith("another's"))} {
			err := crash(t, func() { panic(value) })

			crashed := processes.NewCrash()
			require.ErrorAs(t, err, crashed.Target(), "after panic(%#v) it returned something else", value)
			assert.Equal(t, value, crashed.Value(), "the target called panic with what is expected here, and the *CrashError has another Value")
			assert.NotEmpty(t, crashed.Stack(), "the stack is empty")
		}
	})
}

func (s *CrashSuite) TestErrorsOfTheRuntimeAreCrashesToo() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("a-crash-stays-inside", "a panic that the runtime makes must be a crash like any other", processes.Declared.Join)
		var shrimps []string
		var prices map[string]int
		for _, target := range []func(){
			func() { shrimps[len(shrimps)] = "one too many" },
			func() { prices["shrimp"] = 1 },
		} {
			err := crash(t, target)

			crashed := processes.NewCrash()
			require.ErrorAs(t, err, crashed.Target(), "Join returned something else")
			var own runtime.Error
			assert.ErrorAs(t, err, &own, "its value is not the runtime's error")
		}
	})
}

func (s *CrashSuite) TestEveryJoinReturnsTheCrash() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("a-crash-stays-inside", "every Join must return the crash", processes.Declared.Join)
		gate := labtest.NewGate()
		p := processes.NewProcess(func() {
			gate.Pass()
			panic(shrimps)
		})
		require.NoError(t, p.Start(), "Start failed")
		join := func() {
			crashed := processes.NewCrash()
			require.ErrorAs(t, p.Join(), crashed.Target(), "one Join returned something else")
			assert.Equal(t, shrimps, crashed.Value(), "one Join was told another value")
			assert.NotEmpty(t, crashed.Stack(), "one Join was told no stack")
		}

		early := []*labtest.Call{t.Go(join), t.Go(join), t.Go(join)}
		others(t)
		gate.Open()

		for _, c := range early {
			c.Join()
		}
		join()
		join()

		for range 10 {
			var without atomic.Int64
			crowd(t, func() { panic(shrimps) }, func(p processes.Process) {
				crashed := processes.NewCrash()
				if !errors.As(p.Join(), crashed.Target()) {
					without.Add(1)
				}
			})
			require.Zero(t, without.Load(), "of a crowd that joined, %d were told of no crash", without.Load())
		}
		for range 20 {
			t.Progress()
			var asked atomic.Bool
			p := processes.NewProcess(func() {
				for !asked.Load() {
					runtime.Gosched()
				}
				deep(1000) // to note such a stack takes a while
			})
			require.NoError(t, p.Start(), "Start failed")
			asked.Store(true)
			// Who asks all the time is there sooner than who is woken.
			for spin := 1; spin < 1_000_000 && p.IsAlive(); spin++ {
				if spin%1000 == 0 {
					runtime.Gosched()
				}
			}
			crashed := processes.NewCrash()
			require.ErrorAs(t, p.Join(), crashed.Target(), "IsAlive was asked until it said false, and Join returned something else")
		}

		t.Rule("once", "a process that has crashed must not start again", processes.Declared.Start)
		assert.ErrorIs(t, p.Start(), processes.ErrStarted, "Start returned something else")
		t.Go(join).Returns("Join waits again")
	})
}

func (s *CrashSuite) TestErrorsSeeThroughTheCrash() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("a-crash-stays-inside", "errors.Is must find an error that was the panic's value", processes.Declared.Join)

		assert.ErrorIs(t, crash(t, func() { panic(io.ErrUnexpectedEOF) }), io.ErrUnexpectedEOF, "it does not")
	})
}

func (s *CrashSuite) TestPanicNilIsACrashToo() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("a-crash-stays-inside", "panic(nil) must be a crash like any other", processes.Declared.Join)

		err := crash(t, func() { panic(nil) })

		crashed := processes.NewCrash()
		assert.ErrorAs(t, err, crashed.Target(), "Join returned something else")
		var nilPanic *runtime.PanicNilError
		assert.ErrorAs(t, err, &nilPanic, "its value is not the runtime's error for it")
	})
}

func (s *CrashSuite) TestGoexitCountsAsReturning() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("a-crash-stays-inside", "a target that calls runtime.Goexit must count as one that returned", processes.Declared.Join)
		p := processes.NewProcess(runtime.Goexit)
		require.NoError(t, p.Start(), "Start failed")

		t.Go(func() { assert.NoError(t, p.Join(), "Join took it for a crash") }).Returns("Join waits for ever")

		assert.False(t, p.IsAlive(), "IsAlive says true afterwards")
		assert.ErrorIs(t, p.Start(), processes.ErrStarted, "another Start is not refused")
		t.Go(func() { assert.NoError(t, p.Join(), "a second Join failed") }).Returns("a second Join waits")

		spawned := processes.Spawn(runnerFunc(runtime.Goexit))
		t.Go(func() { assert.NoError(t, spawned.Join(), "Join took it for a crash of a Runner") }).Returns("Join waits for ever for a Runner that did so")
		assert.False(t, spawned.IsAlive(), "IsAlive says true of a Runner that did so")
	})
}

func (s *CrashSuite) TestOthersGoOn() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("a-crash-stays-inside", "the other processes must go on after a crash", processes.Declared.Start)
		gate := labtest.NewGate()
		finished := false
		healthy := processes.NewProcess(func() {
			gate.Pass()
			finished = true
		})
		require.NoError(t, healthy.Start(), "Start failed")
		spawned := processes.Spawn(runnerFunc(func() { panic(shrimps) }))

		crashed := processes.NewCrash()
		assert.ErrorAs(t, spawned.Join(), crashed.Target(), "the crash is not reported")
		assert.True(t, healthy.IsAlive(), "the healthy one's IsAlive says false")

		t.Rule("a-crash-stays-inside", "Join must return the crash of its own process", processes.Declared.Join)
		assert.ErrorAs(t, crash(t, func() { panic("another's") }), crashed.Target(), "a second process panicked, and its Join returned something else")
		assert.Equal(t, "another's", crashed.Value(), "a second process panicked, and its Join returned another value")
		assert.ErrorAs(t, spawned.Join(), crashed.Target(), "a second process panicked, and Join of the first returns no crash any more")
		assert.Equal(t, shrimps, crashed.Value(), "a second process panicked, and Join of the first returned another value")

		t.Rule("a-crash-stays-inside", "the other processes must go on after a crash", processes.Declared.Start)
		gate.Open()
		assert.NoError(t, healthy.Join(), "the healthy one is reported as crashed")

		assert.True(t, finished, "the healthy one did not finish")
	})
}

// instant is what may pass (of virtual time) while a call does not wait.
const instant = 10 * time.Millisecond

// deep panics so many calls below its caller.
func deep(calls int) {
	if calls == 0 {
		panic(shrimps)
	}
	deep(calls - 1)
}

// others lets the other goroutines run. Unlike t.Settle it comes back while
// somebody waits for a mutex, as a Join may do whose process holds a lock for
// as long as it runs.
func others(t *labtest.T) {
	labtest.StepAside()
	t.Progress()
}
