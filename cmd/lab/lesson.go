package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"conclab/internal/bank"
	"conclab/internal/progress"
	"conclab/internal/screen"
	"conclab/lessons"
)

// aloneKey marks commands that need neither the clone nor the go command.
const aloneKey = "alone"

var alone = map[string]string{aloneKey: ""}

// needsNothing tells whether a command can do without clone and go command.
func needsNothing(cmd *cobra.Command) bool {
	_, ok := cmd.Annotations[aloneKey]
	return ok || slices.Contains([]string{"help", cobra.ShellCompRequestCmd, cobra.ShellCompNoDescRequestCmd}, cmd.Name()) ||
		cmd.HasParent() && (cmd.Name() == completion || cmd.Parent().Name() == completion)
}

// oneLesson wants the name of a lesson and at most one word behind it, if that
// word has a name.
func oneLesson(word string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		most := 1
		if word != "" {
			most = 2
		}
		command := screen.Command + " " + cmd.Name()
		switch {
		case len(args) == 0:
			return fmt.Errorf("which lesson? As in: %s queues. The lessons are %s", command, strings.Join(lessons.Names(), ", "))
		case len(args) > most && word == "":
			return fmt.Errorf("%s takes one lesson at a time: leave %q out", command, args[most])
		case len(args) > most:
			return fmt.Errorf("%s takes one lesson and one %s: leave %q out", command, word, args[most])
		}
		_, err := lessons.Find(args[0])
		return err
	}
}

// completeLesson completes the name of a lesson, and what stands behind it by
// next, which may be nil.
func completeLesson(next func(l lessons.Lesson) []string) cobra.CompletionFunc {
	return func(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
		if len(args) == 0 {
			return describe(), cobra.ShellCompDirectiveNoFileComp
		}
		l, err := lessons.Find(args[0])
		if err != nil || next == nil || len(args) > 1 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return next(l), cobra.ShellCompDirectiveNoFileComp
	}
}

// completeLessons completes the names of any number of lessons.
func completeLessons(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	return describe(), cobra.ShellCompDirectiveNoFileComp
}

func describe() []string {
	var all []string
	for _, l := range lessons.All() {
		all = append(all, cobra.CompletionWithDesc(l.Name, l.Summary))
	}
	return all
}

// findTask returns which of the lesson's tasks a word means: by its number, or
// by its test's name.
func findTask(l lessons.Lesson, word string) (int, error) {
	if n, err := strconv.Atoi(word); err == nil && n >= 1 && n <= len(l.Tasks) {
		return n - 1, nil
	}
	var known []string
	for i, t := range l.Tasks {
		short := strings.TrimPrefix(t.Test, "Test")
		if strings.EqualFold(word, t.Test) || strings.EqualFold(word, short) {
			return i, nil
		}
		known = append(known, fmt.Sprintf("%d %s", i+1, short))
	}
	return 0, fmt.Errorf("%s has no task %q; its tasks are %s", l.Name, word, strings.Join(known, ", "))
}

// right returns the right answers that the lab knows to a lesson: the one that
// word names, or else the reference, and all the others.
func right(root string, l lessons.Lesson, word string) (shown bank.Variant, others []bank.Variant, err error) {
	all, err := bank.Load(root, l)
	if err != nil {
		return bank.Variant{}, nil, err
	}
	if word == "" {
		word = string(bank.Reference)
	}
	var names []string
	found := false
	for _, v := range all {
		if v.Kind != bank.Reference && v.Kind != bank.Accept {
			continue
		}
		name := screen.Alternative(v)
		names = append(names, name)
		if name == word {
			shown, found = v, true
		} else {
			others = append(others, v)
		}
	}
	if !found {
		return bank.Variant{}, nil, fmt.Errorf("%s has no solution %q; its solutions are %s", l.Name, word, strings.Join(names, ", "))
	}
	return shown, others, nil
}

// unlocked tells whether the learner may see a lesson's solution: the error says
// why not.
func unlocked(ctx context.Context, root string, l lessons.Lesson, spoil bool) error {
	if spoil {
		return nil
	}
	all, err := progress.Survey(ctx, root, []lessons.Lesson{l}, nil)
	if err := errors.Join(err, progress.Problems(all)); err != nil {
		return err
	}
	if why := screen.NotYet(all[0]); why != "" {
		return errors.New(why)
	}
	return nil
}

// stdout returns where a command prints as a file, if it is one.
func stdout(cmd *cobra.Command) *os.File {
	f, _ := cmd.OutOrStdout().(*os.File)
	return f
}
