package companion

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/x/ansi"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	tea "charm.land/bubbletea/v2"

	"conclab/internal/runner"
	"conclab/internal/watch"
	"conclab/lessons"
)

// The library that finds the words to colour keeps a clock for a second after it
// was needed.
func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("github.com/dlclark/regexp2/v2.runClock"))
}

// show returns a model of the whole course, 80 by 24, to which the events have
// happened, in the lesson processes.
func show(t *testing.T, events ...watch.Event) *model {
	root, err := filepath.Abs("../..")
	require.NoError(t, err)
	loop, err := watch.New(root, lessons.All(), func(watch.Event) {})
	require.NoError(t, err)
	m := newModel(t.Context(), Options{Root: root, Course: lessons.All()}, loop)
	for i := range events {
		events[i].Lesson = m.Course[0]
	}
	for _, msg := range []tea.Msg{tea.WindowSizeMsg{Width: 80, Height: 24}, remembered{}, batch(events)} {
		m.Update(msg)
	}
	return m
}

// result returns a result of the lesson processes in which every test has ended
// as f says.
func result(t *testing.T, f func(name string) (runner.Verdict, string)) *runner.Result {
	l := lessons.All()[0]
	expected, err := runner.Tests("../..", l)
	require.NoError(t, err)
	r := &runner.Result{Lesson: l.Name, File: "exercises/processes/processes.go"}
	for _, e := range expected {
		task := runner.TaskResult{Task: e.Task}
		for _, name := range e.Names {
			v, message := f(name)
			task.Tests = append(task.Tests, runner.Test{Name: name, Verdict: v, Message: message})
		}
		r.Tasks = append(r.Tasks, task)
	}
	return r
}

func screenOf(m *model) string { return ansi.Strip(m.View().Content) }

// TestEveryEventCanComeAtAnyTime has any two events happen in a lesson that has
// just begun, is being tested, has failed or does not compile, and draws.
func TestEveryEventCanComeAtAnyTime(t *testing.T) {
	pass := func(string) (runner.Verdict, string) { return runner.Pass, "" }
	fail := func(string) (runner.Verdict, string) { return runner.Fail, "it must hold\n\tsee a.go:1, b.go:2" }
	silent := func(string) (runner.Verdict, string) { return runner.NotBuilt, "" }
	broken := result(t, silent)
	broken.Build = "a.go:1:1: undefined: x"
	vetted := result(t, pass)
	vetted.Vet = []runner.Finding{{File: "a.go", Line: 1, Message: "copies a lock"}}
	step := func(k runner.EventKind) watch.Event {
		return watch.Event{Kind: watch.Step, Step: runner.Event{Kind: k, Test: runner.Test{Name: "TestRunTasks/TestAllRunAtTheSameTime", Verdict: runner.Panic}}}
	}
	events := []watch.Event{
		{Kind: watch.Began, Saved: true},
		{Kind: watch.Broken, Message: "a.go:1:1: undefined: x"},
		step(runner.EventBuilt), step(runner.EventNotBuilt), step(runner.EventStarted), step(runner.EventDone),
		{Kind: watch.Judged, Result: result(t, pass)},
		{Kind: watch.Judged, Result: result(t, fail)},
		{Kind: watch.Judged, Result: result(t, silent)},
		{Kind: watch.Judged, Result: broken},
		{Kind: watch.Judged, Result: vetted},
		{Kind: watch.Doubted},
		{Kind: watch.Failed, Err: errors.New("no go command")},
		{Kind: watch.Known},
	}
	m := show(t)
	for _, a := range []watch.Event{events[0], events[2], events[7], events[9]} {
		for _, b := range events {
			for i, c := range events {
				m.runs[0] = run{tests: map[string]runner.Test{}}
				for j, e := range []watch.Event{a, b, c} {
					e.Lesson = m.Course[0]
					m.Update(batch{e})
					if i == 0 || j == 2 { // what comes before c is the same for each
						assert.NotEmpty(t, m.View().Content)
					}
				}
			}
		}
	}
}

func TestNoLineIsWiderAndNoScreenHigherThanTheTerminal(t *testing.T) {
	long := strings.Repeat("a very long word ", 20) + strings.Repeat("x", 200)
	for _, k := range []string{"", "t", "?", "l", "h", "R"} {
		m := show(t, watch.Event{Kind: watch.Began}, watch.Event{Kind: watch.Judged, Result: result(t, func(string) (runner.Verdict, string) {
			return runner.Fail, long + "\n" + long
		})})
		if k != "" {
			press(m, k)
		}
		for _, width := range []int{1, 20, 45, 80, 129} {
			for _, height := range []int{1, 5, 24} {
				_, cmd := m.Update(tea.WindowSizeMsg{Width: width, Height: height})
				follow(m, cmd)
				lines := strings.Split(screenOf(m), "\n")
				require.LessOrEqual(t, len(lines), height, "%q at %d × %d", k, width, height)
				for _, line := range lines {
					require.LessOrEqual(t, ansi.StringWidth(line), width, "%q at %d × %d: %q", k, width, height, line)
				}
			}
		}
	}
}

