package report

import (
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"

	"conclab/internal/policy"
)

// MoodleOptions name the columns of a worksheet in another language than English.
type MoodleOptions struct {
	Grade string // empty: Grade
	Match string // the one with the participants' numbers; empty: Identifier
}

// participant is the number at the end of what Moodle calls a participant, and of
// the name of a submission that was downloaded from it.
var participant = regexp.MustCompile(`(?:^|[^0-9])([0-9]+)$`)

// Moodle fills the marks into the grading worksheet of an assignment (a feedback
// type that the assignment's settings switch on) and gives it back otherwise
// unchanged, byte for byte. Students are found by the number that Moodle puts into
// the names of downloaded submissions, which is that of the worksheet.
//
// Moodle takes no grade above the maximum: where a bonus would lead above it, the
// maximum is filled in. The form is that of Moodle's importer:
// https://github.com/moodle/moodle (mod/assign/feedback/offline/importgradeslib.php).
func Moodle(w io.Writer, c *Class, worksheet []byte, o MoodleOptions) (Filled, error) {
	g, err := readCells(worksheet)
	if err != nil {
		return Filled{}, err
	}
	if o.Grade == "" {
		o.Grade = "Grade"
	}
	if o.Match == "" {
		o.Match = "Identifier"
	}
	column, match := -1, -1
	if len(g.rows) > 0 {
		column, match = slices.Index(g.head(), o.Grade), slices.Index(g.head(), o.Match)
	}
	if column < 0 || match < 0 {
		return Filled{}, fmt.Errorf("this is no grading worksheet as Moodle makes it: it has no columns %q and %q; if yours has other names for them, say --match and --assignment", o.Match, o.Grade)
	}
	byNumber := map[string]policy.Marks{}
	for _, m := range c.Marks {
		number := numberOf(m.Entry.Name)
		if other, twice := byNumber[number]; twice && number != "" {
			return Filled{}, fmt.Errorf("%s and %s both have Moodle's number %s", other.Entry.ID, m.Entry.ID, number)
		}
		byNumber[number] = m
	}
	delete(byNumber, "")
	if len(byNumber) == 0 {
		return Filled{}, errors.New("no submission has a number of Moodle's in its name: grade the folder that Moodle's “Download all submissions” makes")
	}

	r := Filled{Column: o.Grade, Match: o.Match}
	most, locked := slices.Index(g.head(), "Maximum Grade"), slices.Index(g.head(), "Grade can be changed")
	var edits []edit
	seen := map[string]bool{}
	for i, row := range g.rows[1:] {
		if len(row.cells) != len(g.head()) {
			return Filled{}, fmt.Errorf("the worksheet's line %d has %d cells instead of %d", i+2, len(row.cells), len(g.head()))
		}
		number := numberOf(row.cells[match])
		m, ok := byNumber[number]
		switch {
		case !ok:
			if !c.part {
				r.Left = append(r.Left, Line(row.cells[match])+" is in the worksheet and handed nothing in here")
			}
			continue
		case seen[number]:
			return Filled{}, fmt.Errorf("the worksheet has %s twice", Line(row.cells[match]))
		}
		seen[number] = true
		points, whole := m.Points, 0.0
		if most >= 0 {
			if whole, ok = r.outOf("Moodle", row.cells[most], c); ok {
				points = min(points, whole)
			}
		}
		switch {
		case len(m.Open) > 0:
			r.Left = append(r.Left, noMark(m)...)
		case locked >= 0 && row.cells[locked] == "No":
			r.Left = append(r.Left, m.Entry.ID+" has a grade that may not be changed")
		default:
			if points < m.Points {
				r.Left = append(r.Left, fmt.Sprintf("%s has %s, and Moodle takes no more than %s: that is filled in", m.Entry.ID, policy.Format(m.Points), policy.Format(whole)))
			}
			edits = append(edits, edit{row.at[column], row.end[column], policy.Format(points)})
			r.Marks++
		}
	}
	for _, m := range c.Marks {
		if !seen[numberOf(m.Entry.Name)] {
			r.Left = append(r.Left, m.Entry.ID+" is not in the worksheet")
		}
	}
	_, err = w.Write(apply(worksheet, edits))
	return r, err
}

func numberOf(name string) string {
	if found := participant.FindStringSubmatch(strings.TrimSpace(name)); found != nil {
		return found[1]
	}
	return ""
}
