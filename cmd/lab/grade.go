package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"conclab/internal/grade"
	"conclab/internal/gradebook"
	"conclab/internal/ledger"
	"conclab/internal/policy"
	"conclab/internal/sandbox"
	"conclab/internal/screen"
	"conclab/lessons"
)

// gradeFlags are the flags that say how to grade.
type gradeFlags struct {
	out, policy, shard, isolation string
	lessons                       []string
	jobs, repeat                  int
}

func newGrade(root *string) *cobra.Command {
	var f gradeFlags
	cmd := &cobra.Command{
		Use:   "grade DIR",
		Short: "Grade the submissions of a class",
		Long: `lab grade takes every submission in a folder: a folder or an archive for each
student, or what Moodle makes of "download all submissions". It reads the files,
asks the gate (see lab check), builds and runs the suites in a sandbox, and puts
what each test said into a folder of results, one file a submission.

What is graded already and has not changed is not graded again; so a grading
that was stopped goes on when it is called again. Marks are made of the results
by lab grade report.

The exit status is 0 if everything was graded, whatever the marks, and 1 if the
grader itself failed at something.`,
		Example: `  lab grade submissions
  lab grade submissions --lessons queues,pipes --repeat 3 --out results
  lab grade submissions --shard 2/4 --out shard-2`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) != 1 {
				return fmt.Errorf("say where the submissions are, as in: %s grade submissions", screen.Command)
			}
			return f.grade(cmd, *root, args[0])
		},
	}
	cmd.Flags().StringVar(&f.out, "out", "results", "the folder for the results")
	cmd.Flags().StringVar(&f.shard, "shard", "", "grade only the i-th of n parts of the class, written i/n")
	cmd.Flags().IntVar(&f.jobs, "jobs", 0, "submissions at a time (default: one for every processor)")
	f.common(cmd)
	cmd.AddCommand(newMerge(), newGradeDiff(), newReplay(root), newReport(), newPolicy(), newGradescopeZip(root))
	return cmd
}

// common adds the flags that say under which conditions tests run.
func (f *gradeFlags) common(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.policy, "policy", "", "the policy file (default: see lab grade policy)")
	cmd.Flags().StringSliceVar(&f.lessons, "lessons", nil, "the lessons to grade (default: those of the policy)")
	cmd.Flags().StringVar(&f.isolation, "isolation", string(sandbox.Bubblewrap), "bwrap, or none if this machine is itself a sandbox")
	cmd.Flags().IntVar(&f.repeat, "repeat", 0, "how often each test runs (default: as the policy says)")
}

// options says how to grade, as the flags and the policy have it.
func (f *gradeFlags) options(root string) (grade.Options, error) {
	p, err := policy.Load(f.policy)
	if err != nil {
		return grade.Options{}, err
	}
	if f.repeat < 0 || f.jobs < 0 {
		return grade.Options{}, errors.New("--repeat and --jobs take a number of at least 1")
	}
	names := p.Lessons
	if len(f.lessons) > 0 {
		names = f.lessons
	}
	course, err := find(names)
	if err != nil {
		return grade.Options{}, err
	}
	repeats := p.Repeats
	if f.repeat > 0 {
		repeats = f.repeat
	}
	return grade.Options{
		Root: root, Lessons: inOrder(course), Isolation: sandbox.Isolation(f.isolation), Jobs: f.jobs, Repeats: repeats,
		Limits: p.Limits, Gate: grade.NewGate(root), Imports: grade.Imports(course),
	}, nil
}

// inOrder puts lessons into the course's order.
func inOrder(some []lessons.Lesson) []lessons.Lesson {
	return slices.DeleteFunc(lessons.All(), func(l lessons.Lesson) bool {
		return !slices.ContainsFunc(some, func(s lessons.Lesson) bool { return s.Name == l.Name })
	})
}

func (f *gradeFlags) grade(cmd *cobra.Command, root, dir string) error {
	shard, err := ledger.ParseShard(f.shard)
	if err != nil {
		return err
	}
	if err := grade.Apart(f.out, dir); err != nil {
		return err
	}
	class, err := grade.ReadClass(dir, lessons.All(), shard)
	if err != nil {
		return err
	}
	for _, r := range class.Refused {
		fmt.Fprintf(cmd.ErrOrStderr(), "left out: %q (%s)\n", r.Path, r.Word)
	}
	// Nothing is written before all that was said makes sense.
	o, err := f.options(root)
	if err != nil {
		return err
	}
	if err := sandbox.Check(cmd.Context(), o.Isolation); err != nil {
		return err
	}
	results, err := ledger.Open(f.out, ledger.Class{Shard: shard, IDs: class.IDs, LeftOut: class.Refused, Policy: f.policy})
	if err != nil {
		return err
	}
	defer results.Close()
	if o.Temp, err = grade.TempFor(f.out); err != nil {
		return err
	}
	engine, err := grade.New(cmd.Context(), o)
	if err != nil {
		return err
	}
	defer engine.Close()
	for _, note := range engine.Notes() {
		fmt.Fprintf(cmd.ErrOrStderr(), "Note: %s.\n", note)
	}
	summary, err := engine.Run(cmd.Context(), results, class.Items, screen.Graded(cmd.ErrOrStderr()))
	if err != nil {
		return err
	}
	screen.GradingEnded(cmd.ErrOrStderr(), summary, len(class.Refused), f.out)
	if summary.Errors > 0 {
		return errFailed
	}
	return nil
}

