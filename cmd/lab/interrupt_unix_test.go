//go:build unix

package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// hanging is a file for the lesson queues that says who runs it, and hangs.
const hanging = `package queues

import (
	"os"
	"strconv"
)

func Task1() bool {
	file := os.Getenv("NOTE")
	os.WriteFile(file+"~", []byte(strconv.Itoa(os.Getpid())), 0o600)
	os.Rename(file+"~", file)
	for {
	}
}
func Task2() bool { return true }
func Task3() bool { return true }
func Task4() bool { return true }
`

// finished begins the last line of the suite that does not hang.
const finished = "ok    TestCrash"

func TestCtrlCEndsTheLabAndAllThatItStarted(t *testing.T) {
	for _, signal := range []os.Signal{os.Interrupt, syscall.SIGTERM} {
		t.Run(signal.String(), func(t *testing.T) {
			clone, note, temp := t.TempDir(), filepath.Join(t.TempDir(), "pid"), t.TempDir()
			require.NoError(t, writeClone(clone))
			solution, err := os.ReadFile(filepath.Join(clone, "solutions", "processes", "processes.go"))
			require.NoError(t, err)
			require.NoError(t, os.WriteFile(filepath.Join(clone, "exercises", "processes", "processes.go"), solution, 0o600))
			require.NoError(t, os.WriteFile(filepath.Join(clone, "exercises", "queues", "queues.go"), []byte(hanging), 0o600))

			printed := filepath.Join(t.TempDir(), "stdout")
			stdout, err := os.Create(printed)
			require.NoError(t, err)
			defer func() { _ = stdout.Close() }()
			var stderr bytes.Buffer
			lab := exec.Command("lab", "--root", clone, "test", "processes", "queues", "--race=off")
			lab.Env = append(os.Environ(), "NOTE="+note, "GOTMPDIR="+temp, "GORACE="+noSleep)
			lab.Stdout, lab.Stderr = stdout, &stderr
			require.NoError(t, lab.Start())
			ended := make(chan error, 1)
			go func() { ended <- lab.Wait() }()
			running := func() bool {
				_, err := os.Stat(note)
				text, _ := os.ReadFile(printed)
				return err == nil && bytes.Contains(text, []byte(finished))
			}
			if !assert.Eventually(t, running, time.Minute, 10*time.Millisecond) {
				_ = lab.Process.Kill()
			}

			start := time.Now()
			_ = lab.Process.Signal(signal)
			<-ended
			took := time.Since(start)

			assert.Equal(t, exitInterrupted, lab.ProcessState.ExitCode())
			// A second is the promise; a busy machine may need another.
			assert.Less(t, took, 2*time.Second)
			assert.Equal(t, "lab: interrupted\n", stderr.String())
			text, err := os.ReadFile(printed)
			require.NoError(t, err)
			assert.Contains(t, string(text), finished, "what had been finished stays")
			text, err = os.ReadFile(note)
			require.NoError(t, err)
			pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
			require.NoError(t, err)
			assert.Eventually(t, func() bool { return gone(pid) }, 2*time.Second, 10*time.Millisecond, "the suite still runs")
			left, err := os.ReadDir(temp)
			require.NoError(t, err)
			assert.Empty(t, left)
		})
	}
}

// gone tells whether no such process runs.
func gone(pid int) bool { return syscall.Kill(pid, 0) == syscall.ESRCH || isZombie(pid) }

// isZombie tells whether a process is dead and only not yet buried, which is
// the business of whoever adopted it.
func isZombie(pid int) bool {
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	return err == nil && strings.Contains(string(stat), ") Z ")
}
