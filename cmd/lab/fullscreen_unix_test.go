//go:build unix

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/x/ansi"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// terminal is a real terminal with the lab in it, held by tmux.
type terminal struct {
	t      *testing.T
	socket string
	clone  string
	state  string
}

// farewell is what the terminal says when the lab has ended.
const farewell = "the lab ended with "

// fill starts the lab in a terminal of that size, in a clone with the files.
func fill(t *testing.T, width, height int, files map[string]string, env ...string) *terminal {
	if _, err := exec.LookPath("tmux"); err != nil {
		t.Skip("skipped, because tmux is not installed: without it there is no terminal to test in")
	}
	s := &terminal{t: t, socket: filepath.Join(t.TempDir(), "tmux"), clone: t.TempDir(), state: t.TempDir()}
	for name, text := range files {
		s.save(name, text)
	}
	require.NoError(t, writeClone(s.clone))
	lab, err := exec.LookPath("lab")
	require.NoError(t, err)
	args := []string{"new-session", "-d", "-x", strconv.Itoa(width), "-y", strconv.Itoa(height)}
	for name, value := range goEnv(t) {
		env = append(env, name+"="+value)
	}
	for _, one := range append(env, "GOTOOLCHAIN=local", "GORACE="+noSleep, "CGO_ENABLED=0",
		"XDG_STATE_HOME="+s.state, "XDG_CACHE_HOME="+t.TempDir()) {
		args = append(args, "-e", one)
	}
	s.tmux(append(args, lab+" --root "+s.clone+"; echo "+farewell+"$?; cat")...)
	t.Cleanup(func() { s.tmux("kill-server") })
	return s
}

func (s *terminal) tmux(args ...string) string {
	s.t.Helper()
	out, err := exec.Command("tmux", append([]string{"-S", s.socket, "-f", os.DevNull}, args...)...).CombinedOutput()
	require.NoError(s.t, err, string(out))
	return string(out)
}

func (s *terminal) save(name, text string) {
	file := filepath.Join(s.clone, filepath.FromSlash(name))
	require.NoError(s.t, os.MkdirAll(filepath.Dir(file), 0o700))
	require.NoError(s.t, os.WriteFile(file, []byte(text), 0o600))
}

func (s *terminal) press(keys ...string) { s.tmux(append([]string{"send-keys"}, keys...)...) }

// shows waits until the screen matches all patterns, and returns it.
func (s *terminal) shows(patterns ...string) string {
	s.t.Helper()
	text := ""
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		text = s.tmux("capture-pane", "-p")
		all := true
		for _, p := range patterns {
			all = all && regexp.MustCompile("(?m)"+p).MatchString(text)
		}
		if all {
			return text
		}
		if time.Now().After(deadline) {
			require.FailNow(s.t, "the screen never shows "+strings.Join(patterns, " and "), text)
		}
	}
}

// tasks returns a file of a small lesson whose tasks return what is given.
func tasks(name string, results ...string) string {
	text := "package " + name + "\n"
	for i, r := range results {
		text += "\nfunc Task" + strconv.Itoa(i+1) + "() bool { " + r + " }\n"
	}
	return text
}

const (
	yes = "return true"
	no  = "return false"
)

func TestTheFullScreenShowsWhatASaveDoes(t *testing.T) {
	s := fill(t, 80, 24, map[string]string{
		"exercises/processes/processes.go": tasks("processes", yes, yes, yes, yes),
		"exercises/queues/queues.go":       tasks("queues", yes, no, no, `panic("TODO: write it")`),
	})
	// It begins with the first lesson that is not done.
	s.shows(`^ conclab  exercises/queues/queues\.go +5 of \d+ tasks`, `^  1  Processes +✓✓✓✓`, `^▸ 2  Queues +✓✗✗✗  │ ✗ 1 of 4 tasks, first look at TestQueue`,
		`│ ✗ queues_test\.go:16: Task2 must return true`, `^     ✗ Closing time`, `q quit$`)

	s.save("exercises/queues/queues.go", tasks("queues", yes, yes, yes, "return x"))
	s.shows(`│ ✗ does not compile`, `│ exercises/queues/queues\.go:9:28: undefined: x`)

	s.save("exercises/queues/queues.go", tasks("queues", yes, yes, no, yes))
	s.shows(`^▸ 2  Queues +✓✓✗✓  │ ✗ 3 of 4 tasks`, `│ ✗ queues_test\.go:16: Task3 must return true`)

	s.save("exercises/queues/queues.go", tasks("queues", yes, yes, yes, yes))
	s.shows(`^▸ 2  Queues +✓✓✓✓  │ ✓ 4 of 4 tasks`, `│ Every rule holds\.`)

	// Where something is saved, there the learner is.
	s.save("exercises/locks/locks.go", tasks("locks", no, yes, yes, yes, yes))
	s.shows(`^▸ 4  Locks +✗✓✓✓✓`, `│ ✗ 4 of 5 tasks`, `Task1 must return true`)

	s.press("q")
	s.shows(farewell + "0$")
}

