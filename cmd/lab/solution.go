package main

import (
	"os"

	"github.com/spf13/cobra"

	"conclab/internal/bank"
	"conclab/internal/page"
	"conclab/internal/pager"
	"conclab/internal/screen"
	"conclab/lessons"
)

func newSolution(root *string) *cobra.Command {
	var spoil bool
	cmd := &cobra.Command{
		Use:   "solution LESSON [SOLUTION]",
		Short: "Read the reference and other right ways, once yours passes",
		Long: `lab solution shows the reference solution of a lesson as soon as its whole suite
passes, and lists other right ways with what each does differently. Name one of
them to read it.`,
		Example:           "  lab solution queues\n  lab solution queues token",
		Args:              oneLesson("solution"),
		ValidArgsFunction: completeLesson(solutions(root)),
		RunE: func(cmd *cobra.Command, args []string) error {
			l, err := lessons.Find(args[0])
			if err != nil {
				return err
			}
			shown, others, err := right(*root, l, second(args))
			if err != nil {
				return err
			}
			if err := unlocked(cmd.Context(), *root, l, spoil); err != nil {
				return err
			}
			out := cmd.OutOrStdout()
			return pager.Show(cmd.Context(), os.Stdin, out, screen.Solution(page.LookOf(os.Stdin, out), shown, others))
		},
	}
	cmd.Flags().BoolVar(&spoil, "spoil", false, "show it although the suite does not pass yet")
	return cmd
}

// solutions completes the names of a lesson's right answers.
func solutions(root *string) func(lessons.Lesson) []string {
	return func(l lessons.Lesson) []string {
		dir, err := findClone(*root)
		if err != nil {
			return nil
		}
		shown, others, err := right(dir, l, "")
		if err != nil {
			return nil
		}
		var names []string
		for _, v := range append([]bank.Variant{shown}, others...) {
			names = append(names, cobra.CompletionWithDesc(screen.Alternative(v), v.Note))
		}
		return names
	}
}
