package state_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gofrs/flock"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"conclab/internal/state"
)

func newFile(t *testing.T) string { return filepath.Join(t.TempDir(), "conclab", "state.json") }

func TestWhatIsNotedIsThereNextTime(t *testing.T) {
	file := newFile(t)
	s, note, err := state.At(file).Load(t.Context())
	require.NoError(t, err)
	assert.Empty(t, note)
	assert.Equal(t, state.State{}, s)
	assert.NoDirExists(t, filepath.Dir(file), "looking makes nothing")

	_, err = state.At(file).Update(t.Context(), func(s *state.State) {
		s.Lesson, s.Test = "queues", "TestQueue"
		s.See("queues", "TestQueue", 2)
	})
	require.NoError(t, err)
	_, err = state.At(file).Update(t.Context(), func(s *state.State) {
		s.See("queues", "TestQueue", 1)
		s.See("locks", "TestCrew", 1)
	})
	require.NoError(t, err)

	s, note, err = state.At(file).Load(t.Context())
	require.NoError(t, err)
	assert.Empty(t, note)
	assert.Equal(t, "queues", s.Lesson)
	assert.Equal(t, "TestQueue", s.Test)
	assert.Equal(t, 2, s.Seen("queues", "TestQueue"), "what was seen stays seen")
	assert.Equal(t, 1, s.Seen("locks", "TestCrew"))
	assert.Zero(t, s.Seen("locks", "TestHello"))
	assert.Zero(t, s.Seen("pipes", "TestPipe"))
}

func TestAFileThatCannotBeUsedIsSetAside(t *testing.T) {
	for name, c := range map[string]struct{ text, says string }{
		"empty":        {"", "is broken"},
		"no JSON":      {"{", "is broken"},
		"other JSON":   {"[1, 2]", "is broken"},
		"other types":  {`{"version": 1, "hints": 3}`, "is broken"},
		"no version":   {`{"lesson": "queues"}`, "is broken"},
		"NUL bytes":    {"\x00\x00\x00", "is broken"},
		"newer":        {`{"version": 2, "lesson": "queues"}`, "was written by a newer lab (version 2, this one knows 1)"},
		"newer, other": {`{"version": 7, "lesson": {"name": "queues"}}`, "was written by a newer lab (version 7, this one knows 1)"},
	} {
		t.Run(name, func(t *testing.T) {
			for _, way := range []string{"Load", "Update"} {
				file := newFile(t)
				require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o700))
				require.NoError(t, os.WriteFile(file, []byte(c.text), 0o600))

				var note string
				var err error
				if way == "Load" {
					var s state.State
					s, note, err = state.At(file).Load(t.Context())
					assert.Equal(t, state.State{}, s)
				} else {
					note, err = state.At(file).Update(t.Context(), func(s *state.State) { s.Lesson = "locks" })
				}
				require.NoError(t, err)
				assert.Contains(t, note, file+" "+c.says+": it was set aside as state.json.")

				aside, err := filepath.Glob(file + ".*-*")
				require.NoError(t, err)
				require.Len(t, aside, 1, way)
				kept, err := os.ReadFile(aside[0])
				require.NoError(t, err)
				assert.Equal(t, c.text, string(kept), "nothing is lost")

				_, note, err = state.At(file).Load(t.Context())
				require.NoError(t, err)
				assert.Empty(t, note, "it is said once")
			}
		})
	}
}

func TestAFolderInItsPlaceIsAnError(t *testing.T) {
	file := newFile(t)
	require.NoError(t, os.MkdirAll(file, 0o700))
	_, _, err := state.At(file).Load(t.Context())
	assert.ErrorContains(t, err, "what the lab remembers cannot be read")
	_, err = state.At(file).Update(t.Context(), func(*state.State) {})
	assert.ErrorContains(t, err, "what the lab remembers cannot be read")
	assert.DirExists(t, file)
}

func TestWhoeverHoldsTheLockDelaysOthersForASecondAtMost(t *testing.T) {
	file := newFile(t)
	require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o700))
	lock := flock.New(file + ".lock")
	require.NoError(t, lock.Lock())
	defer func() { _ = lock.Close() }()

	_, err := state.At(file).Update(t.Context(), func(*state.State) { assert.Fail(t, "the lock is not held") })
	assert.ErrorContains(t, err, "another lab has it")

	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	_, err = state.At(file).Update(ctx, func(*state.State) { assert.Fail(t, "the lock is not held") })
	assert.ErrorIs(t, err, context.DeadlineExceeded)

	_, _, err = state.At(file).Load(t.Context())
	assert.NoError(t, err, "reading needs no lock")
}

const (
	writers = 4  // processes
	notes   = 25 // of each
)

// TestManyLabsLoseNothing lets processes count in the same file.
func TestManyLabsLoseNothing(t *testing.T) {
	if file := os.Getenv("STATE_FILE"); file != "" {
		for range notes {
			// On a busy machine a second may be too short, and then nothing is noted.
			for noted := false; !noted; {
				_, err := state.At(file).Update(t.Context(), func(s *state.State) {
					s.See("queues", "TestQueue", s.Seen("queues", "TestQueue")+1)
					s.See("queues", strconv.Itoa(os.Getpid()), s.Seen("queues", strconv.Itoa(os.Getpid()))+1)
				})
				noted = err == nil
			}
		}
		return
	}
	file := newFile(t)
	var group sync.WaitGroup
	for range writers {
		group.Go(func() {
			cmd := exec.Command(os.Args[0], "-test.run=^TestManyLabsLoseNothing$")
			cmd.Env = append(os.Environ(), "STATE_FILE="+file)
			out, err := cmd.CombinedOutput()
			assert.NoError(t, err, string(out))
		})
	}
	group.Go(func() {
		for range notes {
			_, note, err := state.At(file).Load(t.Context())
			assert.NoError(t, err)
			assert.Empty(t, note, "nobody sees half of a file")
		}
	})
	group.Wait()

	s, _, err := state.At(file).Load(t.Context())
	require.NoError(t, err)
	assert.Equal(t, writers*notes, s.Seen("queues", "TestQueue"))
	assert.Len(t, s.Hints["queues"], writers+1)
	left, err := filepath.Glob(file + "*~")
	require.NoError(t, err)
	assert.Empty(t, left)
}

func TestTheFileIsInTheUsersStateFolder(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("XDG_STATE_HOME", dir)
	s, err := state.Open()
	require.NoError(t, err)
	assert.Equal(t, filepath.Join(dir, "conclab", "state.json"), s.File())

	if runtime.GOOS != "linux" {
		t.Skipf("skipped, because the folder is another one on %s", runtime.GOOS)
	}
	t.Setenv("XDG_STATE_HOME", "")
	t.Setenv("HOME", dir)
	s, err = state.Open()
	require.NoError(t, err)
	assert.Equal(t, filepath.Join(dir, ".local", "state", "conclab", "state.json"), s.File())

	t.Setenv("XDG_STATE_HOME", "relative/is/ignored")
	s, err = state.Open()
	require.NoError(t, err)
	assert.True(t, strings.HasPrefix(s.File(), dir))
}
