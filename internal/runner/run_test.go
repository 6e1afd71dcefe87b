package runner_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"conclab/internal/runner"
	"conclab/lessons"
)

var tiny = lessons.Lesson{
	Name: "tiny",
	Tasks: []lessons.Task{
		{Test: "TestAdd", Points: 1},
		{Test: "TestAct", Points: 2},
		{Test: "TestBrave", Points: 1, Brave: true},
	},
}

const root = "testdata/module"

// acting is a candidate whose Act has the body; the body begins in line 7.
func acting(body string, imports ...string) []byte {
	var b strings.Builder
	b.WriteString("package tiny\n\nimport (\n\t\"testing\"\n)\n")
	b.WriteString("func Act(t *testing.T) {\n" + body + "\n}\n\nvar Spoiled bool\n\nfunc Add(a, b int) int { return a + b }\n")
	// One line, so that the body's line does not move.
	return []byte(strings.Replace(b.String(), "\"testing\"", strings.Join(append(imports, `"testing"`), "; "), 1))
}

// judge runs the suite on a source that pretends to be submissions/tiny.go.
func judge(t *testing.T, source []byte, change ...func(*runner.Options)) *runner.Result {
	t.Helper()
	o := runner.Options{Root: root, Race: runner.RaceOff}
	for _, c := range change {
		c(&o)
	}
	result, err := runner.Run(t.Context(), o, runner.Candidate{Lesson: tiny, File: "submissions/tiny.go", Source: source}, nil)
	require.NoError(t, err)
	return result
}

func verdicts(r *runner.Result) map[string]runner.Verdict {
	all := map[string]runner.Verdict{}
	for _, task := range r.Tasks {
		for _, test := range task.Tests {
			all[test.Name] = test.Verdict
		}
	}
	return all
}

// only says that all tests passed but one.
func only(name string, v runner.Verdict) map[string]runner.Verdict {
	all := map[string]runner.Verdict{
		"TestAdd": runner.Pass, "TestAct/TestA": runner.Pass, "TestAct/TestB": runner.Pass,
		"TestAct/TestC": runner.Pass, "TestBrave": runner.Pass,
	}
	all[name] = v
	return all
}

func message(r *runner.Result, name string) string {
	for _, task := range r.Tasks {
		for _, test := range task.Tests {
			if test.Name == name {
				return test.Message
			}
		}
	}
	return "no such test"
}

func TestTheLearnersOwnFileIsTestedWhereItIs(t *testing.T) {
	var events []runner.Event
	result, err := runner.Run(t.Context(), runner.Options{Root: root}, runner.Candidate{Lesson: tiny},
		func(e runner.Event) { events = append(events, e) })
	require.NoError(t, err)

	assert.True(t, result.Passed(true))
	assert.Equal(t, "exercises/tiny/tiny.go", result.File)
	assert.Equal(t, only("TestAdd", runner.Pass), verdicts(result))
	assert.Positive(t, result.BuildTime)
	assert.Positive(t, result.TestTime)

	var told []string
	for _, e := range events {
		told = append(told, strings.TrimSpace(string(e.Kind)+" "+e.Test.Name))
	}
	assert.Equal(t, []string{
		"built", "started TestAdd", "done TestAdd",
		"started TestAct/TestA", "done TestAct/TestA",
		"started TestAct/TestB", "done TestAct/TestB",
		"started TestAct/TestC", "done TestAct/TestC",
		"started TestBrave", "done TestBrave",
	}, told)
	assert.Equal(t, runner.Pass, events[2].Test.Verdict)
	assert.Equal(t, "TestAct", events[3].Task.Test)
}

func TestAFailureKeepsTheTestsWords(t *testing.T) {
	result := judge(t, []byte(strings.Replace(string(acting("")), "a + b", "a - b", 1)))

	assert.Equal(t, runner.Fail, verdicts(result)["TestAdd"])
	assert.Equal(t, "tiny_test.go:11: Add must add: Add(1, 2) is -1", message(result, "TestAdd"))
	assert.Equal(t, runner.Pass, result.Tasks[1].Verdict())
	assert.False(t, result.Passed(false))
}

