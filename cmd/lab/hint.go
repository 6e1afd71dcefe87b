package main

import (
	"fmt"
	"os"
	"strconv"

	"github.com/spf13/cobra"

	"conclab/internal/hints"
	"conclab/internal/page"
	"conclab/internal/runner"
	"conclab/internal/screen"
	"conclab/internal/state"
	"conclab/lessons"
)

func newHint(root *string) *cobra.Command {
	var again bool
	cmd := &cobra.Command{
		Use:   "hint LESSON [TASK]",
		Short: "Get the next hint for the task that fails just now",
		Long: `lab hint runs the suite of a lesson on your file, and gives you a hint for the
task of the first rule that fails. Each task has four, from a nudge to a sketch;
every time you ask you get the next one. Name a task, by its number or its test,
to get the hints for that one, without a run.`,
		Example: "  lab hint queues\n  lab hint queues 2\n  lab hint queues 2 --again",
		Args:    oneLesson("task"),
		ValidArgsFunction: completeLesson(func(l lessons.Lesson) []string {
			var tasks []string
			for i, t := range l.Tasks {
				tasks = append(tasks, cobra.CompletionWithDesc(strconv.Itoa(i+1), t.Title))
			}
			return tasks
		}),
		RunE: func(cmd *cobra.Command, args []string) error {
			l, err := lessons.Find(args[0])
			if err != nil {
				return err
			}
			task, broken, ok, err := stuck(cmd, *root, l, args[1:])
			if err != nil || !ok {
				return err
			}
			ladder, test := hints.Ladder(l, task), l.Tasks[task].Test
			rung, seen := 0, 0
			store, err := state.Open()
			note := ""
			switch {
			case err != nil:
			case again:
				var s state.State
				s, note, err = store.Load(cmd.Context())
				seen = min(s.Seen(l.Name, test), len(ladder))
			default:
				note, err = store.Update(cmd.Context(), func(s *state.State) {
					rung = hints.Next(ladder, s.Seen(l.Name, test))
					s.See(l.Name, test, rung+1)
					s.Lesson, s.Test = l.Name, test
				})
			}
			if cmd.Context().Err() != nil {
				return cmd.Context().Err()
			}
			// A hint is worth more than the memory of it.
			if err != nil {
				note = err.Error()
			}
			if note != "" {
				fmt.Fprintln(cmd.ErrOrStderr(), "lab: "+note)
			}
			out := cmd.OutOrStdout()
			look := page.LookOf(os.Stdin, out)
			if again {
				screen.Hints(out, look, l, task, ladder[:seen])
			} else {
				screen.Hint(out, look, l, task, broken, ladder, rung)
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&again, "again", false, "show those that you have seen once more")
	return cmd
}

// stuck finds out which task the learner needs a hint for: the one that is
// named, or that of the first rule that fails. If there is none, ok is false and
// it has been printed why.
func stuck(cmd *cobra.Command, root string, l lessons.Lesson, named []string) (task int, broken runner.Test, ok bool, err error) {
	if len(named) > 0 {
		task, err = findTask(l, named[0])
		return task, runner.Test{}, err == nil, err
	}
	result, err := runner.Run(cmd.Context(), runner.Options{Root: root}, runner.Candidate{Lesson: l}, nil)
	if err != nil {
		return 0, runner.Test{}, false, err
	}
	if result.Build == "" {
		task, broken, ok = hints.Failing(l, result)
	}
	if !ok {
		screen.NoHint(cmd.OutOrStdout(), l, result)
	}
	if result.Build != "" {
		err = errFailed
	}
	return task, broken, ok, err
}
