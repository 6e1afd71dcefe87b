package companion

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"sync/atomic"

	tea "charm.land/bubbletea/v2"
	"github.com/muesli/cancelreader"

	"conclab/internal/runner"
	"conclab/lessons"
)

// program runs what the learner wrote, with the terminal all to itself. It is
// what bubbletea calls a command to execute.
type program struct {
	ctx    context.Context
	o      Options
	lesson lessons.Lesson
	away   *atomic.Bool
}

// The terminal is the one that the companion was given.
func (p *program) SetStdin(io.Reader)  {}
func (p *program) SetStdout(io.Writer) {}
func (p *program) SetStderr(io.Writer) {}

// Run runs the program, and waits until the learner has seen what it printed.
// Ctrl+C ends the program and not the lab.
func (p *program) Run() error {
	p.away.Store(true)
	defer p.away.Store(false)
	ctx, stop := signal.NotifyContext(p.ctx, os.Interrupt)
	defer stop()
	fmt.Fprintf(p.o.Out, "\n%s: what you wrote, as a program. Ctrl+C ends it.\n\n", p.lesson.Name)
	ended, err := runner.Exec(ctx, runner.Options{Root: p.o.Root}, runner.Candidate{Lesson: p.lesson},
		runner.Program{Stdin: p.o.In, Stdout: p.o.Out, Stderr: p.o.Out})
	var notBuilt *runner.BuildError
	switch {
	case p.ctx.Err() != nil:
		return p.ctx.Err()
	case errors.As(err, &notBuilt), err != nil && ctx.Err() == nil:
		fmt.Fprintln(p.o.Out, err)
	case ctx.Err() != nil:
		fmt.Fprintln(p.o.Out, "\ninterrupted")
	case ended.Status != 0:
		fmt.Fprintf(p.o.Out, "\nended with status %d\n", ended.Status)
	}
	stop()
	return p.wait()
}

// wait blocks until the learner presses Enter or Ctrl+C.
func (p *program) wait() error {
	ctx, stop := signal.NotifyContext(p.ctx, os.Interrupt)
	defer stop()
	fmt.Fprint(p.o.Out, "\nPress Enter to go back.")
	in, err := cancelreader.NewReader(p.o.In)
	if err != nil {
		return err
	}
	defer func() { _ = in.Close() }()
	defer context.AfterFunc(ctx, func() { in.Cancel() })()
	for b := []byte{0}; b[0] != '\n' && b[0] != '\r'; {
		if _, err := in.Read(b); err != nil {
			break // whoever cannot answer need not
		}
	}
	return p.ctx.Err()
}

// returned says that the screen is the companion's again.
type returned struct{ err error }

func (m *model) runProgram() tea.Cmd {
	return tea.Exec(&program{m.ctx, m.Options, m.lesson(), &m.away}, func(err error) tea.Msg { return returned{err} })
}