func TestABraveTaskMayBeLeftOut(t *testing.T) {
	result := judge(t, []byte(strings.Replace(string(acting("")), "a + b", "max(a+b, 0)", 1)))

	assert.True(t, result.Passed(false))
	assert.False(t, result.Passed(true))
}

func TestACompilersMessageNamesTheCandidate(t *testing.T) {
	var events []runner.Event
	result, err := runner.Run(t.Context(), runner.Options{Root: root},
		runner.Candidate{Lesson: tiny, File: "submissions/tiny.go", Source: acting("return 1")},
		func(e runner.Event) { events = append(events, e) })
	require.NoError(t, err)

	assert.Equal(t, "submissions/tiny.go:7:8: too many return values\n\thave (number)\n\twant ()", result.Build)
	assert.Equal(t, runner.NotBuilt, verdicts(result)["TestAct/TestB"])
	assert.False(t, result.Passed(false))
	assert.Equal(t, []runner.Event{{Kind: runner.EventNotBuilt}}, events)
}

func TestAMissingFunctionIsTheCandidatesFault(t *testing.T) {
	for name, test := range map[string]struct{ source, want string }{
		"function":  {"package tiny\n", "exercises/tiny/tiny_test.go:10:12: undefined: Add"},
		"package":   {"package other\n", "is package other, and has to be package tiny"},
		"syntax":    {"package\n", "submissions/tiny.go:1:9: expected 'IDENT', found 'EOF'"},
		"empty":     {"", "submissions/tiny.go:1:1: expected 'package', found 'EOF'"},
		"an import": {"package tiny\n\nimport _ \"example.com/none\"\n", "submissions/tiny.go:3:8: no required module provides package example.com/none"},
	} {
		t.Run(name, func(t *testing.T) {
			assert.Contains(t, judge(t, []byte(test.source)).Build, test.want)
		})
	}
}

func TestABrokenContractIsExplained(t *testing.T) {
	l, err := lessons.Find("queues")
	require.NoError(t, err)
	source, err := os.ReadFile(filepath.Join(labRoot, "exercises", "queues", "queues.go"))
	require.NoError(t, err)
	source = bytes.Replace(source, []byte(") Len() int {"), []byte(") Len() int64 {"), 1)

	result, err := runner.Run(t.Context(), runner.Options{Root: labRoot, Race: runner.RaceOff}, runner.Candidate{Lesson: l, File: "queues.go", Source: source}, nil)

	require.NoError(t, err)
	assert.Regexp(t, `(?s)^exercises/queues/contract_test\.go:.*\bhave Len\(\) int64\n.*\bwant Len\(\) int\n.*`+
		`\ncontract_test\.go asks for what the lesson's contract says: where that is missing or has another type, change queues\.go$`, result.Build)
}

func TestVetFindingsAreRecordedAndTheTestsJudged(t *testing.T) {
	result := judge(t, acting("var wg sync.WaitGroup; go func() { wg.Add(1); wg.Done() }()", `"sync"`))

	assert.Equal(t, []runner.Finding{{
		File: "submissions/tiny.go", Line: 7, Column: 42, Message: "WaitGroup.Add called from inside new goroutine",
		Analyzer: "waitgroup", See: "lessons/processes/README.md#start-all-then-wait",
	}}, result.Vet)
	assert.Equal(t, only("TestAdd", runner.Pass), verdicts(result))
	assert.False(t, result.Passed(false))
}

const racing = `	n := 0
	one, other := make(chan bool), make(chan bool)
	go func() { n++; close(one) }()
	go func() { _ = n; close(other) }()
	<-one; <-other`

func withRace(t *testing.T) func(*runner.Options) {
	t.Helper()
	result := judge(t, acting(""), func(o *runner.Options) { o.Race = runner.RaceAuto })
	if !result.Race {
		t.Skip(result.NoRace)
	}
	return func(o *runner.Options) { o.Race = runner.RaceOn }
}

