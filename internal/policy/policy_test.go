package policy_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"conclab/internal/grade"
	"conclab/internal/gradebook"
	"conclab/internal/policy"
	"conclab/internal/runner"
)

func read(t *testing.T, text string) policy.Policy {
	t.Helper()
	p, err := policy.Read(strings.NewReader(text), "p.yaml")
	require.NoError(t, err)
	return p
}

func TestTheExampleSaysWhatHoldsWithoutAPolicy(t *testing.T) {
	assert.Equal(t, policy.Default(), read(t, policy.Example))
	for _, nothing := range []string{"", "\n# nothing\n", "---\n"} {
		assert.Equal(t, policy.Default(), read(t, nothing), "%q", nothing)
	}
	p, err := policy.Load("")
	require.NoError(t, err)
	assert.Equal(t, policy.Default(), p)
}

// What is commented out in the example must be right too: whoever removes the
// number sign has a policy that works.
func TestTheExampleWithoutCommentSignsIsAPolicy(t *testing.T) {
	var text strings.Builder
	for line := range strings.Lines(policy.Example) {
		rest, commented := strings.CutPrefix(line, "# ")
		if key, _, isKey := strings.Cut(strings.TrimLeft(rest, " "), ":"); commented && isKey && !strings.Contains(key, " ") {
			line = rest
		}
		text.WriteString(line)
	}
	p := read(t, text.String())
	assert.Equal(t, []string{"queues", "pipes"}, p.Lessons)
	assert.Equal(t, 2.0, p.Weight("pipes"))
	assert.Equal(t, 1.0, p.Weight("queues"))
	assert.Equal(t, grade.Limits(gradebook.Limits{}), p.Limits, "the grader's own")
	assert.Equal(t, 4.5, p.Judged["s07"]["queues"])
	assert.Equal(t, 7*24*time.Hour, p.DueFor("s07").Sub(p.DueFor("s08")))
	assert.ElementsMatch(t, []string{"s07", "s07", "s08"}, p.IDs())
	assert.Equal(t, 1, p.DaysLate("s08"))
}

func TestWhatIsWrongIsNamedWithItsLine(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"repeats: 3\n---\nrepeats: 4\n", "p.yaml:2: a second document begins here"},
		{"lesons: [queues]", `p.yaml:1: the policy has no key "lesons"; did you mean "lessons"?`},
		{"brave: true\n\nfeedbak: full", `p.yaml:3: the policy has no key "feedbak"; did you mean "feedback"?`},
		{"late:\n  per-dya: 5", `p.yaml:2: late has no key "per-dya"; did you mean "per-day"? The keys are free-days, max-days, per-day`},
		{"limits: {mem: 2GiB}", `p.yaml:1: limits has no key "mem"; did you mean "memory"?`},
		{"lessons: [queus]", `p.yaml:1: no lesson is called "queus"; did you mean "queues"?`},
		{"lessons: []", "p.yaml:1: lessons must be a list"},
		{"lessons: queues", "p.yaml:1: lessons must be a list"},
		{"lessons: [queues, queues]", "queues stands in the list twice"},
		{"weights: {queues: -1}", `a weight must be a number from 0 to 1000000, not "-1"`},
		{"weights: {queues: .nan}", "a weight must be a number"},
		{"weights: {queues: nan}", "a weight must be a number"},
		{"weights: {queues: 1e308}", `a weight must be a number from 0 to 1000000, not "1e308"`},
		{"weights: {queues: +Inf}", "a weight must be a number"},
		{"judged: {s7: {queues: 1e308}}", `the points must be a number from 0 to 1000000, not "1e308"`},
		{"brave:", "p.yaml:1: a single value belongs here"},
		{"brave: ~", "a single value belongs here"},
		{"brave: [true]", "a single value belongs here"},
		{"brave: perhaps", `this can be true or false, but not "perhaps"`},
		{"repeats: 0", `this must be a whole number from 1 to 100, not "0"`},
		{"repeats: 2.5", "a whole number"},
		{"repeat-rule: best", `this can be all, share, but not "best"`},
		{"feedback: none", "this can be full, rule, verdict"},
		{"limits: {memory: 2GB}", `this must be a size such as 512MiB or 2GiB, not "2GB"`},
		{"limits: {build: 60}", `this must be a time such as 90s or 2m, not "60"`},
		{"due: 2026-03-01", "write it with the offset from UTC"},
		{"due:", "a single value belongs here"},
		{"late: 3", "late must hold keys and values"},
		{"late: {per-day: 110}", "at most 100"},
		{"repeats: 1\nbrave: true\nrepeats: 2", `p.yaml:3: "repeats" stands in line 1 already`},
		{"due: 2026-03-01T23:59:00Z\nextensions: {S7: 2026-03-08T23:59:00Z}", `"S7" is no id`},
		{"due: 2026-03-01T23:59:00Z\nextensions: {s7: 2026-02-08T23:59:00Z}", "the extension of s7 ends before the due date"},
		{"extensions: {s7: 2026-02-08T23:59:00Z}", "there are extensions, but no due date"},
		{"handed-in: {s7: 2026-02-08T23:59:00Z}", "it says when something was handed in, but there is no due date"},
		{"due: 2026-03-01T23:59:00Z\nhanded-in: {s7: yesterday}", "p.yaml:2: "},
		{"judged: {s7: 3}", "s7 must hold keys and values"},
		{"judged: {s7: {queue: 3}}", `did you mean "queues"?`},
		{"[1, 2]", "the policy must hold keys and values"},
		{"a: *b", "p.yaml"},
		{"a: [", ": this is no YAML"},
		{"a: b\n\tc: d", "p.yaml:2: this is no YAML"},
	} {
		_, err := policy.Read(strings.NewReader(c.text), "p.yaml")
		if assert.Error(t, err, c.text) {
			assert.Contains(t, err.Error(), c.want, c.text)
		}
	}
}

