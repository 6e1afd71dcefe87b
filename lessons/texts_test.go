package lessons_test

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/text"

	"conclab/internal/bank"
	"conclab/internal/verify"
	"conclab/lessons"
)

var update = flag.Bool("update", false, "write the outputs and messages into the texts")

// TestTexts holds every code block of the lessons' texts against the file, the
// run, or the failure that it shows. What a block is stands behind its fence:
//
//	go queue/main.go        lines of that program; also of exercises/… and solutions/…
//	go reject=name          lines of a known wrong answer
//	python queue/main.py    lines of that program
//	console                 commands and what they print, from the root of the module
//	console unordered       … in any order of the lines
//	console solution        … with the reference in the place of the learner's file
//	console icmp            … skipped where raw ICMP sockets are forbidden, or not Linux's
//	text reject=name        the message by which a known wrong answer fails
//	text picture            a drawing
//
// A console block that ends with a line "…" shows the beginning of the output.
//
// The messages are held against the truth by [TestMessages]. With -update, what a
// run prints and what a wrong answer is told are written into the texts instead.
func TestTexts(t *testing.T) {
	for _, l := range lessons.All() {
		t.Run(l.Name, func(t *testing.T) {
			for _, b := range blocks(l.Text()) {
				t.Run(strings.ReplaceAll(strings.Join(b.info, " "), "/", "_"), func(t *testing.T) {
					require.GreaterOrEqual(t, len(b.info), 1, "a block without a source:\n%s", b.text)
					checkBlock(t, l, path.Join("lessons", l.Name, "README.md"), b)
				})
			}
		})
	}
}

func checkBlock(t *testing.T, l lessons.Lesson, page string, b block) {
	kind, args := b.info[0], b.info[1:]
	switch {
	case kind == "console":
		checkConsole(t, l, page, b.text, args)
	case kind == "text" && slices.Equal(args, []string{"picture"}):
	case len(args) != 1:
		assert.Fail(t, "nobody knows where this block comes from", "%v\n%s", b.info, b.text)
	case strings.HasPrefix(args[0], "reject="):
		v := variant(t, l, strings.TrimPrefix(args[0], "reject="))
		if kind == "go" {
			assert.Contains(t, string(v.Source), b.text)
		}
	default:
		file := args[0]
		if !strings.HasPrefix(file, "exercises/") && !strings.HasPrefix(file, "solutions/") {
			file = path.Join("lessons", l.Name, file)
		}
		assert.Contains(t, read(t, file), b.text, "%s has no such lines", file)
	}
}

// read returns a file of the module, named from its root.
func read(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(file)))
	require.NoError(t, err)
	return string(text)
}

// TestPages holds the pages outside of the lessons against the truth: their
// code blocks (sh is for commands that are not run here; a reject's name begins
// with its lesson), and the map of the lessons.
func TestPages(t *testing.T) {
	for _, page := range pages(t) {
		for _, b := range blocks(read(t, page)) {
			t.Run(strings.ReplaceAll(page+" "+strings.Join(b.info, " "), "/", "_"), func(t *testing.T) {
				require.NotEmpty(t, b.info, "a block without a source:\n%s", b.text)
				if b.info[0] == "sh" {
					return
				}
				checkBlock(t, named(t, &b), page, b)
			})
		}
	}
}

// pages returns the pages outside of the lessons whose blocks are checked here;
// docs/instructors.md is walked through by a test of cmd/lab.
func pages(t *testing.T) []string {
	pages := []string{"README.md"}
	require.NoError(t, filepath.WalkDir(filepath.Join(root, "docs"), func(file string, d os.DirEntry, err error) error {
		if err == nil && path.Ext(d.Name()) == ".md" && d.Name() != "instructors.md" {
			var page string
			page, err = filepath.Rel(root, file)
			pages = append(pages, filepath.ToSlash(page))
		}
		return err
	}))
	return pages
}

// named cuts the lesson's name off the reject that a block outside of the lessons
// names, and returns that lesson; the zero Lesson if it names none.
func named(t *testing.T, b *block) (l lessons.Lesson) {
	last := len(b.info) - 1
	if name, ok := strings.CutPrefix(b.info[last], "reject="); ok {
		lesson, reject, _ := strings.Cut(name, "/")
		var err error
		l, err = lessons.Find(lesson)
		require.NoError(t, err)
		b.info[last] = "reject=" + reject
	}
	return l
}

