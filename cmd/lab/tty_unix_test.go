//go:build unix

package main

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// tty is a terminal of 80 columns and 24 lines in which a shell command runs.
type tty struct {
	t      *testing.T
	socket string
}

// open runs the shell command in a terminal, and then shows its exit status.
func open(t *testing.T, command string, env ...string) tty {
	t.Helper()
	if _, err := exec.LookPath("tmux"); err != nil {
		t.Skip("skipped, because tmux is not installed")
	}
	// A socket's name must be short, which those of test folders are not.
	dir, err := os.MkdirTemp("", "tty")
	require.NoError(t, err)
	s := tty{t, filepath.Join(dir, "s")}
	t.Cleanup(func() {
		_, _ = s.tmux("kill-server")
		_ = os.RemoveAll(dir)
	})
	args := []string{"-f", os.DevNull, "new-session", "-d", "-x", "80", "-y", "24"}
	for _, e := range append(env, "PATH="+os.Getenv("PATH"), "TMUX=") {
		args = append(args, "-e", e)
	}
	out, err := s.tmux(append(args, "sh", "-c", `trap : INT; `+command+`; echo "exit status $?"; cat`)...)
	require.NoError(t, err, out)
	return s
}

func (s tty) tmux(args ...string) (string, error) {
	out, err := exec.Command("tmux", append([]string{"-S", s.socket}, args...)...).CombinedOutput()
	return string(out), err
}

// press sends a key, by the name that tmux has for it.
func (s tty) press(key string) {
	s.t.Helper()
	out, err := s.tmux("send-keys", key)
	require.NoError(s.t, err, out)
}

// shows waits until the screen shows a text, and returns the screen with its
// colours.
func (s tty) shows(text string) string {
	s.t.Helper()
	screen := ""
	assert.Eventually(s.t, func() bool {
		plain, err := s.tmux("capture-pane", "-p")
		screen = plain
		return err == nil && strings.Contains(plain, text)
	}, time.Minute, 50*time.Millisecond, "%q does not come", text)
	if s.t.Failed() {
		s.t.FailNow()
	}
	screen, err := s.tmux("capture-pane", "-p", "-e")
	require.NoError(s.t, err)
	return screen
}

func TestATextIsSetForTheTerminalAndShownInThePager(t *testing.T) {
	if _, err := exec.LookPath("less"); err != nil {
		t.Skip("skipped, because less is not installed")
	}
	s := open(t, "lab text locks")
	screen := s.shows("\n:")
	assert.Contains(t, screen, "\x1b[", "there are colours")
	assert.NotContains(t, screen, "```")
	s.press("q")
	s.shows("exit status 0")

	s = open(t, "lab text locks", "NO_COLOR=1")
	assert.NotRegexp(t, `\x1b\[[0-9;]*3[0-9]`, s.shows("\n:"), "there are none")
	s.press("C-c")
	s.shows("exit status 130")

	s = open(t, "lab text locks", "PAGER=cat")
	s.shows("exit status 0")
	s = open(t, "lab text locks", "PAGER=no-such-pager -x")
	s.shows("exit status 0")

	// A pager that an interrupt has ended before lab hears of it.
	quick := filepath.Join(t.TempDir(), "quick")
	require.NoError(t, os.WriteFile(quick, []byte("#!/bin/sh\n(sleep 0.1; kill -INT $PPID) &\nexit 2\n"), 0o700))
	s = open(t, "lab text locks", "PAGER="+quick)
	s.shows("exit status 130")
}

// counting is a program that says how often it is interrupted.
const counting = `package main

import (
	"fmt"
	"os"
	"os/signal"
	"time"
)

func main() {
	interrupts := make(chan os.Signal, 9)
	signal.Notify(interrupts, os.Interrupt)
	fmt.Println("ready")
	<-interrupts
	time.Sleep(300 * time.Millisecond)
	fmt.Println("interrupts:", 1+len(interrupts))
}
`

func TestCtrlCReachesTheProgramOnce(t *testing.T) {
	clone := t.TempDir()
	require.NoError(t, writeClone(clone))
	require.NoError(t, os.WriteFile(filepath.Join(clone, "lessons", "echo", "yours", "main.go"), []byte(counting), 0o600))

	s := open(t, fmt.Sprintf("lab --root %q run echo", clone))
	s.shows("ready")
	s.press("C-c")
	s.shows("interrupts: 1\nexit status 0")

	// The same where there is no terminal.
	lab := exec.Command("lab", "--root", clone, "run", "echo")
	stdout, err := lab.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, lab.Start())
	ready := make([]byte, len("ready\n"))
	_, err = io.ReadFull(stdout, ready)
	require.NoError(t, err)
	require.NoError(t, lab.Process.Signal(os.Interrupt))
	rest := new(strings.Builder)
	_, err = io.Copy(rest, stdout)
	require.NoError(t, err)
	require.NoError(t, lab.Wait())
	assert.Equal(t, "interrupts: 1\n", rest.String())
}
