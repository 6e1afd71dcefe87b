//go:build unix

package runner_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"conclab/internal/runner"
)

func TestCancellingLeavesNothingBehind(t *testing.T) {
	t.Setenv("GOTMPDIR", t.TempDir())
	notes := filepath.Join(t.TempDir(), "pids")
	source := acting(fmt.Sprintf(`	child := exec.Command("sleep", "1000"); child.Stdout = os.Stdout
	if err := child.Start(); err != nil { t.Fatal(err) }
	os.WriteFile(%q, []byte(fmt.Sprint(os.Getpid(), " ", child.Process.Pid)), 0o600)
	os.Rename(%[1]q, %[2]q)
	for {
	}`, notes+"~", notes), `"fmt"`, `"os"`, `"os/exec"`)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	goroutines := runtime.NumGoroutine()
	done := make(chan error, 1)
	go func() {
		_, err := runner.Run(ctx, runner.Options{Root: root, Race: runner.RaceOff}, runner.Candidate{Lesson: tiny, Source: source}, nil)
		done <- err
	}()
	require.Eventually(t, func() bool { _, err := os.Stat(notes); return err == nil }, time.Minute, 10*time.Millisecond)

	start := time.Now()
	cancel()
	assert.ErrorIs(t, <-done, context.Canceled)
	assert.Less(t, time.Since(start), time.Second)

	pids, err := os.ReadFile(notes)
	require.NoError(t, err)
	for _, pid := range strings.Fields(string(pids)) {
		n, err := strconv.Atoi(pid)
		require.NoError(t, err)
		// Whoever adopts the orphan may need a moment to bury it.
		assert.Eventually(t, func() bool { return !alive(n) }, 2*time.Second, 10*time.Millisecond, "process %d is still there", n)
	}
	assert.Eventually(t, func() bool { return runtime.NumGoroutine() <= goroutines+1 }, 2*time.Second, 10*time.Millisecond) // one asks
	left, err := os.ReadDir(os.Getenv("GOTMPDIR"))
	require.NoError(t, err)
	assert.Empty(t, left)
}

// alive is false for a process that is dead, buried or not.
func alive(pid int) bool {
	if stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid)); err == nil {
		return !strings.Contains(string(stat), ") Z ")
	}
	return syscall.Kill(pid, 0) == nil
}

func TestAnOldGoIsNamed(t *testing.T) {
	for name, script := range map[string]string{
		"tells":   `echo '{"GOVERSION":"go1.22.3"}'`,
		"refuses": `if [ -f go.mod ]; then echo "go: go.mod requires go >= 1.26" >&2; exit 1; fi; echo '{"GOVERSION":"go1.22.3"}'`,
	} {
		t.Run(name, func(t *testing.T) {
			bin := t.TempDir()
			require.NoError(t, os.WriteFile(filepath.Join(bin, "go"), []byte("#!/bin/sh\n"+script+"\n"), 0o700))
			t.Setenv("PATH", bin+string(os.PathListSeparator)+os.Getenv("PATH"))

			assert.EqualError(t, runner.CheckGo(t.Context(), root),
				"the lab needs Go 1.26 or newer, and the go command on PATH is Go 1.22.3: get a newer one from https://go.dev/dl/")
		})
	}
}
