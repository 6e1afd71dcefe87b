// Package pager shows a long text a screen at a time, in the program that the
// user likes for it. Where nobody watches, or no such program is there, the text
// is simply printed.
package pager

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"time"

	"golang.org/x/term"
)

// farewell is how long a pager may go on after ctx has ended.
const farewell = 800 * time.Millisecond

// hearsay is how long an interrupt may take from the pager, which it has ended,
// to here.
const hearsay = 200 * time.Millisecond

// Show shows the text on out. If out is a terminal, the text goes through $PAGER,
// or less where that is not set, and Show blocks until the user has left it or
// ctx has ended.
func Show(ctx context.Context, in *os.File, out io.Writer, text string) error {
	if f, ok := out.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		if program := find(); program != nil {
			return page(ctx, program, in, f, text)
		}
	}
	if _, err := io.WriteString(out, text); err != nil {
		return fmt.Errorf("the text cannot be printed: %w", err)
	}
	return nil
}

// find returns the pager's command, or nil if there is none.
func find() []string {
	command, chosen := os.LookupEnv("PAGER")
	if !chosen {
		command = "less"
	}
	program := strings.Fields(command)
	if len(program) == 0 || program[0] == "cat" {
		return nil
	}
	if _, err := exec.LookPath(program[0]); err != nil {
		return nil
	}
	return program
}

func page(ctx context.Context, program []string, in, out *os.File, text string) error {
	cmd := exec.CommandContext(ctx, program[0], program[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(text), out, os.Stderr
	cmd.Env = cmd.Environ()
	if _, chosen := os.LookupEnv("LESS"); !chosen {
		// Leave at the end of what fits, pass colours, do not clear the screen,
		// end with Ctrl+C.
		cmd.Env = append(cmd.Env, "LESS=FRXK")
	}
	// The terminal's Ctrl+C reaches the pager as well, and it has a screen to
	// put in order.
	cmd.Cancel = func() error { return nil }
	cmd.WaitDelay = farewell
	if state, err := term.GetState(int(in.Fd())); err == nil {
		defer func() { _ = term.Restore(int(in.Fd()), state) }()
	}
	err := cmd.Run()
	if state := cmd.ProcessState; state != nil && !state.Success() {
		// Ctrl+C reaches both, and a quick pager can have ended by it before this
		// process has heard of it.
		select {
		case <-ctx.Done():
		case <-time.After(hearsay):
		}
	}
	switch {
	case ctx.Err() != nil:
		return fmt.Errorf("the text was not read to its end: %w", ctx.Err())
	case cmd.ProcessState == nil:
		return fmt.Errorf("the pager %s cannot be started (PAGER names it): %w", program[0], err)
	}
	return nil // how a pager ends is its user's business
}
