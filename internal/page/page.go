// Package page sets the lab's texts for a terminal: Markdown and source code in
// the colours that the terminal has, on the background that it has, as wide as
// it is. It only makes strings, and its functions may be called from any number
// of goroutines.
package page

import (
	"bytes"
	"io"
	"os"
	"regexp"
	"strings"

	"charm.land/glamour/v2"
	"charm.land/glamour/v2/ansi"
	"charm.land/glamour/v2/styles"
	"charm.land/lipgloss/v2"
	"github.com/alecthomas/chroma/v2/quick"
	"github.com/charmbracelet/colorprofile"
	"golang.org/x/term"
)

// Look is what a text is set for. The zero value is for a file or a pipe: there
// a text stays as it is.
type Look struct {
	Profile colorprofile.Profile // the colours that can be shown
	Dark    bool                 // whether the background is dark
	Width   int                  // in columns; not positive means 80
}

// maxWidth is how wide a text gets at most, in columns: longer lines are hard to
// read.
const maxWidth = 100

// LookOf finds out what out can show. If it is a terminal, it is asked for its
// background, which blocks until it answers, and two seconds at most.
// NO_COLOR and the like are heeded.
func LookOf(in *os.File, out io.Writer) Look {
	f, ok := out.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return Look{}
	}
	look := Look{Profile: colorprofile.Detect(out, os.Environ()), Dark: true}
	if width, _, err := term.GetSize(int(f.Fd())); err == nil {
		look.Width = width
	}
	if look.colours() {
		look.Dark = lipgloss.HasDarkBackground(in, f)
	}
	return look
}

// Plain tells whether texts stay as they are.
func (l Look) Plain() bool { return l.Profile <= colorprofile.NoTTY }

func (l Look) colours() bool { return l.Profile > colorprofile.Ascii }

func (l Look) width() int {
	if l.Width <= 0 {
		return 80
	}
	return min(l.Width, maxWidth)
}

// Markdown sets a text. Lines of code and drawings keep their length.
func (l Look) Markdown(text string) string {
	if l.Plain() {
		return text
	}
	r, err := glamour.NewTermRenderer(glamour.WithStyles(l.style()), glamour.WithWordWrap(l.width()))
	if err != nil {
		return text
	}
	set, err := r.Render(expand(text))
	if err != nil {
		// Only a highlighter can fail here; the text itself is still there.
		return text
	}
	return l.fit(trim(set))
}

// Code sets source code of a language, such as go or diff.
func (l Look) Code(source, language string) string {
	if l.Plain() {
		return source
	}
	source = expand(source)
	if !l.colours() {
		return source
	}
	var b strings.Builder
	if quick.Highlight(&b, source, language, "terminal256", l.theme()) != nil {
		return source
	}
	return l.fit(b.String())
}

// theme names the colours of source code.
func (l Look) theme() string {
	if l.Dark {
		return "monokai"
	}
	return "friendly"
}

func (l Look) style() ansi.StyleConfig {
	if !l.colours() {
		return styles.NoTTYStyleConfig
	}
	style := styles.LightStyleConfig
	if l.Dark {
		style = styles.DarkStyleConfig
	}
	// A style with code colours of its own would give them to all others too:
	// the library keeps them under one name for the whole process.
	style.CodeBlock.Chroma, style.CodeBlock.Theme = nil, l.theme()
	return style
}

// fit leaves out the colours that cannot be shown.
func (l Look) fit(text string) string {
	var b bytes.Buffer
	_, _ = (&colorprofile.Writer{Forward: &b, Profile: l.Profile}).WriteString(text)
	return b.String()
}

// expand makes tabs four columns wide, which not every terminal knows how to do.
func expand(text string) string { return strings.ReplaceAll(text, "\t", "    ") }

// padding is what fills a line up to the width.
var padding = regexp.MustCompile("(?m)(\x1b\\[[0-9;]*m| )+$")

// trim takes off the empty lines around a text, and what only fills its lines.
func trim(text string) string {
	text = padding.ReplaceAllStringFunc(text, func(fill string) string {
		if strings.Contains(fill, "\x1b") {
			return "\x1b[m"
		}
		return ""
	})
	text = strings.TrimPrefix(text, "\n")
	return strings.TrimRight(text, "\n") + "\n"
}
