package screen

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"

	"conclab/internal/bank"
	"conclab/internal/hints"
	"conclab/internal/page"
	"conclab/internal/progress"
	"conclab/internal/runner"
	"conclab/internal/verify"
	"conclab/lessons"
)

func TestPartsComeOutOneAfterTheOther(t *testing.T) {
	var out strings.Builder
	parts := newOrder(&out, 3).parts

	fmt.Fprint(parts[1], "b1 ")
	fmt.Fprint(parts[0], "a1 ")
	assert.Equal(t, "a1 ", out.String(), "the first part is not kept back")
	parts[2].Close()
	fmt.Fprint(parts[0], "a2 ")
	parts[0].Close()
	assert.Equal(t, "a1 a2 b1 ", out.String())
	fmt.Fprint(parts[1], "b2")
	assert.Equal(t, "a1 a2 b1 b2", out.String(), "the second part's turn has come")
	parts[1].Close()
}

func TestPartsMayWriteAtTheSameTime(t *testing.T) {
	var out strings.Builder
	parts := newOrder(&out, 8).parts
	var group sync.WaitGroup
	for i, p := range parts {
		group.Go(func() {
			defer p.Close()
			for range 100 {
				fmt.Fprint(p, i)
			}
		})
	}
	group.Wait()

	want := ""
	for i := range parts {
		want += strings.Repeat(fmt.Sprint(i), 100)
	}
	assert.Equal(t, want, out.String())
}

var queues = runner.Expected{
	Task:  lessons.Task{Title: "A queue", Test: "TestQueue"},
	Names: []string{"TestQueue/TestA", "TestQueue/TestB", "TestQueue/TestC"},
}

var extra = runner.Expected{Task: lessons.Task{Title: "More", Test: "TestMore", Brave: true}, Names: []string{"TestMore"}}

func TestATaskIsPrintedWhenItAndThoseBeforeItHaveEnded(t *testing.T) {
	var out strings.Builder
	p := newTaskPrinter(&out, []runner.Expected{queues, extra})

	p.done(runner.Test{Name: "TestMore", Verdict: runner.Pass})
	p.done(runner.Test{Name: "TestQueue/TestB", Verdict: runner.Pass})
	p.done(runner.Test{Name: "TestQueue/TestC", Verdict: runner.Pass})
	assert.Empty(t, out.String())
	p.done(runner.Test{Name: "TestQueue/TestA", Verdict: runner.Pass})

	assert.Equal(t, "ok    TestQueue   3 of  3  A queue\nok    TestMore    1 of  1  More (for the brave)\n", out.String())
}

func TestBrokenRulesComeInTheOrderOfTheSuite(t *testing.T) {
	var out strings.Builder
	p := newTaskPrinter(&out, []runner.Expected{queues})

	p.done(runner.Test{Name: "TestQueue/TestC", Verdict: runner.Deadlock, Message: "C must end"})
	p.done(runner.Test{Name: "TestQueue/TestB", Verdict: runner.Pass})
	p.done(runner.Test{Name: "TestQueue/TestA", Verdict: runner.Fail, Message: "A must block\n    see queues.go:41"})

	assert.Equal(t, `--- FAIL: TestQueue/TestA
    A must block
        see queues.go:41
--- FAIL: TestQueue/TestC
    C must end
FAIL  TestQueue   1 of  3  A queue
`, out.String())
}

func TestWhatCouldNotRunIsSaidLast(t *testing.T) {
	var out strings.Builder
	p := newTaskPrinter(&out, []runner.Expected{queues})

	p.done(runner.Test{Name: "TestQueue/TestA", Verdict: runner.DidNotRun, Message: "did not run: there was no time"})
	p.done(runner.Test{Name: "TestQueue/TestB", Verdict: runner.Timeout, Message: "B hangs"})
	p.done(runner.Test{Name: "TestQueue/TestC", Verdict: runner.Fail, Message: "C must end"})

	assert.Equal(t, `--- FAIL: TestQueue/TestB
    B hangs
--- FAIL: TestQueue/TestC
    C must end
--- FAIL: TestQueue/TestA
    did not run: there was no time
FAIL  TestQueue   0 of  3  A queue
`, out.String())
}

func TestAHintSaysWhereItHangs(t *testing.T) {
	l := lessons.Lesson{Name: "queues", Tasks: []lessons.Task{{Title: "A queue", Test: "TestQueue"}}}
	ladder := []hints.Rung{{Title: "Nudge", Text: "Who waits?"}}
	for message, want := range map[string]string{
		"Put must block: it did not\n    see queues.go:41":                      "    Put must block: it did not\n",
		"Put must end: it hangs:\n    locking a mutex at queues.go:41\n    see": "    Put must end: it hangs:\n        locking a mutex at queues.go:41\n",
	} {
		var out strings.Builder
		Hint(&out, page.Look{}, l, 0, runner.Test{Name: "TestQueue/TestA", Message: message}, ladder, 0)
		assert.Contains(t, out.String(), "just now TestQueue/TestA fails:\n"+want+"\nhint 1 of 1: Nudge\n")
	}
}

func TestWhatSeveralTestsSayInTheSameWordsIsPrintedOnce(t *testing.T) {
	var out strings.Builder
	p := newTaskPrinter(&out, []runner.Expected{queues})

	for _, name := range queues.Names {
		p.done(runner.Test{Name: name, Verdict: runner.Fail, Message: "TODO: make a queue"})
	}

	assert.Equal(t, `--- FAIL: TestQueue/TestA
    TODO: make a queue
    (2 more tests of this task with the same words)
FAIL  TestQueue   0 of  3  A queue
`, out.String())
}