func TestARaceIsOneSentence(t *testing.T) {
	race := withRace(t)

	result := judge(t, acting(racing), race)
	assert.Equal(t, only("TestAct/TestB", runner.Race), verdicts(result))
	assert.Regexp(t, `^data race: a (write|read) at tiny\.go:(9|10) \(Act\) and a (write|read) at tiny\.go:(9|10) \(Act\) happen without anything that orders them\n    see lessons/processes/README\.md#what-a-goroutine-is-not$`,
		message(result, "TestAct/TestB"))

	result = judge(t, acting(racing+"\n\tt.Error(\"the rule\")"), race)
	assert.Equal(t, runner.Fail, verdicts(result)["TestAct/TestB"])
	assert.Regexp(t, `^tiny\.go:12: the rule\ndata race: a `, message(result, "TestAct/TestB"))
}

func TestWithoutACompilerForCTheResultSaysSo(t *testing.T) {
	if runtime.GOOS == "darwin" {
		t.Skip("the race detector needs none here")
	}
	t.Setenv("CC", "no-such-compiler")

	result := judge(t, acting(""), func(o *runner.Options) { o.Race = runner.RaceAuto })
	assert.False(t, result.Race)
	assert.Equal(t, "the suites ran without -race, because no-such-compiler was not found: data races are found only where a test forces them", result.NoRace)
	assert.True(t, result.Passed(true))

	_, err := runner.Run(t.Context(), runner.Options{Root: root, Race: runner.RaceOn}, runner.Candidate{Lesson: tiny}, nil)
	assert.ErrorContains(t, err, "the race detector does not work here, because no-such-compiler was not found")
}

func TestASuddenEndCostsOneTest(t *testing.T) {
	for name, test := range map[string]struct {
		body    string
		imports []string
		verdict runner.Verdict
		message string
		limit   time.Duration
	}{
		"panic in a goroutine": {
			body:    "\tc := make(chan int)\n\tclose(c)\n\tgo func() { c <- 1 }()\n\tselect {}",
			verdict: runner.Panic,
			message: "panic: send on closed channel\n    at tiny.go:9 (Act)",
		},
		"panic in the test": {
			body:    "\tvar m map[int]int\n\tm[1] = 2",
			verdict: runner.Panic,
			message: "panic: assignment to entry in nil map\n    at tiny.go:8 (Act)",
		},
		"the test had named its rule": {
			body:    "\tt.Attr(\"conclab.rule\", \"Act must keep calm\")\n\tgo panic(\"boom\")\n\tselect {}",
			verdict: runner.Panic,
			message: "Act must keep calm: panic: boom\n    at tiny.go:8 (Act)",
		},
		"nothing written yet, and a rule": {
			body:    "\tt.Attr(\"conclab.rule\", \"Act must keep calm\")\n\tgo func() { panic(\"TODO: write Act\") }()\n\tselect {}",
			verdict: runner.Fail,
			message: "TODO: write Act (submissions/tiny.go:8)",
		},
		"nothing written yet": {
			body:    "\tgo func() { panic(\"TODO: write Act\") }()\n\tselect {}",
			verdict: runner.Fail,
			message: "TODO: write Act (submissions/tiny.go:7)",
		},
		"exit 0": {
			body:    "\tgo os.Exit(0)\n\tselect {}",
			imports: []string{`"os"`},
			verdict: runner.Panic,
			message: "the program ended itself with exit status 0 in the middle of this test\n    at tiny.go:7 (Act)",
		},
		"exit 3": {
			body:    "\tos.Exit(3)",
			imports: []string{`"os"`},
			verdict: runner.Panic,
			message: "the program ended itself with exit status 3 in the middle of this test",
		},
		"fatal error": {
			body:    "\tvar mu sync.Mutex\n\tmu.Unlock()",
			imports: []string{`"sync"`},
			verdict: runner.Panic,
			message: "fatal error: sync: unlock of unlocked mutex\n    at tiny.go:8 (Act)",
		},
		"endless loop": {
			body:    "\tfor {\n\t}",
			verdict: runner.Timeout,
			message: "the test was stopped because it had not ended after 1.2s",
			limit:   2 * time.Second,
		},
		"flood": {
			body:    "\tfor {\n\t\tfmt.Println(\"and on\")\n\t}",
			imports: []string{`"fmt"`},
			verdict: runner.TooMuchOutput,
			message: "the test was stopped because it prints without end: 4 MiB, and it went on",
		},
		"one endless line": {
			body:    "\tfor {\n\t\tfmt.Print(strings.Repeat(\"and on \", 1000))\n\t}",
			imports: []string{`"fmt"`, `"strings"`},
			verdict: runner.TooMuchOutput,
			message: "the test was stopped because it prints without end: 4 MiB, and it went on",
		},
	} {
		t.Run(name, func(t *testing.T) {
			result := judge(t, acting(test.body, test.imports...), func(o *runner.Options) { o.Limit = test.limit })
			assert.Equal(t, only("TestAct/TestB", test.verdict), verdicts(result))
			assert.Equal(t, test.message, message(result, "TestAct/TestB"))
		})
	}
}