func TestTheFullScreenHasAKeyForEverything(t *testing.T) {
	s := fill(t, 80, 24, map[string]string{"exercises/processes/processes.go": tasks("processes", no, no, no, no)})
	s.shows(`✗ 0 of 4 tasks`)

	s.press("t")
	s.shows(`^ +Processes`, `You take over a crawler`, `^ ↑ ↓ pgup pgdn scroll   t back`)
	s.press("PgDn")
	s.shows(` [1-9]\d?%$`)
	s.press("t")
	s.shows(`✗ 0 of 4 tasks`)

	s.press("h")
	s.shows(`▌ Nudge  hint 1 of 4 for task 1`)
	s.press("h")
	s.shows(`▌ Idea  hint 2 of 4 for task 1`)
	s.press("Escape")
	s.shows(`✗ processes_test\.go:16: Task1 must return true\n.*\n.*│ *\n.*✗ 0 of 1  Run`)
	s.press("?")
	s.shows(`^  q  ctrl\+c +end`)
	s.press("?")
	s.shows(`✗ 0 of 4 tasks`)

	s.press("l")
	s.shows(`^ ▸  1  Processes +✗✗✗✗ +60 min  start work`, `^    3  Pipes`)
	s.press("Down", "Down", "Enter")
	s.shows(`^▸ 3  Pipes`, `TODO: do task 1`)
	s.press("n")
	s.shows(`^▸ 4  Locks`, `TODO: do task 1`)
	s.press("p", "p", "p")
	s.shows(`^▸ 1  Processes`)

	// No key and no save begins a run but space.
	s.press("Space")
	s.shows(`● (building|testing)`)
	s.shows(`✗ 0 of 4 tasks`)

	s.press("R")
	s.shows(`Put exercises/processes/processes\.go back to`)
	s.press("x")
	s.shows(`✗ 0 of 4 tasks`)
	text, err := os.ReadFile(filepath.Join(s.clone, "exercises", "processes", "processes.go"))
	require.NoError(t, err)
	assert.Equal(t, tasks("processes", no, no, no, no), string(text), "who does not say yes keeps the file")

	s.press("r")
	s.shows(`^processes: what you wrote, as a program`, `^false \[\]`, `^Press Enter to go back\.`)
	s.press("Enter")
	s.shows(`^▸ 1  Processes`, `✗ 0 of 4 tasks`)
	s.press("n")
	s.shows(`^▸ 2  Queues`)
	s.press("C-c")
	s.shows(farewell + "0$")

	// It comes back to where it was, and hints that were seen stay seen.
	remembered, err := os.ReadFile(filepath.Join(s.state, "conclab", "state.json"))
	require.NoError(t, err)
	assert.Contains(t, string(remembered), `"lesson": "queues"`)
	assert.Contains(t, string(remembered), `"TestRunTasks": 2`)
}

func TestTheFullScreenFitsEverySize(t *testing.T) {
	s := fill(t, 80, 24, map[string]string{"exercises/processes/processes.go": tasks("processes", no, no, no, no)})
	s.shows(`✗ 0 of 4 tasks`)
	for _, size := range [][2]int{{120, 40}, {64, 20}, {63, 20}, {40, 10}, {20, 5}, {8, 2}, {80, 24}} {
		s.tmux("resize-window", "-x", strconv.Itoa(size[0]), "-y", strconv.Itoa(size[1]))
		text := s.shows(`^ conc`, `^─{`+strconv.Itoa(size[0])+`}$`)
		lines := strings.Split(strings.TrimRight(text, "\n"), "\n")
		assert.LessOrEqual(t, len(lines), size[1])
		for _, line := range lines {
			assert.LessOrEqual(t, ansi.StringWidth(line), size[0])
		}
		if size[1] >= 10 && size[0] >= 64 {
			assert.Regexp(t, `(?m)^▸ 1  Processes +✗✗✗✗  │ Processes`, text)
			assert.Regexp(t, `(?m)h hint +r run`, text)
		}
	}
	s.press("q")
	s.shows(farewell)
}

func TestTheFullScreenNeedsNoColour(t *testing.T) {
	colour := regexp.MustCompile(`\x1b\[[\d;]*(3[0-7]|38|9[0-7])[;m]`)
	for _, c := range []struct {
		env  []string
		want bool
	}{{nil, true}, {[]string{"NO_COLOR=1"}, false}} {
		s := fill(t, 80, 24, nil, c.env...)
		s.shows(`✗ 0 of 4 tasks`)
		text := s.tmux("capture-pane", "-p", "-e")
		assert.Equal(t, c.want, colour.MatchString(text), "%q", text)
		s.press("q")
		s.shows(farewell)
	}
}

func TestTheFullScreenEndsAtOnceWhateverRuns(t *testing.T) {
	for _, key := range []string{"q", "C-c"} {
		t.Run(key, func(t *testing.T) {
			note := filepath.Join(t.TempDir(), "pid")
			s := fill(t, 80, 24, map[string]string{"exercises/processes/processes.go": strings.Replace(hanging, "package queues", "package processes", 1)}, "NOTE="+note)
			require.Eventually(t, func() bool { _, err := os.Stat(note); return err == nil }, 2*time.Minute, 10*time.Millisecond)
			start := time.Now()
			s.press(key)
			s.shows(farewell + "0$")
			// A second is the promise; a busy machine may need another.
			assert.Less(t, time.Since(start), 2*time.Second)
			text, err := os.ReadFile(note)
			require.NoError(t, err)
			pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
			require.NoError(t, err)
			assert.Eventually(t, func() bool { return gone(pid) }, 2*time.Second, 10*time.Millisecond, "the suite still runs")
		})
	}
}
