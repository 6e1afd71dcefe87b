package companion

import (
	"context"
	"fmt"
	"path"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"charm.land/bubbles/v2/viewport"
	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/colorprofile"

	"conclab/internal/hints"
	"conclab/internal/page"
	"conclab/internal/progress"
	"conclab/internal/reset"
	"conclab/internal/state"
	"conclab/internal/watch"
	"conclab/lessons"
)

// overlay is what lies over the results.
type overlay int

const (
	nothing overlay = iota
	text            // the lesson's text
	course          // all lessons
	keys            // help
	sure            // whether to reset
)

// model is all that the screen shows. It is used by one goroutine.
type model struct {
	Options
	ctx  context.Context
	loop *watch.Loop
	now  func() time.Time

	width, height int // zero before the terminal has said
	dark          bool
	profile       colorprofile.Profile
	styles        styles

	current int  // the lesson at hand
	seeking bool // whether the first lesson that is not done is yet to be found
	known   []progress.Lesson
	marks   [][]mark
	runs    []run

	overlay overlay
	chosen  int // of all lessons
	results viewport.Model
	reader  viewport.Model
	read    map[string]int    // how far down each text was read
	opened  map[string]string // the section at which each text was last opened
	hints   bool              // whether hints are shown
	memory  state.State
	notice  string // one sentence that the next key takes away
	ticking bool

	away atomic.Bool // whether the learner's program has the terminal
}

// Messages.
type (
	remembered struct {
		state.State
		note string
	}
	noted struct{ note string }
	set   struct { // a text is ready to be read
		lesson string
		width  int
		dark   bool
		lines  []string

		// What the first failure names, if the text was not opened for it yet.
		section string
		at      int // the line that it begins at
	}
	tick struct{}
)

func newModel(ctx context.Context, o Options, loop *watch.Loop) *model {
	m := &model{
		Options: o, ctx: ctx, loop: loop, now: time.Now,
		dark: true, profile: colorprofile.TrueColor, styles: newStyles(true),
		known: make([]progress.Lesson, len(o.Course)), marks: make([][]mark, len(o.Course)), runs: make([]run, len(o.Course)),
		results: viewport.New(), reader: viewport.New(), read: map[string]int{}, opened: map[string]string{},
	}
	for i, l := range o.Course {
		m.marks[i] = slices.Repeat([]mark{open}, len(l.Tasks))
	}
	return m
}

func (m *model) Init() tea.Cmd {
	return tea.Batch(tea.RequestBackgroundColor, func() tea.Msg {
		if m.Store == nil {
			return remembered{}
		}
		s, note, err := m.Store.Load(m.ctx)
		if err != nil {
			note = err.Error()
		}
		return remembered{s, note}
	})
}

func (m *model) lesson() lessons.Lesson { return m.Course[m.current] }
func (m *model) run() *run              { return &m.runs[m.current] }

func (m *model) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	var cmd tea.Cmd
	switch msg := msg.(type) {
	case tea.WindowSizeMsg:
		m.width, m.height = msg.Width, msg.Height
		cmd = m.open()
	case tea.BackgroundColorMsg:
		m.dark = msg.IsDark()
		m.styles = newStyles(m.dark)
		cmd = m.open()
	case tea.ColorProfileMsg:
		m.profile = msg.Profile
	case tea.KeyPressMsg:
		cmd = m.key(actionOf(msg))
	case remembered:
		m.remember(msg)
	case noted:
		m.notice = oneLine(msg.note)
	case returned:
		if msg.err != nil {
			m.notice = oneLine(msg.err.Error())
		}
	case set:
		m.show(msg)
	case batch:
		for _, e := range msg {
			m.event(e)
		}
		cmd = m.tick()
	case tick:
		m.ticking = false
		cmd = m.tick()
	}
	m.layout()
	return m, cmd
}

// remember goes to where the learner was last.
func (m *model) remember(r remembered) {
	m.memory, m.notice = r.State, oneLine(r.note)
	last := slices.IndexFunc(m.Course, func(l lessons.Lesson) bool { return l.Name == r.Lesson })
	m.seeking = last < 0
	m.current = max(last, 0)
	if !m.seeking {
		m.loop.Judge(m.lesson())
	}
	m.loop.Look(m.Course...)
}

