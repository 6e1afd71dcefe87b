package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/rogpeppe/go-internal/diff"
	"github.com/spf13/cobra"

	"conclab/internal/page"
	"conclab/internal/pager"
	"conclab/internal/progress"
	"conclab/lessons"
)

func newDiff(root *string) *cobra.Command {
	var spoil bool
	cmd := &cobra.Command{
		Use:   "diff LESSON [SOLUTION]",
		Short: "Compare your file with the reference, once it passes",
		Long: `lab diff shows what differs between your file and the reference solution, or
another one that lab solution lists, as soon as the lesson's whole suite passes:
- is yours, + is the other.`,
		Example:           "  lab diff queues\n  lab diff queues token",
		Args:              oneLesson("solution"),
		ValidArgsFunction: completeLesson(solutions(root)),
		RunE: func(cmd *cobra.Command, args []string) error {
			l, err := lessons.Find(args[0])
			if err != nil {
				return err
			}
			shown, _, err := right(*root, l, second(args))
			if err != nil {
				return err
			}
			if err := unlocked(cmd.Context(), *root, l, spoil); err != nil {
				return err
			}
			file := progress.File(l)
			yours, err := os.ReadFile(filepath.Join(*root, filepath.FromSlash(file)))
			if err != nil {
				return fmt.Errorf("%s cannot be read: get it back with `git checkout -- %[1]s`", file)
			}
			out := cmd.OutOrStdout()
			differences := string(diff.Diff(file, yours, shown.File, shown.Source))
			if differences == "" {
				fmt.Fprintf(out, "%s and %s are the same, byte for byte.\n", file, shown.File)
				return nil
			}
			return pager.Show(cmd.Context(), os.Stdin, out, page.LookOf(os.Stdin, out).Code(differences, "diff"))
		},
	}
	cmd.Flags().BoolVar(&spoil, "spoil", false, "show it although the suite does not pass yet")
	return cmd
}

// second returns the second argument, if there is one.
func second(args []string) string {
	if len(args) < 2 {
		return ""
	}
	return args[1]
}
