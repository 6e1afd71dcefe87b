package report_test

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"conclab/internal/gradebook"
	"conclab/internal/policy"
	"conclab/internal/report"
	"conclab/internal/runner"
	"conclab/lessons"
)

var graded = time.Date(2026, 3, 4, 10, 0, 0, 0, time.UTC)

// The class that all golden files show: every status, and names that hope to be
// something else than names.
const classPolicy = `
lessons: [queues, pipes]
weights: {pipes: 2}
due: 2026-03-01T23:59:00Z
late: {free-days: 1, per-day: 10}
extensions: {s07: 2026-03-03T23:59:00Z}
handed-in: {s07: 2026-03-06T12:00:00Z}
judged: {s08: {queues: 4.5}}
`

// outcome says how one test ended; all others passed.
type outcome struct {
	task, test int
	is         gradebook.Test
}

func fails(task, test int, v runner.Verdict, message string) outcome {
	return outcome{task, test, gradebook.Test{Verdict: v, Message: message, Runs: 1}}
}

func class(extra ...string) *report.Class {
	p, err := policy.Read(strings.NewReader(classPolicy+strings.Join(extra, "\n")), "class.yaml")
	if err != nil {
		panic(err)
	}
	full := "Put must block while maxsize items wait: the 4th Put on New(3) returned at once\n" +
		"    see exercises/queues/queues.go:69 (Queue.Put), lessons/queues/README.md#bounded"
	stop := func(s gradebook.Status, why string) func(*gradebook.Lesson) {
		return func(l *gradebook.Lesson) {
			l.Status, l.Why = s, why
			for i := range l.Tasks {
				for j, t := range l.Tasks[i].Tests {
					l.Tasks[i].Tests[j] = gradebook.Test{Name: t.Name}
				}
			}
		}
	}
	all := []*gradebook.Entry{
		entry("s01", "student 1", nil, nil),
		entry("s02", `Two, "Student"`, []outcome{
			fails(1, 3, runner.Fail, full),
			fails(1, 4, runner.Deadlock, "Get must block while no item waits: deadlock, all goroutines wait\n    receiving at queues.go:50 ``` <b>\n# not a heading"),
			fails(2, 0, runner.Race, "data race: a write at queues.go:31 \x1b[31m and a read at queues.go:40"),
			fails(3, 0, runner.Panic, "panic: index out of range"),
		}, nil),
		entry("s03", "Newline\r\nName\tTab", nil, nil),
		entry("s04", "=cmd|' /C calc'!A0", nil, nil),
		entry("s05", "student 5", nil, nil),
		entry("s06", "student <6> & co", nil, nil),
		entry("s07", "student 7", nil, nil),
		entry("s08", "@SUM(1)", []outcome{fails(0, 0, runner.Leak, "a goroutine stays behind")}, nil),
		entry("s09", "", []outcome{
			{0, 1, gradebook.Test{Verdict: runner.Fail, Message: "Sleepy must send once", Runs: 4, Passes: 3, Failing: &gradebook.Run{Procs: 2, Seed: 77}}},
		}, []outcome{{0, 0, gradebook.Test{Verdict: runner.Skip, Message: "this machine cannot"}}}),
	}
	stop(gradebook.NotSubmitted, "")(&all[2].Lessons[1])
	stop(gradebook.NotBuilt, "")(&all[2].Lessons[0])
	all[2].Lessons[0].Build = "queues.go:12:2: undefined: foo"
	stop(gradebook.AgainstTheRules, "")(&all[3].Lessons[0])
	all[3].Lessons[0].Findings = []gradebook.Finding{{File: "queues.go", Line: 3, Column: 8, Rule: "import", Message: `"os" may not be imported: this lesson needs sync, time and context`}}
	all[3].Refused = []gradebook.Refused{{Path: "link`to", Word: "link"}}
	stop(gradebook.GraderError, "no space left on the disk")(&all[4].Lessons[1])
	stop(gradebook.Tampered, "the canary passed")(&all[5].Lessons[0])
	stop(gradebook.Tampered, "the canary passed")(&all[7].Lessons[0])
	return report.New(p, all)
}