// event takes one event of the loop.
func (m *model) event(e watch.Event) {
	i := slices.IndexFunc(m.Course, func(l lessons.Lesson) bool { return l.Name == e.Lesson.Name })
	if e.Kind == watch.Known {
		m.learn(i, e.Progress)
		return
	}
	r := &m.runs[i]
	r.event(m.Root, e, m.now())
	m.marks[i] = r.marks(m.Course[i], m.marks[i])
	switch e.Kind {
	case watch.Began:
		if e.Saved {
			// Where something was saved, there the learner is.
			m.seeking = false
			m.goTo(i)
		}
	case watch.Judged:
		m.known[i] = progress.Of(m.Course[i], e.Result, nil)
	case watch.Failed:
		m.known[i] = progress.Of(m.Course[i], nil, e.Err)
	case watch.Broken, watch.Step, watch.Doubted, watch.Known:
	}
}

// learn takes what is found out in passing.
func (m *model) learn(i int, p progress.Lesson) {
	m.known[i] = p
	for n, ok := range p.Passed {
		m.marks[i][n] = open
		if ok {
			m.marks[i][n] = passed
		}
	}
	if !m.seeking || i != m.current {
		return
	}
	if _, todo := progress.Next([]progress.Lesson{p}); !todo && p.Err == nil && i+1 < len(m.Course) {
		m.current++
		return
	}
	m.seeking = false
	m.loop.Judge(m.lesson())
}

// tick has the seconds counted as long as somebody waits.
func (m *model) tick() tea.Cmd {
	if p := m.run().phase; m.ticking || p == unknown || p == ended {
		return nil
	}
	m.ticking = true
	return tea.Tick(time.Second, func(time.Time) tea.Msg { return tick{} })
}

// goTo makes another lesson the current one.
func (m *model) goTo(i int) {
	if i == m.current {
		return
	}
	m.keepPlace()
	m.current, m.hints = i, false
	m.results.GotoTop()
	if m.overlay == text {
		m.overlay = nothing
	}
}

// visit goes to another lesson, and has it judged if that was not done yet.
func (m *model) visit(i int) tea.Cmd {
	m.seeking = false
	m.goTo(i)
	if m.run().phase == unknown {
		m.loop.Judge(m.lesson())
	}
	name := m.lesson().Name
	return m.note(func(s *state.State) { s.Lesson, s.Test = name, "" })
}

// note remembers something for the next time, here at once and in the file when
// it can.
func (m *model) note(change func(*state.State)) tea.Cmd {
	change(&m.memory)
	if m.Store == nil {
		return nil
	}
	return func() tea.Msg {
		note, err := m.Store.Update(m.ctx, change)
		if err != nil && m.ctx.Err() == nil {
			note = err.Error()
		}
		if note == "" {
			return nil
		}
		return noted{note}
	}
}

// key does what a key asks for.
func (m *model) key(a action) tea.Cmd {
	m.notice = ""
	switch {
	case a == quit:
		return tea.Quit
	case m.overlay == sure:
		m.overlay = nothing
		if a == enter {
			return m.reset()
		}
		return nil
	case a == runTests && m.overlay == text:
		a = pageDown
	case a == help && m.overlay == keys, a == allLessons && m.overlay == course, a == showText && m.overlay == text, a == back && m.overlay != nothing:
		m.keepPlace()
		m.overlay = nothing
		return nil
	case m.overlay == course && m.choose(a):
		return nil
	}
	switch a {
	case showText:
		m.overlay = text
		return m.open()
	case help:
		m.keepPlace()
		m.overlay = keys
		m.reader.SetContentLines(m.viewKeys())
		m.reader.GotoTop()
	case allLessons:
		m.keepPlace()
		m.overlay, m.chosen = course, m.current
	case enter:
		if m.overlay == course {
			m.overlay = nothing
			return m.visit(m.chosen)
		}
	case back:
		m.hints = false
	case showHint:
		m.overlay = nothing
		return m.hint()
	case runTests:
		m.overlay = nothing
		m.loop.Judge(m.lesson())
	case begin:
		m.overlay = sure
	case runProgram:
		return m.runProgram()
	case nextLesson:
		m.overlay = nothing
		return m.visit((m.current + 1) % len(m.Course))
	case previousLesson:
		m.overlay = nothing
		return m.visit((m.current + len(m.Course) - 1) % len(m.Course))
	default:
		m.scroll(a)
	}
	return nil
}

// choose moves through all lessons.
func (m *model) choose(a action) bool {
	last := len(m.Course) - 1
	switch a {
	case up:
		m.chosen = max(m.chosen-1, 0)
	case down:
		m.chosen = min(m.chosen+1, last)
	case top, pageUp:
		m.chosen = 0
	case bottom, pageDown:
		m.chosen = last
	default:
		return false
	}
	return true
}

