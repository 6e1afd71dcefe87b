package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"conclab/internal/autograder"
	"conclab/internal/grade"
	"conclab/internal/intake"
	"conclab/internal/policy"
	"conclab/internal/report"
	"conclab/internal/screen"
)

// reportFlags are the flags of lab grade report.
type reportFlags struct {
	format, policy, id, out   string
	export, assignment, match string
	results                   string // the folder
}

func newReport() *cobra.Command {
	var f reportFlags
	var about strings.Builder
	for _, form := range report.Forms() {
		fmt.Fprintf(&about, "  %-12s%s\n", form.Name, form.About)
	}
	cmd := &cobra.Command{
		Use:   "report RESULTS",
		Short: "Write down what a grading found: marks, feedback, an overview",
		Long: `lab grade report reads the results in the folder that lab grade wrote, applies
the policy, and writes them in one of these forms:

` + about.String() + `  canvas      a gradebook exported from Canvas, with the marks filled in
  moodle      a grading worksheet of Moodle's, with the marks filled in

A mark that is still open, because of an error of the grader's or because a
person must look first, is never a zero: it is left out of what carries marks
away, and named.`,
		Example: `  lab grade report results
  lab grade report results --format html --out class.html
  lab grade report results --format markdown --out feedback
  lab grade report results --format canvas --export gradebook.csv --out filled.csv`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) != 1 {
				return fmt.Errorf("say which results, as in: %s grade report results", screen.Command)
			}
			f.results = args[0]
			if f.out != "" {
				if err := f.apart(f.out); err != nil {
					return err
				}
			}
			r, err := readResults(cmd, args[0], f.policy)
			if err != nil {
				return err
			}
			return f.write(cmd, r.marked())
		},
	}
	cmd.Flags().StringVar(&f.format, "format", "table", "the form: "+strings.Join(formats(), ", "))
	cmd.Flags().StringVar(&f.policy, "policy", "", "the policy file (default: see lab grade policy)")
	cmd.Flags().StringVar(&f.id, "id", "", "only this submission")
	cmd.Flags().StringVar(&f.out, "out", "", "the file to write; for a form with a file for each student, the folder (default: print it)")
	cmd.Flags().StringVar(&f.export, "export", "", "the file from Canvas or Moodle to fill in")
	cmd.Flags().StringVar(&f.assignment, "assignment", "", "the column to fill in: Canvas, the assignment (default: the only one); Moodle, Grade in another language")
	cmd.Flags().StringVar(&f.match, "match", "", "the column to find students by: Canvas, the one with the ids (default: the one that knows most of them); Moodle, Identifier in another language")
	return cmd
}

func formats() []string {
	var names []string
	for _, form := range report.Forms() {
		names = append(names, form.Name)
	}
	return append(names, "canvas", "moodle")
}

func (f reportFlags) write(cmd *cobra.Command, c *report.Class) error {
	if f.id != "" {
		var ok bool
		if c, ok = c.Only(f.id); !ok {
			return fmt.Errorf("nobody in these results has the id %q", f.id)
		}
	}
	if f.format == "canvas" || f.format == "moodle" {
		return f.fill(cmd, c)
	}
	if f.export != "" || f.assignment != "" || f.match != "" {
		return errors.New("--export, --assignment and --match are for --format canvas and moodle")
	}
	forms := report.Forms()
	i := slices.IndexFunc(forms, func(form report.Form) bool { return form.Name == f.format })
	if i < 0 {
		return fmt.Errorf("--format can be %s, but not %q", strings.Join(formats(), ", "), f.format)
	}
	form := forms[i]
	switch {
	case form.Class != nil:
		if f.format != "table" && f.format != "html" { // which show them
			warn(cmd, c.Warnings())
		}
		return f.output(cmd, func(w io.Writer) error { return form.Class(w, c) })
	case len(c.Marks) == 1 && (f.id != "" || f.out == ""):
		return f.output(cmd, func(w io.Writer) error { return form.Each(w, c, c.Marks[0]) })
	case f.out == "":
		return fmt.Errorf("%s is a file for each student: say where with --out FOLDER, or whose with --id", f.format)
	}
	warn(cmd, c.Warnings())
	return f.eachFile(form, c)
}

// apart returns an error, which says what to do, if a file or folder lies among the
// results: ID.json of a report could take the place of the entry.
func (f reportFlags) apart(out string) error {
	if grade.Within(out, f.results) {
		return fmt.Errorf("a report in %s could overwrite the results themselves: name a place outside of %s with --out", out, f.results)
	}
	return nil
}

