package watch_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"conclab/internal/runner"
	"conclab/internal/watch"
	"conclab/lessons"
)

var tiny = lessons.Lesson{
	Name: "tiny",
	Tasks: []lessons.Task{
		{Test: "TestAdd", Points: 1},
		{Test: "TestAct", Points: 2},
		{Test: "TestBrave", Points: 1, Brave: true},
	},
}

// soon is enough for a build on a busy machine.
const soon = 2 * time.Minute

// diary keeps what a loop tells.
type diary struct {
	*watch.Loop
	t    *testing.T
	file string
	stop func()

	mu     sync.Mutex
	events []watch.Event
}

// begin starts a loop on a module of its own. Without the race detector it is
// quicker, and everywhere the same.
func begin(t *testing.T, source string) *diary {
	t.Setenv("CGO_ENABLED", "0")
	forgetful(t)
	root := t.TempDir()
	require.NoError(t, os.CopyFS(root, os.DirFS("../runner/testdata/module")))
	d := &diary{t: t, file: filepath.Join(root, "exercises", "tiny", "tiny.go")}
	write(t, d.file, source)
	var err error
	d.Loop, err = watch.New(root, []lessons.Lesson{tiny}, func(e watch.Event) {
		d.mu.Lock()
		defer d.mu.Unlock()
		d.events = append(d.events, e)
	})
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() { defer close(ended); d.Run(ctx) }()
	d.stop = sync.OnceFunc(func() { cancel(); <-ended })
	t.Cleanup(d.stop)
	return d
}

// forgetful keeps what is remembered of lessons that are done out of the user's
// cache, where everything that was built stays.
func forgetful(t *testing.T) {
	built, err := exec.Command("go", "env", "GOCACHE").Output()
	require.NoError(t, err)
	t.Setenv("GOCACHE", strings.TrimSpace(string(built)))
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
}

// kinds are the kinds of what was told, repeated ones once.
func (d *diary) kinds() []watch.EventKind {
	d.mu.Lock()
	defer d.mu.Unlock()
	var kinds []watch.EventKind
	for _, e := range d.events {
		if len(kinds) == 0 || kinds[len(kinds)-1] != e.Kind {
			kinds = append(kinds, e.Kind)
		}
	}
	return kinds
}

// until waits for so many events of a kind, and returns the last of them.
func (d *diary) until(kind watch.EventKind, n int) (found watch.Event) {
	d.t.Helper()
	require.Eventually(d.t, func() bool {
		d.mu.Lock()
		defer d.mu.Unlock()
		count := 0
		for _, e := range d.events {
			if e.Kind == kind {
				if count++; count == n {
					found = e
					return true
				}
			}
		}
		return false
	}, soon, time.Millisecond, "%d × %s", n, kind)
	return found
}

func source(body, add string) string {
	return "package tiny\n\nimport \"testing\"\n\nvar Spoiled bool\n\nfunc Act(*testing.T) { " + body + " }\n\nfunc Add(a, b int) int { return " + add + " }\n"
}

func TestASaveIsJudged(t *testing.T) {
	d := begin(t, source("", "a + b"))
	write(t, d.file, source("", "a - b"))
	first := d.until(watch.Judged, 1)
	assert.False(t, first.Result.Passed(true))
	assert.Contains(t, first.Result.Tasks[0].Tests[0].Message, "Add must add: Add(1, 2) is -1")
	second := d.until(watch.Judged, 2)
	if !second.Result.Race {
		assert.Contains(t, second.Result.NoRace, "the race detector does not work here")
	}
	assert.Equal(t, verdicts(first.Result), verdicts(second.Result))
	assert.Equal(t, []watch.EventKind{watch.Began, watch.Step, watch.Judged, watch.Doubted, watch.Judged}, d.kinds())
	assert.True(t, d.until(watch.Began, 1).Saved)

	// The same text once more starts nothing.
	write(t, d.file, source("", "a - b"))
	time.Sleep(settled)
	assert.Len(t, d.kinds(), 5)

	// Whoever asks is answered.
	d.Judge(tiny)
	assert.False(t, d.until(watch.Began, 2).Saved)
	d.until(watch.Judged, 3)
}

func verdicts(r *runner.Result) map[string]runner.Verdict {
	all := map[string]runner.Verdict{}
	for _, task := range r.Tasks {
		for _, test := range task.Tests {
			all[test.Name] = test.Verdict
		}
	}
	return all
}

func TestWhatDoesNotCompileIsToldBeforeAnythingIsBuilt(t *testing.T) {
	d := begin(t, source("", "a + b"))
	d.Judge(tiny)
	d.until(watch.Judged, 2)
	write(t, d.file, source("", "a + c"))
	broken := d.until(watch.Broken, 1)
	assert.Contains(t, broken.Message, "exercises/tiny/tiny.go:9:")
	assert.Contains(t, broken.Message, "undefined: c")
	judged := d.until(watch.Judged, 3)
	assert.Equal(t, broken.Message, judged.Result.Build, "the compiler says the same")
	kinds := d.kinds()
	assert.Equal(t, []watch.EventKind{watch.Began, watch.Broken, watch.Step, watch.Judged}, kinds[len(kinds)-4:])
}

