package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"conclab/lessons"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"lab": main})
}

// noSleep, as GORACE, spares the second for which every program sleeps at its
// end if it was built with -race.
const noSleep = "atexit_sleep_ms=0"

// TestScripts runs each script beside a clone of its own, as writeClone makes
// it; files of a script whose names begin with conclab/ are in that clone. The
// course's own starters are in the folder $STARTERS, the command is in $LABS.
func TestScripts(t *testing.T) {
	t.Parallel()
	env := goEnv(t)
	starters, err := filepath.Abs(filepath.Join("..", "..", "exercises"))
	require.NoError(t, err)
	lab, err := exec.LookPath("lab")
	require.NoError(t, err)
	testscript.Run(t, testscript.Params{
		Dir:                 filepath.Join("testdata", "script"),
		RequireExplicitExec: true,
		Cmds:                map[string]func(*testscript.TestScript, bool, []string){"exits": exits, "kept": kept},
		Setup: func(e *testscript.Env) error {
			for _, name := range []string{"GOCACHE", "GOMODCACHE", "GOPATH"} {
				e.Setenv(name, env[name])
			}
			e.Setenv("GOTOOLCHAIN", "local")
			e.Setenv("GORACE", noSleep)
			e.Setenv("XDG_CACHE_HOME", filepath.Join(e.WorkDir, "cache"))
			e.Setenv("XDG_STATE_HOME", filepath.Join(e.WorkDir, "state"))
			e.Setenv("STARTERS", starters)
			e.Setenv("LABS", filepath.Dir(lab))
			e.Cd = filepath.Join(e.WorkDir, "conclab")
			return writeClone(e.Cd)
		},
	})
}

// exits is a script's command: "exits 2 lab tset" wants that exit status.
func exits(ts *testscript.TestScript, _ bool, args []string) {
	want := args[0]
	err := ts.Exec(args[1], args[2:]...)
	var exit *exec.ExitError
	switch {
	case !errors.As(err, &exit):
		ts.Fatalf("the exit status must be %s, but the command says %v", want, err)
	case strconv.Itoa(exit.ExitCode()) != want:
		ts.Fatalf("the exit status must be %s, but is %d", want, exit.ExitCode())
	}
}

// kept is a script's command: "kept queues.go a b" wants what a and b are to be
// all that lab reset has kept of queues.go, in that order.
func kept(ts *testscript.TestScript, _ bool, args []string) {
	files, err := filepath.Glob(ts.MkAbs(args[0]) + ".*")
	ts.Check(err)
	if len(files) != len(args)-1 {
		ts.Fatalf("there are %d files: %v", len(files), files)
	}
	for i, file := range files {
		if ts.ReadFile(file) != ts.ReadFile(args[i+1]) {
			ts.Fatalf("%s is not what %s is", file, args[i+1])
		}
	}
}

// goEnv returns what the go command's variables are outside the scripts, whose
// home is empty.
func goEnv(t *testing.T) map[string]string {
	out, err := exec.Command("go", "env", "-json", "GOCACHE", "GOMODCACHE", "GOPATH").Output()
	require.NoError(t, err)
	var env map[string]string
	require.NoError(t, json.Unmarshal(out, &env))
	return env
}

// writeClone makes a small module that looks like the lab: each lesson has a
// function a task, Task1, Task2 and so on, and its suite wants each of them to
// return true. Its program says what Task1 returns, and its arguments. Files that
// are already there are left alone.
func writeClone(dir string) error {
	files := map[string]string{"go.mod": "module conclab\n\ngo 1.26\n"}
	for _, l := range lessons.All() {
		var starter, solution, suite bytes.Buffer
		for _, b := range []*bytes.Buffer{&starter, &solution} {
			fmt.Fprintf(b, "// Package %s is small.\npackage %[1]s\n", l.Name)
		}
		fmt.Fprintf(&suite, "package %s_test\n\nimport (\n\t\"testing\"\n\n\t\"conclab/exercises/%[1]s\"\n)\n%s", l.Name, must)
		for i, task := range l.Tasks {
			const f = "\nfunc Task%d() bool { %s }\n"
			fmt.Fprintf(&starter, f, i+1, fmt.Sprintf(`panic("TODO: do task %d")`, i+1))
			fmt.Fprintf(&solution, f, i+1, "return true")
			fmt.Fprintf(&suite, "\nfunc %s(t *testing.T) { must(t, %s.Task%d, %[3]d) }\n", task.Test, l.Name, i+1)
		}
		own := l.Name + "/" + l.Name
		files["exercises/"+own+".go"] = starter.String()
		files["exercises/"+own+"_test.go"] = suite.String()
		files["solutions/"+own+".go"] = solution.String()
		files["lessons/"+l.Name+"/yours/main.go"] = fmt.Sprintf(program, l.Name)
	}
	for name, text := range files {
		file := filepath.Join(dir, filepath.FromSlash(name))
		if _, err := os.Stat(file); err == nil {
			continue
		}
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			return err
		}
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			return err
		}
	}
	return nil
}

// program is what a small lesson's yours is.
const program = `package main

import (
	"fmt"
	"os"

	"conclab/exercises/%s"
)

func main() { fmt.Println(%[1]s.Task1(), os.Args[1:]) }
`

// must is what the small suites check with.
const must = `
func must(t *testing.T, task func() bool, n int) {
	defer func() {
		if v := recover(); v != nil {
			t.Fatal(v)
		}
	}()
	if !task() {
		t.Fatalf("Task%d must return true", n)
	}
}
`

// TestTheCommandIsFoundFromAnywhereInTheClone starts the lab in the ways that
// the texts name.
func TestTheCommandIsFoundFromAnywhereInTheClone(t *testing.T) {
	for _, c := range []struct{ dir, command string }{
		{"../..", "run ./cmd/lab --help"},
		{"../../lessons", "run conclab/cmd/lab --help"},
		{"../../lessons", "tool lab --help"},
	} {
		t.Run(c.command, func(t *testing.T) {
			cmd := exec.Command("go", strings.Fields(c.command)...)
			cmd.Dir = c.dir
			out, err := cmd.CombinedOutput()
			require.NoError(t, err, string(out))
			assert.Contains(t, string(out), "lab shows the map of the course")
		})
	}
}
