// Command lab is the one command of the course: it shows how far a learner is,
// runs the suites, and proves the lab itself. Each subcommand has a file of its
// own, which reads arguments and calls the package that does the work.
//
// Its exit status is 0 if all is well, 1 if something that counts failed, 2 if
// it could not do what it was asked for, and 130 if it was interrupted.
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
)

// errFailed ends the lab with status 1. What failed has been printed.
var errFailed = errors.New("something that counts failed")

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

func run(args []string, stdout, stderr io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	// Whoever asks a second time does not want to wait any longer.
	context.AfterFunc(ctx, stop)

	root := newRoot()
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.ExecuteContext(ctx)
	switch {
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