func TestADeathOfTheRaceDetectorCostsNothing(t *testing.T) {
	dies := acting("\tif runtime.GOMAXPROCS(0) > 1 {\n\t\tprintln(`ThreadSanitizer: CHECK failed: tsan_rtl.cpp:346 \"((exiting))\"`)\n\t\tos.Exit(66)\n\t}", `"os"`, `"runtime"`)
	for name, with := range map[string]func(o *runner.Options){
		"among others": func(*runner.Options) {},
		"alone":        func(o *runner.Options) { o.Tests = runner.Exactly("TestAct/TestB") },
		"many times":   func(o *runner.Options) { o.Count, o.CPU = 2, "2,4" },
	} {
		t.Run(name, func(t *testing.T) {
			result := judge(t, dies, with)
			for name, v := range verdicts(result) {
				assert.Equal(t, runner.Pass, v, name)
			}
		})
	}

	result := judge(t, acting("\tprintln(\"ThreadSanitizer: CHECK failed: always\")\n\tos.Exit(66)", `"os"`))
	assert.Equal(t, only("TestAct/TestB", runner.Panic), verdicts(result))
}

func TestACrashBehindATestIsItsOwn(t *testing.T) {
	result := judge(t, acting("\tt.Cleanup(func() { if t.Name() == \"TestAct/TestB\" { go panic(\"late\"); select {} } })"))
	assert.Equal(t, only("TestAct/TestB", runner.Panic), verdicts(result))
	assert.Contains(t, message(result, "TestAct/TestB"), "panic: late")
}

func TestACrashBeforeAllTestsIsEveryTests(t *testing.T) {
	result := judge(t, append(acting(""), "\nfunc init() { panic(\"early\") }\n"...))
	for name, v := range verdicts(result) {
		assert.Equal(t, runner.Panic, v, name)
	}
	assert.Equal(t, "before this test began: panic: early\n    at tiny.go:14 (init)", message(result, "TestBrave"))
}

func TestTheTimeOfACandidateIsBounded(t *testing.T) {
	start := time.Now()
	result := judge(t, append(acting(""), "\nfunc init() { for {} }\n"...), func(o *runner.Options) { o.Limit = time.Second })

	assert.Less(t, time.Since(start)-result.BuildTime, 3*time.Second)
	assert.Equal(t, runner.Timeout, verdicts(result)["TestBrave"])
}

func TestATestThatCouldNotRunIsRunApart(t *testing.T) {
	result := judge(t, acting("\tSpoiled = true"))
	assert.Equal(t, only("TestAdd", runner.Pass), verdicts(result))

	result = judge(t, append(acting(""), "\nfunc init() { Spoiled = true }\n"...))
	assert.Equal(t, only("TestAct/TestC", runner.DidNotRun), verdicts(result))
	assert.Contains(t, message(result, "TestAct/TestC"), "did not run: the test before has spoiled it")
}

func TestATestMayNameItsVerdict(t *testing.T) {
	result := judge(t, acting("\tt.Attr(\"conclab.verdict\", \"deadlock\")\n\tt.Log(\"all wait\")\n\tt.Fail()"))
	assert.Equal(t, only("TestAct/TestB", runner.Deadlock), verdicts(result))
	assert.Equal(t, "tiny.go:8: all wait", message(result, "TestAct/TestB"))
}

