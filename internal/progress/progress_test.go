package progress

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"conclab/lessons"
)

func TestOnlyAFileWithoutAnyWorkIsUntouched(t *testing.T) {
	for name, c := range map[string]struct {
		source    string
		untouched bool
	}{
		"a starter":                                 {`func Put() { panic("TODO: put") }; func (q *Queue) Get() { panic("TODO: get") }`, true},
		"one with an error type":                    {`func Put() { panic("TODO: put") }; func (e *E) Error() string { return "no" }; func (e *E) Unwrap() error { return nil }`, true},
		"one with helpers":                          {`func Put() { panic("TODO: put") }; func help() int { return 1 }`, true},
		"a function is written":                     {`func Put() { panic("TODO: put") }; func Get() int { return 1 }`, false},
		"a function is begun":                       {`func Put() { println("here"); panic("TODO: put") }`, false},
		"another panic":                             {`func Put() { panic("not yet") }`, false},
		"a function called Error that is no method": {`func Put() { panic("TODO: put") }; func Error() {}`, false},
		"nothing to do":                             {`func help() {}`, false},
		"it does not parse":                         {`func Put() { panic("TODO: put") }; func`, false},
	} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "queues.go")
			require.NoError(t, os.WriteFile(file, []byte("package queues; type Queue struct{}; type E struct{};"+c.source), 0o600))

			assert.Equal(t, c.untouched, untouched(file))
		})
	}
	assert.False(t, untouched(filepath.Join(t.TempDir(), "nowhere.go")))
}

// state makes a lesson whose last task is for the brave; a letter p says that
// the task passes.
func state(name, tasks string) Lesson {
	l := Lesson{Lesson: lessons.Lesson{Name: name}, Built: true}
	for i, c := range tasks {
		l.Tasks = append(l.Tasks, lessons.Task{Brave: i == len(tasks)-1})
		l.Passed = append(l.Passed, c == 'p')
	}
	return l
}

func TestTheNextStepIsTheFirstThatIsNotDone(t *testing.T) {
	vetted := state("vetted", "ppp")
	vetted.Vet = 1
	for name, c := range map[string]struct {
		course []Lesson
		lesson string
		task   int
	}{
		"the first task":               {[]Lesson{state("a", "---"), state("b", "---")}, "a", 0},
		"a task left out":              {[]Lesson{state("a", "-p-"), state("b", "---")}, "a", 0},
		"a brave one can wait":         {[]Lesson{state("a", "pp-"), state("b", "p--")}, "b", 1},
		"brave ones at last, in order": {[]Lesson{state("a", "pp-"), state("b", "pp-")}, "a", 2},
		"what go vet says":             {[]Lesson{vetted, state("b", "---")}, "vetted", -1},
	} {
		t.Run(name, func(t *testing.T) {
			step, ok := Next(c.course)

			require.True(t, ok)
			assert.Equal(t, c.lesson, step.Lesson.Name)
			assert.Equal(t, c.task, step.Task)
		})
	}
}

func TestNothingComesNextWhenAllIsDoneOrUnknown(t *testing.T) {
	_, ok := Next([]Lesson{state("a", "ppp")})
	assert.False(t, ok)

	gone := state("a", "---")
	gone.Err = errors.New("gone")
	_, ok = Next([]Lesson{gone, state("b", "---")})
	assert.False(t, ok)
	assert.ErrorIs(t, Problems([]Lesson{state("b", "---"), gone}), gone.Err)
	assert.NoError(t, Problems([]Lesson{state("b", "---")}))
}