// TestMessages holds every message that a page shows against what the learner
// would be told. The wrong answers are judged together, because they share
// binaries then.
func TestMessages(t *testing.T) {
	type quote struct{ page, text string }
	quotes := map[string][]quote{}
	var variants []bank.Variant
	collect := func(l lessons.Lesson, page string, b block) {
		if b.info[0] != "text" || !strings.HasPrefix(b.info[1], "reject=") {
			return
		}
		v := variant(t, l, strings.TrimPrefix(b.info[1], "reject="))
		if quotes[v.String()] == nil {
			v.File = path.Join("exercises", l.Name, l.Name+".go")
			v.Race = false // go test alone runs without
			variants = append(variants, v)
		}
		quotes[v.String()] = append(quotes[v.String()], quote{page, b.text})
	}
	for _, l := range lessons.All() {
		for _, b := range blocks(l.Text()) {
			collect(l, path.Join("lessons", l.Name, "README.md"), b)
		}
	}
	for _, page := range pages(t) {
		for _, b := range blocks(read(t, page)) {
			collect(named(t, &b), page, b)
		}
	}

	// Some mistakes show only when two goroutines meet, which a busy machine can
	// keep from happening, or it ends another way.
	shown := func(v bank.Variant, message string) bool {
		return !slices.ContainsFunc(quotes[v.String()], func(q quote) bool {
			return strings.TrimSpace(q.text) != strings.TrimSpace(message)
		})
	}
	for attempts := 5; len(variants) > 0; attempts-- {
		results, err := verify.Run(t.Context(), verify.Options{Root: root}, variants, nil)
		require.NoError(t, err)
		variants = nil
		for _, r := range results {
			if attempts > 1 && (r.Err != nil || !*update && !shown(r.Variant, r.Message)) {
				variants = append(variants, r.Variant)
				continue
			}
			t.Run(r.Variant.String(), func(t *testing.T) {
				require.NoError(t, r.Err)
				for _, q := range quotes[r.Variant.String()] {
					same(t, q.page, strings.TrimSpace(q.text), strings.TrimSpace(r.Message))
				}
			})
		}
	}
}

func TestMapsOfTheLessons(t *testing.T) {
	for i, l := range lessons.All() {
		assert.Contains(t, read(t, "README.md"),
			fmt.Sprintf("| %d | [%s](lessons/%s/README.md) | %s | %d |\n", i+1, l.Title, l.Name, l.Summary, l.Minutes))
		assert.Contains(t, read(t, "docs/syllabus.md"),
			fmt.Sprintf("| %s | %d | %d | %d | %d |\n", l.Name, l.Minutes, len(l.Tasks), l.Points(false), l.Points(true)-l.Points(false)))
	}
}

// TestLinks checks that every page that a page of the lab links to is there.
func TestLinks(t *testing.T) {
	pages, err := filepath.Glob(filepath.Join(root, "docs", "*.md"))
	require.NoError(t, err)
	decisions, err := filepath.Glob(filepath.Join(root, "docs", "*", "*.md"))
	require.NoError(t, err)
	texts, err := filepath.Glob(filepath.Join(root, "lessons", "*", "*.md"))
	require.NoError(t, err)
	for _, page := range slices.Concat([]string{filepath.Join(root, "README.md")}, pages, decisions, texts) {
		source, err := os.ReadFile(page)
		require.NoError(t, err)
		walk(string(source), func(n ast.Node, _ []byte) {
			link, ok := n.(*ast.Link)
			if !ok || strings.Contains(string(link.Destination), "://") {
				return
			}
			target, anchor, _ := strings.Cut(string(link.Destination), "#")
			file := page
			if target != "" {
				file = filepath.Join(filepath.Dir(page), filepath.FromSlash(target))
			}
			if _, err := os.Stat(file); assert.NoError(t, err, "in %s", page) && anchor != "" {
				linked, err := os.ReadFile(file)
				require.NoError(t, err)
				assert.Contains(t, anchors(string(linked)), anchor, "in %s", page)
			}
		})
	}
}

func variant(t *testing.T, l lessons.Lesson, name string) bank.Variant {
	all, err := bank.Load(root, l)
	require.NoError(t, err)
	i := slices.IndexFunc(all, func(v bank.Variant) bool { return v.Kind == bank.Reject && v.Name == name })
	require.GreaterOrEqual(t, i, 0, "no reject is called %s", name)
	return all[i]
}

// same holds what a page shows against what it is; with -update it makes it so.
func same(t *testing.T, page, shown, is string) {
	if !*update || shown == is {
		assert.Equal(t, is, shown, "in %s (go test ./lessons -update puts it right)", page)
		return
	}
	text := read(t, page)
	require.Equal(t, 1, strings.Count(text, "\n"+shown+"\n"), "in %s, not to be found or too often:\n%s", page, shown)
	text = strings.Replace(text, "\n"+shown+"\n", "\n"+is+"\n", 1)
	require.NoError(t, os.WriteFile(filepath.Join(root, filepath.FromSlash(page)), []byte(text), 0o644))
}