// With less, a right answer has a zero: for what the limit did, and not its author.
func TestLimitsUnderWhichNothingCanBeBuiltOrRunAreTurnedAway(t *testing.T) {
	for key, values := range map[string]struct{ little, least string }{
		"build":     {"9s", "10s"},
		"tests":     {"1ns", "20s"},
		"memory":    {"1MiB", "384MiB"},
		"processes": {"1", "64"},
		"output":    {"1KiB", "256KiB"},
	} {
		_, err := policy.Read(strings.NewReader(fmt.Sprintf("limits: {%s: %s}", key, values.little)), "p.yaml")
		assert.EqualError(t, err, fmt.Sprintf("p.yaml:1: limits.%s: %s is less than right answers need to be built and run: write %s or more",
			key, values.little, values.least))
		read(t, fmt.Sprintf("limits: {%s: %s}", key, values.least))
	}
	assert.Equal(t, int64(1<<10), read(t, "limits: {files: 1KiB}").Limits.FileBytes, "no answer needs a file")
}

// Every key without a value would silently be some value.
func TestNoKeyIsWithoutAValue(t *testing.T) {
	for line := range strings.Lines(policy.Example) {
		key, _, isKey := strings.Cut(strings.TrimSpace(strings.TrimPrefix(line, "# ")), ":")
		if !isKey || strings.Contains(key, " ") {
			continue
		}
		for _, text := range []string{key + ":", "late: {" + key + ": }", "limits: {" + key + ": }"} {
			_, err := policy.Read(strings.NewReader(text), "p.yaml")
			assert.Error(t, err, text)
		}
	}
}

func TestAllThatIsWrongIsNamedAtOnce(t *testing.T) {
	_, err := policy.Read(strings.NewReader("repeats: 0\nbraev: true\nlessons: [x]\n"), "p.yaml")
	require.Error(t, err)
	assert.Len(t, strings.Split(err.Error(), "\n"), 3)
	_, err = policy.Load("missing.yaml")
	assert.ErrorContains(t, err, "cannot read the policy")
}

func test(runs, passes int) gradebook.Test {
	v := runner.Fail
	if runs == passes {
		v = runner.Pass
	}
	return gradebook.Test{Name: "T/x", Verdict: v, Runs: runs, Passes: passes}
}

var (
	right   = test(1, 1)
	wrong   = test(1, 0)
	skipped = gradebook.Test{Name: "T/s", Verdict: runner.Skip}
)

