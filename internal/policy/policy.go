// Package policy is what an instructor decides about grading: which lessons
// count and how much, how often a test runs, what a late day costs, how much a
// student is told. It reads that from a YAML file and turns what the tests said
// into marks.
//
// The marks before the policy, [Marks.Raw], are always kept beside those after
// it. A lesson whose grading met an error of the grader's own, or that needs a
// person's eye, has no mark: it is never a zero.
//
// A Policy is plain data; all functions may be called from any number of
// goroutines as long as nobody changes it.
package policy

import (
	_ "embed"
	"maps"
	"slices"
	"time"

	"conclab/internal/gradebook"
)

// Policy is what a policy file says. Its zero value is of no use: begin with
// [Default].
type Policy struct {
	Lessons []string           // those that count, in the course's order; none: all that were graded
	Weights map[string]float64 // what a lesson's points are multiplied with; 1 where nothing is said
	Brave   bool               // whether tasks for the brave add to a mark; they never add to what it is out of

	Repeats int // how often each test is to run
	Rule    Rule

	// Limits are those of one submission; a zero leaves the grader's own.
	Limits gradebook.Limits

	Due        time.Time            // zero: nothing is late
	Late       Late                 // what happens to what comes after it
	Extensions map[string]time.Time // another due date, by ID

	// HandedIn is when a submission was handed in, by ID; who is not named was in
	// time. A submission cannot say so itself: the times of its files and commits
	// are whatever their author wants.
	HandedIn map[string]time.Time

	Feedback Feedback

	// Judged holds the points that a person has given to a lesson instead of
	// the tests, by ID and lesson, before weight and lateness.
	Judged map[string]map[string]float64
}

// Rule says what a test is worth that passed only some of its runs. The best of
// them is never a rule.
type Rule string

// The rules.
const (
	All   Rule = "all"   // all must pass
	Share Rule = "share" // the share that passed
)

// Late says what lateness costs. A day is every 24 hours that have begun.
type Late struct {
	FreeDays int     // that cost nothing
	PerDay   float64 // percent of the mark that each further day costs
	MaxDays  int     // after so many days nothing is counted; 0: as long as something is left
}

// Feedback is how much a student is told about a test that failed.
type Feedback string

// The levels.
const (
	Full    Feedback = "full"    // rule, what happened instead, the line, where to read
	Broken  Feedback = "rule"    // only which rule broke
	Verdict Feedback = "verdict" // only the word, such as fail or deadlock
)

// Example is a policy file that says what holds without one, each key with a
// comment; those that have no default are commented out.
//
//go:embed example.yaml
var Example string

// Default returns the policy that holds where no file says otherwise.
func Default() Policy {
	return Policy{
		Brave:    true,
		Repeats:  1,
		Rule:     All,
		Late:     Late{PerDay: 10},
		Feedback: Full,
	}
}

// Weight returns what the points of the lesson of that name are multiplied with.
func (p Policy) Weight(lesson string) float64 {
	if w, ok := p.Weights[lesson]; ok {
		return w
	}
	return 1
}

// DueFor returns when the submission with that ID is due; zero if nothing is
// ever late.
func (p Policy) DueFor(id string) time.Time {
	if t, ok := p.Extensions[id]; ok {
		return t
	}
	return p.Due
}

// DaysLate returns how many days after its due date the submission with that ID
// was handed in.
func (p Policy) DaysLate(id string) int {
	due, at := p.DueFor(id), p.HandedIn[id]
	if due.IsZero() || !at.After(due) {
		return 0
	}
	const day = 24 * time.Hour
	return int((at.Sub(due) + day - 1) / day)
}

// Keeps returns which part of a mark is left after so many days: 1 is all of it.
func (l Late) Keeps(days int) float64 {
	if l.MaxDays > 0 && days > l.MaxDays {
		return 0
	}
	return max(0, 1-l.PerDay/100*float64(max(0, days-l.FreeDays)))
}

// IDs returns every ID that the policy names, in no order, so that a name that is
// nobody's can be pointed out.
func (p Policy) IDs() []string {
	ids := slices.Collect(maps.Keys(p.Extensions))
	ids = slices.AppendSeq(ids, maps.Keys(p.HandedIn))
	return slices.AppendSeq(ids, maps.Keys(p.Judged))
}