func entry(id, name string, queues, pipes []outcome) *gradebook.Entry {
	return &gradebook.Entry{
		Version: gradebook.Version, ID: id, Name: name, Key: "k-" + id, Graded: graded, Seconds: 1.5,
		Made: gradebook.Made{
			Submission: "a1", Suites: "b2", Go: "go1.26.8", Platform: "linux/amd64", Isolation: "bubblewrap", Gate: "1", Race: true,
			Repeats: []gradebook.Run{{Procs: 2, Seed: 1}},
		},
		Lessons: []gradebook.Lesson{lesson("queues", queues), lesson("pipes", pipes)},
	}
}

// lesson is a graded one with the tests of the real suite, of which at most five
// a task are taken.
func lesson(name string, not []outcome) gradebook.Lesson {
	l, err := lessons.Find(name)
	if err != nil {
		panic(err)
	}
	names := testNames(l)
	out := gradebook.Lesson{Lesson: name, Status: gradebook.Graded, File: name + ".go"}
	for _, t := range l.Tasks {
		task := gradebook.Task{Title: t.Title, Test: t.Test, Points: t.Points, Brave: t.Brave}
		for _, test := range names[t.Test] {
			if len(task.Tests) < 5 {
				task.Tests = append(task.Tests, gradebook.Test{Name: test, Verdict: runner.Pass, Runs: 1, Passes: 1})
			}
		}
		out.Tasks = append(out.Tasks, task)
	}
	for _, o := range not {
		o.is.Name = out.Tasks[o.task].Tests[o.test].Name
		out.Tasks[o.task].Tests[o.test] = o.is
	}
	return out
}

// testNames are the tests of a lesson's text, by task, in order of name.
func testNames(l lessons.Lesson) map[string][]string {
	byTask := map[string][]string{}
	for test := range l.Rules() {
		task, _, _ := strings.Cut(test, "/")
		byTask[task] = append(byTask[task], test)
	}
	for _, tests := range byTask {
		slices.Sort(tests)
	}
	return byTask
}

// bigClass has n submissions of all lessons, from hopeless to perfect.
func bigClass(n int) *report.Class {
	var all []*gradebook.Entry
	verdicts := []runner.Verdict{runner.Fail, runner.Fail, runner.Fail, runner.Deadlock, runner.Race, runner.Leak, runner.Panic, runner.Timeout, runner.DidNotRun}
	for i := range n {
		e := entry(fmt.Sprintf("s%02d", i), fmt.Sprintf("student %d", i), nil, nil)
		e.Lessons = nil
		for j, name := range lessons.Names() {
			l := lesson(name, nil)
			for k := range l.Tasks {
				for m := range l.Tasks[k].Tests {
					// Some order without a pattern that one would see.
					luck := (i*7919 + j*104729 + k*1299709 + m*15485863) % 97
					if luck < (n-i)*90/n-5+10*k-m*4 {
						t := &l.Tasks[k].Tests[m]
						t.Verdict, t.Passes, t.Message = verdicts[(luck+m)%len(verdicts)], 0, "it does not"
					}
				}
			}
			switch luck := (i*31 + j*17) % 41; {
			case luck == 0:
				l.Status = gradebook.NotBuilt
			case luck == 1:
				l.Status = gradebook.AgainstTheRules
			case luck < 2+(n-i)*8/n:
				l.Status = gradebook.NotSubmitted
			case i == 5 && j == 3:
				l.Status, l.Why = gradebook.GraderError, "no space left on the disk"
			}
			e.Lessons = append(e.Lessons, l)
		}
		all = append(all, e)
	}
	return report.New(policy.Default(), all)
}