func TestTheTextOpensAtTheSectionOfTheFailure(t *testing.T) {
	fail := func(section string) watch.Event {
		return watch.Event{Kind: watch.Judged, Lesson: lessons.All()[0], Result: result(t, func(string) (runner.Verdict, string) {
			return runner.Fail, "it must hold\n    see a.go:1, lessons/processes/README.md#" + section + ", the check at a_test.go:2"
		})}
	}
	m := show(t, watch.Event{Kind: watch.Began}, fail("start-and-join"))
	press(m, "t")
	top := func() string { return strings.Join(strings.Split(screenOf(m), "\n")[1:6], "\n") }
	assert.Contains(t, top(), "Start and join")

	m.Update(tea.KeyPressMsg{Code: tea.KeyDown})
	left := m.reader.YOffset()
	press(m, "t")
	press(m, "t")
	assert.Equal(t, left, m.reader.YOffset(), "the same failure: the reader goes on where it was left")

	press(m, "t")
	m.Update(batch{fail("is-alive")})
	press(m, "t")
	assert.NotContains(t, top(), "Start and join")
	assert.NotEqual(t, left, m.reader.YOffset())
}

// press presses a key and does at once what that has asked for.
func press(m *model, key string) {
	r := []rune(key)[0]
	_, cmd := m.Update(tea.KeyPressMsg{Code: r, Text: key})
	follow(m, cmd)
}

func follow(m *model, cmd tea.Cmd) {
	if cmd != nil {
		m.Update(cmd())
	}
}

func TestWhatIsStillTheStarterIsNoFailure(t *testing.T) {
	m := show(t, watch.Event{Kind: watch.Began}, watch.Event{Kind: watch.Judged, Result: result(t, func(name string) (runner.Verdict, string) {
		if strings.HasPrefix(name, "TestRunTasks/") {
			return runner.Fail, "RunTasks must wait"
		}
		return runner.Fail, "TODO: write it"
	})})
	text := screenOf(m)
	assert.Contains(t, text, "▸ 1  Processes           ✗···")
	assert.Contains(t, text, "✗ RunTasks must wait")
}

func TestHintsAreShownAgainBeforeTheNextOneIsGiven(t *testing.T) {
	m := show(t, watch.Event{Kind: watch.Began}, watch.Event{Kind: watch.Judged, Result: result(t, func(name string) (runner.Verdict, string) {
		if strings.HasPrefix(name, "TestProcess/") {
			return runner.Fail, "Start must return at once"
		}
		return runner.Pass, ""
	})})
	press(m, "h")
	assert.Contains(t, screenOf(m), "Nudge  hint 1 of 4 for task 2", "it is about the rule that fails")
	m.Update(tea.KeyPressMsg{Code: tea.KeyEscape})
	assert.NotContains(t, screenOf(m), "Nudge")
	press(m, "h")
	assert.Equal(t, 1, m.memory.Seen("processes", "TestProcess"), "what was seen is shown again")
	for range 5 {
		press(m, "h")
	}
	assert.Equal(t, 4, m.memory.Seen("processes", "TestProcess"))
	assert.Contains(t, screenOf(m), "these are all 4 hints for this task")
}

func TestEveryKeyIsBoundOnceAndInTheHelp(t *testing.T) {
	m := show(t)
	help := ansi.Strip(strings.Join(m.viewKeys(), "\n"))
	seen := map[string]bool{}
	for _, b := range bindings {
		for _, k := range b.keys {
			assert.False(t, seen[k], k)
			seen[k] = true
		}
		assert.Contains(t, help, b.long)
	}
	for line := range strings.Lines(help) {
		assert.LessOrEqual(t, ansi.StringWidth(strings.TrimSuffix(line, "\n")), 80)
	}
}

func TestTheSecondsAreCountedOnlyWhileSomebodyWaits(t *testing.T) {
	m := show(t)
	_, cmd := m.Update(batch{{Kind: watch.Began, Lesson: m.Course[0]}})
	require.NotNil(t, cmd, "a run has begun")
	_, cmd = m.Update(batch{{Kind: watch.Step, Lesson: m.Course[0], Step: runner.Event{Kind: runner.EventBuilt}}})
	assert.Nil(t, cmd, "they are being counted")
	m.now = func() time.Time { return m.runs[0].began.Add(7 * time.Second) }
	_, cmd = m.Update(tick{})
	assert.NotNil(t, cmd)
	assert.Contains(t, screenOf(m), "● testing 0 of ")
	assert.Contains(t, screenOf(m), " 7 s")
	m.Update(batch{{Kind: watch.Failed, Lesson: m.Course[0], Err: os.ErrNotExist}})
	_, cmd = m.Update(tick{})
	assert.Nil(t, cmd, "nothing draws while nothing happens")
}
