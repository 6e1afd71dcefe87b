package reset_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"conclab/internal/reset"
	"conclab/lessons"
)

var now = time.Date(2030, 4, 5, 6, 7, 8, 9e6, time.UTC)

const (
	file = "exercises/queues/queues.go"
	kept = file + ".2030-04-05T06-07-08.009.old"
	mine = "package queues // mine\n"
)

// clone makes a clone whose git knows the starter of the lesson queues, and
// whose file is somebody's. It returns its folder and the starter.
func clone(t *testing.T) (root, starter string) {
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("skipped, because git is not installed")
	}
	root = t.TempDir()
	source, err := filepath.Abs(filepath.FromSlash("../../" + file))
	require.NoError(t, err)
	for _, args := range [][]string{{"init", "-q"}, {"hash-object", "-w", source}} {
		cmd := exec.Command("git", args...)
		cmd.Dir = root
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, string(out))
	}
	text, err := os.ReadFile(source)
	require.NoError(t, err)
	write(t, root, mine)
	return root, string(text)
}

func write(t *testing.T, root, text string) {
	t.Helper()
	require.NoError(t, os.MkdirAll(filepath.Join(root, "exercises", "queues"), 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(root, filepath.FromSlash(file)), []byte(text), 0o600))
}

func read(t *testing.T, root, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(name)))
	require.NoError(t, err)
	return string(text)
}

func lesson(t *testing.T, name string) lessons.Lesson {
	t.Helper()
	l, err := lessons.Find(name)
	require.NoError(t, err)
	return l
}

func TestTheStarterComesBackAndWhatWasThereIsKept(t *testing.T) {
	root, starter := clone(t)

	as, err := reset.Lesson(t.Context(), root, lesson(t, "queues"), now)
	require.NoError(t, err)
	assert.Equal(t, kept, as)
	assert.Equal(t, mine, read(t, root, kept))
	assert.Equal(t, starter, read(t, root, file))
	entries, err := os.ReadDir(filepath.Join(root, "exercises", "queues"))
	require.NoError(t, err)
	assert.Len(t, entries, 2, "nothing else is left")
	if runtime.GOOS != "windows" {
		info, err := os.Stat(filepath.Join(root, filepath.FromSlash(file)))
		require.NoError(t, err)
		assert.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	}

	_, err = reset.Lesson(t.Context(), root, lesson(t, "queues"), now)
	assert.ErrorIs(t, err, reset.ErrUntouched)
}

func TestWhatIsKeptIsNeverOverwritten(t *testing.T) {
	root, _ := clone(t)
	_, err := reset.Lesson(t.Context(), root, lesson(t, "queues"), now)
	require.NoError(t, err)
	const other = "package queues // other\n"
	write(t, root, other)

	_, err = reset.Lesson(t.Context(), root, lesson(t, "queues"), now)
	assert.ErrorContains(t, err, file+" was not reset, because it cannot be kept")
	assert.Equal(t, mine, read(t, root, kept))
	assert.Equal(t, other, read(t, root, file))
}

func TestWithoutAStarterNothingIsTouched(t *testing.T) {
	root, _ := clone(t)
	for name, c := range map[string]struct {
		lesson lessons.Lesson
		says   string
	}{
		"not in git": {lesson(t, "locks"), "git does not find the one of locks here"},
		"unknown":    {lessons.Lesson{Name: "nowhere"}, "the lab does not know the starter of nowhere"},
	} {
		_, err := reset.Lesson(t.Context(), root, c.lesson, now)
		assert.ErrorContains(t, err, c.says, name)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := reset.Lesson(ctx, root, lesson(t, "queues"), now)
	assert.ErrorIs(t, err, context.Canceled)
	t.Setenv("PATH", t.TempDir())
	_, err = reset.Lesson(t.Context(), root, lesson(t, "queues"), now)
	assert.ErrorContains(t, err, "git was not found on PATH")
	assert.Equal(t, mine, read(t, root, file))
}
