package main

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"conclab/internal/runner"
	"conclab/internal/screen"
	"conclab/lessons"
)

func newTest(root *string) *cobra.Command {
	var race, file string
	var solution, brave bool
	cmd := &cobra.Command{
		Use:   "test [lesson…]",
		Short: "Run the suites of the lessons, or of all, on your files",
		Long: `lab test runs the suites of the lessons that you name, or of all, on your files
and says which rules they break. It changes nothing.

The exit status is 0 if every task passes, go vet has no objection, and
everything compiles. Tasks for the brave are run and shown, but count for the
exit status only with --brave.`,
		Example:           "  lab test queues\n  lab test queues --file old/queues.go\n  lab test --solution",
		ValidArgsFunction: completeLessons,
		RunE: func(cmd *cobra.Command, args []string) error {
			course, err := find(args)
			if err != nil {
				return err
			}
			mode, ok := map[string]runner.RaceMode{"auto": runner.RaceAuto, "on": runner.RaceOn, "off": runner.RaceOff}[race]
			switch {
			case !ok:
				return fmt.Errorf("--race can be auto, on or off, but not %q", race)
			case solution && file != "":
				return errors.New("--solution and --file each name what to test: leave one of them out")
			case file != "" && len(args) != 1:
				return fmt.Errorf("--file needs the one lesson that the file is for, as in: %s test queues --file F", screen.Command)
			}
			candidates := screen.Candidates(course, func(l lessons.Lesson) string {
				if solution {
					return filepath.Join(near(*root), "solutions", l.Name, l.Name+".go")
				}
				return file
			})
			results, err := screen.Suites(cmd.Context(), cmd.OutOrStdout(), runner.Options{Root: *root, Race: mode}, candidates)
			if errors.Is(err, runner.ErrNoRace) {
				return fmt.Errorf("%w: install that (%s doctor says how), or leave --race on out", err, screen.Command)
			} else if err != nil {
				return err
			}
			if slices.ContainsFunc(results, func(r *runner.Result) bool { return !r.Passed(brave) }) {
				return errFailed
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&race, "race", "auto", "use the race detector: auto (where it works), on or off")
	_ = cmd.RegisterFlagCompletionFunc("race", cobra.FixedCompletions([]string{"auto", "on", "off"}, cobra.ShellCompDirectiveNoFileComp))
	cmd.Flags().BoolVar(&solution, "solution", false, "test the reference solutions instead of your files")
	cmd.Flags().StringVar(&file, "file", "", "test this file instead of yours (for one lesson)")
	cmd.Flags().BoolVar(&brave, "brave", false, "tasks for the brave count too")
	return cmd
}

// near returns the shortest name of a folder as seen from the working
// directory, so that messages can be followed from there.
func near(dir string) string {
	here, err := filepath.Abs("")
	if err != nil {
		return dir
	}
	if name, err := filepath.Rel(here, dir); err == nil {
		return name
	}
	return dir
}
