package runner

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"gotest.tools/gotestsum/testjson"

	"conclab/internal/labtest"
	"conclab/lessons"
)

// follow feeds events to the record of one process and returns the verdicts and
// messages that came of them.
func follow(end *ending, events ...testjson.TestEvent) (map[string]outcome, *run) {
	r := example()
	names := []string{"TestQueue/TestA", "TestQueue/TestB"}
	r.log = newLog([]Expected{{Task: lessons.Task{Test: "TestQueue"}, Names: names}}, nil)
	p := newRecord(r, names, func() {})
	for _, e := range events {
		_ = p.Event(e, nil)
	}
	if end == nil {
		end = &ending{}
	}
	p.finish(*end)
	outcomes := map[string]outcome{}
	for name, t := range r.log.tests {
		outcomes[name[len("TestQueue/"):]] = outcome{t.Verdict, t.Message}
	}
	return outcomes, r
}

func event(action testjson.Action, test string) testjson.TestEvent {
	return testjson.TestEvent{Action: action, Test: test}
}

func says(test, text string) testjson.TestEvent {
	return testjson.TestEvent{Action: testjson.ActionOutput, Test: test, Output: text + "\n"}
}

var (
	suiteRuns = event(testjson.ActionRun, "TestQueue")
	aRuns     = event(testjson.ActionRun, "TestQueue/TestA")
	aPasses   = event(testjson.ActionPass, "TestQueue/TestA")
	bRuns     = event(testjson.ActionRun, "TestQueue/TestB")
	bPasses   = event(testjson.ActionPass, "TestQueue/TestB")
	bFails    = event(testjson.ActionFail, "TestQueue/TestB")
	fails     = event(testjson.ActionFail, "")
	pass      = outcome{Pass, ""}
)

func TestASuiteThatFailsBehindItsTestsFailsTheLastOne(t *testing.T) {
	got, _ := follow(nil, suiteRuns, aRuns, aPasses, bRuns, bPasses,
		says("TestQueue", "    the suite: tear down"), event(testjson.ActionFail, "TestQueue"), fails)
	assert.Equal(t, map[string]outcome{"TestA": pass, "TestB": {Fail, "right after this test: the suite: tear down"}}, got)
}

func TestASuiteThatFailsBeforeItsTestsLeavesThemOpen(t *testing.T) {
	got, r := follow(nil, suiteRuns, says("TestQueue", "    the suite: set up"), event(testjson.ActionFail, "TestQueue"), fails)
	assert.Equal(t, map[string]outcome{"TestA": {}, "TestB": {}}, got)
	assert.Equal(t, "did not run, because the suite failed before it: the suite: set up", r.log.excuse("TestQueue/TestA"))
}

func TestASkippedSuiteSkipsItsTests(t *testing.T) {
	got, _ := follow(nil, suiteRuns, says("TestQueue", "    not on this system"), event(testjson.ActionSkip, "TestQueue"), event(testjson.ActionPass, ""))
	skipped := outcome{Skip, "not on this system"}
	assert.Equal(t, map[string]outcome{"TestA": skipped, "TestB": skipped}, got)
}

func TestAProcessThatFailsWithoutATestFailsTheLastOne(t *testing.T) {
	got, _ := follow(&ending{output: raceReport + "testing: race detected outside of test execution\n"},
		suiteRuns, aRuns, aPasses, bRuns, bPasses, event(testjson.ActionPass, "TestQueue"), fails)
	assert.Equal(t, pass, got["TestA"])
	assert.Equal(t, Race, got["TestB"].verdict)
}

func TestACrashKeepsTheWordsOfATestThatFailedBefore(t *testing.T) {
	crash := &ending{output: repanicked}
	got, _ := follow(crash, suiteRuns, aRuns, aPasses, bRuns, says("TestQueue/TestB", "    Put must block"), bFails)
	assert.Equal(t, outcome{Fail, "Put must block"}, got["TestB"])

	got, _ = follow(crash, suiteRuns, aRuns, aPasses, bRuns, bFails)
	assert.Equal(t, outcome{Panic, "panic: runtime error: index out of range [3] with length 3\n    at queues.go:30 (Work)"}, got["TestB"])
}

func TestACrashAmongSeveralTestsIsNobodysYet(t *testing.T) {
	got, _ := follow(&ending{output: repanicked}, suiteRuns, aRuns, bRuns)
	assert.Equal(t, map[string]outcome{"TestA": {}, "TestB": {}}, got)
}

func TestEventsOfOthersAreNoVerdict(t *testing.T) {
	inner := "TestQueue/TestA/inner/most"
	got, _ := follow(nil, suiteRuns, aRuns,
		event(testjson.ActionRun, inner), says(inner, "    words of a subtest"), event(testjson.ActionFail, inner),
		event(testjson.ActionFail, "TestForged"), event(testjson.ActionFail, "TestQueue/TestForged"),
		testjson.TestEvent{Action: testjson.ActionFail, Test: "TestQueue/TestB", Elapsed: -1},
		event(testjson.ActionFail, "TestQueue/TestA"), event(testjson.ActionFail, "TestQueue"), fails)
	assert.Equal(t, map[string]outcome{"TestA": {Fail, "words of a subtest"}, "TestB": {}}, got)
}

// The suites and the runner speak of verdicts in the same words, although
// neither knows the other.
func TestWordsAreThoseOfLabtest(t *testing.T) {
	assert.Equal(t, labtest.VerdictAttr, verdictAttr)
	assert.Equal(t, labtest.RuleAttr, ruleAttr)
	for ours, theirs := range map[Verdict]labtest.Verdict{
		Fail: labtest.Fail, Panic: labtest.Panic, Deadlock: labtest.Deadlock,
		Leak: labtest.Leak, Timeout: labtest.Timeout, DidNotRun: labtest.DidNotRun,
	} {
		assert.EqualValues(t, theirs, ours)
	}
}
