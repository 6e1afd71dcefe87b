package runner

import (
	"slices"
	"time"

	"conclab/lessons"
)

// Result is what one candidate's tests said. It is plain data and belongs to
// the caller of [Run].
type Result struct {
	Lesson string
	File   string // the candidate, as messages name it
	Race   bool   // whether the tests were built with -race
	NoRace string // a sentence that says why not; empty if they were, or if nobody asked

	Build string       // the compiler's message; empty if the candidate was built
	Vet   []Finding    // what go vet found, in the order of the file
	Tasks []TaskResult // in the lesson's order; only those that have a selected test

	Seed string // what the tests were shuffled with; empty if they were not

	BuildTime time.Duration // wall time of the build
	TestTime  time.Duration // wall time of all tests, reruns included
}

// Finding is one remark of go vet.
type Finding struct {
	File         string
	Line, Column int
	Message      string
	Analyzer     string // which of go vet's it was, such as copylocks
	See          string // the section that explains it, as [lessons.Section] names it; may be empty
}

// TaskResult holds the tests of one task, in the order of the suite's source.
type TaskResult struct {
	Task  lessons.Task
	Tests []Test
}

// Test is one test of the suite and how it ended.
type Test struct {
	Name    string // such as TestQueue/TestPutBlocksWhileFull
	Verdict Verdict
	Message string        // what the learner should read, at most 15 lines; empty if it passed
	Elapsed time.Duration // as the test's own process reports it, all passes together
	Runs    int           // how often the test ended; more than one only after Options.Count or CPU
	Passes  int           // how many of the Runs passed
}

// Verdict is the word for how a test ended.
type Verdict string

// The verdicts.
const (
	Pass          Verdict = "pass"
	Fail          Verdict = "fail"
	Panic         Verdict = "panic" // or any other sudden end of the program
	Race          Verdict = "race"
	Deadlock      Verdict = "deadlock"
	Leak          Verdict = "leak"
	Timeout       Verdict = "timeout"
	OutOfMemory   Verdict = "out of memory"
	TooMuchOutput Verdict = "too much output"
	EndedEarly    Verdict = "ended early" // its process ended before the test did
	NotBuilt      Verdict = "not built"
	DidNotRun     Verdict = "did not run"
	Skip          Verdict = "skip"
)

// Passed tells whether the candidate is right: it was built, vet found nothing,
// and every task has passed. Tasks marked brave count only if brave is true.
func (r *Result) Passed(brave bool) bool {
	return r.Build == "" && len(r.Vet) == 0 && !slices.ContainsFunc(r.Tasks, func(t TaskResult) bool {
		return (brave || !t.Task.Brave) && !t.Passed()
	})
}

// Passed tells whether no test of the task failed. A skipped test counts for
// nothing: it neither passes nor fails.
func (t TaskResult) Passed() bool {
	v := t.Verdict()
	return v == Pass || v == Skip
}

// Verdict is the first verdict of the task's tests that is not a pass. It is
// skip only if all of them were skipped.
func (t TaskResult) Verdict() Verdict {
	verdict := Skip
	for _, test := range t.Tests {
		switch test.Verdict {
		case Pass:
			verdict = Pass
		case Skip:
		default:
			return test.Verdict
		}
	}
	return verdict
}
