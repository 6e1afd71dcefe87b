package gradebook_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"conclab/internal/gradebook"
	"conclab/internal/runner"
)

func TestAnEntryComesBackAsItWas(t *testing.T) {
	e := &gradebook.Entry{
		Version: gradebook.Version, ID: "s-01", Name: "=cmd, \"x\"\n<y>", Key: "abc",
		Made: gradebook.Made{
			Go: "go1.26.8", Platform: "linux/amd64", Isolation: "bwrap", Race: true,
			Limits: gradebook.Limits{TestSeconds: 9}, Repeats: []gradebook.Run{{Procs: 2, Seed: 7}},
		},
		Refused: []gradebook.Refused{{Path: "a/link", Word: "link"}},
		Lessons: []gradebook.Lesson{{
			Lesson: "queues", Status: gradebook.Graded, File: "queues.go",
			Tasks: []gradebook.Task{{Title: "A queue", Test: "TestQueue", Points: 4, Tests: []gradebook.Test{{
				Name: "TestQueue/TestX", Verdict: runner.Fail, Message: "<no>", Runs: 2, Passes: 1,
				Failing: &gradebook.Run{Procs: 2, Seed: 7},
			}}}},
		}},
		Graded: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC), Seconds: 1.5,
	}
	var b bytes.Buffer
	require.NoError(t, gradebook.Encode(&b, e))
	assert.Contains(t, b.String(), "<no>", "JSON for people")
	back, err := gradebook.Decode(&b)
	require.NoError(t, err)
	assert.Equal(t, e, back)
}

func TestDecodeSaysWhatIsWrong(t *testing.T) {
	for text, want := range map[string]string{
		``:                                    "not a whole entry",
		`{"version":1,"id":"a"`:               "not a whole entry",
		`{"version":99,"id":"a"}`:             "use the newer one",
		`{"id":"a"}`:                          "no version",
		`{"version":1,"id":"../a"}`:           "is none",
		`{"version":1,"id":"a"} {"version":1`: "something follows",

		`{"version":1,"id":"a","lessons":[{"lesson":"queues","status":"graded"`: "not a whole entry (unexpected EOF): grade it again",
		`{"version":1,"id":"a","lessons":[{"lesson":"queues","status":"foo"}]}`: `the entry says "foo" of queues, which is none of the words that this lab knows: grade it again`,
		`{"version":1,"id":"a","lessons":[{"lesson":"queues"}]}`:                `the entry says "" of queues`,
	} {
		_, err := gradebook.Decode(strings.NewReader(text))
		assert.ErrorContains(t, err, want, text)
	}
}

func TestValidID(t *testing.T) {
	for id, valid := range map[string]bool{
		"s01": true, "a.b-c_d": true, "": false, "..": false, "A": false, "a/b": false, "ä": false, "-x": false,
		strings.Repeat("a", 100): true, strings.Repeat("a", 101): false, "a\n": false,
	} {
		assert.Equal(t, valid, gradebook.ValidID(id), "%q", id)
	}
}

func TestOnlySettledEntriesAreResolved(t *testing.T) {
	for status, resolved := range map[gradebook.Status]bool{
		gradebook.Graded: true, gradebook.NotSubmitted: true, gradebook.NotBuilt: true, gradebook.AgainstTheRules: true,
		gradebook.Tampered: false, gradebook.GraderError: false, "": false, "foo": false,
	} {
		e := gradebook.Entry{Lessons: []gradebook.Lesson{{Lesson: "queues", Status: gradebook.Graded}, {Lesson: "pipes", Status: status}}}
		assert.Equal(t, resolved, e.Resolved(), status)
		l, ok := e.Lesson("pipes")
		assert.True(t, ok && l.Status == status)
	}
	_, ok := new(gradebook.Entry).Lesson("pipes")
	assert.False(t, ok)
}
