package labtest_test

import (
	"context"
	"maps"
	"net"
	"os"
	"os/exec"
	"reflect"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/stretchr/testify/suite"

	"conclab/internal/labtest"
	"conclab/internal/labtest/wrong"
)

// runsWrong is set in the process that runs the wrong programs.
const runsWrong = "CONCLAB_RUNS_WRONG"

// WrongSuite's methods fail, each in its own way.
type WrongSuite struct{ labtest.Suite }

func TestWrong(t *testing.T) {
	if os.Getenv(runsWrong) == "" {
		t.Skip("skipped, because these tests must fail: TestDiagnosis runs them and reads what they say")
	}
	suite.Run(t, new(WrongSuite))
}

func (s *WrongSuite) bubble(f func(t *labtest.T)) {
	s.Bubble(func(t *labtest.T) {
		t.Rule("section", "The rule must hold", wrong.Todo)
		f(t)
	})
}

func (s *WrongSuite) TestNothingToTest() {
	s.Bubble(func(t *labtest.T) {
		var missing func()
		t.Rule("section", "The rule must hold", missing)
		missing()
	})
}

func (s *WrongSuite) TestTodo()      { s.bubble(func(*labtest.T) { wrong.Todo() }) }
func (s *WrongSuite) TestCrash()     { s.bubble(func(*labtest.T) { wrong.Crash() }) }
func (s *WrongSuite) TestSendAlone() { s.bubble(func(*labtest.T) { wrong.SendAlone() }) }
func (s *WrongSuite) TestLeakedSender() {
	s.bubble(func(t *labtest.T) {
		t.NothingStays()
		wrong.LeaveSender()
	})
}

func (s *WrongSuite) TestLeakedPoller() {
	s.bubble(func(t *labtest.T) {
		t.NothingStays()
		wrong.LeavePoller()
	})
}
func (s *WrongSuite) TestLockTwice()    { s.bubble(func(*labtest.T) { wrong.LockTwice() }) }
func (s *WrongSuite) TestLockAndSleep() { s.bubble(func(*labtest.T) { wrong.LockAndSleep() }) }
func (s *WrongSuite) TestWaitOutside()  { s.bubble(func(*labtest.T) { wrong.WaitOutside() }) }
func (s *WrongSuite) TestWaitForAll()   { s.bubble(func(*labtest.T) { wrong.WaitForAll() }) }
func (s *WrongSuite) TestLeakedContext() {
	s.bubble(func(t *labtest.T) {
		t.NothingStays()
		wrong.LeaveContext(endless{context.Background(), make(chan struct{})})
	})
}

// endless is a context that could end, and does not.
type endless struct {
	context.Context
	done chan struct{}
}

func (e endless) Done() <-chan struct{} { return e.done }

func (s *WrongSuite) TestSpin()           { s.bubble(func(*labtest.T) { wrong.Spin() }) }
func (s *WrongSuite) TestWaitGroupShort() { s.bubble(func(*labtest.T) { wrong.WaitGroupShort() }) }
func (s *WrongSuite) TestCondAlone()      { s.bubble(func(*labtest.T) { wrong.CondAlone() }) }
func (s *WrongSuite) TestNilChannel()     { s.bubble(func(*labtest.T) { wrong.NilChannel() }) }
func (s *WrongSuite) TestSelectAlone()    { s.bubble(func(*labtest.T) { wrong.SelectAlone() }) }
func (s *WrongSuite) TestQuit()           { s.bubble(func(*labtest.T) { wrong.Quit() }) }

func (s *WrongSuite) TestStillWaits() {
	s.bubble(func(t *labtest.T) {
		t.Go(func() { wrong.Deaf(t.Context()) }).Returns("it still waits although its context has ended")
	})
}

func (s *WrongSuite) TestStillWaitsForOthers() {
	s.bubble(func(t *labtest.T) {
		t.Go(wrong.WaitForSenders).Returns("it does not return")
	})
}

func (s *WrongSuite) TestReturnedAtOnce() {
	s.bubble(func(t *labtest.T) {
		t.Go(func() {}).Blocks("it returned at once")
	})
}

func (s *WrongSuite) TestNotEqual() {
	s.bubble(func(t *labtest.T) {
		assert.Equal(t, []int{1, 2, 3}, []int{3, 2, 1}, "the order is %s", "wrong")
	})
}

