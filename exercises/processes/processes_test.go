package processes_test

import (
	"errors"
	"io"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/stretchr/testify/suite"

	"conclab/exercises/processes"
	"conclab/internal/labtest"
)

// Every test runs in virtual time: the seconds below pass at once.

func TestRunTasks(t *testing.T) { suite.Run(t, new(RunTasksSuite)) }

type RunTasksSuite struct{ labtest.Suite }

func (s *RunTasksSuite) TestPrintTaskWritesNameAndNewline() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("first-try", "PrintTask must write the name and a newline, with one Write", processes.PrintTask)
		var out labtest.Recorder

		processes.PrintTask(&out, "100%done")

		assert.Equal(t, []string{"100%done\n"}, out.Writes(), "it wrote something else")
	})
}

func (s *RunTasksSuite) TestAllRunAtTheSameTime() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("start-all-then-wait", "RunTasks must run all tasks at the same time", processes.RunTasks)
		together := labtest.NewMeeting(3)

		processes.RunTasks(labtest.WriterFunc(func(p []byte) (int, error) {
			assert.True(t, together.Attend(), "while one task was writing, the other two did not even begin")
			return len(p), nil
		}), "one", "two", "three")
	})
}

func (s *RunTasksSuite) TestReturnsWhenAllHaveFinished() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("first-try", "RunTasks must return only when all tasks have finished", processes.RunTasks)
		var finished labtest.Recorder
		var turn atomic.Int64

		processes.RunTasks(labtest.WriterFunc(func(p []byte) (int, error) {
			time.Sleep(time.Duration(turn.Add(1)) * time.Minute)
			return finished.Write(p)
		}), "one", "two", "three")

		assert.Len(t, finished.Writes(), 3, "it returned while tasks were still writing")
	})
}

func (s *RunTasksSuite) TestOneLineForEachName() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("start-all-then-wait", "RunTasks must print one line for each name, also when names repeat", processes.RunTasks)
		var out labtest.Recorder

		processes.RunTasks(&out, "a", "b", "a", "", "c", "a")

		assert.Equal(t, []string{"\n", "a\n", "a\n", "a\n", "b\n", "c\n"}, sorted(out.Writes()), "the lines are others")
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

func sorted(lines []string) []string { return slices.Sorted(slices.Values(lines)) }

func TestProcess(t *testing.T) { suite.Run(t, new(ProcessSuite)) }

type ProcessSuite struct{ labtest.Suite }

func (s *ProcessSuite) TestNewProcessRunsNothing() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("start-and-join", "NewProcess must run nothing", processes.NewProcess, (*processes.Process).IsAlive)
		var ran atomic.Bool

		p := processes.NewProcess(func() { ran.Store(true) })
		t.Settle()

		assert.False(t, ran.Load(), "the target ran before Start")
		assert.False(t, p.IsAlive(), "IsAlive says true before Start")
	})
}

func (s *ProcessSuite) TestStartReturnsWithoutWaiting() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("start-and-join", "Start must run the target, and return without waiting for it", (*processes.Process).Start)
		gate := labtest.NewGate()
		p := processes.NewProcess(gate.Pass)

		t.Go(func() { assert.NoError(t, p.Start(), "the first Start failed") }).
			Returns("Start still waits while the target runs")

		assert.Equal(t, 1, gate.Waiting(), "the target does not run")
		gate.Open()
		t.Go(func() { assert.NoError(t, p.Join(), "Join failed") }).
			Returns("Join still waits after the target's end")
	})
}

func (s *ProcessSuite) TestSecondStartReturnsErrStarted() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("once", "a second Start must return ErrStarted and run nothing", (*processes.Process).Start)
		var runs atomic.Int64
		gate := labtest.NewGate()
		p := processes.NewProcess(func() { runs.Add(1); gate.Pass() })
		require.NoError(t, p.Start(), "the first Start failed")

		t.Go(func() {
			assert.ErrorIs(t, p.Start(), processes.ErrStarted, "while the target runs, another error comes back")
		}).Returns("the second Start waits")
		gate.Open()
		require.NoError(t, p.Join(), "Join failed")
		assert.ErrorIs(t, p.Start(), processes.ErrStarted, "after the target's end, another error comes back")
		t.Settle()

		assert.EqualValues(t, 1, runs.Load(), "the target ran another number of times")
	})
}

func (s *ProcessSuite) TestOneOfManyStartsWins() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("once", "when several Start race, exactly one must get nil, and the target must run once", (*processes.Process).Start)
		t.Race(func() labtest.Heat {
			const rounds = 500
			var wins, runs [rounds]atomic.Int64
			var all [rounds]*processes.Process
			for i := range all {
				all[i] = processes.NewProcess(func() { runs[i].Add(1) })
			}
			start := func(round int) {
				switch err := all[round].Start(); {
				case err == nil:
					wins[round].Add(1)
				case !errors.Is(err, processes.ErrStarted):
					t.Errorf("a Start returned %v", err)
				}
			}
			return labtest.Heat{Rounds: rounds, Racers: []func(int){start, start}, Check: func() {
				t.Wait()
				for i := range all {
					require.EqualValues(t, 1, wins[i].Load(), "the number of those that got nil is wrong")
					require.EqualValues(t, 1, runs[i].Load(), "the target ran another number of times")
				}
			}}
		})
	})
}

