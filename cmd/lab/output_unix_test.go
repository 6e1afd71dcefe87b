//go:build unix

package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestTheLabEndsAndTidiesUpWhenNobodyReads(t *testing.T) {
	clone, temp := t.TempDir(), t.TempDir()
	require.NoError(t, writeClone(clone))
	run := func(stdout *os.File, args ...string) (status int, said string) {
		t.Helper()
		var stderr bytes.Buffer
		lab := exec.Command("lab", append([]string{"--root", clone}, args...)...)
		lab.Env = append(os.Environ(), "GOTMPDIR="+temp, "GORACE="+noSleep)
		lab.Stdout, lab.Stderr = stdout, &stderr
		_ = lab.Run()
		left, err := os.ReadDir(temp)
		require.NoError(t, err)
		assert.Empty(t, left)
		return lab.ProcessState.ExitCode(), stderr.String()
	}
	for _, args := range [][]string{{"test", "queues", "processes", "--race=off"}, {"check", "queues"}, {"--help"}} {
		in, out, err := os.Pipe()
		require.NoError(t, err)
		require.NoError(t, in.Close())
		status, said := run(out, args...)
		assert.Equal(t, exitUnheard, status, "%v", args)
		assert.Empty(t, said, "%v", args)
		_ = out.Close()
	}

	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Skip("the rest is skipped, because there is no /dev/full here")
	}
	defer func() { _ = full.Close() }()
	status, said := run(full, "check", "queues")
	assert.Equal(t, exitTrouble, status)
	assert.Contains(t, said, "lab: not all could be printed: ")
}

func TestTheCloneMayLieAnywhere(t *testing.T) {
	above := filepath.Join(t.TempDir(), "[2026] Go, 'all' of it")
	clone := filepath.Join(above, "conclab")
	require.NoError(t, os.MkdirAll(clone, 0o755))
	require.NoError(t, writeClone(clone))
	require.NoError(t, os.WriteFile(filepath.Join(above, "go.work"), []byte("go 1.26\n"), 0o600))
	for _, args := range [][]string{
		{"test", "processes", "--solution", "--race=off"},
		{"run", "processes", "--solution"},
		{"check", "processes"},
	} {
		lab := exec.Command("lab", append([]string{"--root", clone}, args...)...)
		lab.Env = append(os.Environ(), "GORACE="+noSleep)
		out, err := lab.CombinedOutput()
		assert.NoError(t, err, "%v\n%s", args, out)
	}
}
