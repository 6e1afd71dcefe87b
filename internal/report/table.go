package report

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"conclab/internal/policy"
)

// Table writes a table for the terminal: a line a submission, with the points of
// each lesson and the mark, and below it what needs a person.
func Table(w io.Writer, c *Class) error {
	var table bytes.Buffer
	t := tabwriter.NewWriter(&table, 0, 0, 2, ' ', 0)
	fmt.Fprint(t, "id")
	for _, name := range c.Policy.Lessons {
		fmt.Fprintf(t, "\t%s", name)
	}
	fmt.Fprint(t, "\tmark\tof\tlate\n")
	for _, m := range c.Marks {
		fmt.Fprint(t, m.Entry.ID)
		byName := map[string]policy.LessonMarks{}
		for _, l := range m.Lessons {
			byName[l.Lesson.Lesson] = l
		}
		for _, name := range c.Policy.Lessons {
			cell := "?"
			if l, ok := byName[name]; ok {
				cell = state(l)
			}
			fmt.Fprintf(t, "\t%s", cell)
		}
		mark, late := policy.Format(m.Points), ""
		if len(m.Open) > 0 {
			mark = "open"
		}
		if m.DaysLate > 0 {
			late = fmt.Sprintf("%dd", m.DaysLate)
		}
		fmt.Fprintf(t, "\t%s\t%s\t%s\n", mark, policy.Format(m.Of), late)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	b := bufio.NewWriter(w)
	for line := range strings.Lines(table.String()) {
		fmt.Fprintln(b, strings.TrimRight(line, " \n"))
	}
	s := c.stats()
	fmt.Fprintf(b, "\n%s, %d with a mark: mean %s, median %s, best %s of %s\n", count(s.All, "submission"), s.Marked,
		policy.Format(s.Mean), policy.Format(s.Median), policy.Format(s.Most), policy.Format(s.Of))
	fmt.Fprintln(b, "- not submitted   × not built, or against the rules   ? open   * judged by a person")
	for _, warning := range c.Warnings() {
		fmt.Fprintln(b, warning)
	}
	return b.Flush()
}

func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
