package companion

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"
	"charm.land/lipgloss/v2"
	"github.com/charmbracelet/x/ansi"

	"conclab/internal/hints"
	"conclab/internal/progress"
	"conclab/internal/runner"
	"conclab/internal/screen"
)

const (
	// narrow is below which width the course leaves the screen to the results.
	narrow = 64

	// above and below are the lines above and below the middle.
	above, below = 2, 2
)

func (m *model) View() tea.View {
	v := tea.NewView("")
	v.AltScreen = true
	v.WindowTitle = "lab: " + m.lesson().Title
	if m.width == 0 {
		return v
	}
	var middle []string
	switch m.overlay {
	case text, keys:
		middle = strings.Split(m.reader.View(), "\n")
	case course:
		middle = m.viewCourse()
	case nothing, sure:
		middle = m.viewBoth()
	}
	rows := m.rows()
	for len(middle) < rows {
		middle = append(middle, "")
	}
	lines := append([]string{m.header(), m.rule()}, middle[:rows]...)
	lines = append(lines, m.rule(), m.footer())
	for i, line := range lines {
		lines[i] = ansi.Truncate(line, m.width, "…")
	}
	v.SetContent(strings.Join(lines[:min(len(lines), m.height)], "\n"))
	return v
}

// rows is how many lines the middle has.
func (m *model) rows() int { return max(m.height-above-below, 1) }

// left and right are the widths of the two halves; left is 0 on a narrow screen.
func (m *model) left() int {
	if m.width < narrow {
		return 0
	}
	return min(max(m.width*3/8, 26), 48)
}

func (m *model) right() int {
	if m.left() == 0 {
		return m.width
	}
	return m.width - m.left() - 3
}

// layout fits everything to the size of the screen.
func (m *model) layout() {
	if m.width == 0 {
		return
	}
	m.reader.SetWidth(m.width)
	m.reader.SetHeight(m.rows())
	m.results.SetWidth(m.right())
	m.results.SetHeight(max(m.rows()-len(m.status()), 1))
	m.results.SetContentLines(m.viewResults(m.right()))
}

func (m *model) rule() string { return m.styles.dim.Render(strings.Repeat("─", m.width)) }

// between puts one text at the left end of a line and one at the right, which
// gives way if there is no room.
func between(left, right string, width int) string {
	gap := width - ansi.StringWidth(left) - ansi.StringWidth(right)
	if gap < 1 {
		return ansi.Truncate(left, width, "…")
	}
	return left + strings.Repeat(" ", gap) + right
}

func (m *model) header() string {
	done, all := 0, 0
	for i := range m.Course {
		for _, mark := range m.marks[i] {
			all++
			if mark == passed {
				done++
			}
		}
	}
	s := m.styles
	left := " " + s.brand.Render("conclab") + s.dim.Render("  "+progress.File(m.lesson()))
	right := s.dim.Render(fmt.Sprintf("%d of %d tasks ", done, all))
	if m.overlay == text {
		right = s.dim.Render(fmt.Sprintf("%3.0f%% ", 100*m.reader.ScrollPercent()))
	}
	return between(left, right, m.width)
}

// footer names the keys that matter here, or says what there is to say.
func (m *model) footer() string {
	s := m.styles
	if m.notice != "" {
		return " " + s.wait.Render(m.notice)
	}
	key := func(name, does string) string { return s.key.Render(name) + " " + s.dim.Render(does) }
	var parts []string
	switch m.overlay {
	case sure:
		parts = []string{key("y", "yes"), key("any other key", "no")}
	case text:
		parts = []string{key("↑ ↓ pgup pgdn", "scroll"), key("t", "back"), key("q", "quit")}
	case course:
		parts = []string{key("↑ ↓", "choose"), key("enter", "go there"), key("l", "back"), key("q", "quit")}
	case keys:
		parts = []string{key("?", "back"), key("q", "quit")}
	case nothing:
		for _, b := range bindings {
			if b.short != "" {
				parts = append(parts, key(b.keys[0], b.short))
			}
		}
	}
	return " " + strings.Join(parts, "   ")
}

