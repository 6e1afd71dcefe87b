package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"conclab/internal/progress"
	"conclab/internal/runner"
	"conclab/internal/screen"
	"conclab/lessons"
)

// newRoot returns the command lab, which without a subcommand shows the map.
func newRoot() *cobra.Command {
	var root string
	cmd := &cobra.Command{
		Use:   "lab",
		Short: "Show how far you are in the course and what comes next",
		Long: `lab shows the map of the course: each lesson, how long it takes, which of its
tasks your files pass (✓) or not yet (·), and what comes next. The tasks for the
brave are the last ones of their lessons.

In a terminal it fills the screen, runs a lesson's tests whenever you save its
file, and has a key for everything else: ? lists them. In a file or a pipe it
prints the map.

The map runs suites without the race detector, to be quick; lab test has the
last word.`,
		Args:          knownCommand,
		SilenceErrors: true,
		SilenceUsage:  true,
		PersistentPreRunE: func(cmd *cobra.Command, args []string) error {
			if err := nothingEmpty(cmd, args); err != nil {
				return err
			}
			if needsNothing(cmd) {
				return nil
			}
			var err error
			if root, err = findClone(root); err != nil {
				return err
			}
			return runner.CheckGo(cmd.Context(), root)
		},
		RunE: func(cmd *cobra.Command, _ []string) error {
			if in, out, ok := fullScreen(cmd.OutOrStdout()); ok {
				return showCompanion(cmd, root, in, out)
			}
			course := lessons.All()
			m := screen.NewMap(cmd.OutOrStdout(), course)
			all, err := progress.Survey(cmd.Context(), root, course, m.Lesson)
			if err != nil {
				return err
			}
			m.Next(all)
			return progress.Problems(all)
		},
	}
	cmd.PersistentFlags().StringVar(&root, "root", "", "the folder of the clone (default: found from the working directory)")
	cmd.SetFlagErrorFunc(flagError)
	cmd.AddCommand(newCheck(&root), newDiff(&root), newDoctor(&root), newGrade(&root), newHint(&root), newReset(&root),
		newRun(&root), newSolution(&root), newTest(&root), newText(), newVerify(&root), newWatch(&root))
	addCompletion(cmd)
	return cmd
}

// noArgs turns away what stands behind a command that takes nothing.
func noArgs(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	return fmt.Errorf("%s%s takes no arguments: leave %q out", screen.Command, strings.TrimPrefix(cmd.CommandPath(), cmd.Root().Name()), args[0])
}

// knownCommand turns away what is no subcommand.
func knownCommand(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	if _, err := lessons.Find(args[0]); err == nil {
		return fmt.Errorf("%q is a lesson, not a command; to run its suite: %s test %[1]s", args[0], screen.Command)
	}
	var names []string
	for _, c := range cmd.Commands() {
		if c.IsAvailableCommand() {
			names = append(names, c.Name())
		}
	}
	hint := "."
	cmd.SuggestionsMinimumDistance = 2
	if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
		// Of several, one with as many letters: two were probably swapped.
		hint = fmt.Sprintf("; did you mean %q?", slices.MinFunc(near, func(a, b string) int {
			return max(len(a)-len(args[0]), len(args[0])-len(a)) - max(len(b)-len(args[0]), len(args[0])-len(b))
		}))
	}
	return fmt.Errorf("there is no command %q%s The commands are %s; without a command the lab shows the map",
		args[0], hint, strings.Join(names, ", "))
}

// flagError says in the lab's words what is wrong with a flag.
func flagError(cmd *cobra.Command, err error) error {
	see := fmt.Sprintf("; `%s --help` lists the flags", screen.Command+strings.TrimPrefix(cmd.CommandPath(), cmd.Root().Name()))
	var unknown *pflag.NotExistError
	var bare *pflag.ValueRequiredError
	var invalid *pflag.InvalidValueError
	switch {
	case errors.As(err, &unknown) && unknown.GetSpecifiedShortnames() != "":
		return fmt.Errorf("there is no flag -%s%s", unknown.GetSpecifiedName(), see)
	case errors.As(err, &unknown):
		return fmt.Errorf("there is no flag --%s%s", unknown.GetSpecifiedName(), see)
	case errors.As(err, &bare):
		return fmt.Errorf("the flag --%s needs a value%s", bare.GetSpecifiedName(), see)
	case errors.As(err, &invalid):
		flag := invalid.GetFlag()
		return fmt.Errorf("the flag --%s takes a value of type %s, not %q%s", flag.Name, flag.Value.Type(), invalid.GetValue(), see)
	}
	return fmt.Errorf("%w%s", err, see)
}

// nothingEmpty turns away flags and arguments that are there and empty, as in
// --policy "$UNSET": the lab would do what it does without them, and say nothing.
func nothingEmpty(cmd *cobra.Command, args []string) (err error) {
	cmd.Flags().Visit(func(f *pflag.Flag) {
		list, isList := f.Value.(pflag.SliceValue)
		if f.Value.String() == "" || isList && len(list.GetSlice()) == 0 {
			err = fmt.Errorf("the flag --%s is empty: give it a value, or leave it out", f.Name)
		}
	})
	if dash := cmd.ArgsLenAtDash(); dash >= 0 {
		args = args[:dash] // the rest is for another program
	}
	if i := slices.Index(args, ""); err == nil && i >= 0 && !needsNothing(cmd) {
		err = fmt.Errorf("argument %d of %s is empty: say what it is to be, or leave it out", i+1, strings.TrimPrefix(cmd.CommandPath(), cmd.Root().Name()+" "))
	}
	return err
}

// find returns the lessons that the arguments name, each once, or all lessons if
// there are no arguments.
func find(names []string) ([]lessons.Lesson, error) {
	if len(names) == 0 {
		return lessons.All(), nil
	}
	var found []lessons.Lesson
	seen := map[string]bool{}
	for _, name := range names {
		lesson, err := lessons.Find(name)
		if err != nil {
			return nil, err
		}
		if !seen[name] {
			found = append(found, lesson)
		}
		seen[name] = true
	}
	return found, nil
}