func newMerge() *cobra.Command {
	var out string
	cmd := &cobra.Command{
		Use:   "merge DIR…",
		Short: "Put the results of all shards together",
		Long: `lab grade merge takes the folders that lab grade --shard wrote, all of them, and
makes one folder of results. A shard that is missing, not complete, there twice or
graded under other conditions is an error, and nothing is written. Merging again
changes nothing.`,
		Example: "  lab grade merge --out all shard-1 shard-2 shard-3 shard-4",
		RunE: func(cmd *cobra.Command, args []string) error {
			n, err := ledger.Merge(out, args)
			if err != nil {
				return err
			}
			fmt.Fprintf(cmd.ErrOrStderr(), "%d submissions are together in %s\n", n, out)
			return nil
		},
	}
	cmd.Flags().StringVar(&out, "out", "results", "the folder for all results")
	return cmd
}

func newGradeDiff() *cobra.Command {
	var file string
	cmd := &cobra.Command{
		Use:   "diff OLD NEW",
		Short: "List every mark that moved from one grading to another, and why",
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) != 2 {
				return fmt.Errorf("say which results to compare, as in: %s grade diff results-1 results-2", screen.Command)
			}
			var sides [2]results
			for i, dir := range args {
				var err error
				if sides[i], err = readResults(cmd, dir, file); err != nil {
					return err
				}
			}
			screen.Diff(cmd.OutOrStdout(), sides[0].policy, sides[0].entries, sides[1].entries)
			return nil
		},
	}
	cmd.Flags().StringVar(&file, "policy", "", "the policy file (default: see lab grade policy)")
	return cmd
}

func newReplay(root *string) *cobra.Command {
	var f gradeFlags
	var dir string
	cmd := &cobra.Command{
		Use:   "replay ID LESSON TEST",
		Short: "Run one test of a submission again, as it ran when it was graded",
		Long: `lab grade replay runs one test of a submission once more, with the order of tests,
the processors and the limits that it had when it failed, or the first time if it
did not fail. It changes no results.`,
		Example: "  lab grade replay s-012 queues TestQueue/TestPutBlocksWhileFull --submissions submissions",
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) != 3 {
				return fmt.Errorf("say which test of which submission, as in: %s grade replay s-012 queues TestQueue/TestPutBlocksWhileFull", screen.Command)
			}
			return f.replay(cmd, *root, dir, args[0], args[1], args[2])
		},
	}
	cmd.Flags().StringVar(&dir, "submissions", "submissions", "the folder of the submissions")
	cmd.Flags().StringVar(&f.out, "results", "results", "the folder of the results")
	cmd.Flags().StringVar(&f.isolation, "isolation", string(sandbox.Bubblewrap), "bwrap, or none if this machine is itself a sandbox")
	return cmd
}

func (f *gradeFlags) replay(cmd *cobra.Command, root, dir, id, name, test string) error {
	lesson, err := lessons.Find(name)
	if err != nil {
		return err
	}
	class, err := grade.ReadClass(dir, lessons.All(), ledger.Shard{})
	if err != nil {
		return err
	}
	item, err := class.Find(id)
	if err != nil {
		return err
	}
	sub, err := item.Read(cmd.Context())
	if err != nil {
		return err
	}
	all, _, err := ledger.Read(f.out)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(all, func(e *gradebook.Entry) bool { return e.ID == id })
	if i < 0 {
		return fmt.Errorf("%s is not graded in %s", id, f.out)
	}
	made := all[i].Made
	run, err := ranAs(all[i], name, test)
	if err != nil {
		return err
	}
	if grade.Outdated(all[i], sub) {
		warn(cmd, []string{fmt.Sprintf("what %s holds of %s now is not what was graded: this is a run of what is there now", dir, id)})
	}
	e, err := grade.New(cmd.Context(), grade.Options{
		Root: root, Lessons: []lessons.Lesson{lesson}, Isolation: sandbox.Isolation(f.isolation),
		Limits: made.Limits, Imports: grade.Imports([]lessons.Lesson{lesson}),
	})
	if err != nil {
		return err
	}
	defer e.Close()
	v, err := e.Replay(cmd.Context(), sub, lesson, test, run)
	if err != nil {
		return err
	}
	fmt.Fprintf(cmd.OutOrStdout(), "with %d processors, seed %d\n", run.Procs, run.Seed)
	screen.Replayed(cmd.OutOrStdout(), v)
	return nil
}

// ranAs returns how a test ran when it failed, or the first time.
func ranAs(e *gradebook.Entry, lesson, test string) (gradebook.Run, error) {
	l, ok := e.Lesson(lesson)
	if !ok {
		return gradebook.Run{}, fmt.Errorf("%s was not graded in %s", e.ID, lesson)
	}
	var names []string
	for _, task := range l.Tasks {
		for _, t := range task.Tests {
			switch {
			case t.Name != test:
				names = append(names, t.Name)
			case t.Failing != nil:
				return *t.Failing, nil
			case len(e.Made.Repeats) == 0:
				return gradebook.Run{}, fmt.Errorf("the results do not say how %s of %s ran: grade it again", test, e.ID)
			default:
				return e.Made.Repeats[0], nil
			}
		}
	}
	return gradebook.Run{}, fmt.Errorf("the lesson %s has no test %s; it has\n%s", lesson, test, strings.Join(names, "\n"))
}