func TestWhatIsPrintedConfusesNobody(t *testing.T) {
	result := judge(t, acting(`	fmt.Println("--- FAIL: TestAct/TestB (0.00s)\nPASS\nok\nFAIL\tx\n=== RUN   TestBrave\n{\"Action\":\"fail\",\"Test\":\"TestAdd\"}")
	fmt.Print("\x00\xff\xfe\x1b[31m", strings.Repeat("\x80", 1<<20), "panic: not really")`, `"fmt"`, `"strings"`))
	assert.Equal(t, only("TestAdd", runner.Pass), verdicts(result))

	result = judge(t, acting(`	fmt.Println("\x1b[31mred\xff", strings.Repeat("x", 1<<20))
	for i := range 100 { fmt.Println("step", i) }
	t.Error("the rule")`, `"fmt"`, `"strings"`))
	assert.Equal(t, only("TestAct/TestB", runner.Fail), verdicts(result))
	text := message(result, "TestAct/TestB")
	assert.Contains(t, text, "tiny.go:9: the rule\nit printed:\n    …\n    step 88\n")
	assert.Len(t, strings.Split(text, "\n"), 15)
}

func TestOnlyTheSelectedTestsRun(t *testing.T) {
	result := judge(t, acting("\tpanic(1)"), func(o *runner.Options) { o.Tests = runner.Exactly("TestAct/TestC") })
	assert.Equal(t, map[string]runner.Verdict{"TestAct/TestC": runner.Pass}, verdicts(result))
}

func TestPassesAreCounted(t *testing.T) {
	result := judge(t, acting("\tif runtime.GOMAXPROCS(0) == 1 { t.Error(\"one\") }", `"runtime"`), func(o *runner.Options) {
		o.Count, o.CPU, o.Shuffle, o.Tests = 2, "1,2", "on", "TestAct/TestB"
	})
	test := result.Tasks[0].Tests[0]
	assert.Equal(t, runner.Fail, test.Verdict)
	assert.Equal(t, 4, test.Runs)
	assert.Equal(t, 2, test.Passes)
	assert.NotEmpty(t, result.Seed)
}

func TestErrorsSayWhatToDo(t *testing.T) {
	run := func(o runner.Options, c runner.Candidate) error {
		result, err := runner.Run(t.Context(), o, c, nil)
		assert.Nil(t, result)
		return err
	}
	empty := t.TempDir()
	require.NoError(t, os.MkdirAll(filepath.Join(empty, "exercises", "tiny"), 0o700))

	assert.EqualError(t, run(runner.Options{Root: empty}, runner.Candidate{Lesson: tiny}),
		"exercises/tiny/tiny.go is missing: get it back with `git checkout -- exercises/tiny/tiny.go`")
	require.NoError(t, os.Mkdir(filepath.Join(empty, "exercises", "tiny", "tiny.go"), 0o700))
	assert.ErrorContains(t, run(runner.Options{Root: empty}, runner.Candidate{Lesson: tiny}),
		"or remove it and get it back with `git checkout -- exercises/tiny/tiny.go`")
	assert.ErrorContains(t, run(runner.Options{Root: root}, runner.Candidate{Lesson: lessons.Lesson{Name: "huge"}}),
		"there is no folder exercises/huge under")
	err := run(runner.Options{Root: root}, runner.Candidate{Lesson: tiny, File: "submissions/none.go"})
	assert.ErrorContains(t, err, "submissions/none.go cannot be read")
	assert.ErrorIs(t, err, os.ErrNotExist)
	assert.ErrorContains(t, run(runner.Options{Root: root, Tests: "None"}, runner.Candidate{Lesson: tiny}), `no test matches "None"`)

	t.Setenv("PATH", empty)
	assert.ErrorContains(t, run(runner.Options{Root: root}, runner.Candidate{Lesson: tiny}), "the go command was not found on PATH: install Go 1.26 or newer")
}

func TestCancellingStopsTheBuild(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	time.AfterFunc(100*time.Millisecond, cancel)
	var cancelled atomic.Int64
	context.AfterFunc(ctx, func() { cancelled.Store(time.Now().UnixNano()) })

	result, err := runner.Run(ctx, runner.Options{Root: root}, runner.Candidate{Lesson: tiny, Source: acting("")}, nil)
	assert.ErrorIs(t, err, context.Canceled)
	assert.Nil(t, result)
	assert.Less(t, time.Since(time.Unix(0, cancelled.Load())), time.Second)
}