func (s *WrongSuite) TestOnlyTheFirst() {
	s.bubble(func(t *labtest.T) {
		assert.NoError(t, context.Canceled, "the first")
		assert.Fail(t, "not this", "the second")
		t.Go(wrong.Todo).Join()
	})
}

func (s *WrongSuite) TestManyLines() {
	s.bubble(func(t *labtest.T) {
		assert.Equal(t, strings.Repeat("x\n", 1000), strings.Repeat("long ", 1000))
	})
}

func (s *WrongSuite) TestTodoInBackground() {
	s.bubble(func(t *labtest.T) {
		t.Go(wrong.Todo)
		t.Go(wrong.Todo)
		<-make(chan int)
	})
}

func (s *WrongSuite) TestRealHang() {
	s.Real(func(t *labtest.T) {
		t.Rule("section", "The rule must hold", wrong.Todo)
		wrong.LockTwice()
	})
}

func (s *WrongSuite) TestRealLeak() {
	s.Real(func(t *labtest.T) {
		t.Rule("section", "The rule must hold", wrong.Todo)
		t.NothingStays()
		wrong.LeaveSender()
	})
}

func (s *WrongSuite) TestRealLeakInALibrary() {
	s.Real(func(t *labtest.T) {
		t.Rule("section", "The rule must hold", wrong.Todo)
		t.NothingStays()
		var never sync.WaitGroup
		never.Add(1)
		wrong.LeaveLibrary(&never)
	})
}

func (s *WrongSuite) TestReadAlone() {
	s.bubble(func(*labtest.T) { wrong.Read(labtest.NewListener().Dial()) })
}

func (s *WrongSuite) TestTheTestReadsAlone() {
	s.bubble(func(*labtest.T) { readOne(labtest.NewListener().Dial()) })
}

func readOne(conn net.Conn) { _, _ = conn.Read(make([]byte, 1)) }

func (s *WrongSuite) TestAcceptAlone() {
	s.bubble(func(*labtest.T) { wrong.Accept(labtest.NewListener()) })
}

func (s *WrongSuite) TestRealAcceptAlone() {
	s.Real(func(t *labtest.T) {
		t.Rule("section", "The rule must hold", wrong.Todo)
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		defer ln.Close()
		wrong.Accept(ln)
	})
}

// TestZLast runs after all the others and shows that they did it no harm.
func (s *WrongSuite) TestZLast() {
	s.bubble(func(t *labtest.T) {
		start := time.Now()
		time.Sleep(time.Hour)
		assert.NotEqual(t, time.Hour, time.Since(start), "exactly an hour")
	})
}