// viewBoth is the course on the left and the results on the right.
func (m *model) viewBoth() []string {
	right := append(m.status(), strings.Split(m.results.View(), "\n")...)
	if m.overlay == sure {
		right = m.viewSure()
	}
	if m.left() == 0 {
		return right
	}
	left := m.viewLeft(m.left())
	rule := m.styles.dim.Render(" │ ")
	lines := make([]string, m.rows())
	for i := range lines {
		l, r := "", ""
		if i < len(left) {
			l = left[i]
		}
		if i < len(right) {
			r = right[i]
		}
		lines[i] = fill(l, m.left()) + rule + r
	}
	return lines
}

// fill makes a text as wide as that.
func fill(s string, width int) string {
	s = ansi.Truncate(s, width, "…")
	return s + strings.Repeat(" ", max(width-ansi.StringWidth(s), 0))
}

// viewLeft is the course, with the tasks of the current lesson. If it does not
// fit, the current lesson is in the middle.
func (m *model) viewLeft(width int) []string {
	s := m.styles
	var lines []string
	at := 0
	for i, l := range m.Course {
		name := fmt.Sprintf("%2d  %s", i+1, l.Title)
		if i != m.current {
			lines = append(lines, between(" "+name, m.row(i)+" ", width))
			continue
		}
		at = len(lines)
		lines = append(lines, between(s.chosen.Render("▸"+name), m.row(i)+" ", width))
		for n, t := range l.Tasks {
			title := t.Title
			if t.Brave {
				title += " (brave)"
			}
			task := "     " + m.sign(m.marks[i][n]) + " " + title
			if m.marks[i][n] == open {
				task = "     " + m.sign(open) + " " + s.dim.Render(title)
			}
			lines = append(lines, task)
		}
	}
	if over := len(lines) - m.rows(); over > 0 {
		lines = lines[min(max(at-m.rows()/3, 0), over):]
	}
	return lines
}

// row is the marks of a lesson.
func (m *model) row(i int) string {
	if k := m.known[i]; i != m.current && k.Err != nil {
		return m.styles.bad.Render("?")
	}
	var b strings.Builder
	for _, one := range m.marks[i] {
		b.WriteString(m.sign(one))
	}
	return b.String()
}

func (m *model) sign(k mark) string {
	switch k {
	case passed:
		return m.styles.good.Render(string(k))
	case failed:
		return m.styles.bad.Render(string(k))
	case open:
	}
	return m.styles.dim.Render(string(k))
}

// status is the lines above the results: the lesson, and how its run stands.
func (m *model) status() []string {
	s, r, l := m.styles, m.run(), m.lesson()
	verdict, when := "", ""
	if !r.began.IsZero() {
		when = s.dim.Render(r.began.Format(time.TimeOnly))
	}
	seconds := ""
	if d := m.now().Sub(r.began); d >= 2*time.Second {
		seconds = fmt.Sprintf(" %d s", int(d.Seconds()))
	}
	switch r.phase {
	case unknown:
		verdict = s.dim.Render("…")
	case building:
		verdict = s.wait.Render("● building" + seconds)
		if r.broken != "" && r.result == nil {
			verdict = s.bad.Render("✗ does not compile")
		}
	case running:
		all := 0
		for _, e := range r.expected {
			all += len(e.Names)
		}
		verdict = s.wait.Render(fmt.Sprintf("● testing %d of %d%s", len(r.tests), all, seconds))
	case doubting, ended:
		verdict = m.verdict()
	}
	if r.phase == doubting {
		when = s.dim.Render("race detector" + seconds)
	}
	title := s.strong.Render(l.Title)
	if more := s.dim.Render(": " + l.Summary); ansi.StringWidth(title+more) <= m.right() {
		title += more
	}
	return []string{title, between(verdict, when, m.right()), ""}
}

func (m *model) verdict() string {
	s, r := m.styles, m.run()
	switch {
	case r.err != nil:
		return s.bad.Render("✗ no verdict")
	case r.result == nil:
		return ""
	case r.result.Passed(false):
		return s.good.Render("✓ " + screen.Tally(r.result))
	}
	return s.bad.Render("✗ " + screen.Tally(r.result))
}

