// Command lab is the one command of the course: it shows how far a learner is,
// runs the suites, and proves the lab itself. Each subcommand has a file of its
// own, which reads arguments and calls the package that does the work.
//
// Its exit status is 0 if all is well, 1 if something that counts failed, 2 if
// it could not do what it was asked for, 130 if it was interrupted, and 141 if
// nobody reads any more what it prints.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
)

// Exit statuses.
const (
	exitFailed      = 1
	exitTrouble     = 2
	exitInterrupted = 130
	exitUnheard     = 141
)

// errFailed ends the lab with status 1. What failed has been printed.
var errFailed = errors.New("something that counts failed")

// tidy gives temporary files a folder of this process's own and returns what removes
// it: a go command that is interrupted does not always tidy up after itself.
func tidy() func() {
	const variable = "GOTMPDIR"
	before := os.Getenv(variable)
	dir, err := os.MkdirTemp(before, "conclab-")
	if err != nil {
		return func() {} // whoever needs one says so
	}
	_ = os.Setenv(variable, dir)
	return func() {
		_ = os.RemoveAll(dir)
		_ = os.Setenv(variable, before)
	}
}

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

func run(args []string, stdout, stderr io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	// Whoever asks a second time does not want to wait any longer.
	context.AfterFunc(ctx, stop)
	// Otherwise a reader who goes away would end the lab before it has tidied up.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)
	ctx, end := context.WithCancelCause(ctx)
	defer end(nil)

	defer tidy()()

	root := newRoot()
	root.SetArgs(args)
	root.SetOut(watched(stdout, end))
	root.SetErr(watched(stderr, end))
	err := root.ExecuteContext(ctx)
	lost, cut := errors.AsType[*unwritten](context.Cause(ctx))
	switch {
	case cut && lost.unheard():
		return exitUnheard
	case cut:
		err = lost
	case err == nil:
		return 0
	case ctx.Err() != nil:
		fmt.Fprintln(stderr, "lab: interrupted")
		return exitInterrupted
	case errors.Is(err, errFailed):
		return exitFailed
	}
	for line := range strings.Lines(err.Error()) {
		fmt.Fprintln(stderr, "lab: "+strings.TrimSuffix(line, "\n"))
	}
	return exitTrouble
}
