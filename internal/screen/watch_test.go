package screen_test

import (
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"conclab/internal/runner"
	"conclab/internal/screen"
	"conclab/internal/watch"
	"conclab/lessons"
)

// watched are two tasks with two rules each.
var watched = lessons.Lesson{Name: "queues", Tasks: []lessons.Task{{Test: "TestOne"}, {Test: "TestTwo", Brave: true}}}

const watchedSuite = `package queues_test

type one struct{}

func TestOne(t *testing.T) { suite.Run(t, new(one)) }
func (*one) TestA() {}
func (*one) TestB() {}

type two struct{}

func TestTwo(t *testing.T) { suite.Run(t, new(two)) }
func (*two) TestC() {}
`

// say returns what is printed about the events, without the time.
func say(t *testing.T, events ...watch.Event) string {
	root := t.TempDir()
	dir := filepath.Join(root, "exercises", "queues")
	require.NoError(t, os.MkdirAll(dir, 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "queues_test.go"), []byte(watchedSuite), 0o600))
	var b strings.Builder
	s := screen.NewWatch(&b, root)
	for _, e := range events {
		e.Lesson = watched
		s.Event(e)
	}
	return regexp.MustCompile(`\d\d:\d\d:\d\d`).ReplaceAllString(b.String(), "TIME")
}

func done(name string, v runner.Verdict, message string) watch.Event {
	return watch.Event{Kind: watch.Step, Step: runner.Event{Kind: runner.EventDone, Test: runner.Test{Name: name, Verdict: v, Message: message}}}
}

func judged(change func(*runner.Result), verdicts ...runner.Verdict) watch.Event {
	r := &runner.Result{Lesson: "queues", File: "exercises/queues/queues.go", Tasks: []runner.TaskResult{
		{Task: watched.Tasks[0], Tests: []runner.Test{{Name: "TestOne/TestA"}, {Name: "TestOne/TestB"}}},
		{Task: watched.Tasks[1], Tests: []runner.Test{{Name: "TestTwo/TestC"}}},
	}}
	for i, v := range verdicts {
		t := &r.Tasks[i/2].Tests[i%2]
		if t.Verdict = v; v != runner.Pass {
			t.Message = t.Name + " is broken"
		}
	}
	change(r)
	return watch.Event{Kind: watch.Judged, Result: r}
}

func asItIs(*runner.Result) {}

func TestTheFirstBrokenRuleIsSaidFirstAndAsSoonAsItIsSure(t *testing.T) {
	began := watch.Event{Kind: watch.Began}
	a, b := done("TestOne/TestA", runner.Pass, ""), done("TestOne/TestB", runner.Fail, "B must hold\n    see queues.go:1")
	const first = "\nTIME  queues\n--- FAIL: TestOne/TestB\n    B must hold\n        see queues.go:1\n"
	assert.Equal(t, first, say(t, began, a, b))
	// A later rule may be judged earlier, if an earlier one runs apart.
	assert.Equal(t, "\nTIME  queues\n", say(t, began, b))
	assert.Equal(t, first, say(t, began, b, a))
	assert.Equal(t, first+"--- FAIL: TestTwo/TestC, too\nFAIL  queues  0 of 2 tasks, first look at TestOne\n",
		say(t, began, a, b, judged(asItIs, runner.Pass, runner.Fail, runner.Leak)))
	assert.Equal(t, "\nTIME  queues\n--- FAIL: TestTwo/TestC\n    TestTwo/TestC is broken\nok    queues  1 of 2 tasks, the rest is for the brave\n",
		say(t, began, judged(asItIs, runner.Pass, runner.Pass, runner.Leak)), "what was not told on the way is told at the end")
}

func TestWhatDoesNotCompileIsSaidOnce(t *testing.T) {
	const message = "exercises/queues/queues.go:3:1: undefined: x"
	const want = "\nTIME  queues\nexercises/queues/queues.go does not compile:\n    " + message + "\nFAIL  queues  does not compile\n"
	broken := watch.Event{Kind: watch.Broken, Message: message}
	verdict := judged(func(r *runner.Result) { r.Build = message })
	assert.Equal(t, want, say(t, watch.Event{Kind: watch.Began}, broken, verdict))
	assert.Equal(t, want, say(t, watch.Event{Kind: watch.Began}, verdict))
}

func TestTheRaceDetectorHasTheLastWord(t *testing.T) {
	began, doubted := watch.Event{Kind: watch.Began}, watch.Event{Kind: watch.Doubted}
	right := judged(asItIs, runner.Pass, runner.Pass, runner.Pass)
	const before = "\nTIME  queues\nok    queues  2 of 2 tasks\n"
	assert.Equal(t, before+"race  queues  what passes, passes with the race detector, too\n",
		say(t, began, right, doubted, judged(func(r *runner.Result) { r.Race = true }, runner.Pass, runner.Pass, runner.Pass)))
	assert.Equal(t, before+"--- FAIL: TestOne/TestB\n    TestOne/TestB is broken\nFAIL  queues  1 of 2 tasks, first look at TestOne, with the race detector\n",
		say(t, began, right, doubted, judged(func(r *runner.Result) { r.Race = true }, runner.Pass, runner.Race, runner.Pass)))
	without := judged(func(r *runner.Result) { r.NoRace = "the race detector does not work here, because gcc was not found" }, runner.Pass, runner.Pass, runner.Pass)
	assert.Equal(t, before+"Note: the race detector does not work here, because gcc was not found:\ndata races are found only where a test forces them.\n"+before,
		say(t, began, right, without, began, right, without), "it is said once why not")
}

func TestTroublesAndFindingsAreSaid(t *testing.T) {
	began := watch.Event{Kind: watch.Began}
	assert.Equal(t, "\nTIME  queues\nno such file\n", say(t, began, watch.Event{Kind: watch.Failed, Err: errors.New("no such file")}))
	found := judged(func(r *runner.Result) {
		r.Vet = []runner.Finding{{File: "queues.go", Line: 3, Message: "lock copied", See: "lessons/locks/README.md#x"}}
	}, runner.Pass, runner.Pass, runner.Pass)
	assert.Equal(t, "\nTIME  queues\nqueues.go:3: go vet objects: lock copied\n    see lessons/locks/README.md#x\nFAIL  queues  2 of 2 tasks, go vet objects\n", say(t, began, found))
}

func TestItIsSaidWhatIsWatched(t *testing.T) {
	var b strings.Builder
	s := screen.NewWatch(&b, ".")
	s.Hello(lessons.All())
	s.Hello([]lessons.Lesson{watched})
	assert.Equal(t, "Watching your files of all lessons: save, and see. Ctrl+C ends it.\n"+
		"Watching exercises/queues/queues.go: save, and see. Ctrl+C ends it.\n", b.String())
}
