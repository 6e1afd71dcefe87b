package doctor_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"conclab/internal/doctor"
)

// examine returns what is known about each thing, of the lab's own module.
func examine(t *testing.T) map[string]doctor.Finding {
	t.Helper()
	root, err := filepath.Abs("../..")
	require.NoError(t, err)
	all := map[string]doctor.Finding{}
	require.NoError(t, doctor.Examine(t.Context(), root, nil, nil, func(f doctor.Finding) { all[f.Thing] = f }))
	return all
}

func TestEveryThingIsLookedAtAndWhatIsMissingHasAFix(t *testing.T) {
	t.Setenv("XDG_STATE_HOME", t.TempDir())
	all := examine(t)
	for _, thing := range []string{"clone", "go", "race", "git", "terminal", "hints", "ICMP", "sandbox"} {
		f, ok := all[thing]
		assert.True(t, ok, thing)
		assert.NotEmpty(t, f.Says, thing)
		assert.NotEmpty(t, f.Use, thing)
		assert.Equal(t, f.OK, f.Fix == "", "%s: %s", thing, f.Fix)
		assert.Equal(t, thing == "clone" || thing == "go", f.Needed, thing)
	}
	assert.True(t, all["clone"].OK)
	assert.True(t, all["go"].OK)
	assert.True(t, all["hints"].OK)
}

func TestAnEmptyPathIsDescribed(t *testing.T) {
	t.Setenv("XDG_STATE_HOME", t.TempDir())
	t.Setenv("PATH", t.TempDir())
	all := examine(t)
	for thing, says := range map[string]string{
		"go":   "cannot build the lab",
		"race": "not known without a go command",
		"git":  "was not found on PATH",
	} {
		assert.False(t, all[thing].OK, thing)
		assert.Equal(t, says, all[thing].Says)
	}
	if runtime.GOOS == "linux" {
		assert.Equal(t, "bubblewrap was not found", all["sandbox"].Says)
	}
}

func TestProgramsThatDoNotWorkAreNotTakenForGood(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("skipped, because the programs here are shell scripts")
	}
	t.Setenv("XDG_STATE_HOME", t.TempDir())
	bin := t.TempDir()
	for _, name := range []string{"git", "bwrap"} {
		require.NoError(t, os.WriteFile(filepath.Join(bin, name), []byte("#!/bin/sh\necho \"$0: no permissions\" >&2\nexit 1\n"), 0o700))
	}
	t.Setenv("PATH", bin+string(filepath.ListSeparator)+os.Getenv("PATH"))
	all := examine(t)
	assert.False(t, all["git"].OK)
	assert.Contains(t, all["git"].Says, "git: no permissions")
	if runtime.GOOS == "linux" {
		assert.False(t, all["sandbox"].OK)
		assert.Contains(t, all["sandbox"].Says, "bwrap: no permissions")
	}
}

func TestWithoutACloneTheRestIsLookedAt(t *testing.T) {
	t.Setenv("XDG_STATE_HOME", t.TempDir())
	var first, last doctor.Finding
	err := doctor.Examine(t.Context(), "", errors.New("cd into the clone"), nil, func(f doctor.Finding) {
		if first.Thing == "" {
			first = f
		}
		last = f
	})
	require.NoError(t, err)
	assert.Equal(t, "clone", first.Thing)
	assert.Equal(t, "cd into the clone", first.Fix)
	assert.Equal(t, "sandbox", last.Thing)
}

func TestExamineEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	err := doctor.Examine(ctx, "", errors.New("no"), nil, func(doctor.Finding) {})
	assert.ErrorIs(t, err, context.Canceled)
}