// entry is one lesson, queues: a task of 4 points with these tests, and one for
// the brave of 2.
func entry(status gradebook.Status, brave gradebook.Test, tests ...gradebook.Test) *gradebook.Entry {
	return &gradebook.Entry{ID: "s1", Lessons: []gradebook.Lesson{{
		Lesson: "queues", Status: status, Tasks: []gradebook.Task{
			{Test: "TestQueue", Points: 4, Tests: tests},
			{Test: "TestUnbounded", Points: 2, Brave: true, Tests: []gradebook.Test{brave}},
		},
	}}}
}

func mark(t *testing.T, text string, e *gradebook.Entry) policy.Marks {
	t.Helper()
	return read(t, "lessons: [queues]\n"+text).Mark([]*gradebook.Entry{e})[0]
}

func TestATasksPointsAreSharedOverItsTests(t *testing.T) {
	for _, c := range []struct {
		name, policy string
		e            *gradebook.Entry
		points, of   float64
	}{
		{"all right", "", entry(gradebook.Graded, right, right, right, right), 6, 4},
		{"one of three", "", entry(gradebook.Graded, wrong, right, wrong, wrong), 1.33, 4},
		{"two of three", "", entry(gradebook.Graded, wrong, right, right, wrong), 2.67, 4},
		{"the bonus alone", "", entry(gradebook.Graded, right, wrong), 2, 4},
		{"no bonus", "brave: false", entry(gradebook.Graded, right, right), 4, 4},
		{"a weight", "weights: {queues: 2.5}", entry(gradebook.Graded, right, right), 15, 10},
		{"of no weight", "weights: {queues: 0}", entry(gradebook.Graded, right, right), 0, 0},
		{"a skipped test is shared among the others", "", entry(gradebook.Graded, wrong, right, skipped, wrong), 2, 4},
		{"a task that could not run counts for nobody", "", entry(gradebook.Graded, right, skipped, skipped), 2, 0},
		{"not submitted", "", entry(gradebook.NotSubmitted, gradebook.Test{}, gradebook.Test{}), 0, 4},
		{"not built", "", entry(gradebook.NotBuilt, gradebook.Test{}, gradebook.Test{}), 0, 4},
		{"against the rules, whatever it claims", "", entry(gradebook.AgainstTheRules, right, right), 0, 4},
		{"a repeat that failed", "", entry(gradebook.Graded, wrong, test(4, 3)), 0, 4},
		{"the share of repeats", "repeat-rule: share", entry(gradebook.Graded, wrong, test(4, 3)), 3, 4},
		{"never ran", "repeat-rule: share", entry(gradebook.Graded, wrong, gradebook.Test{Verdict: runner.DidNotRun}), 0, 4},
		{"a pass in name only", "", entry(gradebook.Graded, wrong, gradebook.Test{Verdict: runner.Pass}), 0, 4},
		{"more passes than runs do not earn more", "repeat-rule: share", entry(gradebook.Graded, wrong, gradebook.Test{Verdict: runner.Fail, Runs: 2, Passes: 9}), 4, 4},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := mark(t, c.policy, c.e)
			assert.Equal(t, c.points, m.Points)
			assert.Equal(t, c.of, m.Of)
			assert.Empty(t, m.Open)
		})
	}
}

// Sevenths, elevenths and the like must add up to the whole.
func TestAllTestsPassedIsAllPoints(t *testing.T) {
	for n := 1; n <= 40; n++ {
		tests := make([]gradebook.Test, n)
		for i := range tests {
			tests[i] = right
		}
		assert.Equal(t, 4.0, mark(t, "brave: false", entry(gradebook.Graded, right, tests...)).Points, n)
	}
}

func TestWhatCannotRunOnAnyMachineCountsForNobody(t *testing.T) {
	all := []*gradebook.Entry{
		entry(gradebook.Graded, right, skipped),
		entry(gradebook.NotSubmitted, gradebook.Test{}, gradebook.Test{}),
	}
	p := read(t, "lessons: [queues]")
	for _, m := range p.Mark(all) {
		assert.Zero(t, m.Of)
	}
	all = append(all, entry(gradebook.Graded, right, right))
	marks := p.Mark(all)
	assert.Equal(t, []float64{0, 4, 4}, []float64{marks[0].Of, marks[1].Of, marks[2].Of})
}

