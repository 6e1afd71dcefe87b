package screen

import (
	"fmt"
	"io"
	"strings"

	"github.com/charmbracelet/x/ansi"

	"conclab/internal/bank"
	"conclab/internal/doctor"
	"conclab/internal/hints"
	"conclab/internal/page"
	"conclab/internal/progress"
	"conclab/internal/runner"
	"conclab/lessons"
)

// Hint prints one rung of a task's hints, and above it the rule that is broken
// just now, if broken has a name.
func Hint(w io.Writer, look page.Look, l lessons.Lesson, task int, broken runner.Test, ladder []hints.Rung, rung int) {
	number := task + 1
	fmt.Fprintf(w, "%s, task %d%s: %s\n", l.Name, number, brave(l.Tasks[task]), l.Tasks[task].Title)
	if broken.Name != "" {
		rule, rest, _ := strings.Cut(broken.Message, "\n")
		if strings.HasSuffix(rule, ":") {
			where, _, _ := strings.Cut(rest, "\n")
			rule += "\n" + where
		}
		fmt.Fprintf(w, "just now %s fails:\n%s", broken.Name, indent(rule))
	}
	fmt.Fprintf(w, "\nhint %d of %d: %s\n\n%s\n", rung+1, len(ladder), ladder[rung].Title, look.Markdown(ladder[rung].Text))
	if rung+1 < len(ladder) {
		fmt.Fprintf(w, "Still stuck? Ask again for the next one. Those of this task so far: %s hint %s %d --again\n", Command, l.Name, number)
		return
	}
	fmt.Fprintf(w, "That was the last one. All of them: %s hint %s %d --again\n", Command, l.Name, number)
}

// NoHint says why there is no hint to a lesson whose file does not compile, or
// whose every rule holds, and what to do instead.
func NoHint(w io.Writer, l lessons.Lesson, r *runner.Result) {
	switch {
	case r.Build != "":
		NotBuilt(w, r.File, r.Build)
		fmt.Fprintf(w, "\nHints are for rules that fail: first make it compile, or name a task, as in\n    %s hint %s 1\n", Command, l.Name)
	case len(r.Vet) > 0:
		for _, f := range r.Vet {
			vetted(w, f)
		}
		fmt.Fprintf(w, "\nEvery task of %s passes. What go vet says is all that is left.\n", l.Name)
	default:
		fmt.Fprintf(w, "Every task of %s passes: no hint is needed. To compare with other right ways:\n    %s solution %[1]s\n", l.Name, Command)
	}
}

// Hints prints those rungs of a task's hints that were seen.
func Hints(w io.Writer, look page.Look, l lessons.Lesson, task int, seen []hints.Rung) {
	fmt.Fprintf(w, "%s, task %d%s: %s\n", l.Name, task+1, brave(l.Tasks[task]), l.Tasks[task].Title)
	if len(seen) == 0 {
		fmt.Fprintf(w, "\nYou have not asked for any of its hints: %s hint %s %d gives the first.\n", Command, l.Name, task+1)
	}
	for i, rung := range seen {
		fmt.Fprintf(w, "\nhint %d: %s\n\n%s", i+1, rung.Title, look.Markdown(rung.Text))
	}
}

func brave(t lessons.Task) string {
	if t.Brave {
		return " (for the brave)"
	}
	return ""
}

// Solution sets one right answer to a lesson, and the list of the others.
func Solution(look page.Look, shown bank.Variant, others []bank.Variant) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n%s\n%s\n", shown.File, note(shown), look.Code(string(shown.Source), "go"))
	if len(others) == 0 {
		return b.String()
	}
	fmt.Fprintf(&b, "Other right ways; %s solution %s NAME shows one:\n", Command, shown.Lesson.Name)
	for _, v := range others {
		fmt.Fprintf(&b, "  %s\n%s", Alternative(v), note(v))
	}
	return b.String()
}

// note says what a right answer does, in lines that fit.
func note(v bank.Variant) string {
	says := v.Note
	if v.Kind == bank.Reference {
		says = "The reference."
	}
	return indent(ansi.Wordwrap(says, 76, ""))
}

// Alternative is what a right answer is called on the command line.
func Alternative(v bank.Variant) string {
	if v.Kind == bank.Reference {
		return string(bank.Reference)
	}
	return v.Name
}

// NotYet says why a lesson's solution is not shown yet; it is empty if the whole
// suite passes.
func NotYet(l progress.Lesson) string {
	const spoil = "--spoil shows it all the same"
	passed, counted := 0, true
	for i, ok := range l.Passed {
		if ok {
			passed++
		} else if !l.Tasks[i].Brave {
			counted = false
		}
	}
	switch {
	case !l.Built:
		return fmt.Sprintf("%s does not compile, and its solution comes when its suite passes; %s", progress.File(l.Lesson), spoil)
	case passed == len(l.Passed) && l.Vet > 0:
		return fmt.Sprintf("every task of %s passes, but go vet objects (%s test %[1]s says to what), and its solution comes when it does not; %[3]s", l.Name, Command, spoil)
	case passed == len(l.Passed):
		return ""
	case counted:
		return fmt.Sprintf("the task for the brave of %s does not pass yet, and its solution would be shown, too; %s", l.Name, spoil)
	}
	return fmt.Sprintf("%d of %s of %s pass, and its solution comes when all do; %s", passed, count(len(l.Passed), "task"), l.Name, spoil)
}

// Health prints what the doctor found out about one thing.
func Health(w io.Writer, f doctor.Finding) {
	word := "ok"
	switch {
	case !f.OK && f.Needed:
		word = "FAIL"
	case !f.OK:
		word = "note"
	}
	fmt.Fprintf(w, "%-4s  %-8s  %s\n", word, f.Thing, f.Says)
	if !f.OK {
		fmt.Fprintf(w, "                for: %s\n                fix: %s\n", f.Use, f.Fix)
	}
}

// Kept prints where a reset has put the learner's file, and the way back.
func Kept(w io.Writer, l lessons.Lesson, kept, move string) {
	file := progress.File(l)
	fmt.Fprintf(w, "%s is the starter again.\n", file)
	if kept != "" {
		fmt.Fprintf(w, "What you had is kept. The way back, from the root of the clone:\n    %s %s %s\n", move, kept, file)
	}
}
