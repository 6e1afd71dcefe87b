package screen

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"conclab/internal/gate"
	"conclab/lessons"
)

// Check asks the gate about the learner's files for the lessons, or about file
// if that is not empty, and prints to w what it says: a line for each finding,
// then one for each lesson. It tells whether nothing is against the rules and
// everything compiles. A file that cannot be judged is an error, and the others
// are judged.
func Check(ctx context.Context, w io.Writer, g *gate.Gate, course []lessons.Lesson, file string) (ok bool, err error) {
	var summary, imports strings.Builder
	var problems []error
	width := widest(course, name)
	ok = true
	line := func(word, lesson, says string) {
		fmt.Fprintf(&summary, "%-4s  %-*s  %s\n", word, width, lesson, says)
	}
	for _, l := range course {
		if ctx.Err() != nil {
			return false, ctx.Err()
		}
		name, findings, build, err := g.File(ctx, l.Name, file)
		if err != nil {
			problems = append(problems, err)
			continue
		}
		refused := false
		for _, f := range findings {
			at := f.File
			if f.Line > 0 {
				at = fmt.Sprintf("%s:%d", f.File, f.Line)
			}
			fmt.Fprintf(w, "%s: %s\n", at, f.Message)
			refused = refused || f.Rule == gate.RuleImport
		}
		if build != "" {
			fmt.Fprintf(w, "%s does not compile:\n%s", name, indent(build))
		}
		switch {
		case len(findings) > 0:
			line("FAIL", l.Name, count(len(findings), "thing")+" against the rules")
		case build != "":
			line("FAIL", l.Name, "does not compile")
		default:
			line("ok", l.Name, "may be handed in")
		}
		if refused {
			fmt.Fprintf(&imports, "\nImports for %s:\n%s", l.Name, indent(wrap(strings.Join(gate.Imports(l.Name), " "), 76)))
		}
		ok = ok && len(findings) == 0 && build == ""
	}
	fmt.Fprint(w, summary.String(), imports.String())
	return ok, errors.Join(problems...)
}

// wrap breaks a text into lines of at most width characters, where it has
// spaces.
func wrap(text string, width int) string {
	var b strings.Builder
	column := 0
	for word := range strings.FieldsSeq(text) {
		n := len([]rune(word))
		switch {
		case column == 0:
		case column+1+n > width:
			b.WriteByte('\n')
			column = 0
		default:
			b.WriteByte(' ')
			column++
		}
		b.WriteString(word)
		column += n
	}
	return b.String()
}
