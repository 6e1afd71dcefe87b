package main

import (
	"os"

	"github.com/spf13/cobra"

	"conclab/internal/page"
	"conclab/internal/pager"
	"conclab/lessons"
)

func newText() *cobra.Command {
	return &cobra.Command{
		Use:   "text LESSON",
		Short: "Read a lesson's text",
		Long: `lab text shows the text of a lesson, set for your terminal, in the pager that
PAGER names (less, if it names none). In a file or a pipe it is the Markdown.`,
		Example:           "  lab text queues\n  lab text queues > queues.md",
		Annotations:       alone,
		Args:              oneLesson(""),
		ValidArgsFunction: completeLesson(nil),
		RunE: func(cmd *cobra.Command, args []string) error {
			l, err := lessons.Find(args[0])
			if err != nil {
				return err
			}
			out := cmd.OutOrStdout()
			return pager.Show(cmd.Context(), os.Stdin, out, page.LookOf(os.Stdin, out).Markdown(l.Text()))
		},
	}
}