func (s *ProcessSuite) TestJoinBeforeStart() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("start-and-join", "Join before Start must return ErrNotStarted", (*processes.Process).Join)
		p := processes.NewProcess(func() {})

		t.Go(func() {
			assert.ErrorIs(t, p.Join(), processes.ErrNotStarted, "another error comes back")
		}).Returns("Join waits for a process that nobody has started")

		t.Rule("start-and-join", "a Join before Start must leave the process as it was", (*processes.Process).Join)
		require.NoError(t, p.Start(), "Start failed after it")
		assert.NoError(t, p.Join(), "Join failed after Start")
	})
}

func (s *ProcessSuite) TestJoinWaitsForTheTarget() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("start-and-join", "Join must wait until the target has returned", (*processes.Process).Join)
		result := ""
		p := processes.NewProcess(func() {
			time.Sleep(17 * time.Second)
			result = "done"
		})
		require.NoError(t, p.Start(), "Start failed")

		assert.NoError(t, p.Join(), "Join failed")

		assert.Equal(t, "done", result, "it returned before that")
	})
}

func (s *ProcessSuite) TestAnyNumberMayJoin() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("start-and-join", "any number of goroutines must be able to join, any number of times", (*processes.Process).Join)
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
		for range 5 {
			joiners = append(joiners, t.Go(func() { join(); join() }))
		}
		runtime.Gosched()
		gate.Open()

		for _, j := range joiners {
			j.Join()
		}
		t.Go(join).Returns("a Join after the end waits")
	})
}

func (s *ProcessSuite) TestIsAliveWhileTheTargetRuns() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("is-alive", "IsAlive must be true from Start's return until the target returns", (*processes.Process).IsAlive)
		gate := labtest.NewGate()
		var all []*processes.Process
		for range 20 {
			p := processes.NewProcess(gate.Pass)
			require.NoError(t, p.Start(), "Start failed")
			require.True(t, p.IsAlive(), "it says false right after Start")
			all = append(all, p)
		}

		t.Settle()
		for _, p := range all {
			assert.True(t, p.IsAlive(), "it says false while the target runs")
		}

		gate.Open()
		t.Rule("is-alive", "IsAlive must be false once Join has returned", (*processes.Process).IsAlive)
		for _, p := range all {
			assert.NoError(t, p.Join(), "Join failed")
			assert.False(t, p.IsAlive(), "it says true")
		}
	})
}

func (s *ProcessSuite) TestIsAliveDoesNotWaitForAJoin() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("is-alive", "IsAlive must answer, and with true, while somebody joins", (*processes.Process).IsAlive)
		gate := labtest.NewGate()
		p := processes.NewProcess(gate.Pass)
		require.NoError(t, p.Start(), "Start failed")
		join := t.Go(func() { assert.NoError(t, p.Join(), "Join failed") })
		join.Blocks("the Join returned while the target was running")

		assert.True(t, p.IsAlive(), "it says false")

		gate.Open()
		join.Returns("the Join still waits after the target's end")
	})
}

func (s *ProcessSuite) TestNilTargetFinishesAtOnce() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("start-and-join", "a process with a nil target must finish at once", processes.NewProcess)
		p := processes.NewProcess(nil)

		require.NoError(t, p.Start(), "Start failed")
		t.Go(func() { assert.NoError(t, p.Join(), "Join failed") }).Returns("Join waits")

		assert.False(t, p.IsAlive(), "IsAlive says true after Join")
	})
}

func TestSpider(t *testing.T) { suite.Run(t, new(SpiderSuite)) }

type SpiderSuite struct{ labtest.Suite }

func (s *SpiderSuite) TestRunWritesOneLine() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("anything-that-runs", "a Spider's Run must write \"Crawling through ADDR.\" and a newline, with one Write",
			(*processes.Spider).Run)
		var out labtest.Recorder

		(&processes.Spider{Addr: "www.example.com/%d", Out: &out}).Run()

		assert.Equal(t, []string{"Crawling through www.example.com/%d.\n"}, out.Writes(), "it wrote something else")
	})
}

// runnerFunc is a function that serves as a Runner.
type runnerFunc func()

func (f runnerFunc) Run() { f() }

func (s *SpiderSuite) TestSpawnReturnsAStartedProcess() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("anything-that-runs", "Spawn must return a process that is started, without waiting for it", processes.Spawn)
		gate := labtest.NewGate()
		var p *processes.Process

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
		t.Rule("anything-that-runs", "the process must run Run, once, and Join must wait for it", processes.Spawn)
		runs := 0
		p := processes.Spawn(runnerFunc(func() {
			time.Sleep(17 * time.Second)
			runs++
		}))

		assert.NoError(t, p.Join(), "Join failed")

		assert.Equal(t, 1, runs, "Join returned, and Run has run another number of times")
	})
}

