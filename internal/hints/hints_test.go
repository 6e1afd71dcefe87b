package hints_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"conclab/internal/hints"
	"conclab/internal/runner"
	"conclab/lessons"
)

func TestEveryTaskHasALadderOfFourRungs(t *testing.T) {
	for _, l := range lessons.All() {
		for i, task := range l.Tasks {
			var titles []string
			for _, rung := range hints.Ladder(l, i) {
				titles = append(titles, rung.Title)
				assert.NotContains(t, rung.Text, "\n#", "%s %s has the next heading in it", l.Name, task.Test)
				assert.Greater(t, len(rung.Text), 10, "%s %s %s is empty", l.Name, task.Test, rung.Title)
			}
			assert.Equal(t, []string{"Nudge", "Idea", "API", "Sketch"}, titles, "%s %s", l.Name, task.Test)
		}
	}
}

func TestTheNextRungIsTheOneAboveAndTheLastStays(t *testing.T) {
	ladder := make([]hints.Rung, 4)
	for seen, want := range []int{0, 1, 2, 3, 3, 3} {
		assert.Equal(t, want, hints.Next(ladder, seen), "after %d", seen)
	}
	assert.Zero(t, hints.Next(ladder, -1))
}

func TestTheFailingTaskIsTheFirstThatHasABrokenRule(t *testing.T) {
	l, err := lessons.Find("queues")
	require.NoError(t, err)
	result := func(verdicts ...runner.Verdict) *runner.Result {
		r := &runner.Result{}
		for i, v := range verdicts {
			r.Tasks = append(r.Tasks, runner.TaskResult{Task: l.Tasks[i], Tests: []runner.Test{
				{Name: l.Tasks[i].Test + "/TestA", Verdict: runner.Skip},
				{Name: l.Tasks[i].Test + "/TestB", Verdict: v},
			}})
		}
		return r
	}

	task, test, ok := hints.Failing(l, result(runner.Pass, runner.Leak, runner.Fail))
	assert.True(t, ok)
	assert.Equal(t, 1, task)
	assert.Equal(t, "TestQueue/TestB", test.Name)

	task, _, ok = hints.Failing(l, result(runner.Pass, runner.Pass, runner.Pass, runner.Fail))
	assert.True(t, ok, "a brave task has hints, too")
	assert.Equal(t, 3, task)

	task, _, ok = hints.Failing(l, result(runner.DidNotRun, runner.DidNotRun, runner.Timeout, runner.Fail))
	assert.True(t, ok)
	assert.Equal(t, 2, task, "what did not run says nothing about its rule")
	task, _, ok = hints.Failing(l, result(runner.Pass, runner.DidNotRun, runner.DidNotRun))
	assert.True(t, ok)
	assert.Equal(t, 1, task)

	_, _, ok = hints.Failing(l, result(runner.Pass, runner.Pass, runner.Pass, runner.Pass))
	assert.False(t, ok)
}
