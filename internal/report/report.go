// Package report writes what a grading found, for people and for the systems
// that they keep marks in. There is one model, [Class], and a small writer for
// each form; a writer decides nothing but how it looks.
//
// What is for instructors shows everything. What a student gets to read, which is
// Markdown, Gradescope and GitHub Classroom, says as much as the policy's
// feedback level allows. A submission whose mark is still open, because of an
// error of the grader's or because a person must look, is left out of what
// carries marks away, and named where instructors look.
//
// Writers only read the class: any number may run at the same time.
package report

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"conclab/internal/gradebook"
	"conclab/internal/intake"
	"conclab/internal/policy"
	"conclab/internal/runner"
	"conclab/lessons"
)

// Class is everything that is known of all submissions, with the marks that a
// policy gives them.
type Class struct {
	Policy policy.Policy
	Marks  []policy.Marks // in the order of their IDs

	// LeftOut are the files beside the submissions that were taken for none.
	LeftOut []gradebook.Refused

	rules map[string]map[string]string // of each lesson, by test
	part  bool                         // whether there are more in the class than Marks
}

// New marks all entries by the policy. The entries are not changed, but shared.
func New(p policy.Policy, entries []*gradebook.Entry) *Class {
	sorted := slices.Clone(entries)
	gradebook.Sort(sorted)
	p.Lessons = p.Counting(sorted)
	rules := map[string]map[string]string{}
	for _, l := range lessons.All() {
		rules[l.Name] = l.Rules()
	}
	return &Class{Policy: p, Marks: p.Mark(sorted), rules: rules}
}

// Find returns the submission with that ID.
func (c *Class) Find(id string) (policy.Marks, bool) {
	i, ok := slices.BinarySearchFunc(c.Marks, id, func(m policy.Marks, id string) int { return cmp.Compare(m.Entry.ID, id) })
	if !ok {
		return policy.Marks{}, false
	}
	return c.Marks[i], true
}

// Only returns the class reduced to the submission with that ID. Its marks stay
// those that it has in the class.
func (c *Class) Only(id string) (one *Class, ok bool) {
	m, ok := c.Find(id)
	return &Class{Policy: c.Policy, Marks: []policy.Marks{m}, rules: c.rules, part: true}, ok
}

// Warnings says what an instructor should look at before the marks go out, a
// sentence each: marks that are still open, refused files where a lesson is
// missing, files that were no submissions, names so alike that their IDs may be taken
// for each other's, fewer runs than the policy wants, a due date that nobody has
// missed, and IDs in the policy that are nobody's.
func (c *Class) Warnings() []string {
	var all []string
	for _, m := range c.Marks {
		all = append(all, noMark(m)...)
		missing := slices.ContainsFunc(m.Lessons, func(l policy.LessonMarks) bool { return l.Status == gradebook.NotSubmitted })
		if missing && len(m.Entry.Refused) > 0 {
			r := telling(m.Entry.Refused)
			all = append(all, fmt.Sprintf("%s has submitted files that were refused, such as %s (%s), and not every lesson", m.Entry.ID, Line(r.Path), r.Word))
		}
	}
	all = append(all, c.alike()...)
	for _, r := range c.LeftOut {
		all = append(all, fmt.Sprintf("%s is no submission (%s) and was left out: if somebody handed it in, make a folder, a .zip or a .tar.gz of it, and grade again", Line(r.Path), r.Word))
	}
	if i := slices.IndexFunc(c.Marks, func(m policy.Marks) bool {
		n := len(m.Entry.Made.Repeats)
		return n > 0 && n < c.Policy.Repeats
	}); i >= 0 {
		e := c.Marks[i].Entry
		all = append(all, fmt.Sprintf("the policy wants %d runs of each test, and %s was graded with %d: grade again by this policy", c.Policy.Repeats, e.ID, len(e.Made.Repeats)))
	}
	if !c.Policy.Due.IsZero() && len(c.Policy.HandedIn) == 0 && !c.part {
		all = append(all, "there is a due date, but the policy's handed-in names nobody, so all count as in time")
	}
	ids := c.Policy.IDs()
	slices.Sort(ids)
	for _, id := range slices.Compact(ids) {
		if _, ok := c.Find(id); !ok && !c.part {
			all = append(all, fmt.Sprintf("the policy names %s, who is not in this class", id))
		}
	}
	return all
}

