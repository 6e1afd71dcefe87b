package main

import (
	"errors"
	"fmt"
	"runtime"
	"time"

	"github.com/spf13/cobra"

	"conclab/internal/reset"
	"conclab/internal/screen"
	"conclab/lessons"
)

func newReset(root *string) *cobra.Command {
	return &cobra.Command{
		Use:   "reset LESSON",
		Short: "Begin a lesson anew; what you had is kept",
		Long: `lab reset puts the starter of a lesson in the place of your file. Your file is
kept beside it, under a name with the time in it that the go command does not
build, and the way back is printed. The starter comes from the clone's git,
whatever you have committed since.`,
		Example:           "  lab reset queues",
		Args:              oneLesson(""),
		ValidArgsFunction: completeLesson(nil),
		RunE: func(cmd *cobra.Command, args []string) error {
			l, err := lessons.Find(args[0])
			if err != nil {
				return err
			}
			kept, err := reset.Lesson(cmd.Context(), *root, l, time.Now())
			switch {
			case errors.Is(err, reset.ErrUntouched):
				fmt.Fprintf(cmd.OutOrStdout(), "%v.\n", err)
				return nil
			case err != nil:
				return err
			}
			move := "mv"
			if runtime.GOOS == "windows" {
				move = "move /Y"
			}
			screen.Kept(cmd.OutOrStdout(), l, kept, move)
			return nil
		},
	}
}
