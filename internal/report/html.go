package report

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"math"
	"slices"
	"time"

	"conclab/internal/gradebook"
	"conclab/internal/policy"
	"conclab/internal/runner"
)

//go:embed class.html
var classHTML string

var classTemplate = template.Must(template.New("class").Funcs(template.FuncMap{
	"points": policy.Format, "line": Line,
}).Parse(classHTML))

// HTML writes an overview of the class as one page that needs nothing else: no
// script, no network. Its pictures are SVG: how the marks are spread, who is
// where, and which rules fail most. It follows the reader's choice of light or
// dark, and prints.
func HTML(w io.Writer, c *Class) error {
	page := struct {
		Stats    stats
		Graded   string
		Open     []string
		Spread   histogram
		Map      heatMap
		Rules    bars
		Lessons  []lessonRow
		Students []studentRow
	}{
		Stats: c.stats(), Open: c.Warnings(), Spread: c.spread(), Map: c.heatMap(), Rules: c.bars(), Lessons: c.lessonRows(),
	}
	var last time.Time
	for _, m := range c.Marks {
		if m.Entry.Graded.After(last) {
			last = m.Entry.Graded
		}
		s := studentRow{ID: m.Entry.ID, Name: m.Entry.Name, Mark: policy.Format(m.Points), Raw: m.Raw, Of: m.Of, Late: m.DaysLate}
		if len(m.Open) > 0 {
			s.Mark = "open"
		}
		for _, l := range m.Lessons {
			s.Lessons = append(s.Lessons, state(l))
		}
		page.Students = append(page.Students, s)
	}
	if !last.IsZero() {
		page.Graded = last.UTC().Format("2 January 2006, 15:04 UTC")
	}
	return classTemplate.Execute(w, page)
}

type studentRow struct {
	ID, Name, Mark string
	Raw, Of        float64
	Late           int
	Lessons        []string
}

type lessonRow struct {
	Name                                   string
	Submitted, NotBuilt, Against, Open, Of int
	Mean                                   float64
	MeanOf                                 float64
}

func (c *Class) lessonRows() []lessonRow {
	rows := make([]lessonRow, len(c.Policy.Lessons))
	for i, name := range c.Policy.Lessons {
		r := &rows[i]
		r.Name = name
		marked, sum := 0, 0.0
		for _, m := range c.Marks {
			at := slices.IndexFunc(m.Lessons, func(l policy.LessonMarks) bool { return l.Lesson.Lesson == name })
			if at < 0 {
				continue
			}
			l := m.Lessons[at]
			r.Of++
			r.MeanOf = max(r.MeanOf, l.Of)
			switch l.Status {
			case gradebook.NotBuilt:
				r.NotBuilt++
			case gradebook.AgainstTheRules:
				r.Against++
			}
			if l.Open {
				r.Open++
			}
			if l.Status != gradebook.NotSubmitted {
				r.Submitted++
				if !l.Open {
					marked++
					sum += l.Points
				}
			}
		}
		if marked > 0 {
			r.Mean = policy.Round(sum / float64(marked))
		}
	}
	return rows
}

// The pictures are laid out here and drawn by the template. All sizes are in the
// units of their viewBox.

type histogram struct {
	W, H, Base int
	Bins       []bin
}

type bin struct {
	X, Y, W, H, Middle, N int
	Label                 string
}

// spread counts the marks by tens of percent; what is above the whole, with a
// bonus, has a bin of its own.
func (c *Class) spread() histogram {
	const width, height, gap = 56, 120, 6
	counts := make([]int, 11)
	most := 1
	for _, m := range c.Marks {
		if len(m.Open) > 0 || m.Of <= 0 {
			continue
		}
		i := min(9, int(math.Floor(m.Points/m.Of*10+1e-9)))
		if m.Points > m.Of {
			i = 10
		}
		counts[i]++
		most = max(most, counts[i])
	}
	h := histogram{W: len(counts)*(width+gap) + gap, H: height + 44, Base: height + 20}
	for i, n := range counts {
		tall := n * height / most
		label := fmt.Sprintf("%d–%d%%", 10*i, 10*i+10)
		if i == 10 {
			label = "above"
		}
		x := gap + i*(width+gap)
		h.Bins = append(h.Bins, bin{X: x, Y: h.Base - tall, W: width, H: tall, Middle: x + width/2, N: n, Label: label})
	}
	return h
}

type heatMap struct {
	W, H  int
	Heads []label
	Rows  []heatRow
}

type label struct {
	X, Y int
	Text string
}

type heatRow struct {
	ID, Mark  string
	Named     bool
	Y, TextY  int
	MarkX     int
	Cells     []heatCell
	CellH     int
	CellWidth int
}

type heatCell struct {
	X     int
	Class string
	Sign  string
	Title string
	SignX int
}