// alike names the submissions that would have the same ID. Which of them has it
// changes when one more comes, and what the policy says of an ID stays.
func (c *Class) alike() []string {
	wanted := map[string][]string{}
	for _, m := range c.Marks {
		id := intake.ID(m.Entry.Name)
		wanted[id] = append(wanted[id], fmt.Sprintf("%s (%s)", m.Entry.ID, Line(m.Entry.Name)))
	}
	var all []string
	for _, id := range slices.Sorted(maps.Keys(wanted)) {
		if few := wanted[id]; id != "" && len(few) > 1 {
			all = append(all, fmt.Sprintf("%s would have the same id: if they are one student's, keep one and grade again; if not, see that the policy means the right one", strings.Join(few, " and ")))
		}
	}
	return all
}

// telling is the first refusal that may have cost a lesson: a note or a picture
// that is no lesson's file has cost none.
func telling(refused []gradebook.Refused) gradebook.Refused {
	i := slices.IndexFunc(refused, func(r gradebook.Refused) bool { return r.Word != "unknown" || strings.HasSuffix(r.Path, ".go") })
	return refused[max(i, 0)]
}

// noMark says, a sentence each, why a submission has no mark yet.
func noMark(m policy.Marks) (all []string) {
	for _, why := range m.Open {
		all = append(all, fmt.Sprintf("%s has no mark yet: %s", m.Entry.ID, Line(why)))
	}
	return all
}

// ErrOpen is what writers for one submission return if it has no mark yet.
var ErrOpen = errors.New("no mark yet")

// Form is one way to write a class down.
type Form struct {
	Name  string
	About string // half a sentence
	Ext   string // of a file, with its dot

	// One of these is set: a form holds the whole class, or one submission.
	Class func(io.Writer, *Class) error
	Each  func(io.Writer, *Class, policy.Marks) error
}

// Forms are all forms but Canvas, which fills in a file; see [Canvas].
func Forms() []Form {
	return []Form{
		{Name: "table", About: "a table for the terminal", Ext: ".txt", Class: Table},
		{Name: "json", About: "everything, for programs", Ext: ".json", Class: JSON},
		{Name: "csv", About: "marks for a spreadsheet", Ext: ".csv", Class: CSV},
		{Name: "junit", About: "JUnit XML, for continuous integration", Ext: ".xml", Class: JUnit},
		{Name: "html", About: "an overview of the class with pictures", Ext: ".html", Class: HTML},
		{Name: "markdown", About: "feedback for each student", Ext: ".md", Each: Markdown},
		{Name: "gradescope", About: "results.json for Gradescope, each student", Ext: ".json", Each: Gradescope},
		{Name: "classroom", About: "a result for GitHub Classroom, each student", Ext: ".txt", Each: Classroom},
	}
}

// item is one line of a student's result: a test, or a whole lesson where there
// is nothing to say test by test.
type item struct {
	Lesson  string
	Number  string // such as 2.14: the lesson's place in the course, and the item's in the lesson
	Name    string
	Brave   bool
	Passed  bool
	Skipped bool
	Message string  // as much as the policy lets a student read
	Score   float64 // weighted and late, so that all of a submission add up to its mark
	Of      float64
}