func (s *SpiderSuite) TestTwoSpidersRunAtTheSameTime() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("anything-that-runs", "two spiders must crawl at the same time", processes.Spawn, (*processes.Spider).Run)
		together := labtest.NewMeeting(2)
		var out labtest.Recorder
		web := labtest.WriterFunc(func(p []byte) (int, error) {
			assert.True(t, together.Attend(), "while one was writing, the other did not even begin")
			return out.Write(p)
		})

		first := processes.Spawn(&processes.Spider{Addr: "www.fanbase.com", Out: web})
		second := processes.Spawn(&processes.Spider{Addr: "www.com", Out: web})
		assert.NoError(t, first.Join(), "Join failed")
		assert.NoError(t, second.Join(), "Join failed")

		assert.Equal(t, []string{"Crawling through www.com.\n", "Crawling through www.fanbase.com.\n"}, sorted(out.Writes()),
			"they wrote something else")
	})
}

func TestCrash(t *testing.T) { suite.Run(t, new(CrashSuite)) }

type CrashSuite struct{ labtest.Suite }

// crash runs a process whose target panics with value and returns what Join
// says.
func crash(t *labtest.T, value any) error {
	p := processes.NewProcess(func() { panic(value) })
	require.NoError(t, p.Start(), "Start failed")
	var err error
	t.Go(func() { err = p.Join() }).Returns("Join still waits after the panic")
	assert.False(t, p.IsAlive(), "IsAlive says true after the crash")
	return err
}

func (s *CrashSuite) TestPanicBecomesAnError() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("a-crash-stays-inside", "after a panic Join must return a *CrashError with the panic's value and stack",
			(*processes.Process).Join)

		err := crash(t, "out of shrimps")

		var crashed *processes.CrashError
		require.ErrorAs(t, err, &crashed, "it returned something else")
		assert.Equal(t, "out of shrimps", crashed.Value, "the value is another")
		assert.NotEmpty(t, crashed.Stack, "the stack is empty")
	})
}

func (s *CrashSuite) TestEveryJoinReturnsTheCrash() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("a-crash-stays-inside", "every Join must return the crash", (*processes.Process).Join)
		gate := labtest.NewGate()
		p := processes.NewProcess(func() {
			gate.Pass()
			panic("out of shrimps")
		})
		require.NoError(t, p.Start(), "Start failed")
		join := func() {
			var crashed *processes.CrashError
			assert.ErrorAs(t, p.Join(), &crashed, "one Join returned something else")
		}

		early := []*labtest.Call{t.Go(join), t.Go(join), t.Go(join)}
		runtime.Gosched()
		gate.Open()

		for _, c := range early {
			c.Join()
		}
		join()
		join()
	})
}

func (s *CrashSuite) TestErrorsSeeThroughTheCrash() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("a-crash-stays-inside", "errors.Is must find an error that was the panic's value", (*processes.Process).Join)

		assert.ErrorIs(t, crash(t, io.ErrUnexpectedEOF), io.ErrUnexpectedEOF, "it does not")
	})
}

func (s *CrashSuite) TestPanicNilIsACrashToo() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("a-crash-stays-inside", "panic(nil) must be a crash like any other", (*processes.Process).Join)

		err := crash(t, nil)

		var crashed *processes.CrashError
		assert.ErrorAs(t, err, &crashed, "Join returned something else")
		var nilPanic *runtime.PanicNilError
		assert.ErrorAs(t, err, &nilPanic, "its value is not the runtime's error for it")
	})
}

func (s *CrashSuite) TestGoexitCountsAsReturning() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("a-crash-stays-inside", "a target that calls runtime.Goexit must count as one that returned", (*processes.Process).Join)
		p := processes.NewProcess(runtime.Goexit)
		require.NoError(t, p.Start(), "Start failed")

		t.Go(func() { assert.NoError(t, p.Join(), "Join took it for a crash") }).Returns("Join waits for ever")

		assert.False(t, p.IsAlive(), "IsAlive says true afterwards")
	})
}

func (s *CrashSuite) TestOthersGoOn() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("a-crash-stays-inside", "the other processes must go on after a crash", (*processes.Process).Start)
		var mu sync.Mutex
		var order []string
		note := func(what string) {
			mu.Lock()
			defer mu.Unlock()
			order = append(order, what)
		}
		healthy := processes.NewProcess(func() {
			time.Sleep(2 * time.Second)
			note("healthy")
		})
		require.NoError(t, healthy.Start(), "Start failed")
		spawned := processes.Spawn(runnerFunc(func() {
			time.Sleep(time.Second)
			note("crashed")
			panic("out of shrimps")
		}))

		assert.Error(t, spawned.Join(), "the crash is not reported")
		assert.NoError(t, healthy.Join(), "the healthy one is reported as crashed")

		assert.True(t, slices.Equal([]string{"crashed", "healthy"}, order), "the healthy one did not finish")
	})
}
