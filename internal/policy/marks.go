package policy

import (
	"fmt"
	"math"
	"slices"
	"time"

	"conclab/internal/gradebook"
	"conclab/lessons"
)

// Marks is what one submission is worth.
type Marks struct {
	Entry   *gradebook.Entry
	Lessons []LessonMarks // those that count, in the course's order

	Raw   float64 // points by the tests alone: no weights, nothing judged, never late
	RawOf float64 // what could be had without the tasks for the brave

	// Points is the mark: weighted, judged and late. It means nothing while
	// Open names a reason why there is none yet.
	Points float64
	Of     float64

	DaysLate int
	Keeps    float64 // the part of the mark that lateness has left

	// Open says why there is no mark yet, a sentence for each reason; empty
	// when there is one. Such a submission is left out where marks go to
	// students: an error of the grader's is never a zero.
	Open []string

	// Notes are sentences that the student and the instructor should know.
	Notes []string
}

// LessonMarks is what one lesson of a submission is worth.
type LessonMarks struct {
	gradebook.Lesson
	Tasks  []TaskMarks
	Raw    float64
	RawOf  float64
	Points float64 // weighted or judged; lateness is taken off the whole
	Of     float64
	Judged bool // whether a person gave the points
	Open   bool // whether there is no mark for it yet
}

// TaskMarks is what one task is worth.
type TaskMarks struct {
	gradebook.Task
	Raw     float64
	RawOf   float64   // 0 for a task that could not run
	Tests   []float64 // what each of Task.Tests is worth, in their order
	TestsOf []float64
}

// Mark gives every submission of a class its marks, in the order of all.
//
// A task's points are shared equally over those of its tests that could run. A
// task none of whose tests could run on any machine counts for nobody, whether
// submitted or not; one that could not run for a single submission does not
// count for that one.
func (p Policy) Mark(all []*gradebook.Entry) []Marks {
	p.Lessons = p.Counting(all)
	out := unrunnable(all)
	marks := make([]Marks, len(all))
	for i, e := range all {
		marks[i] = p.mark(e, out)
	}
	return marks
}

// Counting returns the lessons that count for a class: those that the policy
// names, or else all that were graded.
func (p Policy) Counting(all []*gradebook.Entry) []string {
	if len(p.Lessons) > 0 {
		return p.Lessons
	}
	graded := map[string]bool{}
	for _, e := range all {
		for _, l := range e.Lessons {
			graded[l.Lesson] = true
		}
	}
	return slices.DeleteFunc(lessons.Names(), func(name string) bool { return !graded[name] })
}

type taskName struct{ lesson, test string }

// unrunnable returns the tasks whose tests were skipped wherever they ran.
func unrunnable(all []*gradebook.Entry) map[taskName]bool {
	skipped, ran := map[taskName]bool{}, map[taskName]bool{}
	for _, e := range all {
		for _, l := range e.Lessons {
			for _, t := range l.Tasks {
				name := taskName{l.Lesson, t.Test}
				switch {
				case l.Status != gradebook.Graded || len(t.Tests) == 0:
				case slices.ContainsFunc(t.Tests, gradebook.Test.Counts):
					ran[name] = true
				default:
					skipped[name] = true
				}
			}
		}
	}
	for name := range ran {
		delete(skipped, name)
	}
	return skipped
}