// items lists what a student should see. The scores are rounded so that they add
// up to the mark exactly.
func (c *Class) items(m policy.Marks) []item {
	var all []item
	var exact, of []float64
	add := func(it item, score, max float64) {
		all = append(all, it)
		exact = append(exact, score*m.Keeps)
		of = append(of, max)
	}
	course := lessons.Names()
	for _, l := range m.Lessons {
		at := slices.Index(course, l.Lesson.Lesson) + 1
		base := item{Lesson: l.Lesson.Lesson, Number: fmt.Sprint(at)}
		if l.Judged || l.Status != gradebook.Graded {
			base.Name = fmt.Sprintf("%s: %s", base.Lesson, l.Status)
			base.Message = c.lessonMessage(l)
			if l.Judged {
				base.Name, base.Passed = base.Lesson+": judged by a person", l.Points >= l.Of
			}
			add(base, l.Points, l.Of)
			continue
		}
		n, rules := 0, c.rules[base.Lesson]
		for _, t := range l.Tasks {
			weight, of := c.Policy.Weight(base.Lesson), c.Policy.Weight(base.Lesson)
			if t.Brave {
				of = 0
				if !c.Policy.Brave {
					weight = 0
				}
			}
			it := base
			it.Brave = t.Brave
			if c.Policy.Feedback == policy.Verdict {
				// A test's name would say the rule.
				n++
				it.Number = fmt.Sprintf("%d.%d", at, n)
				it.Name = fmt.Sprintf("%s: %s", base.Lesson, t.Title)
				verdict := taskVerdict(t.Task)
				it.Passed, it.Skipped = verdict == runner.Pass, verdict == runner.Skip
				if !it.Passed {
					it.Message = string(verdict)
				}
				add(it, t.Raw*weight, t.RawOf*of)
				continue
			}
			for i, test := range t.Task.Tests {
				n++
				it.Number = fmt.Sprintf("%d.%d", at, n)
				it.Name = fmt.Sprintf("%s: %s", base.Lesson, words(rules, test.Name))
				it.Passed, it.Skipped = test.Passed(), !test.Counts()
				it.Message = c.message(rules, test)
				add(it, t.Tests[i]*weight, t.TestsOf[i]*of)
			}
		}
	}
	spread(all, exact, m.Points, func(it *item, v float64) { it.Score = v })
	spread(all, of, m.Of, func(it *item, v float64) { it.Of = v })
	return all
}

// spread rounds values to two decimals so that they add up to the whole: each is
// the step from one rounded running sum to the next.
func spread(all []item, exact []float64, whole float64, set func(*item, float64)) {
	var sum float64
	for _, v := range exact {
		sum += v
	}
	var running, before float64
	for i, v := range exact {
		running += v
		now := before
		if sum > 0 {
			now = policy.Round(running / sum * whole)
		}
		set(&all[i], policy.Round(max(0, now-before)))
		before = now
	}
}

// message is what a student may read about a test that did not pass; empty if it
// did. The level Verdict has no messages for tests.
func (c *Class) message(rules map[string]string, t gradebook.Test) string {
	if t.Passed() {
		return ""
	}
	text := fmt.Sprintf("%s: %s", t.Verdict, words(rules, t.Name))
	if c.Policy.Feedback == policy.Full {
		text = Text(cmp.Or(t.Message, string(t.Verdict)))
	}
	if t.Runs > 1 && t.Failing != nil {
		text += fmt.Sprintf("\nit passed %d of %d runs; one that failed ran with GOMAXPROCS=%d", t.Passes, t.Runs, t.Failing.Procs)
		if t.Failing.Seed != 0 { // 0 is the suite's own order
			text += fmt.Sprintf(" and seed %d", t.Failing.Seed)
		}
	}
	return text
}

// taskVerdict is the first verdict of a task's tests that is no pass; skip only
// if none of them could run.
func taskVerdict(t gradebook.Task) runner.Verdict {
	verdict := runner.Skip
	for _, test := range t.Tests {
		switch {
		case !test.Counts():
		case !test.Passed():
			return cmp.Or(test.Verdict, runner.DidNotRun)
		default:
			verdict = runner.Pass
		}
	}
	return verdict
}

// detail is everything that is known about a lesson that was not graded.
func detail(l gradebook.Lesson) string {
	lines := []string{l.Why, l.Build}
	for _, f := range l.Findings {
		where := f.File
		if f.Line > 0 {
			where += fmt.Sprintf(":%d", f.Line)
		}
		lines = append(lines, where+": "+f.Message)
	}
	return Text(strings.Join(slices.DeleteFunc(lines, func(s string) bool { return s == "" }), "\n"))
}

// lessonMessage is what a student may read about a lesson that was not graded.
// What the compiler or the gate says is no hint about the rules of the lesson, so
// everybody may read it.
func (c *Class) lessonMessage(l policy.LessonMarks) string {
	switch l.Status {
	case gradebook.NotBuilt, gradebook.AgainstTheRules:
		return detail(l.Lesson)
	case gradebook.GraderError, gradebook.Tampered:
		if !l.Judged {
			return "a person will look at it"
		}
	}
	return ""
}

