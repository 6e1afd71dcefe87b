//go:build unix

package grade_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"conclab/internal/grade"
	"conclab/internal/gradebook"
	"conclab/internal/ledger"
	"conclab/internal/sandbox"
	"conclab/lessons"
)

// gradeEnv makes the test binary a program that grades the class in the folder
// that it names, and outEnv says where the results go.
const gradeEnv, outEnv = "CONCLAB_CLASS", "CONCLAB_OUT"

func TestMain(m *testing.M) {
	if dir := os.Getenv(gradeEnv); dir != "" {
		if err := gradeClass(context.Background(), dir, os.Getenv(outEnv)); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// gradeClass does what lab grade does, and says when it begins.
func gradeClass(ctx context.Context, dir, out string) error {
	course := lessons.All()
	for _, l := range course {
		if l.Name == "coroutines" {
			course = []lessons.Lesson{l}
		}
	}
	class, err := grade.ReadClass(dir, course, ledger.Shard{})
	if err != nil {
		return err
	}
	results, err := ledger.Open(out, ledger.Class{IDs: class.IDs})
	if err != nil {
		return err
	}
	defer results.Close()
	temp, err := grade.TempFor(out)
	if err != nil {
		return err
	}
	e, err := grade.New(ctx, grade.Options{
		Root: root, Lessons: course, Isolation: sandbox.Bubblewrap, Gate: grade.NewGate(root), Imports: grade.Imports(course), Temp: temp,
	})
	if err != nil {
		return err
	}
	defer e.Close()
	fmt.Println("begin")
	_, err = e.Run(ctx, results, class.Items, nil)
	return err
}

// writeClass writes a class of four, two of whom have handed in nothing right.
func writeClass(t *testing.T) string {
	dir := t.TempDir()
	for id, text := range map[string]string{
		"a": reference(t, "coroutines"), "b": starter(t, "coroutines"), "c": reference(t, "coroutines") + "\n// c\n", "d": "package coroutines\n\nfunc {",
	} {
		require.NoError(t, os.MkdirAll(filepath.Join(dir, id), 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(dir, id, "coroutines.go"), []byte(text), 0o644))
	}
	return dir
}

func TestKilledAtTwentyMomentsItEndsAsIfNothingHadHappened(t *testing.T) {
	takesMinutes(t)
	if testing.Short() {
		t.Skip("skipped, because it grades a class twenty times")
	}
	if err := sandbox.Check(t.Context(), sandbox.Bubblewrap); err != nil {
		t.Skipf("skipped, because %v", err)
	}
	class, calm, out := writeClass(t), t.TempDir(), t.TempDir()
	start := time.Now()
	require.NoError(t, gradeClass(t.Context(), class, calm))
	took := time.Since(start)
	want, missing, err := ledger.Read(calm)
	require.NoError(t, err)
	require.Empty(t, missing)

	self, err := os.Executable()
	require.NoError(t, err)
	command := func() *exec.Cmd {
		cmd := exec.Command(self)
		cmd.Env = append(os.Environ(), gradeEnv+"="+class, outEnv+"="+out)
		cmd.Stderr = os.Stderr
		return cmd
	}
	// Moments from the first thing that it says to the time of a whole class. A
	// round in which it ends first begins a new folder.
	for round := range 20 {
		cmd := command()
		stdout, err := cmd.StdoutPipe()
		require.NoError(t, err)
		require.NoError(t, cmd.Start())
		_, _ = bufio.NewReader(stdout).ReadString('\n')
		time.Sleep(took / 2 * time.Duration(round) / 20)
		_ = cmd.Process.Signal(syscall.SIGKILL)
		err = cmd.Wait()
		entries, _, readErr := ledger.Read(out)
		require.NoError(t, readErr, "in round %d the ledger is whole", round)
		if err == nil && len(entries) == len(want) && round < 19 {
			out = t.TempDir()
		}
	}
	before, _, err := ledger.Read(out)
	require.NoError(t, err)
	require.NoError(t, command().Run())
	got, missing, err := ledger.Read(out)
	require.NoError(t, err)
	assert.Empty(t, missing)
	require.Len(t, got, len(want))
	for i := range want {
		assert.Equal(t, want[i].Outcome(), got[i].Outcome())
		assert.Equal(t, want[i].Key, got[i].Key)
	}
	for _, e := range before {
		i := find(got, e.ID)
		assert.Equal(t, e, got[i], "what was done is not done twice")
	}
	left, err := filepath.Glob(filepath.Join(out, ".writing-*"))
	require.NoError(t, err)
	assert.Empty(t, left)
	temp, err := grade.TempFor(out)
	require.NoError(t, err)
	assert.NoDirExists(t, temp)
}

func find(all []*gradebook.Entry, id string) int {
	for i, e := range all {
		if e.ID == id {
			return i
		}
	}
	return -1
}