func (m *model) scroll(a action) {
	v := &m.results
	if m.overlay == text || m.overlay == keys {
		v = &m.reader
	}
	switch a {
	case up:
		v.ScrollUp(1)
	case down:
		v.ScrollDown(1)
	case pageUp:
		v.PageUp()
	case pageDown:
		v.PageDown()
	case top:
		v.GotoTop()
	case bottom:
		v.GotoBottom()
	default:
	}
}

// open sets the current lesson's text for the screen as it is, if it is open.
func (m *model) open() tea.Cmd {
	if m.overlay != text || m.width == 0 {
		return nil
	}
	lesson, look, section := m.lesson(), m.look(m.width), m.section()
	if section == m.opened[lesson.Name] {
		section = "" // the place is where the reader left it
	}
	return func() tea.Msg {
		text := lesson.Text()
		s := set{lesson: lesson.Name, width: look.Width, dark: look.Dark, lines: setLines(look, text)}
		for _, p := range lesson.Parts() {
			if p.Anchor == section {
				before, _, _ := strings.Cut(text, p.Text)
				s.section, s.at = section, len(setLines(look, before))
			}
		}
		return s
	}
}

func setLines(look page.Look, text string) []string {
	return strings.Split(strings.TrimRight(look.Markdown(text), "\n"), "\n")
}

// section is the anchor of the section that the first failure names in the
// lesson's text; empty if there is none.
func (m *model) section() string {
	failing := m.run().failing()
	if len(failing) == 0 {
		return ""
	}
	_, anchor, _ := strings.Cut(failing[0].Message, "lessons/"+m.lesson().Name+"/README.md#")
	if end := strings.IndexAny(anchor, ", \n"); end >= 0 {
		anchor = anchor[:end]
	}
	return anchor
}

// look is what texts are set for.
func (m *model) look(width int) page.Look {
	return page.Look{Profile: max(m.profile, colorprofile.Ascii), Dark: m.dark, Width: width}
}

// show lets a text be read, if it is still the one that is wanted: from where it
// was left, or from the section of a failure that it was not opened for yet.
func (m *model) show(s set) {
	if m.overlay != text || s.lesson != m.lesson().Name || s.width != m.look(m.width).Width {
		return
	}
	m.reader.SetContentLines(s.lines)
	m.layout()
	if s.section != "" {
		m.opened[s.lesson] = s.section
		m.reader.SetYOffset(s.at)
		return
	}
	m.reader.SetYOffset(m.read[s.lesson])
}

// keepPlace remembers how far a text is read.
func (m *model) keepPlace() {
	if m.overlay == text {
		m.read[m.lesson().Name] = m.reader.YOffset()
	}
}

// task is the task that hints are about: the first that has a broken rule, else
// the first that is not known to pass, else the last.
func (m *model) task() int {
	if f := m.run().failing(); len(f) > 0 {
		function, _, _ := strings.Cut(f[0].Name, "/")
		if i := slices.IndexFunc(m.lesson().Tasks, func(t lessons.Task) bool { return t.Test == function }); i >= 0 {
			return i
		}
	}
	if i := slices.Index(m.marks[m.current], open); i >= 0 {
		return i
	}
	return len(m.lesson().Tasks) - 1
}

// oneLine makes a notice of what may have more than one.
func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }

// hint shows the hints that were seen, or if they are shown, one more.
func (m *model) hint() tea.Cmd {
	lesson, task := m.lesson(), m.task()
	test := lesson.Tasks[task].Test
	ladder := hints.Ladder(lesson, task)
	seen := m.memory.Seen(lesson.Name, test)
	m.results.GotoTop()
	if shown := m.hints; seen > 0 && !shown || len(ladder) == 0 {
		m.hints = len(ladder) > 0
		return nil
	}
	m.hints = true
	if seen >= len(ladder) {
		m.notice = fmt.Sprintf("these are all %d hints for this task", len(ladder))
		return nil
	}
	rungs := hints.Next(ladder, seen) + 1
	return m.note(func(s *state.State) {
		s.Lesson, s.Test = lesson.Name, test
		s.See(lesson.Name, test, rungs)
	})
}

// reset brings the starter back. The save that it is will be noticed.
func (m *model) reset() tea.Cmd {
	lesson, now := m.lesson(), m.now()
	return func() tea.Msg {
		kept, err := reset.Lesson(m.ctx, m.Root, lesson, now)
		switch {
		case err != nil:
			return noted{err.Error()}
		case kept == "":
			return noted{"the starter is back"}
		}
		return noted{"the starter is back; what you had is kept as " + path.Base(kept)}
	}
}
