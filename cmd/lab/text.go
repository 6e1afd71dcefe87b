package main

import (
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"conclab/internal/page"
	"conclab/internal/pager"
	"conclab/lessons"
)

func newText() *cobra.Command {
	return &cobra.Command{
		Use:   "text LESSON [SECTION]",
		Short: "Read a lesson's text",
		Long: `lab text shows the text of a lesson, or one section of it, set for your terminal,
in the pager that PAGER names (less, if it names none). In a file or a pipe it is
the Markdown. A section is called what stands behind the # where a failure says
"see lessons/queues/README.md#bounded".`,
		Example:     "  lab text queues\n  lab text queues bounded\n  lab text queues > queues.md",
		Annotations: alone,
		Args:        oneLesson("section"),
		ValidArgsFunction: completeLesson(func(l lessons.Lesson) []string {
			var sections []string
			for _, part := range l.Parts() {
				sections = append(sections, cobra.CompletionWithDesc(part.Anchor, part.Title))
			}
			return sections
		}),
		RunE: func(cmd *cobra.Command, args []string) error {
			l, err := lessons.Find(args[0])
			if err != nil {
				return err
			}
			text := l.Text()
			if section := second(args); section != "" {
				if text, err = part(l, section); err != nil {
					return err
				}
			}
			out := cmd.OutOrStdout()
			return pager.Show(cmd.Context(), os.Stdin, out, page.LookOf(os.Stdin, out).Markdown(text))
		},
	}
}

// part returns the section of a lesson's text that has the anchor.
func part(l lessons.Lesson, anchor string) (string, error) {
	var known []string
	for _, p := range l.Parts() {
		if p.Anchor == strings.TrimPrefix(anchor, "#") {
			return p.Text, nil
		}
		known = append(known, p.Anchor)
	}
	return "", fmt.Errorf("%s has no section %q; its sections are %s", l.Name, anchor, strings.Join(known, ", "))
}
