package report

import (
	"encoding/csv"
	"io"
	"strconv"
	"strings"
	"time"

	"conclab/internal/policy"
)

// CSV writes a line a submission: RFC 4180, as encoding/csv writes it. The cell
// of a mark that is still open is empty, not zero, and the last column says why.
//
// A cell that a spreadsheet would run as a formula is defused with an apostrophe
// in front, as OWASP recommends against CSV injection.
func CSV(w io.Writer, c *Class) error {
	out := csv.NewWriter(w)
	head := []string{"id", "name", "handed in", "days late"}
	head = append(head, c.Policy.Lessons...)
	head = append(head, "mark", "out of", "raw", "raw out of", "open", "notes")
	if err := out.Write(head); err != nil {
		return err
	}
	for _, m := range c.Marks {
		handedIn := ""
		if at, ok := c.Policy.HandedIn[m.Entry.ID]; ok {
			handedIn = at.UTC().Format(time.RFC3339)
		}
		row := []string{m.Entry.ID, Defuse(Line(m.Entry.Name)), handedIn, strconv.Itoa(m.DaysLate)}
		points := map[string]string{}
		for _, l := range m.Lessons {
			if !l.Open {
				points[l.Lesson.Lesson] = policy.Format(l.Points)
			}
		}
		for _, name := range c.Policy.Lessons {
			row = append(row, points[name])
		}
		mark := policy.Format(m.Points)
		if len(m.Open) > 0 {
			mark = ""
		}
		row = append(row, mark, policy.Format(m.Of), policy.Format(m.Raw), policy.Format(m.RawOf),
			Defuse(Line(strings.Join(m.Open, "; "))), Defuse(Line(strings.Join(m.Notes, "; "))))
		if err := out.Write(row); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}

// Defuse makes a cell harmless that a spreadsheet would take for a formula.
func Defuse(cell string) string {
	trimmed := strings.TrimLeft(cell, " \t\r\n\u00a0\u3000")
	if trimmed != "" && strings.ContainsRune("=+-@|%＝＋－＠", []rune(trimmed)[0]) || strings.HasPrefix(cell, "\t") || strings.HasPrefix(cell, "\r") {
		return "'" + cell
	}
	return cell
}