func checkConsole(t *testing.T, l lessons.Lesson, page, script string, args []string) {
	unordered := slices.Contains(args, "unordered")
	solution := slices.Contains(args, "solution")
	for _, a := range args {
		require.Contains(t, []string{"unordered", "solution", "icmp"}, a)
	}
	if slices.Contains(args, "icmp") {
		conn, err := net.ListenPacket("ip4:icmp", "127.0.0.1")
		if err != nil || runtime.GOOS != "linux" {
			t.Skipf("skipped, because it needs raw ICMP sockets on Linux: %v", err)
		}
		_ = conn.Close()
	}
	for _, part := range strings.Split("\n"+script, "\n$ ")[1:] {
		command, want, _ := strings.Cut(part, "\n")
		for _, tool := range []string{"sh", strings.Fields(command)[0]} {
			if _, err := exec.LookPath(tool); err != nil {
				t.Skipf("skipped, because %s is not installed", tool)
			}
		}
		got := run(t, l, command, solution)
		want = strings.TrimRight(want, "\n")
		got = strings.TrimRight(got, "\n")
		if beginning, ok := strings.CutSuffix(want, "…"); ok {
			assert.True(t, strings.HasPrefix(got, beginning), "$ %s\nwant the beginning:\n%s\ngot:\n%s", command, beginning, got)
			continue
		}
		if unordered && sorted(got) == sorted(want) {
			continue
		}
		same(t, page, strings.TrimRight("$ "+command+"\n"+want, "\n"), strings.TrimRight("$ "+command+"\n"+got, "\n"))
	}
}

func sorted(lines string) string {
	return strings.Join(slices.Sorted(strings.Lines(lines+"\n")), "")
}

// run runs a command of a text as a reader would, and returns all that it
// prints.
func run(t *testing.T, l lessons.Lesson, command string, solution bool) string {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "sh", "-c", command)
	cmd.Dir = root
	cmd.Env = os.Environ()
	if solution {
		cmd.Env = append(cmd.Env, "GOFLAGS="+strings.TrimSpace(os.Getenv("GOFLAGS")+" -overlay="+overlay(t, l)))
	}
	out, err := cmd.CombinedOutput()
	if _, failed := err.(*exec.ExitError); !failed {
		require.NoError(t, err)
	}
	require.NoError(t, ctx.Err(), "$ %s does not end", command)
	return string(out)
}

// overlay writes the file that puts the reference in the place of the
// exercise.
func overlay(t *testing.T, l lessons.Lesson) string {
	abs, err := filepath.Abs(root)
	require.NoError(t, err)
	own := filepath.Join(l.Name, l.Name+".go")
	replace, err := json.Marshal(map[string]map[string]string{
		"Replace": {filepath.Join(abs, "exercises", own): filepath.Join(abs, "solutions", own)},
	})
	require.NoError(t, err)
	file := filepath.Join(t.TempDir(), "overlay.json")
	require.NoError(t, os.WriteFile(file, replace, 0o600))
	return file
}

// block is one fenced block of a text.
type block struct {
	info []string // the words behind the fence
	text string
}

// blocks returns the fenced blocks of a text.
func blocks(markdown string) []block {
	var all []block
	walk(markdown, func(n ast.Node, source []byte) {
		if code, ok := n.(*ast.FencedCodeBlock); ok {
			b := block{text: string(code.Lines().Value(source))}
			if code.Info != nil {
				b.info = strings.Fields(string(code.Info.Value(source)))
			}
			all = append(all, b)
		}
	})
	return all
}

// yourTurn returns the names in code spans of each item of the section's list;
// of ICMP.Ping, Ping.
func yourTurn(t *testing.T, l lessons.Lesson) (tasks [][]string) {
	walk(sectionText(t, l, "your-turn"), func(n ast.Node, source []byte) {
		item, ok := n.(*ast.ListItem)
		if !ok || !item.Parent().(*ast.List).IsOrdered() {
			return
		}
		var names []string
		_ = ast.Walk(item, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
			if code, ok := n.(*ast.CodeSpan); ok && entering {
				name := string(code.FirstChild().(*ast.Text).Value(source))
				names = append(names, name[strings.LastIndex(name, ".")+1:])
			}
			return ast.WalkContinue, nil
		})
		tasks = append(tasks, names)
	})
	return tasks
}

// anchors returns the names of a text's headings, as links use them.
func anchors(markdown string) []string {
	var all []string
	walk(markdown, func(n ast.Node, _ []byte) {
		if h, ok := n.(*ast.Heading); ok {
			if id, ok := h.AttributeString("id"); ok {
				all = append(all, string(id.([]byte)))
			}
		}
	})
	return all
}

func walk(markdown string, visit func(n ast.Node, source []byte)) {
	source := []byte(markdown)
	md := goldmark.New(goldmark.WithParserOptions(parser.WithAutoHeadingID()))
	_ = ast.Walk(md.Parser().Parse(text.NewReader(source)), func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if entering {
			visit(n, source)
		}
		return ast.WalkContinue, nil
	})
}
