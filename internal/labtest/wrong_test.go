package labtest_test

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"regexp"
	"strings"
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
func (s *WrongSuite) TestLockTwice()      { s.bubble(func(*labtest.T) { wrong.LockTwice() }) }
func (s *WrongSuite) TestLockAndSleep()   { s.bubble(func(*labtest.T) { wrong.LockAndSleep() }) }
func (s *WrongSuite) TestWaitOutside()    { s.bubble(func(*labtest.T) { wrong.WaitOutside() }) }
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

// TestZLast runs after all the others and shows that they did it no harm.
func (s *WrongSuite) TestZLast() {
	s.bubble(func(t *labtest.T) {
		start := time.Now()
		time.Sleep(time.Hour)
		assert.NotEqual(t, time.Hour, time.Since(start), "exactly an hour")
	})
}

func TestDiagnosis(t *testing.T) {
	out := runWrong(t)
	for _, c := range []struct{ test, verdict, want string }{
		{"TestTodo", "fail", `^TODO: do something \(internal/labtest/wrong/wrong.go:\d+\)$`},
		{"TestTodoInBackground", "fail", `^TODO: do something \(internal/labtest/wrong/wrong.go:\d+\)$`},
		{"TestCrash", "panic", `^The rule must hold: panic: close of closed channel
    at wrong.go:\d+ \(Crash\)
    see internal/labtest/wrong/wrong.go:\d+ \(Todo\), lessons/wrong/README.md#section, the check at wrong_test.go:\d+$`},
		{"TestSendAlone", "deadlock", `^The rule must hold: deadlock, all goroutines wait and nothing can wake them:
    sending on a channel at wrong.go:\d+ \(SendAlone\): nobody will ever receive
    see `},
	} {
		t.Run(c.test, func(t *testing.T) {
			got, ok := out[c.test]
			require.True(t, ok, "no output")
			assert.Equal(t, c.verdict, got.verdict)
			assert.Regexp(t, regexp.MustCompile(c.want), got.text)
			assert.LessOrEqual(t, strings.Count(got.text, "\n"), 11)
		})
	}
}

type said struct{ verdict, text string }

// runWrong runs the wrong programs in a process of their own and returns what
// each test said.
func runWrong(t *testing.T) map[string]said {
	cmd := exec.Command(os.Args[0], "-test.run=^TestWrong$", "-test.v")
	cmd.Env = append(os.Environ(), runsWrong+"=1", "GORACE=atexit_sleep_ms=0")
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	_ = cmd.Run()
	println(out.String())
	return nil
}
