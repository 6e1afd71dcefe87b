package screen

import (
	"cmp"
	"fmt"
	"io"
	"strings"
	"time"

	"conclab/internal/grade"
	"conclab/internal/gradebook"
	"conclab/internal/ledger"
	"conclab/internal/policy"
	"conclab/internal/runner"
)

// Graded returns a function that tells of each submission that was graded in a
// line: how far the grading is, and what was found out.
func Graded(w io.Writer) func(grade.Event) {
	known := 0
	return func(e grade.Event) {
		if e.Was != "" {
			fmt.Fprintf(w, "Note: the id %s was that of %q before, and is that of %q now: see whether the policy says anything of it.\n", e.ID, e.Was, e.Entry.Name)
		}
		if e.Known {
			known++
			return
		}
		if known > 0 && e.Done == known+1 {
			fmt.Fprintf(w, "%d are graded already\n", known)
		}
		line := fmt.Sprintf("%d/%d %s: %s", e.Done, e.Total, e.ID, outcome(e.Entry))
		if made := e.Done - known; e.Elapsed > 0 {
			line += fmt.Sprintf(" · %.1f a minute", float64(made)/e.Elapsed.Minutes())
		}
		if e.Done < e.Total {
			line += " · " + e.Left.Round(time.Second).String() + " to go"
		}
		fmt.Fprintln(w, line)
	}
}

// outcome puts an entry into a few words.
func outcome(e *gradebook.Entry) string {
	passed, tests := 0, 0
	counts := map[gradebook.Status]int{}
	for _, l := range e.Lessons {
		counts[l.Status]++
		for _, task := range l.Tasks {
			for _, t := range task.Tests {
				if l.Status != gradebook.NotSubmitted && t.Counts() {
					tests++
				}
				if l.Status == gradebook.Graded && t.Passed() {
					passed++
				}
			}
		}
	}
	words := []string{fmt.Sprintf("%d of %d tests passed", passed, tests)}
	for _, s := range []gradebook.Status{
		gradebook.NotSubmitted, gradebook.AgainstTheRules, gradebook.NotBuilt, gradebook.Tampered, gradebook.GraderError,
	} {
		if counts[s] > 0 {
			words = append(words, fmt.Sprintf("%d %s", counts[s], s))
		}
	}
	return strings.Join(words, ", ")
}

// GradingEnded sums a grading up, from which so many files were left out.
func GradingEnded(w io.Writer, s grade.Summary, leftOut int, out string) {
	left := ""
	if leftOut > 0 {
		left = "; left out: " + count(leftOut, "file")
	}
	fmt.Fprintf(w, "%d submissions are graded, %d of them before%s; the results are in %s\n", s.Total, s.Known, left, out)
	if s.Open > 0 {
		fmt.Fprintf(w, "%d have no mark yet, because of an error of the grader's or because a person must look: %s grade report %s names them\n",
			s.Open, Command, out)
	}
}

// Diff prints every mark that moved from one grading to another, and why.
func Diff(w io.Writer, p policy.Policy, older, newer []*gradebook.Entry) {
	changes := ledger.Diff(older, newer)
	before, after := marks(p, older), marks(p, newer)
	last := ""
	for _, c := range changes {
		if c.ID != last {
			last = c.ID
			fmt.Fprintf(w, "%s: %s → %s\n", c.ID, cmp.Or(before[c.ID], "nothing"), cmp.Or(after[c.ID], "nothing"))
		}
		fmt.Fprintf(w, "    %s\n", c)
	}
	if len(changes) == 0 {
		fmt.Fprintln(w, "no result has changed")
	}
}

// marks returns each submission's mark in words.
func marks(p policy.Policy, all []*gradebook.Entry) map[string]string {
	m := map[string]string{}
	for _, mark := range p.Mark(all) {
		m[mark.Entry.ID] = fmt.Sprintf("%s of %s", policy.Format(mark.Points), policy.Format(mark.Of))
		if len(mark.Open) > 0 {
			m[mark.Entry.ID] = "no mark yet"
		}
	}
	for _, e := range all {
		if m[e.ID] == "" {
			m[e.ID] = "not graded"
		}
	}
	return m
}

// Replayed prints what one test said when it was run again.
func Replayed(w io.Writer, v *runner.Verdicts) {
	for _, task := range v.Tasks {
		for _, t := range task.Tests {
			fmt.Fprintf(w, "%s: %s\n", t.Name, t.Verdict)
			for line := range strings.Lines(t.Message) {
				fmt.Fprintf(w, "    %s", line)
			}
			if t.Message != "" {
				fmt.Fprintln(w)
			}
		}
	}
	if v.Tampered != "" {
		fmt.Fprintln(w, "tampered: "+v.Tampered)
	}
}
