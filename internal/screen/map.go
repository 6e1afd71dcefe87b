package screen

import (
	"fmt"
	"io"
	"strings"

	"conclab/internal/progress"
	"conclab/lessons"
)

// Map prints the course, a line a lesson, as the learner's progress becomes
// known. It is for one goroutine.
type Map struct {
	w      io.Writer
	course []lessons.Lesson
	format string
}

// NewMap returns a map of the course that is printed to w.
func NewMap(w io.Writer, course []lessons.Lesson) *Map {
	tasks := 0
	for _, l := range course {
		tasks = max(tasks, len(l.Tasks))
	}
	return &Map{w, course, fmt.Sprintf("%%2d  %%-%ds  %%-%ds  %%3d min  %%-%ds  %%s\n",
		widest(course, name), widest(course, title), tasks)}
}

// Lesson prints the line of one lesson.
func (m *Map) Lesson(l progress.Lesson) {
	number := 1
	for i, one := range m.course {
		if one.Name == l.Name {
			number = i + 1
		}
	}
	var marks strings.Builder
	passed := 0
	for _, ok := range l.Passed {
		if ok {
			passed++
			marks.WriteRune('✓')
		} else {
			marks.WriteRune('·')
		}
	}
	note := fmt.Sprintf("%d of %d", passed, len(l.Passed))
	switch {
	case l.Err != nil:
		marks.Reset()
		note = "cannot be judged, see below"
	case !l.Built:
		note = "does not compile"
	case l.Vet > 0:
		note += ", go vet objects"
	}
	fmt.Fprintf(m.w, m.format, number, l.Name, l.Title, l.Minutes, marks.String(), note)
}

// Next prints what the learner should do after what all the lessons say.
func (m *Map) Next(all []progress.Lesson) {
	step, ok := progress.Next(all)
	if !ok {
		for _, l := range all {
			if l.Err != nil {
				return // its error says what to do
			}
		}
		fmt.Fprint(m.w, "\nEvery task passes, the brave ones too. You have finished the course.\n")
		return
	}
	l, file := step.Lesson, progress.File(step.Lesson.Lesson)
	switch {
	case !l.Built:
		fmt.Fprintf(m.w, "\nnext: %s: %s does not compile\n      %s test %s shows why\n", l.Name, file, Command, l.Name)
	case step.Task < 0:
		fmt.Fprintf(m.w, "\nnext: %s: every task passes, but go vet objects\n      %s test %s shows to what\n", l.Name, Command, l.Name)
	default:
		task := l.Tasks[step.Task]
		brave := ""
		if task.Brave {
			brave = " (for the brave)"
		}
		fmt.Fprintf(m.w, "\nnext: %s, task %d%s: %s\n      read lessons/%s/README.md\n      edit %s\n      then %s test %s\n",
			l.Name, step.Task+1, brave, task.Title, l.Name, file, Command, l.Name)
	}
}