func (p Policy) mark(e *gradebook.Entry, out map[taskName]bool) Marks {
	m := Marks{Entry: e, DaysLate: p.DaysLate(e.ID), Keeps: 1}
	for _, name := range p.Lessons {
		l, asked := e.Lesson(name)
		if !asked {
			m.Open = append(m.Open, name+" has not been graded")
			continue
		}
		lm := p.lesson(e.ID, l, out)
		m.Raw += lm.Raw
		m.RawOf += lm.RawOf
		m.Points += lm.Points
		m.Of += lm.Of
		m.Lessons = append(m.Lessons, lm)
		if lm.Open {
			why := string(l.Status)
			if l.Why != "" {
				why += ": " + l.Why
			}
			m.Open = append(m.Open, name+": "+why)
		}
	}
	if m.DaysLate > 0 {
		m.Keeps = p.Late.Keeps(m.DaysLate)
		m.Notes = append(m.Notes, fmt.Sprintf("handed in %s after %s: %s%% of the mark is left",
			days(m.DaysLate), p.DueFor(e.ID).Format(time.RFC3339), Format(100*m.Keeps)))
	}
	m.Raw, m.RawOf = Round(m.Raw), Round(m.RawOf)
	m.Points, m.Of = Round(m.Points*m.Keeps), Round(m.Of)
	return m
}

func (p Policy) lesson(id string, l gradebook.Lesson, out map[taskName]bool) LessonMarks {
	lm := LessonMarks{Lesson: l}
	var bonus float64
	for _, t := range l.Tasks {
		tm := p.task(t, out[taskName{l.Lesson, t.Test}], l.Status == gradebook.Graded)
		lm.Tasks = append(lm.Tasks, tm)
		if t.Brave {
			bonus += tm.Raw
			continue
		}
		lm.Raw += tm.Raw
		lm.RawOf += tm.RawOf
	}
	if p.Brave {
		lm.Raw += bonus
	}
	weight := p.Weight(l.Lesson)
	given, judged := p.Judged[id][l.Lesson]
	lm.Judged = judged
	lm.Open = !judged && !l.Status.Settled()
	switch {
	case judged:
		lm.Points = given * weight
	case !lm.Open:
		lm.Points = lm.Raw * weight
	}
	lm.Of = lm.RawOf * weight
	lm.Raw, lm.RawOf, lm.Points, lm.Of = Round(lm.Raw), Round(lm.RawOf), Round(lm.Points), Round(lm.Of)
	return lm
}

// task shares a task's points over its tests. Only what was graded earns any.
func (p Policy) task(t gradebook.Task, out, graded bool) TaskMarks {
	tm := TaskMarks{Task: t, Tests: make([]float64, len(t.Tests)), TestsOf: make([]float64, len(t.Tests))}
	counting := 0
	for _, test := range t.Tests {
		if test.Counts() {
			counting++
		}
	}
	if out || (graded && counting == 0) {
		return tm
	}
	tm.RawOf = float64(t.Points)
	// Summed as shares first: a task that is all right has its whole points and
	// not nearly all of them.
	var sum float64
	for i, test := range t.Tests {
		if !test.Counts() {
			continue
		}
		share := 0.0
		if graded {
			share = p.share(test)
		}
		sum += share
		tm.Tests[i] = Round(share * float64(t.Points) / float64(counting))
		tm.TestsOf[i] = Round(float64(t.Points) / float64(counting))
	}
	if counting > 0 {
		tm.Raw = sum / float64(counting) * float64(t.Points)
	}
	return tm
}

// share is what a test's runs are worth, from 0 to 1.
func (p Policy) share(t gradebook.Test) float64 {
	switch {
	case t.Runs <= 0 || t.Passes <= 0:
		return 0
	case t.Passes >= t.Runs && t.Passed():
		return 1
	case p.Rule == Share:
		return float64(min(t.Passes, t.Runs)) / float64(t.Runs)
	}
	return 0
}

// Round rounds points to two decimals, which is as fine as gradebooks go.
func Round(points float64) float64 {
	// The third decimal's half must not depend on how a sum came about.
	return math.Floor(points*100+0.5+1e-9) / 100
}

// Format writes points as people do: no zeros at the end.
func Format(points float64) string {
	text := fmt.Sprintf("%.2f", Round(points))
	for text[len(text)-1] == '0' {
		text = text[:len(text)-1]
	}
	if text[len(text)-1] == '.' {
		text = text[:len(text)-1]
	}
	return text
}

func days(n int) string {
	if n == 1 {
		return "1 day"
	}
	return fmt.Sprintf("%d days", n)
}