// viewResults is what the last run says: the first broken rule, hints if they
// are wanted, and then all the rest.
func (m *model) viewResults(width int) []string {
	s, r := m.styles, m.run()
	var p paper
	p.width = width
	switch {
	case r.err != nil:
		p.text(s.bad, "", r.err.Error())
	case r.broken != "":
		p.text(s.strong, "", r.broken)
		p.gap()
	}
	failing := r.failing()
	if len(failing) > 0 {
		p.failure(s, failing[0])
		p.gap()
	}
	if r.result != nil {
		for _, f := range r.result.Vet {
			p.text(s.wait, "", fmt.Sprintf("%s:%d: go vet objects: %s", f.File, f.Line, f.Message))
			if f.See != "" {
				p.text(s.dim, "  ", "see "+f.See)
			}
			p.gap()
		}
	}
	if m.hints {
		m.viewHints(&p)
	}
	if r.phase >= doubting && r.err == nil && r.result != nil && len(failing) == 0 && r.broken == "" {
		m.viewDone(&p)
	}
	if r.broken == "" {
		m.viewTasks(&p, failing)
	}
	return p.lines
}

// viewTasks is a line for each task, and the broken rules behind the first.
func (m *model) viewTasks(p *paper, failing []runner.Test) {
	s, r := m.styles, m.run()
	for i, task := range r.tasks() {
		passes := 0
		for _, t := range task.Tests {
			if t.Verdict == runner.Pass {
				passes++
			}
		}
		if len(task.Tests) == 0 {
			continue
		}
		all := len(r.expected[i].Names)
		style := s.good
		sign := passed
		switch {
		case m.marks[m.current][i] == failed:
			style, sign = s.bad, failed
		case m.marks[m.current][i] == open:
			style, sign = s.dim, open
		}
		p.add(between(style.Render(string(sign)+" "+fmt.Sprintf("%d of %d", passes, all))+"  "+
			ansi.Truncate(task.Task.Title, max(p.width-14, 8), "…"), "", p.width))
		for _, t := range task.Tests {
			if t.Verdict == runner.Pass || t.Verdict == runner.Skip || len(failing) > 0 && t.Name == failing[0].Name {
				continue
			}
			_, method, ok := strings.Cut(t.Name, "/")
			if !ok {
				method = t.Name
			}
			p.add("    " + s.dim.Render(method))
		}
	}
}

// viewDone says what a learner may do when every rule holds.
func (m *model) viewDone(p *paper) {
	s, r := m.styles, m.run()
	p.text(s.good, "", "Every rule holds.")
	switch {
	case r.result.Race:
		p.text(s.dim, "", "So says the race detector, too.")
	case r.result.NoRace != "":
		p.text(s.dim, "", r.result.NoRace)
	}
	p.gap()
	name := m.lesson().Name
	p.text(s.dim, "", "r  runs it as a program")
	p.text(s.dim, "", "n  goes to the next lesson")
	p.text(s.dim, "", screen.Command+" diff "+name+"  compares it with the reference")
	p.gap()
}

// viewHints is all hints that were seen for the task at hand.
func (m *model) viewHints(p *paper) {
	s := m.styles
	task := m.task()
	l := m.lesson()
	ladder := hints.Ladder(l, task)
	seen := min(m.memory.Seen(l.Name, l.Tasks[task].Test), len(ladder))
	for i, rung := range ladder[:seen] {
		p.add(s.accent.Render("▌ ") + s.strong.Render(rung.Title) +
			s.dim.Render(fmt.Sprintf("  hint %d of %d for task %d", i+1, len(ladder), task+1)))
		set := m.look(max(p.width-2, 20)).Markdown(rung.Text)
		for line := range strings.Lines(set) {
			p.add(s.accent.Render("▌") + strings.TrimSuffix(line, "\n"))
		}
		p.gap()
	}
}