// heatMap has a line a submission, the best first, and a cell a task.
func (c *Class) heatMap() heatMap {
	const left, top, cellW, gap = 118, 40, 16, 8
	cellH, named := 15, true
	if len(c.Marks) > 200 {
		cellH, named = 5, false
	}
	var h heatMap
	// Where each lesson begins: as wide as its tasks are many, and as its name needs.
	at, tasks := map[string]int{}, map[string]int{}
	for _, m := range c.Marks {
		for _, l := range m.Lessons {
			tasks[l.Lesson.Lesson] = max(tasks[l.Lesson.Lesson], len(l.Tasks))
		}
	}
	x := left
	for _, name := range c.Policy.Lessons {
		at[name] = x
		h.Heads = append(h.Heads, label{x, top - 10, name})
		x += max(tasks[name]*cellW, len(name)*7) + gap
	}
	h.W = x + 60
	order := slices.Clone(c.Marks)
	slices.SortStableFunc(order, func(a, b policy.Marks) int {
		if d := len(a.Open) - len(b.Open); (len(a.Open) == 0) != (len(b.Open) == 0) {
			return d
		}
		return int(math.Copysign(1, b.Points-a.Points)) * boolInt(a.Points != b.Points)
	})
	for i, m := range order {
		y := top + i*(cellH+1)
		row := heatRow{ID: m.Entry.ID, Named: named, Y: y, TextY: y + cellH - 4, MarkX: h.W - 4, CellH: cellH, CellWidth: cellW - 1, Mark: policy.Format(m.Points)}
		if len(m.Open) > 0 {
			row.Mark = "open"
		}
		for _, l := range m.Lessons {
			for j, t := range l.Tasks {
				cx := at[l.Lesson.Lesson] + j*cellW
				cell := heatCell{X: cx, SignX: cx + cellW/2}
				cell.Class, cell.Sign = look(l, t)
				cell.Title = fmt.Sprintf("%s, %s, %s: %s of %s", m.Entry.ID, l.Lesson.Lesson, t.Title, policy.Format(t.Raw), policy.Format(t.RawOf))
				if l.Status != gradebook.Graded {
					cell.Title = fmt.Sprintf("%s, %s: %s", m.Entry.ID, l.Lesson.Lesson, l.Status)
				}
				row.Cells = append(row.Cells, cell)
			}
		}
		h.Rows = append(h.Rows, row)
	}
	h.H = top + len(order)*(cellH+1) + 8
	return h
}

func boolInt(b bool) int {
	if b {
		return 1
	}
	return 0
}

// look is how a task's cell is drawn: a class of the style sheet, and a sign for
// those who do not tell colours apart.
func look(l policy.LessonMarks, t policy.TaskMarks) (class, sign string) {
	switch {
	case l.Open:
		return "open", "?"
	case l.Status == gradebook.NotSubmitted:
		return "none", ""
	case l.Status != gradebook.Graded:
		return "stop", "×"
	case t.RawOf == 0:
		return "none", ""
	}
	return fmt.Sprintf("s%d", int(math.Floor(part(t.Raw, t.RawOf)*5+1e-9))), ""
}

type bars struct {
	W, H   int
	Bars   []bar
	Legend []mark
	More   int
}

type bar struct {
	Y, LabelY, BarY int
	Label, Title    string
	N, NX, NY       int
	Parts           []barPart
}

type barPart struct {
	X, W  int
	Class string
	Title string
}

type mark struct {
	X, TextX int
	Class    string
	Text     string
}

// verdictClasses are the colours that verdicts have, in the order of the legend.
var verdictClasses = []struct {
	verdict runner.Verdict
	class   string
}{
	{runner.Fail, "v0"},
	{runner.Deadlock, "v1"},
	{runner.Race, "v2"},
	{runner.Leak, "v3"},
	{runner.Panic, "v4"},
	{runner.Timeout, "v5"},
	{"", "v6"}, // all others
}

// bars has a bar for each of the rules that fail most.
func (c *Class) bars() bars {
	const width, step, most = 760, 38, 20
	rules := c.broken()
	b := bars{W: width + 60, H: 30}
	if len(rules) > most {
		b.More = len(rules) - most
		rules = rules[:most]
	}
	x := 0
	for _, v := range verdictClasses {
		text := string(v.verdict)
		if text == "" {
			text = "other"
		}
		b.Legend = append(b.Legend, mark{x, x + 18, v.class, text})
		x += 34 + 8*len(text)
	}
	for i, r := range rules {
		y := 34 + i*step
		row := bar{Y: y, LabelY: y + 12, BarY: y + 17, Label: shortenRunes(r.Lesson+": "+r.Rule, 112), Title: r.Test, N: r.Fails, NY: y + 28}
		x, left := 0, r.Fails
		for _, v := range verdictClasses {
			n := r.By[v.verdict]
			if v.verdict == "" {
				n = left
			}
			left -= n
			if n == 0 {
				continue
			}
			w := max(2, n*width/max(1, rules[0].Fails))
			row.Parts = append(row.Parts, barPart{x, w, v.class, fmt.Sprintf("%d %s", n, b.name(v.class))})
			x += w
		}
		row.NX = x + 8
		b.Bars = append(b.Bars, row)
		b.H = y + step
	}
	return b
}

func (b bars) name(class string) string {
	for _, m := range b.Legend {
		if m.Class == class {
			return m.Text
		}
	}
	return class
}

func shortenRunes(s string, most int) string {
	r := []rune(s)
	if len(r) <= most {
		return s
	}
	return string(r[:most-1]) + "…"
}
