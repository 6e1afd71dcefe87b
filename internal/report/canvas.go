package report

import (
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"

	"conclab/internal/gradebook"
	"conclab/internal/policy"
)

// CanvasOptions say what to fill in.
type CanvasOptions struct {
	// Assignment is the column: its header as Canvas writes it, TITLE (NUMBER), or
	// one of the two. Empty: the only assignment that there is.
	Assignment string

	// Match is the column that holds the IDs of the submissions: ID, SIS User ID,
	// SIS Login ID or Integration ID. Empty: the one that knows most of them.
	Match string

	// Normal turns what a cell holds into the ID that a submission of that name
	// would have. Nil: lower case.
	Normal func(string) string
}

// Canvas fills the marks into a gradebook that was exported from Canvas and gives
// it back otherwise unchanged, byte for byte; so Canvas's import shows the new
// marks as the only changes. Students who are excused (EX) or whom the assignment
// is not for (N/A) keep what they have, and so does everybody without a mark.
//
// The form is that of Canvas's own exporter and importer: see
// https://github.com/instructure/canvas-lms (lib/gradebook_exporter.rb,
// lib/gradebook_importer.rb). It may have a byte order mark and semicolons.
func Canvas(w io.Writer, c *Class, export []byte, o CanvasOptions) (Filled, error) {
	g, err := readCells(export)
	if err == nil {
		err = canvasForm(g)
	}
	if err != nil {
		return Filled{}, err
	}
	column, err := g.assignment(o.Assignment)
	if err != nil {
		return Filled{}, err
	}
	if o.Normal == nil {
		o.Normal = strings.ToLower
	}
	match, err := g.match(c, o)
	if err != nil {
		return Filled{}, err
	}
	r := Filled{Column: g.head()[column], Match: g.head()[match]}

	var edits []edit
	seen := map[string]int{}
	for i, row := range g.rows[1:] {
		switch {
		case strings.Contains(row.cells[0], "Points Possible"):
			r.outOf("Canvas", row.cells[column], c)
			continue
		case match >= len(row.cells) || column >= len(row.cells):
			continue
		}
		id := o.Normal(row.cells[match])
		m, ok := c.Find(id)
		if !ok {
			if row.cells[match] != "" && !c.part {
				r.Left = append(r.Left, fmt.Sprintf("%s is in the gradebook and handed nothing in here", Line(row.cells[match])))
			}
			continue
		}
		if before, twice := seen[id]; twice {
			return Filled{}, fmt.Errorf("the gradebook's lines %d and %d both belong to %s, by its column %s: name another one with --match", before, i+2, id, r.Match)
		}
		seen[id] = i + 2
		switch have := strings.TrimSpace(row.cells[column]); {
		case len(m.Open) > 0:
			r.Left = append(r.Left, noMark(m)...)
		case strings.EqualFold(have, "EX"):
			r.Left = append(r.Left, id+" is excused")
		case have == "N/A":
			r.Left = append(r.Left, id+" does not have this assignment")
		default:
			edits = append(edits, edit{row.at[column], row.end[column], policy.Format(m.Points)})
			r.Marks++
		}
	}
	for _, m := range c.Marks {
		if _, ok := seen[m.Entry.ID]; !ok {
			r.Left = append(r.Left, m.Entry.ID+" is not in the gradebook")
		}
	}
	_, err = w.Write(apply(export, edits))
	return r, err
}

// canvasForm tells whether it looks like an export.
func canvasForm(g *cells) error {
	if len(g.rows) == 0 || len(g.head()) < 4 || !slices.Contains(g.head(), "ID") || !slices.Contains(g.head(), "Section") {
		return errors.New("this is no gradebook as Canvas exports it: its first line must have the columns Student, ID and Section (in Canvas: Grades, Export, Export Entire Gradebook)")
	}
	return nil
}

// titled is how Canvas writes an assignment's header.
var titled = regexp.MustCompile(`^(.*) \((\d+)\)$`)

// assignment finds the column to fill in.
func (g *cells) assignment(name string) (int, error) {
	readOnly := map[int]bool{}
	for _, row := range g.rows[1:] {
		if strings.Contains(row.cells[0], "Points Possible") {
			for i, cell := range row.cells {
				readOnly[i] = strings.Contains(cell, "read only")
			}
		}
	}
	var found, all []int
	var names []string
	for i, head := range g.head() {
		parts := titled.FindStringSubmatch(head)
		if parts == nil || readOnly[i] {
			continue
		}
		all, names = append(all, i), append(names, fmt.Sprintf("%q", head))
		if name == head || name == parts[1] || name == parts[2] {
			found = append(found, i)
		}
	}
	if name == "" {
		found = all
	}
	switch {
	case len(all) == 0:
		return 0, errors.New("the gradebook has no assignment: make one in Canvas, and export again")
	case len(found) == 1:
		return found[0], nil
	case name == "" || len(found) > 1:
		return 0, fmt.Errorf("which assignment are the marks for? Name it with --assignment: %s", strings.Join(names, ", "))
	}
	return 0, fmt.Errorf("the gradebook has no assignment %q: it has %s", name, strings.Join(names, ", "))
}

var idColumns = []string{"ID", "SIS User ID", "SIS Login ID", "Integration ID"}

// match finds the column that holds the submissions' IDs.
func (g *cells) match(c *Class, o CanvasOptions) (int, error) {
	if o.Match != "" {
		if !slices.Contains(idColumns, o.Match) {
			return 0, fmt.Errorf("--match can be %s, but not %q", strings.Join(idColumns, ", "), o.Match)
		}
		if i := slices.Index(g.head(), o.Match); i >= 0 {
			return i, nil
		}
		return 0, fmt.Errorf("the gradebook has no column %q", o.Match)
	}
	best, most := -1, 0
	for _, name := range idColumns {
		at, known := slices.Index(g.head(), name), 0
		for _, row := range g.rows[1:] {
			if at >= 0 && at < len(row.cells) {
				if _, ok := c.Find(o.Normal(row.cells[at])); ok && gradebook.ValidID(o.Normal(row.cells[at])) {
					known++
				}
			}
		}
		if known > most {
			best, most = at, known
		}
	}
	if best < 0 {
		return 0, errors.New("nobody in the gradebook has the id of a submission: the ids must be in one of its columns " + strings.Join(idColumns, ", "))
	}
	return best, nil
}
