package ledger

import (
	"fmt"
	"slices"
	"strings"

	"conclab/internal/gradebook"
)

// Change is one result that is another one than before.
type Change struct {
	ID     string
	Lesson string   // empty if the whole submission came or went
	Test   string   // empty if it concerns the lesson as a whole
	From   string   // a status or a verdict; empty if there was none
	To     string   // the same; empty if there is none any more
	Why    []string // which conditions are other ones; empty if none is
}

// String says it in a line.
func (c Change) String() string {
	what := strings.Join(slices.DeleteFunc([]string{c.ID, c.Lesson, c.Test}, func(s string) bool { return s == "" }), " ")
	from, to := c.From, c.To
	if from == "" {
		from = "nothing"
	}
	if to == "" {
		to = "nothing"
	}
	why := strings.Join(c.Why, ", ")
	if why == "" {
		why = "nothing else differs: repeat it with lab grade replay"
	}
	return fmt.Sprintf("%s: %s → %s (%s)", what, from, to, why)
}

// Diff returns what changed from one grading to another, by ID, lesson and test.
// Words alone are no change.
func Diff(older, newer []*gradebook.Entry) []Change {
	var changes []Change
	before, after := byID(older), byID(newer)
	ids := map[string]bool{}
	for id := range before {
		ids[id] = true
	}
	for id := range after {
		ids[id] = true
	}
	sorted := make([]string, 0, len(ids))
	for id := range ids {
		sorted = append(sorted, id)
	}
	slices.Sort(sorted)
	for _, id := range sorted {
		a, b := before[id], after[id]
		switch {
		case a == nil:
			changes = append(changes, Change{ID: id, To: "graded", Why: []string{"it is new"}})
		case b == nil:
			changes = append(changes, Change{ID: id, From: "graded", Why: []string{"it is not there any more"}})
		default:
			changes = append(changes, entries(a, b)...)
		}
	}
	return changes
}

func byID(all []*gradebook.Entry) map[string]*gradebook.Entry {
	m := map[string]*gradebook.Entry{}
	for _, e := range all {
		m[e.ID] = e
	}
	return m
}

func entries(a, b *gradebook.Entry) (changes []Change) {
	why := conditions(a.Made, b.Made)
	if a.Made.Submission != b.Made.Submission {
		why = append([]string{"the submission"}, why...)
	}
	add := func(lesson, test, from, to string) {
		if from != to {
			changes = append(changes, Change{ID: a.ID, Lesson: lesson, Test: test, From: from, To: to, Why: why})
		}
	}
	for _, lesson := range union(a, b) {
		la, hadA := a.Lesson(lesson)
		lb, hasB := b.Lesson(lesson)
		if !hadA || !hasB || la.Status != lb.Status {
			add(lesson, "", string(la.Status), string(lb.Status))
			continue
		}
		old := tests(la)
		for _, t := range lb.Tasks {
			for _, test := range t.Tests {
				add(lesson, test.Name, result(old[test.Name]), result(test))
				delete(old, test.Name)
			}
		}
		for _, t := range la.Tasks {
			for _, test := range t.Tests {
				if gone, ok := old[test.Name]; ok {
					add(lesson, test.Name, result(gone), "")
				}
			}
		}
	}
	return changes
}

// result is what a test is worth in words: the verdict, and of several runs how
// many it passed.
func result(t gradebook.Test) string {
	if t.Runs > 1 && t.Passes < t.Runs {
		return fmt.Sprintf("%s, %d of %d passed", t.Verdict, t.Passes, t.Runs)
	}
	return string(t.Verdict)
}

func union(a, b *gradebook.Entry) []string {
	var names []string
	for _, e := range []*gradebook.Entry{b, a} {
		for _, l := range e.Lessons {
			if !slices.Contains(names, l.Lesson) {
				names = append(names, l.Lesson)
			}
		}
	}
	return names
}

func tests(l gradebook.Lesson) map[string]gradebook.Test {
	m := map[string]gradebook.Test{}
	for _, task := range l.Tasks {
		for _, t := range task.Tests {
			m[t.Name] = t
		}
	}
	return m
}

// conditions says which conditions differ, the submission aside.
func conditions(a, b gradebook.Made) (differ []string) {
	note := func(same bool, what string, from, to any) {
		if !same {
			differ = append(differ, fmt.Sprintf("%s: %v, now %v", what, from, to))
		}
	}
	if a.Suites != b.Suites {
		differ = append(differ, "the suites or what they stand on")
	}
	note(a.Go == b.Go, "Go", a.Go, b.Go)
	note(a.Platform == b.Platform, "the platform", a.Platform, b.Platform)
	note(a.Isolation == b.Isolation, "the isolation", a.Isolation, b.Isolation)
	note(a.Gate == b.Gate, "the gate", a.Gate, b.Gate)
	note(a.Race == b.Race, "the race detector", a.Race, b.Race)
	if a.Limits != b.Limits {
		differ = append(differ, "the limits")
	}
	note(len(a.Repeats) == len(b.Repeats), "runs of each test", len(a.Repeats), len(b.Repeats))
	return differ
}