func TestAGraderErrorIsNeverAZero(t *testing.T) {
	for _, status := range []gradebook.Status{gradebook.GraderError, gradebook.Tampered, "a word of a newer lab"} {
		e := entry(status, right, right)
		e.Lessons[0].Why = "no space left"
		m := mark(t, "", e)
		assert.Equal(t, []string{"queues: " + string(status) + ": no space left"}, m.Open)
		assert.True(t, m.Lessons[0].Open)

		m = mark(t, "judged: {s1: {queues: 3.5}}\nweights: {queues: 2}", e)
		assert.Empty(t, m.Open, "a person has decided")
		assert.Equal(t, 7.0, m.Points)
		assert.Zero(t, m.Raw, "the tests' own marks stay what they were")
		assert.True(t, m.Lessons[0].Judged)
	}
	m := read(t, "lessons: [queues, pipes]").Mark([]*gradebook.Entry{entry(gradebook.Graded, right, right)})[0]
	assert.Equal(t, []string{"pipes has not been graded"}, m.Open)
}

func TestLateness(t *testing.T) {
	due := time.Date(2026, 3, 1, 22, 59, 0, 0, time.UTC)
	const rules = "due: 2026-03-01T23:59:00+01:00\nlate: {free-days: 1, per-day: 25, max-days: 4}\nextensions: {s2: 2026-03-03T23:59:00+01:00}\n"
	for _, c := range []struct {
		id    string
		after time.Duration
		days  int
		keeps float64
	}{
		{"s1", -time.Hour, 0, 1},
		{"s1", 0, 0, 1},
		{"s1", time.Nanosecond, 1, 1},
		{"s1", 24 * time.Hour, 1, 1},
		{"s1", 24*time.Hour + 1, 2, 0.75},
		{"s1", 4 * 24 * time.Hour, 4, 0.25},
		{"s1", 4*24*time.Hour + 1, 5, 0},
		{"s2", 48 * time.Hour, 0, 1},
		{"s2", 80 * time.Hour, 2, 0.75},
	} {
		e := entry(gradebook.Graded, right, right)
		at := due.Add(c.after)
		e.ID = c.id
		m := mark(t, fmt.Sprintf("%shanded-in: {%s: %s}\n", rules, c.id, at.Format(time.RFC3339Nano)), e)
		assert.Equal(t, c.days, m.DaysLate, "%s %s", c.id, c.after)
		assert.Equal(t, c.keeps, m.Keeps, "%s %s", c.id, c.after)
		assert.Equal(t, 6*c.keeps, m.Points)
		assert.Equal(t, 6.0, m.Raw, "raw marks know no lateness")
	}
	m := mark(t, rules, entry(gradebook.Graded, right, right))
	assert.Equal(t, 6.0, m.Points)
	assert.Empty(t, m.Notes, "who is not named was in time")
}

func TestLatenessTakesNoMoreThanThereIs(t *testing.T) {
	assert.Zero(t, policy.Late{PerDay: 30}.Keeps(4))
	assert.InDelta(t, 0.1, policy.Late{PerDay: 30}.Keeps(3), 1e-9)
	assert.Equal(t, 1.0, policy.Late{}.Keeps(400))
}

func TestPointsReadAsPeopleWriteThem(t *testing.T) {
	for points, want := range map[float64]string{0: "0", 4: "4", 1.5: "1.5", 4.0 / 3: "1.33", 1.005: "1.01", 10: "10", 100: "100", 2.675: "2.68"} {
		assert.Equal(t, want, policy.Format(points))
	}
}

func TestTheLessonsThatCount(t *testing.T) {
	all := []*gradebook.Entry{
		{Lessons: []gradebook.Lesson{{Lesson: "pipes"}}},
		{Lessons: []gradebook.Lesson{{Lesson: "queues"}}},
	}
	assert.Equal(t, []string{"queues", "pipes"}, policy.Default().Counting(all), "what was graded, in the course's order")
	assert.Equal(t, []string{"echo"}, read(t, "lessons: [echo]").Counting(all))
	assert.Equal(t, []string{"queues", "echo"}, read(t, "lessons: [echo, queues]").Lessons, "in the course's order")
}
