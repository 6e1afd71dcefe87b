package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"conclab/internal/progress"
	"conclab/internal/screen"
	"conclab/internal/watch"
	"conclab/lessons"
)

func newWatch(root *string) *cobra.Command {
	return &cobra.Command{
		Use:   "watch [lesson]",
		Short: "Run the suite of a lesson whenever you save its file",
		Long: `lab watch runs the suite of a lesson whenever you save its file, and shows the
first rule that is broken. Without a lesson it watches all of them, and begins
with the one that is not done. What passes is run once more with the race
detector, where that works. It changes nothing, and Ctrl+C ends it.`,
		Example:           "  lab watch\n  lab watch queues",
		Args:              atMostOneLesson,
		ValidArgsFunction: completeLesson(nil),
		RunE: func(cmd *cobra.Command, args []string) error {
			course, err := find(args)
			if err != nil {
				return err
			}
			s := screen.NewWatch(cmd.OutOrStdout(), *root)
			s.Hello(course)
			loop, err := watch.New(*root, course, s.Event)
			if err != nil {
				return err
			}
			ctx := cmd.Context()
			if lesson, ok := begin(ctx, *root, course); ok {
				loop.Judge(lesson)
			}
			loop.Run(ctx)
			return nil
		},
	}
}

// begin returns the only lesson, or the first that is not done.
func begin(ctx context.Context, root string, course []lessons.Lesson) (lessons.Lesson, bool) {
	if len(course) == 1 {
		return course[0], true
	}
	for _, lesson := range course {
		if _, todo := progress.Next([]progress.Lesson{progress.Look(ctx, root, lesson)}); todo {
			return lesson, ctx.Err() == nil
		}
	}
	return lessons.Lesson{}, false
}

func atMostOneLesson(_ *cobra.Command, args []string) error {
	if len(args) > 1 {
		return fmt.Errorf("%s watch takes one lesson, or none for all of them: leave %q out", screen.Command, args[1])
	}
	return nil
}