// eachFile writes a file for each submission. One without a mark yet has none
// where the form can hold nothing else; one from before goes.
func (f reportFlags) eachFile(form report.Form, c *report.Class) error {
	if err := os.MkdirAll(f.out, 0o755); err != nil {
		return fmt.Errorf("cannot make the folder: %w", err)
	}
	for _, m := range c.Marks {
		file := filepath.Join(f.out, m.Entry.ID+form.Ext)
		if err := f.apart(file); err != nil { // it may be a link
			return err
		}
		err := report.WriteFile(file, func(w io.Writer) error { return form.Each(w, c, m) })
		if errors.Is(err, report.ErrOpen) {
			if err = os.Remove(file); errors.Is(err, os.ErrNotExist) {
				err = nil
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// fill fills the marks into a file that came from Canvas or Moodle.
func (f reportFlags) fill(cmd *cobra.Command, c *report.Class) error {
	if f.export == "" {
		return fmt.Errorf("--format %s fills in a file: name it with --export (%s)", f.format, map[string]string{
			"canvas": "in Canvas: Grades, Export, Export Entire Gradebook", "moodle": "in Moodle: the assignment's grading action “Download grading worksheet”",
		}[f.format])
	}
	export, err := os.ReadFile(f.export)
	if err != nil {
		return fmt.Errorf("cannot read what to fill in: %w", err)
	}
	var filled bytes.Buffer
	var r report.Filled
	if f.format == "canvas" {
		r, err = report.Canvas(&filled, c, export, report.CanvasOptions{Assignment: f.assignment, Match: f.match, Normal: intake.ID})
	} else {
		r, err = report.Moodle(&filled, c, export, report.MoodleOptions{Grade: f.assignment, Match: f.match})
	}
	if err != nil {
		return err
	}
	if err := f.output(cmd, func(w io.Writer) error { _, err := w.Write(filled.Bytes()); return err }); err != nil {
		return err
	}
	warnings := c.Warnings()
	for _, left := range r.Left {
		if !slices.Contains(warnings, left) { // both name who has no mark yet
			warnings = append(warnings, left)
		}
	}
	warn(cmd, append(warnings, fmt.Sprintf("%d marks filled into %q, students found by %q", r.Marks, r.Column, r.Match)))
	if r.Remark != "" {
		warn(cmd, []string{r.Remark})
	}
	return nil
}

func (f reportFlags) output(cmd *cobra.Command, write func(io.Writer) error) error {
	if f.out == "" {
		return write(cmd.OutOrStdout())
	}
	return report.WriteFile(f.out, write)
}

func warn(cmd *cobra.Command, sentences []string) {
	for _, s := range sentences {
		fmt.Fprintln(cmd.ErrOrStderr(), "lab: "+s)
	}
}

func newPolicy() *cobra.Command {
	return &cobra.Command{
		Use:   "policy [FILE]",
		Short: "Print a policy file with all keys and defaults, or check one",
		Args:  cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				_, err := io.WriteString(cmd.OutOrStdout(), policy.Example)
				return err
			}
			if _, err := policy.Load(args[0]); err != nil {
				return err
			}
			fmt.Fprintf(cmd.OutOrStdout(), "%s is a policy\n", args[0])
			return nil
		},
	}
}

func newGradescopeZip(root *string) *cobra.Command {
	var out, policyFile string
	cmd := &cobra.Command{
		Use:   "gradescope-zip",
		Short: "Pack an autograder for Gradescope",
		Long: `lab grade gradescope-zip packs the lab into the zip file that Gradescope makes an
autograder of (Configure Autograder, Zip file upload). It grades one submission
at a time by the policy, and holds no solutions.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			o := autograder.Options{Root: *root}
			if policyFile != "" {
				if _, err := policy.Load(policyFile); err != nil {
					return err
				}
				text, err := os.ReadFile(policyFile)
				if err != nil {
					return err
				}
				o.Policy = text
			}
			if err := report.WriteFile(out, func(w io.Writer) error { return autograder.Zip(w, o) }); err != nil {
				return err
			}
			fmt.Fprintf(cmd.OutOrStdout(), "wrote %s: upload it to Gradescope as the autograder\n", out)
			return nil
		},
	}
	cmd.Flags().StringVar(&out, "out", "autograder.zip", "the zip to write")
	cmd.Flags().StringVar(&policyFile, "policy", "", "the policy file (default: see lab grade policy)")
	return cmd
}
