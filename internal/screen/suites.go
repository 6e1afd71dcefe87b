package screen

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"conclab/internal/runner"
	"conclab/lessons"
)

// suitesAtATime is how many suites run at the same time.
const suitesAtATime = 2

// Suites judges the candidates and prints to w what their suites say: each
// task as soon as it and those before it have ended, and a line for each
// candidate when all are done. A failing task's lines name each rule that is
// broken, in the order of the suite.
//
// It blocks until all are judged or ctx has ended, and returns the results in
// the order of the candidates, without those that could not be judged; why not
// is in the error, which wraps ctx.Err() if ctx has ended.
func Suites(ctx context.Context, w io.Writer, o runner.Options, candidates []runner.Candidate) ([]*runner.Result, error) {
	results := make([]*runner.Result, len(candidates))
	problems := make([]error, len(candidates))
	parts := newOrder(w, len(candidates)).parts
	var group errgroup.Group
	group.SetLimit(suitesAtATime)
	for i, c := range candidates {
		group.Go(func() error {
			defer parts[i].Close()
			results[i], problems[i] = judge(ctx, parts[i], o, c)
			return nil
		})
	}
	_ = group.Wait()

	var judged []*runner.Result
	for _, r := range results {
		if r != nil {
			judged = append(judged, r)
		}
	}
	summary(w, judged)
	if ctx.Err() != nil {
		return judged, ctx.Err()
	}
	return judged, errors.Join(problems...)
}

// judge runs one suite and prints to w what it says.
func judge(ctx context.Context, w io.Writer, o runner.Options, c runner.Candidate) (*runner.Result, error) {
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	var p *taskPrinter
	result, err := runner.Run(ctx, o, c, func(e runner.Event) {
		if p == nil {
			fmt.Fprintln(w, c.Lesson.Name)
			// Run has just read the same file. Should it have gone since, there
			// are no tasks to wait for, and the result still has all of them.
			expected, _ := runner.Tests(o.Root, c.Lesson)
			p = newTaskPrinter(w, expected)
		}
		if e.Kind == runner.EventDone {
			p.done(e.Test)
		}
	})
	if err != nil {
		return nil, err
	}
	if result.Build != "" {
		NotBuilt(w, result.File, result.Build)
	}
	for _, f := range result.Vet {
		vetted(w, f)
	}
	return result, nil
}

// NotBuilt prints what the compiler says about a file.
func NotBuilt(w io.Writer, file, message string) {
	fmt.Fprintf(w, "%s does not compile:\n%s", file, indent(message))
}

// vetted prints a finding of go vet and where to read about it.
func vetted(w io.Writer, f runner.Finding) {
	fmt.Fprintf(w, "%s:%d: go vet objects: %s\n", f.File, f.Line, f.Message)
	if f.See != "" {
		fmt.Fprint(w, indent("see "+f.See))
	}
}

// taskPrinter prints tasks in their order, each when all its tests have ended.
// It is for one goroutine at a time.
type taskPrinter struct {
	w     io.Writer
	tasks []runner.Expected
	ended map[string]runner.Test
	width int
}

func newTaskPrinter(w io.Writer, tasks []runner.Expected) *taskPrinter {
	return &taskPrinter{
		w, tasks,
		map[string]runner.Test{},
		widest(tasks, func(e runner.Expected) string { return e.Task.Test }),
	}
}

func (p *taskPrinter) done(t runner.Test) {
	p.ended[t.Name] = t
	for len(p.tasks) > 0 {
		result := runner.TaskResult{Task: p.tasks[0].Task}
		for _, name := range p.tasks[0].Names {
			test, ok := p.ended[name]
			if !ok {
				return
			}
			result.Tests = append(result.Tests, test)
		}
		p.print(result)
		p.tasks = p.tasks[1:]
	}
}

// rank says how far down a failure belongs.
func rank(v runner.Verdict) int {
	if v == runner.DidNotRun {
		return 1
	}
	return 0
}

func (p *taskPrinter) print(t runner.TaskResult) {
	// What many tests say in the same words is said once.
	type words struct {
		first runner.Test
		more  int
	}
	var said []*words
	by := map[string]*words{}
	passed := 0
	for _, test := range t.Tests {
		switch {
		case test.Verdict == runner.Pass:
			passed++
		case test.Verdict == runner.Skip:
		case by[test.Message] != nil:
			by[test.Message].more++
		default:
			by[test.Message] = &words{first: test}
			said = append(said, by[test.Message])
		}
	}
	// Why a test could not run is to be found in one that did.
	slices.SortStableFunc(said, func(a, b *words) int {
		return cmp.Compare(rank(a.first.Verdict), rank(b.first.Verdict))
	})
	for _, s := range said {
		fmt.Fprintf(p.w, "--- FAIL: %s\n%s", s.first.Name, indent(s.first.Message))
		if s.more > 0 {
			fmt.Fprintf(p.w, "    (%s of this task with the same words)\n", count(s.more, "more test"))
		}
	}
	word, brave := "ok", ""
	if !t.Passed() {
		word = "FAIL"
	}
	if t.Task.Brave {
		brave = " (for the brave)"
	}
	fmt.Fprintf(p.w, "%-4s  %-*s  %2d of %2d  %s%s\n", word, p.width, t.Task.Test, passed, len(t.Tests), t.Task.Title, brave)
}

// summary prints a line for each result, and once, if it was so, why the race
// detector was not there.
func summary(w io.Writer, results []*runner.Result) {
	if len(results) == 0 {
		return
	}
	fmt.Fprintln(w)
	for _, r := range results {
		if r.NoRace != "" {
			fmt.Fprintf(w, "Note: %s.\n\n", r.NoRace)
			break
		}
	}
	width := widest(results, func(r *runner.Result) string { return r.Lesson })
	for _, r := range results {
		word, says := "ok", Tally(r)
		if !r.Passed(false) {
			word = "FAIL"
		}
		fmt.Fprintf(w, "%-4s  %-*s  %s\n", word, width, r.Lesson, says)
	}
}

// Tally puts a result into a line: the tasks that pass, and the first one that
// does not.
func Tally(r *runner.Result) string {
	if r.Build != "" {
		return "does not compile"
	}
	passed, first := 0, ""
	brave := true // whether only brave tasks fail
	for _, task := range r.Tasks {
		if task.Passed() {
			passed++
			continue
		}
		if first == "" {
			first = task.Task.Test
		}
		brave = brave && task.Task.Brave
	}
	says := []string{fmt.Sprintf("%d of %s", passed, count(len(r.Tasks), "task"))}
	switch {
	case len(r.Vet) > 0:
		says = append(says, "go vet objects")
	case first != "" && brave:
		says = append(says, "the rest is for the brave")
	case first != "":
		says = append(says, "first look at "+first)
	}
	return strings.Join(says, ", ")
}

// Candidates returns a candidate for each of the lessons: the learner's own
// file, or what file says for it.
func Candidates(course []lessons.Lesson, file func(lessons.Lesson) string) []runner.Candidate {
	all := make([]runner.Candidate, len(course))
	for i, l := range course {
		all[i] = runner.Candidate{Lesson: l, File: file(l)}
	}
	return all
}
