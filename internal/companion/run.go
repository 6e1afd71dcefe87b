package companion

import (
	"slices"
	"strings"
	"time"

	"conclab/internal/runner"
	"conclab/internal/screen"
	"conclab/internal/watch"
	"conclab/lessons"
)

// phase is how far a run is.
type phase int

const (
	unknown  phase = iota // never run
	building              // the suite is being built
	running               // the tests run
	doubting              // the race detector looks
	ended
)

// run is what is known of a lesson's latest run.
type run struct {
	phase    phase
	began    time.Time
	saved    bool   // whether a save began it
	broken   string // the compiler's message
	expected []runner.Expected
	tests    map[string]runner.Test // that have ended
	result   *runner.Result         // nil before the verdict
	err      error                  // why there is none
}

// event takes one event of the lesson.
func (r *run) event(root string, e watch.Event, now time.Time) {
	switch e.Kind {
	case watch.Began:
		// What the last run found stays until this one finds something.
		r.phase, r.began, r.saved, r.err = building, now, e.Saved, nil
		r.expected, _ = runner.Tests(root, e.Lesson)
	case watch.Broken:
		r.broken, r.result, r.tests = e.Message, nil, map[string]runner.Test{}
	case watch.Step:
		switch e.Step.Kind {
		case runner.EventBuilt:
			r.phase, r.broken, r.result, r.tests = running, "", nil, map[string]runner.Test{}
		case runner.EventDone:
			r.tests[e.Step.Test.Name] = e.Step.Test
		case runner.EventNotBuilt, runner.EventStarted:
		}
	case watch.Judged:
		r.phase, r.result, r.broken, r.tests = ended, e.Result, e.Result.Build, map[string]runner.Test{}
		if r.broken != "" {
			return // no test has anything to say
		}
		for _, task := range e.Result.Tasks {
			for _, t := range task.Tests {
				r.tests[t.Name] = t
			}
		}
	case watch.Doubted:
		r.phase = doubting
	case watch.Failed:
		r.phase, r.err = ended, e.Err
	}
}

// tasks returns what is known of each task: the tests that have ended.
func (r *run) tasks() []runner.TaskResult {
	tasks := make([]runner.TaskResult, len(r.expected))
	for i, e := range r.expected {
		tasks[i].Task = e.Task
		for _, name := range e.Names {
			if t, ok := r.tests[name]; ok {
				tasks[i].Tests = append(tasks[i].Tests, t)
			}
		}
	}
	return tasks
}

// failing returns the broken rules that are known, in the suite's order.
func (r *run) failing() []runner.Test {
	return screen.Failing(&runner.Result{Tasks: r.tasks()})
}

// mark is what is known of one task.
type mark rune

const (
	open   mark = '·' // not known to pass
	passed mark = '✓'
	failed mark = '✗'
)

// marks returns the marks of the lesson's tasks, as far as this run tells. Tasks
// whose tests run just now keep the mark that they had.
func (r *run) marks(l lessons.Lesson, before []mark) []mark {
	marks := make([]mark, len(l.Tasks))
	copy(marks, before)
	if r.broken != "" {
		for i := range marks {
			marks[i] = open
		}
		return marks
	}
	for i, task := range r.tasks() {
		if i >= len(marks) {
			break
		}
		broken := screen.Failing(&runner.Result{Tasks: []runner.TaskResult{task}})
		switch {
		case len(broken) == 0 && len(r.expected[i].Names) == len(task.Tests):
			marks[i] = passed
		case len(broken) > 0 && slices.ContainsFunc(task.Tests, func(t runner.Test) bool { return !todo(t) }):
			marks[i] = failed
		case len(broken) > 0:
			marks[i] = open
		}
	}
	return marks
}

// todo tells whether a test says no more than that nothing is written yet.
func todo(t runner.Test) bool { return strings.HasPrefix(t.Message, "TODO") }