// TestDiagnosis runs the wrong programs and reads what labtest says about each:
// the first lines, as patterns. Behind them comes where to look.
func TestDiagnosis(t *testing.T) {
	out := runWrong(t)
	for _, c := range []struct {
		test    string
		verdict labtest.Verdict
		want    []string
	}{
		{"TestNothingToTest", labtest.Fail, []string{"the test has nothing to test: call go test with the folder, as in `go test \\./exercises/wrong`, and not with files"}},
		{"TestTodo", labtest.Fail, []string{`TODO: do something \(internal/labtest/wrong/wrong\.go:\d+\)`}},
		{"TestTodoInBackground", labtest.Fail, []string{`TODO: do something \(internal/labtest/wrong/wrong\.go:\d+\)`}},
		{"TestCrash", labtest.Panic, []string{
			`The rule must hold: panic: close of closed channel`,
			`    at wrong\.go:\d+ \(Crash\)`,
			`    see internal/labtest/wrong/wrong\.go:\d+ \(Todo\), lessons/wrong/README\.md#section, the check at wrong_test\.go:\d+`,
		}},
		{"TestSendAlone", labtest.Deadlock, []string{
			`The rule must hold: deadlock, all goroutines wait and nothing can wake them:`,
			`    sending on a channel at wrong\.go:\d+ \(SendAlone\): nobody will ever receive`,
		}},
		{"TestNilChannel", labtest.Deadlock, []string{
			`.*: deadlock, .*`, `    receiving from a nil channel at wrong\.go:\d+ \(NilChannel\): it was never made, or is the Done of a context that never ends`,
		}},
		{"TestSelectAlone", labtest.Deadlock, []string{
			`.*: deadlock, .*`, `    waiting in a select at wrong\.go:\d+ \(SelectAlone\): none of its cases can ever go on`,
		}},
		{"TestWaitGroupShort", labtest.Deadlock, []string{
			`.*: deadlock, .*`, `    in WaitGroup\.Wait at wrong\.go:\d+ \(WaitGroupShort\): Done is called less often than Add counted`,
		}},
		{"TestCondAlone", labtest.Deadlock, []string{
			`.*: deadlock, .*`, `    in Cond\.Wait at wrong\.go:\d+ \(CondAlone\): nobody will ever Signal or Broadcast`,
		}},
		{"TestLockTwice", labtest.Deadlock, []string{
			`The rule must hold: deadlock, nothing can go on and time stands still:`,
			`    locking a mutex at wrong\.go:\d+ \(LockTwice\): whoever holds it does not let go`,
		}},
		{"TestLockAndSleep", labtest.Deadlock, []string{
			`.*: deadlock, nothing can go on .*`,
			`    locking a mutex at wrong\.go:\d+ \(LockAndSleep\): whoever holds it does not let go, or only after some time \(a test's clock stands still while anybody waits for a mutex\)`,
			`    sleeping at wrong\.go:\d+ \(LockAndSleep\)`,
			`    in WaitGroup\.Wait at wrong\.go:\d+ \(LockAndSleep\)`,
		}},
		{"TestWaitOutside", labtest.Deadlock, []string{
			`.*: deadlock, nothing can go on .*`,
			`    receiving from a channel at wrong\.go:\d+ \(WaitOutside\): it was made outside of the test, as a variable at package level is: make it where it is used`,
		}},
		{"TestWaitForAll", labtest.Deadlock, []string{
			`.*: deadlock, nothing can go on .*`,
			`    in WaitGroup\.Wait at wrong\.go:\d+ \(WaitForAll\): it was made outside of the test, as a variable at package level is: make it where it is used`,
		}},
		{"TestSpin", labtest.Timeout, []string{
			`The rule must hold: it hangs, in a loop that spins:`,
			`    busy at wrong\.go:\d+ \(Spin\): it runs in circles instead of waiting`,
		}},
		{"TestLeakedSender", labtest.Leak, []string{
			`The rule must hold: a goroutine stays behind, blocked for ever:`,
			`    sending on a channel at wrong\.go:\d+ \(LeaveSender\): nobody will ever receive`,
		}},
		{"TestLeakedContext", labtest.Leak, []string{
			`The rule must hold: a goroutine stays behind, blocked for ever:`,
			`    a goroutine of package context waits for a context to end: release what you make of one \(cancel; for AfterFunc, stop\), on every way out`,
		}},
		{"TestLeakedPoller", labtest.Leak, []string{
			`The rule must hold: a goroutine stays behind:`, `    (busy|sleeping) at wrong\.go:\d+ \(LeavePoller\).*`,
		}},
		{"TestQuit", labtest.Fail, []string{`The rule must hold: the goroutine that called your code was ended by it \(runtime\.Goexit\)`}},
		{"TestStillWaits", labtest.Fail, []string{
			`The rule must hold: it still waits although its context has ended`, `    it is in an empty select at wrong\.go:\d+ \(Deaf\)`,
		}},
		{"TestStillWaitsForOthers", labtest.Fail, []string{
			`The rule must hold: it does not return`, `    it is in WaitGroup\.Wait at wrong\.go:\d+ \(WaitForSenders\)`,
			`    meanwhile another is sending on a channel at wrong\.go:\d+ \(WaitForSenders\) \(2 goroutines\)`,
		}},
		{"TestReturnedAtOnce", labtest.Fail, []string{`The rule must hold: it returned at once`}},
		{"TestNotEqual", labtest.Fail, []string{
			`The rule must hold: the order is wrong`, `    expected: \[\]int\{1, 2, 3\}`, `    actual  : \[\]int\{3, 2, 1\}`,
		}},
		{"TestOnlyTheFirst", labtest.Fail, []string{
			`The rule must hold: the first`, `    the error: context canceled`, `    see .*`,
		}},
		{"TestManyLines", labtest.Fail, []string{`The rule must hold: not so:`, `    expected: "x.n.{200,260}…`, `    actual  : "long .{200,260}…`}},
		{"TestRealHang", labtest.Timeout, []string{
			`The rule must hold: it hangs:`, `    locking a mutex at wrong\.go:\d+ \(LockTwice\): whoever holds it does not let go`,
		}},
		{"TestRealLeak", labtest.Leak, []string{
			`The rule must hold: a goroutine stays behind:`, `    sending on a channel at wrong\.go:\d+ \(LeaveSender\): nobody will ever receive`,
		}},
		{"TestRealLeakInALibrary", labtest.Leak, []string{
			`The rule must hold: a goroutine stays behind:`, `    what was started at wrong\.go:\d+ \(LeaveLibrary\) is in WaitGroup\.Wait`,
		}},
		{"TestReadAlone", labtest.Deadlock, []string{
			`.*: deadlock, .*`, `    reading from a connection at wrong\.go:\d+ \(Read\): nobody will ever write to it or close it`,
		}},
		{"TestTheTestReadsAlone", labtest.Deadlock, []string{
			`.*: deadlock, .*`, `    the test itself is reading from a connection, at wrong_test\.go:\d+: nobody will ever write to it or close it`,
		}},
		{"TestAcceptAlone", labtest.Deadlock, []string{
			`.*: deadlock, .*`, `    in Accept at wrong\.go:\d+ \(Accept\): no client comes, and the listener is not closed`,
		}},
		{"TestRealAcceptAlone", labtest.Timeout, []string{
			`The rule must hold: it hangs:`, `    in Accept at wrong\.go:\d+ \(Accept\): no client comes, and the listener is not closed`,
		}},
		{"TestZLast", labtest.Fail, []string{`The rule must hold: exactly an hour`}},
	} {
		t.Run(c.test, func(t *testing.T) {
			got, ok := out[c.test]
			require.True(t, ok, "it said nothing")
			assert.Equal(t, c.verdict, got.verdict)
			require.GreaterOrEqual(t, len(got.lines), len(c.want), got.lines)
			for i, want := range c.want {
				assert.Regexp(t, regexp.MustCompile("^"+want+"$"), got.lines[i])
			}
			assert.LessOrEqual(t, len(got.lines), 12)
		})
	}
	assert.Len(t, out, reflect.TypeFor[*WrongSuite]().NumMethod()-reflect.TypeFor[*labtest.Suite]().NumMethod(),
		"every wrong program has its diagnosis")
}

