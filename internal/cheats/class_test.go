package cheats_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"conclab/internal/grade"
	"conclab/internal/gradebook"
	"conclab/internal/ledger"
	"conclab/internal/runner"
	"conclab/internal/sandbox"
	"conclab/lessons"
)

// awkward are beginnings of names that a report could stumble over.
var awkward = []string{"=cmd|' C calc'!A0 ", "a, \"b\"; ", "line\nbreak ", "-rf ", "<script>", "é日本 ", "+1 @SUM(A1) ", "`$(id)` "}

// TestAClassOfCheats grades all tricks as one class, gate and all, with an
// honest student in their midst.
func TestAClassOfCheats(t *testing.T) {
	takesMinutes(t)
	if err := sandbox.Check(t.Context(), sandbox.Bubblewrap); err != nil {
		t.Skipf("skipped, because these programs are not to be run without a sandbox: %v", err)
	}
	all := load(t)
	dir := t.TempDir()
	handIn := func(name, lesson string, source []byte) {
		to := filepath.Join(dir, name, lesson+".go")
		require.NoError(t, os.MkdirAll(filepath.Dir(to), 0o700))
		require.NoError(t, os.WriteFile(to, source, 0o600))
	}
	byName := map[string]int{}
	var taught []lessons.Lesson
	for i, c := range all {
		name := awkward[i%len(awkward)] + c.Name
		byName[name] = i
		handIn(name, c.Lesson, c.Source)
		if l, err := lessons.Find(c.Lesson); err == nil && !slices.ContainsFunc(taught, func(k lessons.Lesson) bool { return k.Name == l.Name }) {
			taught = append(taught, l)
		}
	}
	for _, l := range taught {
		source, err := os.ReadFile(filepath.Join(root, "solutions", l.Name, l.Name+".go"))
		require.NoError(t, err)
		handIn("honest", l.Name, source)
	}

	before := traces(t)
	class, err := grade.ReadClass(dir, taught, ledger.Shard{Number: 1, Of: 1})
	require.NoError(t, err)
	require.Len(t, class.IDs, len(all)+1)
	out := t.TempDir()
	results, err := ledger.Open(out, ledger.Class{Shard: ledger.Shard{Number: 1, Of: 1}, IDs: class.IDs})
	require.NoError(t, err)
	defer results.Close()
	o := grade.Options{
		Root: root, Lessons: taught, Isolation: sandbox.Bubblewrap, Jobs: 2, Gate: grade.NewGate(root), Imports: grade.Imports(taught),
		Temp: t.TempDir(), Limits: gradebook.Limits{TestSeconds: 10},
	}
	engine, err := grade.New(t.Context(), o)
	require.NoError(t, err)
	defer engine.Close()
	_, err = engine.Run(t.Context(), results, class.Items, nil)
	require.NoError(t, err)
	assert.Equal(t, before, traces(t), "nothing is left behind")

	o.Limits, o.Temp = gradebook.Limits{}, t.TempDir()
	patient, err := grade.New(t.Context(), o)
	require.NoError(t, err)
	defer patient.Close()
	honest, err := class.Find("honest")
	require.NoError(t, err)
	sub, err := honest.Read(t.Context())
	require.NoError(t, err)
	entry, err := patient.Grade(t.Context(), sub)
	require.NoError(t, err)
	for _, test := range tests(entry) {
		assert.Equal(t, runner.Pass, test.Verdict, "%s of an honest student: %s", test.Name, test.Message)
	}

	entries, missing, err := ledger.Read(out)
	require.NoError(t, err)
	assert.Empty(t, missing)
	require.Len(t, entries, len(all)+1)
	for _, e := range entries {
		assert.True(t, gradebook.ValidID(e.ID))
		i, cheat := byName[e.Name]
		if !cheat {
			require.Equal(t, "honest", e.Name)
			// Ten seconds are for those who never end; on a busy machine they may
			// not do for an honest student.
			late := []runner.Verdict{runner.Pass, runner.Timeout, runner.DidNotRun}
			for _, test := range tests(e) {
				assert.Contains(t, late, test.Verdict, "%s of an honest student: %s", test.Name, test.Message)
			}
			continue
		}
		c := all[i]
		l, ok := e.Lesson(c.Lesson)
		require.True(t, ok)
		words, passed := []string{string(l.Status)}, 0
		for _, task := range l.Tasks {
			for _, test := range task.Tests {
				words = append(words, string(test.Verdict))
				if test.Passed() {
					passed++
				}
			}
		}
		says := fmt.Sprintf("%s: %v %s", c.Name, slices.Compact(words), l.Why)
		if len(c.Gate) > 0 {
			assert.Equal(t, gradebook.AgainstTheRules, l.Status, says)
			assert.NotEmpty(t, l.Findings, says)
			assert.Zero(t, passed, says)
			continue
		}
		assert.True(t, slices.ContainsFunc(c.Then, func(word string) bool { return slices.Contains(words, word) }), "one of %v must be said of %s", c.Then, says)
		assert.LessOrEqual(t, passed, c.Worth, says)
	}
}

// tests returns all tests of an entry.
func tests(e *gradebook.Entry) []gradebook.Test {
	var all []gradebook.Test
	for _, l := range e.Lessons {
		for _, task := range l.Tasks {
			all = append(all, task.Tests...)
		}
	}
	return all
}
