package runner

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/term"
)

// Program says how [Exec] connects a lesson's program with the world. It runs in
// the working directory.
type Program struct {
	Name   string // what it calls itself; empty means the path of its binary
	Args   []string
	Stdin  *os.File
	Stdout io.Writer
	Stderr io.Writer
}

// Ended is how a program that [Exec] ran came to its end.
type Ended struct {
	Status int  // its exit status, or -1 if a signal ended it
	Killed bool // whether it had to be, because ctx had ended and it went on
}

// BuildError says that a candidate does not compile, or does not fit the
// lesson's program.
type BuildError struct{ File, Message string }

func (e *BuildError) Error() string { return e.File + " does not compile:\n" + e.Message }

// farewell is how long a program may go on after ctx has ended.
const farewell = 900 * time.Millisecond

// Exec builds the lesson's program, lessons/<lesson>/yours, with the candidate in
// the place of the exercise, and runs it. It blocks until the program has ended.
// When ctx ends, the program is interrupted as by Ctrl+C, and killed if it still
// runs after nearly a second.
//
// An exit status is no error. A candidate that cannot be built is a
// [*BuildError]. If ctx has ended before the program could start, the error wraps
// ctx.Err(). Of the options, only Root counts.
func Exec(ctx context.Context, o Options, c Candidate, p Program) (Ended, error) {
	r, err := newCandidate(o, c)
	if err != nil {
		return Ended{}, err
	}
	if err := r.makeRoom(); err != nil {
		return Ended{}, err
	}
	defer r.clear()

	binary, err := r.buildProgram(ctx)
	if ctx.Err() != nil {
		return Ended{}, fmt.Errorf("the program of %s was not built: %w", r.lesson.Name, ctx.Err())
	} else if err != nil {
		return Ended{}, err
	}
	return p.run(ctx, binary)
}

// buildProgram builds the lesson's program and returns where it is.
func (r *run) buildProgram(ctx context.Context) (binary string, err error) {
	t := &tools{}
	if err := r.layOver(t); err != nil {
		return "", err
	}
	dir := "lessons/" + r.lesson.Name + "/yours"
	if _, err := os.Stat(filepath.Join(r.Root, filepath.FromSlash(dir))); err != nil {
		return "", fmt.Errorf("there is no program %s: get it back with `git checkout -- %[1]s`", dir)
	}
	binary = filepath.Join(r.dir, r.lesson.Name+".exe")
	cmd := r.goCommand(ctx, append(append([]string{"build", "-o", binary}, t.flags...), "./"+dir)...)
	out := &clip{limit: maxBuildOutput}
	cmd.Stdout, cmd.Stderr = out, out
	if err := runGroup(cmd); err != nil {
		text := withoutHeaders(out.String())
		if exit := (*exec.ExitError)(nil); errors.As(err, &exit) &&
			(r.blames(text) || strings.Contains(filepath.ToSlash(text), dir+"/")) {
			return "", &BuildError{r.file, clean(strings.Split(r.rename(text), "\n"))}
		}
		return "", fmt.Errorf("building %s: %w\n%s", dir, err, strings.TrimSpace(out.String()))
	}
	return binary, nil
}

func (p Program) run(ctx context.Context, binary string) (Ended, error) {
	cmd := exec.CommandContext(ctx, binary, p.Args...)
	cmd.Args[0] = cmp.Or(p.Name, binary)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = p.Stdin, p.Stdout, p.Stderr
	cmd.WaitDelay = farewell
	var asked time.Time // when the program was asked to end
	tell := func() error { return interrupt(cmd.Process) }
	if p.onTerminal() {
		// Its Ctrl+C reaches the program without any help, and what is in
		// another group than the lab could not read from it. To pass the signal
		// on would be a second one, which many take for impatience.
		tell = func() error { return nil }
	} else {
		lead(cmd)
		defer func() {
			if cmd.Process != nil {
				sweep(cmd.Process)
			}
		}()
	}
	cmd.Cancel = func() error {
		asked = time.Now()
		return tell()
	}
	err := cmd.Run()
	if cmd.ProcessState == nil {
		return Ended{}, fmt.Errorf("the program cannot be started: %w", err)
	}
	return Ended{
		Status: cmd.ProcessState.ExitCode(),
		Killed: !asked.IsZero() && time.Since(asked) >= farewell,
	}, nil
}

// onTerminal tells whether the program shares the lab's terminal.
func (p Program) onTerminal() bool {
	if p.Stdin != nil && term.IsTerminal(int(p.Stdin.Fd())) {
		return true
	}
	for _, w := range []io.Writer{p.Stdout, p.Stderr} {
		if f, ok := w.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
			return true
		}
	}
	return false
}
