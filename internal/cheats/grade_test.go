package cheats_test

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"conclab/internal/runner"
	"conclab/internal/sandbox"
	"conclab/lessons"
)

// TestWithoutTheGate runs every trick with the gate switched off, as grading
// would run it: what the gate stops must be worth nothing to whoever gets past
// it.
func TestWithoutTheGate(t *testing.T) {
	takesMinutes(t)
	if err := sandbox.Check(t.Context(), sandbox.Bubblewrap); err != nil {
		t.Skipf("skipped, because these programs are not to be run without a sandbox: %v", err)
	}
	all := load(t)
	var imports, names []string
	for _, c := range all {
		imports = append(imports, runner.Imports(c.Source)...)
		imports = append(imports, runner.Imports(c.Honest)...)
		names = append(names, c.Lesson)
	}
	slices.Sort(names)
	kit := newKit(t, imports, slices.Compact(names))

	worth := map[string]int{} // how many tests the honest answers pass
	before := traces(t)
	for _, c := range all {
		t.Run(c.Name, func(t *testing.T) {
			words, passed := judge(t, kit, c.Lesson, c.Source, 9*time.Second)
			t.Logf("%v, %d passed", words, passed)
			hit := slices.ContainsFunc(c.Then, func(word string) bool { return slices.Contains(words, word) })
			assert.True(t, hit, "one of %v must be said of it, but only %v is", c.Then, words)
			if slices.Contains(c.Then, "pass") {
				return // the gate alone stops it, and the file says so
			}
			honest, ok := worth[string(c.Honest)]
			if !ok {
				_, honest = judge(t, kit, c.Lesson, c.Honest, time.Minute)
				worth[string(c.Honest)] = honest
			}
			assert.LessOrEqual(t, passed, max(honest, c.Worth), "nothing is gained")
		})
	}
	assert.Equal(t, before, traces(t), "nothing is left behind")

	l, err := lessons.Find("queues")
	require.NoError(t, err)
	reference, err := os.ReadFile(filepath.Join(root, "solutions", "queues", "queues.go"))
	require.NoError(t, err)
	words, _ := judge(t, kit, l.Name, reference, time.Minute)
	assert.Equal(t, []string{"pass"}, words, "whoever comes after them is not touched")
}

func newKit(t *testing.T, imports, names []string) *runner.Kit {
	t.Helper()
	o := runner.KitOptions{
		Root: root, Dir: t.TempDir(), Isolation: sandbox.Bubblewrap, Imports: imports,
		Build: sandbox.Limits{Memory: 1 << 30, Output: 1 << 20, File: 256 << 20, CPU: 10 * time.Second},
		Run:   sandbox.Limits{Memory: 512 << 20, Processes: 256, File: 16 << 20},
	}
	for _, name := range names {
		l, err := lessons.Find(name)
		require.NoError(t, err)
		o.Lessons = append(o.Lessons, l)
	}
	kit, err := runner.NewKit(t.Context(), o)
	require.NoError(t, err)
	return kit
}

// judge grades a file and returns the words that are said of it, each once, and
// how many of its tests have passed.
func judge(t *testing.T, kit *runner.Kit, lesson string, source []byte, limit time.Duration) (words []string, passed int) {
	t.Helper()
	l, err := lessons.Find(lesson)
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	a, err := kit.Assemble(ctx, t.TempDir(), []runner.Candidate{{Lesson: l, File: lesson + ".go", Source: source}})
	require.NoError(t, err)
	defer func() { assert.NoError(t, a.Remove()) }()
	if message, ok := a.NotBuilt[lesson]; ok {
		t.Logf("not built: %s", message)
		return []string{"not built"}, 0
	}
	v, err := a.Judge(ctx, lesson, runner.Way{Procs: 2, Limit: limit})
	require.NoError(t, err)
	said := map[string]int{}
	for _, task := range v.Tasks {
		for _, test := range task.Tests {
			said[string(test.Verdict)]++
			if test.Verdict == runner.Pass {
				passed++
			}
		}
	}
	if v.Tampered != "" {
		t.Logf("tampered: %s", v.Tampered)
		return []string{"tampered"}, 0
	}
	for word := range said {
		words = append(words, word)
	}
	slices.Sort(words)
	return words, passed
}

// traces lists what the tricks try to leave behind on this machine: files of
// their name, and a process that sleeps.
func traces(t *testing.T) []string {
	t.Helper()
	var found []string
	home, err := os.UserHomeDir()
	require.NoError(t, err)
	for _, dir := range []string{os.TempDir(), home, filepath.Join(home, ".config"), filepath.Join(home, ".cache"), root, filepath.Join(root, "exercises", "queues")} {
		matches, err := filepath.Glob(filepath.Join(dir, "conclab-cheat*"))
		require.NoError(t, err)
		found = append(found, matches...)
	}
	suite, err := os.ReadFile(filepath.Join(root, "exercises", "queues", "queues_test.go"))
	require.NoError(t, err)
	if strings.Contains(string(suite), "conclab-cheat") {
		found = append(found, "the suite")
	}
	processes, err := fs.Glob(os.DirFS("/proc"), "[0-9]*/cmdline")
	require.NoError(t, err)
	for _, p := range processes {
		if line, err := os.ReadFile(filepath.Join("/proc", p)); err == nil && strings.HasPrefix(string(line), "sleep\x004242") {
			found = append(found, fmt.Sprintf("process %s", p))
		}
	}
	return found
}

// takesMinutes skips a test where nobody has asked for it.
func takesMinutes(t *testing.T) {
	t.Helper()
	if os.Getenv("CONCLAB_ATTACK") == "" {
		t.Skip("skipped, because it takes minutes: make attack runs it")
	}
}
