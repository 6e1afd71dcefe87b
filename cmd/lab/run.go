package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"conclab/internal/runner"
	"conclab/internal/screen"
	"conclab/lessons"
)

func newRun(root *string) *cobra.Command {
	var solution bool
	cmd := &cobra.Command{
		Use:   "run LESSON [-- ARGUMENT…]",
		Short: "Run what you wrote as a real program",
		Long: `lab run builds the program lessons/LESSON/yours with your file, or with the
reference solution, and runs it. What stands behind -- are the program's
arguments. Ctrl+C reaches the program, which then has a second to end.

The exit status is 0 if the program's is.`,
		Example: "  lab run echo\n  lab run echo -- -addr 127.0.0.1:9999\n  lab run queues --solution",
		Args: func(cmd *cobra.Command, args []string) error {
			if dash := cmd.ArgsLenAtDash(); dash >= 0 {
				args = args[:dash]
			}
			if len(args) > 1 {
				return fmt.Errorf("arguments for the program come behind --, as in: %s run %s -- %s", screen.Command, args[0], args[1])
			}
			return oneLesson("")(cmd, args)
		},
		ValidArgsFunction: completeLesson(nil),
		RunE: func(cmd *cobra.Command, args []string) error {
			l, err := lessons.Find(args[0])
			if err != nil {
				return err
			}
			candidate := runner.Candidate{Lesson: l}
			if solution {
				candidate.File = filepath.Join(near(*root), "solutions", l.Name, l.Name+".go")
			}
			ended, err := runner.Exec(cmd.Context(), runner.Options{Root: *root}, candidate, runner.Program{
				Name: screen.Command + " run " + l.Name + " --",
				Args: args[1:], Stdin: os.Stdin, Stdout: direct(cmd.OutOrStdout()), Stderr: direct(cmd.ErrOrStderr()),
			})
			build, broken := errors.AsType[*runner.BuildError](err)
			switch {
			case broken:
				screen.NotBuilt(cmd.OutOrStdout(), build.File, build.Message)
				return errFailed
			case err != nil:
				return err
			case ended.Killed:
				fmt.Fprintln(cmd.ErrOrStderr(), "lab: the program had not ended a second after it was asked to, and was stopped")
				return cmd.Context().Err()
			case ended.Status < 0 && cmd.Context().Err() != nil:
				return cmd.Context().Err()
			case ended.Status != 0:
				return errFailed
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&solution, "solution", false, "run the reference solution instead of your file")
	return cmd
}