func TestASaveEndsTheRunThatItPutsOutOfDate(t *testing.T) {
	d := begin(t, source("", "a + b"))
	write(t, d.file, source("for {}", "a + b"))
	// It hangs in the middle of the suite.
	require.Eventually(t, func() bool {
		d.mu.Lock()
		defer d.mu.Unlock()
		return slices.ContainsFunc(d.events, func(e watch.Event) bool {
			return e.Kind == watch.Step && e.Step.Kind == runner.EventStarted && e.Step.Test.Name == "TestAct/TestB"
		})
	}, soon, time.Millisecond)
	start := time.Now()
	write(t, d.file, source("", "a + b"))
	d.until(watch.Began, 2)
	assert.Less(t, time.Since(start), 2*time.Second, "the old run is ended at once")
	assert.True(t, d.until(watch.Judged, 1).Result.Passed(true))
	kinds := d.kinds()
	assert.Equal(t, []watch.EventKind{watch.Began, watch.Step, watch.Began, watch.Step, watch.Judged}, kinds[:5], "nothing more of the old run")
}

func TestItEndsWithinASecondAndLeavesNothing(t *testing.T) {
	temp := t.TempDir()
	t.Setenv("GOTMPDIR", temp)
	note := filepath.Join(t.TempDir(), "pid")
	d := begin(t, source("", "a + b"))
	write(t, d.file, "package tiny\n\nimport (\n\t\"os\"\n\t\"testing\"\n)\n\nvar Spoiled bool\n\nfunc Act(*testing.T) {\n\tos.WriteFile("+
		`"`+filepath.ToSlash(note)+`"`+", nil, 0o600)\n\tfor {\n\t}\n}\n\nfunc Add(a, b int) int { return a + b }\n")
	require.Eventually(t, func() bool { _, err := os.Stat(note); return err == nil }, soon, time.Millisecond)
	start := time.Now()
	d.stop()
	// A second is the promise; a busy machine may need another.
	assert.Less(t, time.Since(start), 2*time.Second)
	left, err := os.ReadDir(temp)
	require.NoError(t, err)
	assert.Empty(t, left)
	before := len(d.kinds())
	write(t, d.file, source("", "a + b"))
	time.Sleep(settled)
	assert.Len(t, d.kinds(), before)
}

func TestLookingGivesWayAndIsNotForgotten(t *testing.T) {
	root := t.TempDir()
	t.Setenv("CGO_ENABLED", "0")
	forgetful(t)
	require.NoError(t, os.CopyFS(root, os.DirFS("../runner/testdata/module")))
	other := tiny
	other.Name = "small"
	dir := filepath.Join(root, "exercises", "small")
	require.NoError(t, os.Mkdir(dir, 0o700))
	for _, name := range []string{"tiny.go", "tiny_test.go"} {
		text, err := os.ReadFile(filepath.Join(root, "exercises", "tiny", name))
		require.NoError(t, err)
		write(t, filepath.Join(dir, strings.Replace(name, "tiny", "small", 1)), string(text))
	}
	var mu sync.Mutex
	var told []string
	known := make(chan watch.Event, 2)
	loop, err := watch.New(root, []lessons.Lesson{tiny, other}, func(e watch.Event) {
		mu.Lock()
		defer mu.Unlock()
		if e.Kind == watch.Known || e.Kind == watch.Began {
			told = append(told, string(e.Kind)+" "+e.Lesson.Name)
		}
		if e.Kind == watch.Known {
			known <- e
		}
	})
	require.NoError(t, err)
	loop.Look(tiny, other)
	loop.Judge(other)
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() { defer close(ended); loop.Run(ctx) }()
	defer func() { stop(); <-ended }()
	select {
	case e := <-known:
		assert.Equal(t, []bool{true, true, true}, e.Progress.Passed)
	case <-time.After(soon):
		require.Fail(t, "nothing is known")
	}
	mu.Lock()
	defer mu.Unlock()
	assert.Equal(t, []string{"began small", "known tiny"}, told, "who works on a lesson need not be looked at")
}

func TestMissingGoIsToldAsATrouble(t *testing.T) {
	if _, err := exec.LookPath("go"); err != nil {
		t.Skip("skipped, because there is no go command to take away")
	}
	d := begin(t, source("", "a + b"))
	t.Setenv("PATH", t.TempDir())
	d.Judge(tiny)
	assert.ErrorContains(t, d.until(watch.Failed, 1).Err, "the go command was not found")
}
