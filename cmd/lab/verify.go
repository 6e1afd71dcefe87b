package main

import (
	"errors"
	"io"
	"os"
	"slices"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"conclab/internal/screen"
	"conclab/internal/verify"
)

func newVerify(root *string) *cobra.Command {
	var o verify.Options
	cmd := &cobra.Command{
		Use:   "verify [lesson…]",
		Short: "Prove that the suites let right answers pass and catch wrong ones",
		Long: `lab verify judges every answer that the lab knows to the lessons that you name,
or to all: the untouched starters (every test must fail), the references and
other right answers (every test must pass), and the known wrong answers (the
test that each names must fail). It is for those who change the course; once you
have begun a lesson, your file is no untouched starter any more.`,
		ValidArgsFunction: completeLessons,
		RunE: func(cmd *cobra.Command, args []string) error {
			if o.Count < 1 {
				return errors.New("--count must be at least 1")
			}
			course, err := find(args)
			if err != nil {
				return err
			}
			variants, err := verify.Load(*root, course)
			if err != nil {
				return err
			}
			proof := screen.NewProof(cmd.OutOrStdout(), len(variants), isTerminal(cmd.OutOrStdout()))
			o.Root = *root
			results, err := verify.Run(cmd.Context(), o, variants, proof.Result)
			proof.End()
			if err != nil {
				return err
			}
			if slices.ContainsFunc(results, func(r verify.Result) bool { return r.Err != nil }) {
				return errFailed
			}
			return nil
		},
	}
	cmd.Flags().IntVar(&o.Count, "count", 1, "run each test this often: wrong answers must be caught every time")
	cmd.Flags().BoolVar(&o.Race, "race", false, "judge all wrong answers with the race detector, as lab grade does")
	return cmd
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}
