//go:build unix

package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestWatchSaysInPlainLinesWhatEverySaveDoes(t *testing.T) {
	clone := t.TempDir()
	file := filepath.Join(clone, "exercises", "queues", "queues.go")
	require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o700))
	save := func(text string) { require.NoError(t, os.WriteFile(file, []byte(text), 0o600)) }
	save(tasks("queues", yes, no, yes, no))
	require.NoError(t, writeClone(clone))

	printed := filepath.Join(t.TempDir(), "stdout")
	stdout, err := os.Create(printed)
	require.NoError(t, err)
	defer func() { _ = stdout.Close() }()
	var stderr bytes.Buffer
	lab := exec.Command("lab", "--root", clone, "watch", "queues")
	lab.Env = append(os.Environ(), "GORACE="+noSleep, "CGO_ENABLED=0")
	lab.Stdout, lab.Stderr = stdout, &stderr
	require.NoError(t, lab.Start())
	defer func() { _ = lab.Process.Kill() }()
	says := func(want string) {
		t.Helper()
		var text []byte
		if !assert.Eventually(t, func() bool {
			text, _ = os.ReadFile(printed)
			return bytes.Contains(text, []byte(want))
		}, time.Minute, 10*time.Millisecond) {
			require.FailNow(t, "it never says "+want, string(text)+stderr.String())
		}
	}

	says("Watching exercises/queues/queues.go: save, and see. Ctrl+C ends it.\n")
	says("  queues\n--- FAIL: TestQueue\n    queues_test.go:16: Task2 must return true\n--- FAIL: TestUnbounded, too\nFAIL  queues  2 of 4 tasks, first look at TestQueue\n")
	says("Note: the race detector does not work here, because CGO_ENABLED is 0:\n")
	save(tasks("queues", yes, yes, yes, "return x"))
	says("  queues\nexercises/queues/queues.go does not compile:\n    exercises/queues/queues.go:9:28: undefined: x\nFAIL  queues  does not compile\n")
	save(tasks("queues", yes, yes, yes, yes))
	says("  queues\nok    queues  4 of 4 tasks\n")

	start := time.Now()
	require.NoError(t, lab.Process.Signal(os.Interrupt))
	assert.NoError(t, lab.Wait(), "Ctrl+C is how it is meant to end")
	// A second is the promise; a busy machine may need another.
	assert.Less(t, time.Since(start), 2*time.Second)
	assert.Empty(t, stderr.String())
	text, err := os.ReadFile(printed)
	require.NoError(t, err)
	assert.NotContains(t, string(text), "\x1b", "no terminal is needed")
}