// said is what a test said about a wrong program.
type said struct {
	verdict labtest.Verdict
	lines   []string
}

// runWrong runs the wrong programs in a process of their own and returns what
// each test said.
func runWrong(t *testing.T) map[string]said {
	// Most of the time they wait for a watchdog, so they do it side by side.
	all := map[string]said{}
	var parts sync.WaitGroup
	var mu sync.Mutex
	for _, part := range []string{"Real[A-K].*", "Real[L-Z].*", "([A-QS-Z]|Read|Ret).*"} {
		parts.Go(func() {
			cmd := exec.Command(os.Args[0], "-test.run=^TestWrong$", "-testify.m=^Test("+part+")$", "-test.v")
			cmd.Env = append(os.Environ(), runsWrong+"=1", "GORACE=atexit_sleep_ms=0")
			out, err := cmd.CombinedOutput()
			assert.Error(t, err, "the wrong programs passed")
			mu.Lock()
			defer mu.Unlock()
			maps.Copy(all, parseVerbose(string(out)))
		})
	}
	parts.Wait()
	return all
}

func parseVerbose(out string) map[string]said {
	all := map[string]said{}
	test := ""
	for line := range strings.Lines(out) {
		line = strings.TrimRight(line, "\n")
		if name, ok := strings.CutPrefix(line, "=== RUN   TestWrong/"); ok {
			test = name
			continue
		}
		if strings.HasPrefix(line, "--- ") || test == "" {
			test = ""
			continue
		}
		s := all[test]
		if attr, ok := strings.CutPrefix(line, "=== ATTR  TestWrong/"+test+" "); ok {
			if verdict, ok := strings.CutPrefix(attr, labtest.VerdictAttr+" "); ok {
				s.verdict = labtest.Verdict(verdict)
			}
		} else {
			s.lines = append(s.lines, strings.TrimPrefix(line, "    "))
		}
		all[test] = s
	}
	return all
}
