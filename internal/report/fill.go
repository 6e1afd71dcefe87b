package report

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"conclab/internal/policy"
)

// Filled says what became of a file that marks were filled into.
type Filled struct {
	Column string   // that was filled
	Match  string   // the column that students were found by
	Marks  int      // how many were filled in
	Left   []string // sentences about what was not filled in, and why
	Remark string   // a sentence about the points, or empty
}

// outOf notes if the system that the marks are for counts to another whole.
func (f *Filled) outOf(system, cell string, c *Class) (whole float64, ok bool) {
	of := c.stats().Of
	have, err := strconv.ParseFloat(strings.ReplaceAll(strings.TrimSpace(cell), ",", "."), 64)
	if err != nil {
		return 0, false
	}
	if have != of {
		f.Remark = fmt.Sprintf("the assignment is out of %s in %s, and these marks are out of %s: they are written as they are", policy.Format(have), system, policy.Format(of))
	}
	return have, true
}

// cells is a CSV file with the place of every cell in it, so that some can be
// changed and every other byte stays.
type cells struct{ rows []cellRow }

type cellRow struct {
	cells   []string
	at, end []int // bytes from the start of the file
}

func (g *cells) head() []string { return g.rows[0].cells }

var bom = []byte("\xef\xbb\xbf")

func readCells(export []byte) (*cells, error) {
	text, skip := export, 0
	if bytes.HasPrefix(export, bom) {
		text, skip = export[len(bom):], len(bom)
	}
	// Where each line begins, because the reader says line and column.
	lines := []int{skip}
	for i, b := range text {
		if b == '\n' {
			lines = append(lines, skip+i+1)
		}
	}
	in := csv.NewReader(bytes.NewReader(text))
	in.FieldsPerRecord = -1
	if first, _, _ := bytes.Cut(text, []byte("\n")); bytes.Count(first, []byte(";")) > bytes.Count(first, []byte(",")) {
		in.Comma = ';'
	}
	g := &cells{}
	for {
		values, err := in.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("this is no CSV file: %w", err)
		}
		row := cellRow{cells: values}
		for i := range values {
			line, column := in.FieldPos(i)
			row.at = append(row.at, lines[line-1]+column-1)
		}
		// A cell ends at the separator before the next one, or with the line.
		for _, next := range row.at[1:] {
			row.end = append(row.end, next-1)
		}
		end := skip + int(in.InputOffset())
		for end > row.at[len(values)-1] && (export[end-1] == '\n' || export[end-1] == '\r') {
			end--
		}
		row.end = append(row.end, end)
		g.rows = append(g.rows, row)
	}
	return g, nil
}

// edit replaces the bytes from at to end.
type edit struct {
	at, end int
	text    string
}

func apply(text []byte, edits []edit) []byte {
	var out []byte
	done := 0
	for _, e := range edits {
		out = append(append(out, text[done:e.at]...), e.text...)
		done = e.end
	}
	return append(out, text[done:]...)
}
