package screen

import (
	"fmt"
	"io"
	"time"

	"conclab/internal/progress"
	"conclab/internal/runner"
	"conclab/internal/watch"
	"conclab/lessons"
)

// maxNamed is how many broken rules beside the first are named and not only
// counted.
const maxNamed = 3

// Watch prints what a [watch.Loop] tells: of each run the first broken rule as
// soon as it is known, then how many more there are, and the tally. It is for
// one goroutine at a time.
type Watch struct {
	w    io.Writer
	root string
	now  func() time.Time

	first  firstFailure
	broken string         // what was printed as not compiling
	last   *runner.Result // of the lesson that is at hand; nil before its first verdict
	noRace bool           // whether it was said why the race detector is not there
}

// NewWatch returns a printer to w for a loop that watches the module at root.
func NewWatch(w io.Writer, root string) *Watch { return &Watch{w: w, root: root, now: time.Now} }

// Hello prints what is watched.
func (s *Watch) Hello(course []lessons.Lesson) {
	what := "your files of all lessons"
	if len(course) == 1 {
		what = progress.File(course[0])
	}
	fmt.Fprintf(s.w, "Watching %s: save, and see. Ctrl+C ends it.\n", what)
}

// Event prints what one event says.
func (s *Watch) Event(e watch.Event) {
	switch e.Kind {
	case watch.Began:
		*s = Watch{w: s.w, root: s.root, now: s.now, noRace: s.noRace}
		s.first = newFirstFailure(s.root, e.Lesson)
		fmt.Fprintf(s.w, "\n%s  %s\n", s.now().Format(time.TimeOnly), e.Lesson.Name)
	case watch.Broken:
		s.doesNotCompile(progress.File(e.Lesson), e.Message)
	case watch.Step:
		if test, ok := s.first.step(e.Step); ok {
			s.failure(test)
		}
	case watch.Judged:
		if s.last == nil {
			s.verdict(e.Result)
		} else {
			s.second(e.Result)
		}
		s.last = e.Result
	case watch.Failed:
		fmt.Fprintf(s.w, "%v\n", e.Err)
	}
}

func (s *Watch) doesNotCompile(file, message string) {
	if s.broken == message {
		return
	}
	s.broken = message
	NotBuilt(s.w, file, message)
}

func (s *Watch) failure(t runner.Test) {
	fmt.Fprintf(s.w, "--- FAIL: %s\n%s", t.Name, indent(t.Message))
}

// verdict prints what the tests have not said themselves.
func (s *Watch) verdict(r *runner.Result) {
	if r.Build != "" {
		s.doesNotCompile(r.File, r.Build)
	} else {
		failing := Failing(r)
		if len(failing) > 0 && !s.first.found {
			s.failure(failing[0])
		}
		if len(failing) > 1 {
			s.others(failing[1:])
		}
		for _, f := range r.Vet {
			vetted(s.w, f)
		}
	}
	s.tally(r, "")
}

// second prints what the race detector has added.
func (s *Watch) second(r *runner.Result) {
	if r.NoRace != "" {
		if !s.noRace {
			s.noRace = true
			fmt.Fprintf(s.w, "Note: %s:\ndata races are found only where a test forces them.\n", r.NoRace)
		}
		return
	}
	before := map[string]bool{}
	for _, t := range Failing(s.last) {
		before[t.Name] = true
	}
	for _, t := range Failing(r) {
		if !before[t.Name] {
			s.failure(t)
			s.tally(r, ", with the race detector")
			return
		}
	}
	fmt.Fprintf(s.w, "race  %s  what passes, passes with the race detector, too\n", r.Lesson)
}

func (s *Watch) tally(r *runner.Result, more string) {
	word := "ok"
	if !r.Passed(false) {
		word = "FAIL"
	}
	fmt.Fprintf(s.w, "%-4s  %s  %s%s\n", word, r.Lesson, Tally(r), more)
}

// Failing returns the tests of a result that have not passed, in order.
func Failing(r *runner.Result) []runner.Test {
	var failing []runner.Test
	for _, task := range r.Tasks {
		for _, t := range task.Tests {
			if t.Verdict != runner.Pass && t.Verdict != runner.Skip {
				failing = append(failing, t)
			}
		}
	}
	return failing
}

// others names the broken rules behind the first, if they are few.
func (s *Watch) others(tests []runner.Test) {
	if len(tests) > maxNamed {
		fmt.Fprintf(s.w, "    (%d more rules are broken)\n", len(tests))
		return
	}
	for _, t := range tests {
		fmt.Fprintf(s.w, "--- FAIL: %s, too\n", t.Name)
	}
}

// firstFailure finds the first broken rule of a run, in the order of the suite,
// as soon as all tests before it have passed.
type firstFailure struct {
	names []string
	ended map[string]runner.Test
	found bool
}

func newFirstFailure(root string, lesson lessons.Lesson) firstFailure {
	f := firstFailure{ended: map[string]runner.Test{}}
	// Should the suite not be readable, the run says so itself.
	tasks, _ := runner.Tests(root, lesson)
	for _, task := range tasks {
		f.names = append(f.names, task.Names...)
	}
	return f
}

// step takes an event of the runner, and tells if it is the one that settles
// which rule is the first.
func (f *firstFailure) step(e runner.Event) (test runner.Test, ok bool) {
	if e.Kind != runner.EventDone || f.found {
		return runner.Test{}, false
	}
	f.ended[e.Test.Name] = e.Test
	for len(f.names) > 0 {
		test, ended := f.ended[f.names[0]]
		if !ended {
			return runner.Test{}, false
		}
		if test.Verdict != runner.Pass && test.Verdict != runner.Skip {
			f.found = true
			return test, true
		}
		f.names = f.names[1:]
	}
	return runner.Test{}, false
}