// words is a test's rule in words: those of the lesson's text, or its name taken
// apart.
func words(rules map[string]string, test string) string {
	if rule, ok := rules[test]; ok {
		return rule
	}
	name := test[strings.LastIndex(test, "/")+1:]
	name = strings.TrimPrefix(name, "Test")
	name = strings.ToLower(wordStart.ReplaceAllString(name, "$1 $2"))
	return cmp.Or(name, test)
}

var wordStart = regexp.MustCompile(`(\pL|\pN)(\p{Lu})`)

// Line makes one line of a text that may hold anything, so that it can harm
// neither a terminal nor a table.
func Line(s string) string { return strings.Join(strings.Fields(clean(s)), " ") }

// Text removes from a text of several lines what a terminal or a file format
// would take for something else than text.
func Text(s string) string { return strings.Trim(clean(s), "\n") }

func clean(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t':
			return r
		case r == unicode.ReplacementChar || unicode.Is(unicode.Cf, r) || !unicode.IsPrint(r) && !unicode.IsSpace(r):
			return '\uFFFD'
		case unicode.IsControl(r):
			return ' '
		}
		return r
	}, s)
}

// state is a lesson in one short word or number, for tables.
func state(l policy.LessonMarks) string {
	switch {
	case l.Judged:
		return policy.Format(l.Points) + "*"
	case l.Open:
		return "?"
	case l.Status == gradebook.NotSubmitted:
		return "-"
	case l.Status != gradebook.Graded:
		return "×"
	}
	return policy.Format(l.Points)
}

// Stats are the figures of the marks that there are.
type stats struct {
	All, Marked        int
	Mean, Median, Most float64
	Of                 float64
}

func (c *Class) stats() stats {
	s := stats{All: len(c.Marks)}
	var points []float64
	for _, m := range c.Marks {
		s.Of = max(s.Of, m.Of)
		if len(m.Open) == 0 {
			points = append(points, m.Points)
		}
	}
	s.Marked = len(points)
	if s.Marked == 0 {
		return s
	}
	slices.Sort(points)
	var sum float64
	for _, p := range points {
		sum += p
	}
	half := len(points) / 2
	s.Mean, s.Most = policy.Round(sum/float64(len(points))), points[len(points)-1]
	s.Median = points[half]
	if len(points)%2 == 0 {
		s.Median = policy.Round((points[half-1] + points[half]) / 2)
	}
	return s
}

// broken is a rule with the submissions that break it.
type broken struct {
	Lesson, Test, Rule string
	Ran                int // submissions in which it ran
	Fails              int
	By                 map[runner.Verdict]int
}

// broken lists the rules that most submissions break, the worst first.
func (c *Class) broken() []broken {
	type name struct{ lesson, test string }
	found := map[name]*broken{}
	var all []*broken
	for _, m := range c.Marks {
		for _, l := range m.Lessons {
			if l.Status != gradebook.Graded {
				continue
			}
			for _, t := range l.Tasks {
				for _, test := range t.Task.Tests {
					if !test.Counts() {
						continue
					}
					key := name{l.Lesson.Lesson, test.Name}
					b := found[key]
					if b == nil {
						b = &broken{Lesson: key.lesson, Test: key.test, By: map[runner.Verdict]int{}}
						found[key] = b
						all = append(all, b)
					}
					b.Ran++
					if !test.Passed() {
						b.Fails++
						b.By[test.Verdict]++
					}
				}
			}
		}
	}
	all = slices.DeleteFunc(all, func(b *broken) bool { return b.Fails == 0 })
	course := lessons.Names()
	slices.SortStableFunc(all, func(a, b *broken) int {
		return cmp.Or(
			cmp.Compare(b.Fails, a.Fails),
			cmp.Compare(slices.Index(course, a.Lesson), slices.Index(course, b.Lesson)),
			cmp.Compare(a.Test, b.Test))
	})
	sorted := make([]broken, len(all))
	for i, b := range all {
		b.Rule = words(c.rules[b.Lesson], b.Test)
		sorted[i] = *b
	}
	return sorted
}

// part is the share of points, from 0 to 1, however much a bonus adds.
func part(points, of float64) float64 {
	if of <= 0 {
		return 0
	}
	return math.Min(1, points/of)
}