// viewCourse is all lessons.
func (m *model) viewCourse() []string {
	s := m.styles
	width := 0
	for _, l := range m.Course {
		width = max(width, lipgloss.Width(l.Title))
	}
	lines := []string{""}
	at := 0
	for i, l := range m.Course {
		sign, name := "  ", fmt.Sprintf("%2d  %-*s", i+1, width, l.Title)
		if i == m.chosen {
			sign, name, at = s.chosen.Render("▸ "), s.chosen.Render(name), len(lines)
		}
		note := ""
		switch k := m.known[i]; {
		case k.Err != nil:
			note = "cannot be judged"
		case k.Lesson.Name != "" && !k.Built:
			note = "does not compile"
		case k.Vet > 0:
			note = "go vet objects"
		}
		row := fill(m.row(i), 6)
		lines = append(lines, fmt.Sprintf(" %s%s  %s %s", sign, name, row, s.dim.Render(fmt.Sprintf("%3d min  ", l.Minutes)+l.Summary))+
			s.bad.Render(strings.TrimRight("  "+note, " ")))
	}
	if over := len(lines) - m.rows(); over > 0 {
		lines = lines[min(max(at-m.rows()/2, 0), over):]
	}
	return lines
}

// viewKeys is the help.
func (m *model) viewKeys() []string {
	s := m.styles
	names := make([]string, len(bindings))
	width := 0
	for i, b := range bindings {
		names[i] = strings.Join(b.keys, "  ")
		width = max(width, lipgloss.Width(names[i]))
	}
	var lines []string
	for i, b := range bindings {
		lines = append(lines, "  "+s.key.Render(fill(names[i], width))+"   "+b.long)
	}
	return append(lines, "", s.dim.Render("  Every save of a lesson's file runs its tests. Brave tasks are optional."))
}

// viewSure asks before a file is reset.
func (m *model) viewSure() []string {
	p := paper{width: m.right()}
	p.text(m.styles.strong, "", fmt.Sprintf("Put %s back to its starter?", progress.File(m.lesson())))
	p.gap()
	p.text(lipgloss.NewStyle(), "", "What you wrote is kept beside it, under a name with the time in it.")
	return p.lines
}

// paper collects lines of a width.
type paper struct {
	width int
	lines []string
}

func (p *paper) add(line string) { p.lines = append(p.lines, ansi.Truncate(line, p.width, "…")) }

// gap adds an empty line, unless there is one.
func (p *paper) gap() {
	if n := len(p.lines); n > 0 && p.lines[n-1] != "" {
		p.lines = append(p.lines, "")
	}
}

// text adds a text, wrapped, each line as far in as it was and after the indent.
func (p *paper) text(style lipgloss.Style, indent, text string) {
	for line := range strings.Lines(strings.TrimRight(strings.ReplaceAll(text, "\t", "    "), "\n")) {
		line = strings.TrimRight(line, "\n")
		body := strings.TrimLeft(line, " ")
		in := indent + line[:len(line)-len(body)]
		if len(in) > p.width/2 {
			in = indent
		}
		for part := range strings.Lines(ansi.Wrap(body, max(p.width-len(in), 1), " ")) {
			p.add(in + style.Render(strings.TrimRight(part, "\n")))
		}
	}
}

// failure adds what a broken rule says: the rule first, where to look dimmed.
func (p *paper) failure(s styles, t runner.Test) {
	sign, style := string(failed), s.bad
	if todo(t) {
		sign, style = string(open), s.accent
	}
	head, rest, _ := strings.Cut(t.Message, "\n")
	rule := paper{width: p.width}
	rule.text(style.Bold(true), "  ", cmp.Or(head, string(t.Verdict)))
	rule.lines[0] = style.Render(sign) + rule.lines[0][1:]
	p.lines = append(p.lines, rule.lines...)
	for line := range strings.Lines(rest) {
		body := strings.TrimSpace(line)
		if where, ok := strings.CutPrefix(body, "see "); ok && len(body) > p.width-2 {
			// Each place on a line of its own.
			body = "see " + strings.ReplaceAll(where, ", ", "\n    ")
		}
		if strings.HasPrefix(body, "see ") {
			p.text(s.dim, "  ", body)
		} else {
			p.text(lipgloss.NewStyle(), "  ", line)
		}
	}
	p.text(s.dim, "  ", t.Name)
}
