package page_test

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/charmbracelet/colorprofile"
	"github.com/charmbracelet/x/ansi"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"conclab/internal/page"
	"conclab/lessons"
)

var (
	plain = page.Look{}
	mono  = page.Look{Profile: colorprofile.Ascii, Width: 80}
	dark  = page.Look{Profile: colorprofile.ANSI256, Dark: true, Width: 80}
	light = page.Look{Profile: colorprofile.ANSI256, Width: 80}
	few   = page.Look{Profile: colorprofile.ANSI, Dark: true, Width: 80}
)

const text = "# Title\n\nWords, *important* ones, and `code`.\n\n```go queue/main.go\nfunc main() {}\n```\n"

var escape = regexp.MustCompile("\x1b\\[[0-9;]*m")

func TestWhereNobodyWatchesATextStaysAsItIs(t *testing.T) {
	assert.Equal(t, text, plain.Markdown(text))
	assert.Equal(t, "func main() {}\n", plain.Code("func main() {}\n", "go"))

	assert.Equal(t, plain, page.LookOf(os.Stdin, &bytes.Buffer{}))
	f, err := os.Create(filepath.Join(t.TempDir(), "out"))
	require.NoError(t, err)
	defer func() { _ = f.Close() }()
	assert.Equal(t, plain, page.LookOf(os.Stdin, f))
}

func TestColoursFitTheTerminal(t *testing.T) {
	for name, look := range map[string]page.Look{"dark": dark, "light": light, "few": few} {
		assert.Contains(t, look.Markdown(text), "\x1b[", name)
		assert.Contains(t, look.Code("func main() {}\n", "go"), "\x1b[", name)
	}
	assert.NotEqual(t, dark.Markdown(text), light.Markdown(text))
	assert.NotEqual(t, dark.Code("func main() {}\n", "go"), light.Code("func main() {}\n", "go"))
	assert.NotContains(t, few.Markdown(text), "[38;5;", "a terminal of 16 colours")
	assert.NotContains(t, few.Code("func main() {}\n", "go"), "[38;5;", "a terminal of 16 colours")

	assert.NotContains(t, mono.Markdown(text), "\x1b[", "NO_COLOR")
	assert.Equal(t, "func main() {}\n", mono.Code("func main() {}\n", "go"))
}

func TestEveryTextFitsItsWidth(t *testing.T) {
	for _, l := range lessons.All() {
		for _, look := range []page.Look{dark, mono} {
			fenced, text := longest(l.Text()), look.Markdown(l.Text())
			for line := range strings.Lines(text) {
				bare := strings.TrimRight(ansi.Strip(line), " \n")
				assert.LessOrEqual(t, ansi.StringWidth(bare), max(80, fenced+8), "%s: %s", l.Name, bare)
			}
			assert.Contains(t, escape.ReplaceAllString(text, ""), l.Title)
		}
	}
}

// longest is the length of the longest line of code, which keeps its length.
func longest(text string) int {
	width, fenced := 0, false
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "```") {
			fenced = !fenced
		} else if fenced {
			width = max(width, ansi.StringWidth(strings.ReplaceAll(line, "\t", "    ")))
		}
	}
	return width
}