func TestTheSummarySaysOnceWhatIsMissing(t *testing.T) {
	task := func(brave bool, v runner.Verdict) runner.TaskResult {
		return runner.TaskResult{
			Task:  lessons.Task{Test: "TestX", Brave: brave},
			Tests: []runner.Test{{Name: "TestX/TestA", Verdict: runner.Pass}, {Name: "TestX/TestB", Verdict: v}},
		}
	}
	tasks := func(all ...runner.TaskResult) []runner.TaskResult { return all }
	const noRace = "the suites ran without -race, because gcc was not found"
	var out strings.Builder
	summary(&out, []*runner.Result{
		{Lesson: "a", NoRace: noRace, Tasks: tasks(task(false, runner.Pass), task(true, runner.Pass))},
		{Lesson: "bee", NoRace: noRace, Tasks: tasks(task(false, runner.Pass), task(true, runner.Leak))},
		{Lesson: "c", Tasks: tasks(task(false, runner.Race))},
		{Lesson: "d", Build: "undefined: x", Tasks: tasks(task(false, runner.NotBuilt))},
		{Lesson: "e", Vet: []runner.Finding{{}}, Tasks: tasks(task(false, runner.Pass))},
	})

	assert.Equal(t, `
Note: the suites ran without -race, because gcc was not found.

ok    a    2 of 2 tasks
ok    bee  1 of 2 tasks, the rest is for the brave
FAIL  c    0 of 1 task, first look at TestX
FAIL  d    does not compile
FAIL  e    1 of 1 task, go vet objects
`, out.String())
}

func TestTheMapSaysWhatComesNext(t *testing.T) {
	lesson := lessons.All()[1]
	state := func(passed int) progress.Lesson {
		l := progress.Lesson{Lesson: lesson, Passed: make([]bool, len(lesson.Tasks)), Built: true}
		for i := range passed {
			l.Passed[i] = true
		}
		return l
	}
	vetted, broken, unknown := state(len(lesson.Tasks)), state(0), state(0)
	vetted.Vet, broken.Built, unknown.Err = 1, false, errors.New("gone")
	for name, c := range map[string]struct {
		state      progress.Lesson
		line, next string
	}{
		"a task": {
			state(1), " 2  queues     Queues      75 min  ✓···  1 of 4\n",
			"\nnext: queues, task 2: A queue that blocks when it is full or empty\n" +
				"      read lessons/queues/README.md\n      edit exercises/queues/queues.go\n      then go run ./cmd/lab test queues\n",
		},
		"brave":   {state(3), "✓✓✓·  3 of 4\n", "next: queues, task 4 (for the brave): A queue without a limit\n"},
		"all":     {state(4), "✓✓✓✓  4 of 4\n", "\nEvery task passes, the brave ones too. You have finished the course.\n"},
		"vet":     {vetted, "✓✓✓✓  4 of 4, go vet objects\n", "every task passes, but go vet objects\n      go run ./cmd/lab test queues shows to what\n"},
		"broken":  {broken, "····  does not compile\n", "\nnext: queues: exercises/queues/queues.go does not compile\n"},
		"unknown": {unknown, "cannot be judged, see below\n", ""},
	} {
		t.Run(name, func(t *testing.T) {
			var line, next strings.Builder
			NewMap(&line, lessons.All()[:3]).Lesson(c.state)
			NewMap(&next, nil).Next([]progress.Lesson{c.state})

			assert.Contains(t, line.String(), c.line)
			assert.Contains(t, next.String(), c.next)
			for _, text := range strings.Split(line.String()+next.String(), "\n") {
				assert.LessOrEqual(t, len([]rune(text)), 80, text)
			}
		})
	}
}

func result(name string, err error, skipped string) verify.Result {
	return verify.Result{
		Variant: bank.Variant{Lesson: lessons.Lesson{Name: "queues"}, Kind: bank.Reject, Name: name, File: name + ".txtar"},
		Err:     err, Skipped: skipped, NoRace: skipped,
	}
}

func TestAProofIsPlainWhereNobodyWatches(t *testing.T) {
	var out strings.Builder
	p := NewProof(&out, 42, false)
	for range 39 {
		p.Result(result("good", nil, ""))
	}
	p.Result(result("uncaught", errors.New("must fail\nand does not"), ""))
	p.Result(result("racy", nil, "there is no gcc"))
	p.End()

	assert.Equal(t, `20 of 42
--- NOT AS IT SHOULD BE: queues/reject/uncaught (uncaught.txtar)
    must fail
    and does not
40 of 42
Note: there is no gcc.
1 variant could not be judged, or not by all tests, on this machine: skipped.
41 of 42 variants, 39 as they should be
`, out.String())
}

func TestAProofRewritesOneLineWhereSomeoneWatches(t *testing.T) {
	var out strings.Builder
	p := NewProof(&out, 3, true)
	p.Result(result("good", nil, ""))
	p.Result(result(strings.Repeat("long", 30), nil, ""))
	p.Result(result("bad", errors.New("must fail"), ""))
	p.End()

	lines := strings.Split(out.String(), "\n")
	assert.Equal(t, "\r1 of 3  queues/reject/good"+strings.Repeat(" ", 53)+"\r2 of 3  queues/reject/longlong", lines[0][:80+len("\r2 of 3  queues/reject/longlong")])
	for _, line := range lines {
		for _, text := range strings.Split(line, "\r") {
			assert.LessOrEqual(t, len([]rune(text)), 80, text)
		}
	}
	assert.True(t, strings.HasSuffix(out.String(), "\r3 variants, 2 as they should be\n"))
}

func TestPluralsAndIndents(t *testing.T) {
	assert.Equal(t, "1 task, 2 tasks", count(1, "task")+", "+count(2, "task"))
	assert.Equal(t, "    a\n    b\n", indent("a\nb\n"))
}
