// Package hints reads the hints of a lesson and knows which one comes next. Each
// task has a ladder of them, from a nudge to a sketch; who asks gets one rung at
// a time, of the task that fails just now.
//
// It remembers nothing: how many rungs of a task somebody has seen is for its
// caller to keep. Its functions may be called from any number of goroutines.
package hints

import (
	"slices"
	"strings"

	"conclab/internal/runner"
	"conclab/lessons"
)

// Rung is one hint.
type Rung struct {
	Title string // Nudge, Idea, API or Sketch
	Text  string // Markdown, without the title
}

// Ladder returns the hints for one task of the lesson, counted from 0, the
// gentlest first. A test holds the texts against the course: every task has at
// least one.
func Ladder(lesson lessons.Lesson, task int) []Rung {
	var ladder []Rung
	here, fenced := false, false
	for line := range strings.Lines(lesson.Hints()) {
		if strings.HasPrefix(line, "```") {
			fenced = !fenced
		}
		title, isRung := strings.CutPrefix(line, "### ")
		section, isTask := strings.CutPrefix(line, "## ")
		switch {
		case fenced && here && len(ladder) > 0:
			ladder[len(ladder)-1].Text += line
		case isTask && !fenced:
			here = strings.TrimSpace(section) == lesson.Tasks[task].Test
		case !here:
		case isRung:
			ladder = append(ladder, Rung{Title: strings.TrimSpace(title)})
		case len(ladder) > 0:
			ladder[len(ladder)-1].Text += line
		}
	}
	for i := range ladder {
		ladder[i].Text = strings.TrimSpace(ladder[i].Text) + "\n"
	}
	return ladder
}

// Next returns which rung comes next for somebody who has seen so many of a
// ladder's rungs: the one above, or the last one again when all were seen.
func Next(ladder []Rung, seen int) int {
	return min(max(seen, 0), len(ladder)-1)
}

// Failing returns the first rule of the lesson that the result says is broken,
// in the order of the text, and which of the lesson's tasks it belongs to. A test
// that did not run says nothing about its rule, and counts only if no other one
// fails. If every rule holds, brave ones too, ok is false.
func Failing(lesson lessons.Lesson, result *runner.Result) (task int, test runner.Test, ok bool) {
	for _, t := range result.Tasks {
		for _, one := range t.Tests {
			silent := one.Verdict == runner.DidNotRun
			if one.Verdict == runner.Pass || one.Verdict == runner.Skip || silent && ok {
				continue
			}
			task = slices.IndexFunc(lesson.Tasks, func(l lessons.Task) bool { return l.Test == t.Task.Test })
			test, ok = one, true
			if !silent {
				return task, test, ok
			}
		}
	}
	return task, test, ok
}
