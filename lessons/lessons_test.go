package lessons_test

import (
	"bytes"
	"crypto/sha1"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"conclab/internal/runner"
	"conclab/lessons"
)

const root = ".."

func TestCourseIsWhole(t *testing.T) {
	seen := map[string]bool{}
	for _, l := range lessons.All() {
		assert.False(t, seen[l.Name], "%s is there twice", l.Name)
		seen[l.Name] = true
		assert.Regexp(t, `^[a-z]+$`, l.Name)
		assert.NotEmpty(t, l.Title)
		assert.NotEmpty(t, l.Summary)
		assert.Positive(t, l.Minutes)
		require.NotEmpty(t, l.Tasks)
		for i, task := range l.Tasks {
			assert.Positive(t, task.Points, "%s, task %d", l.Name, i+1)
			assert.NotEmpty(t, task.Title, "%s, task %d", l.Name, i+1)
			assert.Equal(t, i == len(l.Tasks)-1, task.Brave, "%s: the last task, and no other, is brave", l.Name)
		}
		assert.Greater(t, l.Points(true), l.Points(false))
	}
}

func TestAllBelongsToTheCaller(t *testing.T) {
	lessons.All()[0].Tasks[0].Title = "spoilt"
	assert.NotEqual(t, "spoilt", lessons.All()[0].Tasks[0].Title)
}

func TestFindNamesTheNearest(t *testing.T) {
	l, err := lessons.Find("queues")
	require.NoError(t, err)
	assert.Equal(t, "queues", l.Name)

	_, err = lessons.Find("queue")
	unknown, ok := errors.AsType[*lessons.UnknownError](err)
	require.True(t, ok)
	assert.Equal(t, "queues", unknown.Nearest)
	assert.ErrorContains(t, err, `did you mean "queues"?`)
	assert.ErrorContains(t, err, strings.Join(lessons.Names(), ", "))
}

// TestTrees holds the folders against the course: nothing is missing, nothing
// is there that nobody knows of.
func TestTrees(t *testing.T) {
	for _, l := range lessons.All() {
		t.Run(l.Name, func(t *testing.T) {
			assert.Equal(t, []string{"contract_test.go", l.Name + ".go", l.Name + "_test.go"}, list(t, "exercises", l.Name))
			solution := slices.DeleteFunc(list(t, "solutions", l.Name), func(e string) bool { return strings.HasSuffix(e, "_test.go") })
			assert.Equal(t, []string{l.Name + ".go", "testdata/"}, solution)
			assert.Equal(t, []string{"accept/", "reject/"}, list(t, "solutions", l.Name, "testdata"))
			assert.GreaterOrEqual(t, len(list(t, "solutions", l.Name, "testdata", "accept")), 3)
			assert.GreaterOrEqual(t, len(list(t, "solutions", l.Name, "testdata", "reject")), 12)

			entries := list(t, "lessons", l.Name)
			assert.Subset(t, entries, []string{"README.md", "hints.md", "yours/"})
			for _, e := range entries {
				switch {
				case e == "README.md" || e == "hints.md":
				case strings.HasSuffix(e, "/"):
					files := list(t, "lessons", l.Name, e)
					assert.Contains(t, files, "main.go", "%s has no program", e)
					assert.Subset(t, []string{"main.go", "main.py"}, files, "stray files in %s", e)
				default:
					assert.Fail(t, "stray file", e)
				}
			}
		})
	}

	names := slices.Clone(lessons.Names())
	for i := range names {
		names[i] += "/"
	}
	slices.Sort(names)
	for tree, besides := range map[string][]string{
		"exercises": nil,
		"lessons":   {"lessons.go", "lessons_test.go", "rules.go", "sections.go", "starters.go", "starters.sum", "texts_test.go"},
		"solutions": {"clients_test.go", "finals_test.go", "solutions_test.go"},
	} {
		want := append(slices.Clone(names), besides...)
		assert.ElementsMatch(t, want, list(t, tree), "the folder %s", tree)
	}
}

// list returns the names in a folder of the module, folders with a slash.
func list(t *testing.T, elem ...string) []string {
	t.Helper()
	entries, err := os.ReadDir(filepath.Join(append([]string{root}, elem...)...))
	require.NoError(t, err)
	var names []string
	for _, e := range entries {
		name := e.Name()
		if strings.HasSuffix(name, ".old") {
			continue // what a learner's lab reset has kept
		}
		if e.IsDir() {
			name += "/"
		}
		names = append(names, name)
	}
	return names
}

// TestContractTable holds each lesson's table of rules against its suite: every
// task has its test function, every method has a row, every row a method.
func TestContractTable(t *testing.T) {
	row := regexp.MustCompile("(?m)^\\| (\\d)( \\*brave\\*)? \\| .+ \\| `(Test\\w+)/(Test\\w+)` \\|$")
	for _, l := range lessons.All() {
		t.Run(l.Name, func(t *testing.T) {
			expected, err := runner.Tests(root, l)
			require.NoError(t, err)
			require.Len(t, expected, len(l.Tasks))
			var want []string
			for i, e := range expected {
				assert.Equal(t, l.Tasks[i].Test, e.Task.Test)
				want = append(want, e.Names...)
			}

			var got []string
			_, table, found := strings.Cut(l.Text(), "\n## The contract\n")
			require.True(t, found, "the text has no section The contract")
			for _, m := range row.FindAllStringSubmatch(table, -1) {
				n, _ := strconv.Atoi(m[1])
				require.LessOrEqual(t, n, len(l.Tasks))
				assert.Equal(t, l.Tasks[n-1].Test, m[3], "the task of %s/%s", m[3], m[4])
				assert.Equal(t, l.Tasks[n-1].Brave, m[2] != "", "the brave mark of %s/%s", m[3], m[4])
				got = append(got, m[3]+"/"+m[4])
			}
			assert.ElementsMatch(t, want, got)
		})
	}
}

// TestYourTurn holds the list of a text's section Your turn, which says for each
// task what to fill in, against the suite: who has filled in that much, and left
// the rest with its TODO, passes the task.
func TestYourTurn(t *testing.T) {
	for _, l := range lessons.All() {
		t.Run(l.Name, func(t *testing.T) {
			tasks := yourTurn(t, l)
			require.Len(t, tasks, len(l.Tasks))
			open := todo(t, l)
			assert.Subset(t, slices.Concat(tasks...), open, "the list leaves functions out")

			for i, task := range l.Tasks {
				filled := slices.Concat(tasks[:i+1]...)
				open = slices.DeleteFunc(open, func(name string) bool { return slices.Contains(filled, name) })
				if len(open) == 0 {
					return // every test passes, as solutions proves
				}
				result, err := runner.Run(t.Context(), runner.Options{
					Root: root, Race: runner.RaceOff, Tests: runner.Exactly(task.Test), Limit: time.Minute, NoVet: true,
				}, runner.Candidate{Lesson: l, Source: without(t, l, open)}, nil)
				require.NoError(t, err)
				require.Empty(t, result.Build)
				for _, test := range result.Tasks[0].Tests {
					assert.Contains(t, []runner.Verdict{runner.Pass, runner.Skip}, test.Verdict,
						"%s, with %v still to do:\n%s", test.Name, open, test.Message)
				}
			}
		})
	}
}

// todo returns the names of the functions that the starter leaves to the learner.
func todo(t *testing.T, l lessons.Lesson) (names []string) {
	source := read(t, path.Join("exercises", l.Name, l.Name+".go"))
	for _, f := range functions(t, source) {
		if strings.Contains(source[f.Body.Pos()-1:f.Body.End()-1], `panic("TODO: `) {
			names = append(names, f.Name.Name)
		}
	}
	return names
}

// without returns a right answer with the functions of those names still to do. It
// is the reference, except where that does an early task with a function of a
// later one, which is its choice and not the suite's.
func without(t *testing.T, l lessons.Lesson, names []string) []byte {
	file := path.Join("solutions", l.Name, l.Name+".go")
	if l.Name == "locks" {
		file = "solutions/locks/testdata/accept/token.go" // its Print is not PrintContext
	}
	source := read(t, file)
	for _, f := range slices.Backward(functions(t, source)) {
		if slices.Contains(names, f.Name.Name) {
			begin := f.Body.Lbrace
			source = source[:begin] + ` if true { panic("TODO: later") }; ` + source[begin:]
		}
	}
	return []byte(source)
}

// functions returns the functions and methods of a source, where a position is one
// more than the place of a byte.
func functions(t *testing.T, source string) (all []*ast.FuncDecl) {
	file, err := parser.ParseFile(token.NewFileSet(), "", source, parser.SkipObjectResolution)
	require.NoError(t, err)
	for _, decl := range file.Decls {
		if f, ok := decl.(*ast.FuncDecl); ok {
			all = append(all, f)
		}
	}
	return all
}

// TestSuitesKnowTheContractOnly checks that a change of an exercise does not compile
// its suite anew, and that the suite takes nothing from the contract before the
// exercise has filled that in: its package may be the first to be initialized.
func TestSuitesKnowTheContractOnly(t *testing.T) {
	parse := func(t *testing.T, elem ...string) *ast.File {
		file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(append([]string{root}, elem...)...), nil, 0)
		require.NoError(t, err)
		return file
	}
	for _, l := range lessons.All() {
		t.Run(l.Name, func(t *testing.T) {
			suite := parse(t, "exercises", l.Name, l.Name+"_test.go")
			contract := parse(t, "internal", "contract", l.Name, "contract.go")
			var own []string
			for _, spec := range suite.Imports {
				if name, err := strconv.Unquote(spec.Path.Value); err == nil && strings.HasPrefix(name, "conclab/") {
					own = append(own, name)
				}
			}
			assert.Equal(t, []string{"conclab/internal/contract/" + l.Name, "conclab/internal/labtest"}, own)

			var filled []string // later, by contract_test.go
			for _, decl := range variables(contract) {
				for _, spec := range decl.Specs {
					for _, name := range spec.(*ast.ValueSpec).Names {
						filled = append(filled, name.Name)
					}
				}
			}
			for _, decl := range variables(suite) {
				ast.Inspect(decl, func(n ast.Node) bool {
					if sel, ok := n.(*ast.SelectorExpr); ok {
						if pkg, ok := sel.X.(*ast.Ident); ok && pkg.Name == l.Name {
							assert.NotContains(t, filled, sel.Sel.Name, "it may not be there yet")
						}
					}
					_, later := n.(*ast.FuncLit)
					return !later
				})
			}
		})
	}
}

func variables(file *ast.File) (all []*ast.GenDecl) {
	for _, decl := range file.Decls {
		if g, ok := decl.(*ast.GenDecl); ok && g.Tok == token.VAR {
			all = append(all, g)
		}
	}
	return all
}

// TestSectionsExist checks that every section that a failure points to is a
// heading of the lesson's text.
func TestSectionsExist(t *testing.T) {
	for _, l := range lessons.All() {
		t.Run(l.Name, func(t *testing.T) {
			file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(root, "exercises", l.Name, l.Name+"_test.go"), nil, 0)
			require.NoError(t, err)
			anchors := anchors(l.Text())
			rules := 0
			ast.Inspect(file, func(n ast.Node) bool {
				call, ok := n.(*ast.CallExpr)
				if !ok {
					return true
				}
				if sel, ok := call.Fun.(*ast.SelectorExpr); !ok || sel.Sel.Name != "Rule" || len(call.Args) < 2 {
					return true
				}
				if lit, ok := call.Args[0].(*ast.BasicLit); ok {
					section, err := strconv.Unquote(lit.Value)
					assert.NoError(t, err)
					assert.Contains(t, anchors, section)
					rules++
				}
				return true
			})
			assert.Positive(t, rules)
		})
	}
}

// TestFindingsAreExplained holds the sections that explain what tools find
// against the texts: each is there, and speaks of it.
func TestFindingsAreExplained(t *testing.T) {
	analyzers, err := exec.Command("go", "tool", "vet", "help").Output()
	require.NoError(t, err)
	for finding, word := range map[string]string{
		lessons.Race: "data race",
		"atomic":     "looks like one step and is three",
		"copylocks":  "a mutex must not be copied",
		"lostcancel": "Every context that you make must be released",
		"waitgroup":  "`Add` must stand before the `go` statement",
	} {
		section := lessons.Section(finding)
		page, anchor, ok := strings.Cut(section, "#")
		require.True(t, ok, "%s: %q", finding, section)
		l, err := lessons.Find(path.Base(path.Dir(page)))
		require.NoError(t, err, finding)
		assert.Equal(t, "lessons/"+l.Name+"/README.md", page)
		assert.Contains(t, sectionText(t, l, anchor), word, "%s does not explain %s", section, finding)
		if finding != lessons.Race {
			assert.Regexp(t, `(?m)^\s+`+finding+`\s`, string(analyzers), "go vet knows no such analyzer")
		}
	}
	assert.Empty(t, lessons.Section("printf"))
	assert.Empty(t, lessons.Section(""))
}

// sectionText returns the section of a lesson's text that a link with that
// anchor leads to.
func sectionText(t *testing.T, l lessons.Lesson, anchor string) string {
	t.Helper()
	for _, part := range l.Parts() {
		if part.Anchor == anchor {
			return part.Text
		}
	}
	require.Fail(t, l.Name+" has no section "+anchor)
	return ""
}

func TestPartsAreTheWholeText(t *testing.T) {
	for _, l := range lessons.All() {
		start, all := strings.Index(l.Text(), "\n## "), ""
		require.Positive(t, start)
		for _, part := range l.Parts() {
			assert.True(t, strings.HasPrefix(part.Text, "## "+part.Title+"\n"), "%s: %s", l.Name, part.Anchor)
			assert.Contains(t, anchors(l.Text()), part.Anchor)
			all += part.Text
		}
		assert.Equal(t, l.Text()[start+1:], all)
	}
}

// TestStarters holds starters.sum against the exercises, which are untouched
// where the lab is made; with -update it makes it so.
func TestStarters(t *testing.T) {
	var sum strings.Builder
	for _, l := range lessons.All() {
		text, err := os.ReadFile(filepath.Join(root, "exercises", l.Name, l.Name+".go"))
		require.NoError(t, err)
		text = bytes.ReplaceAll(text, []byte("\r\n"), []byte("\n"))
		id := fmt.Sprintf("%x", sha1.Sum(append(fmt.Appendf(nil, "blob %d\x00", len(text)), text...)))
		fmt.Fprintf(&sum, "%s  %s\n", id, l.Name)
		if !*update {
			assert.Equal(t, id, l.Starter(), "exercises/%s/%[1]s.go is not the starter that lab reset would bring back"+
				" (if the starter was changed on purpose: go test ./lessons -run TestStarters -update)", l.Name)
		}
	}
	if *update {
		require.NoError(t, os.WriteFile("starters.sum", []byte(sum.String()), 0o644))
	}
	assert.Empty(t, lessons.Lesson{Name: "nowhere"}.Starter())
}

// TestHints checks that every task has its four hints.
func TestHints(t *testing.T) {
	for _, l := range lessons.All() {
		t.Run(l.Name, func(t *testing.T) {
			want := []string{"# Hints"}
			for _, task := range l.Tasks {
				want = append(want, "## "+task.Test, "### Nudge", "### Idea", "### API", "### Sketch")
			}
			var got []string
			empty := true
			for line := range strings.Lines(l.Hints()) {
				line = strings.TrimSpace(line)
				if strings.HasPrefix(line, "#") {
					if strings.HasPrefix(line, "###") {
						empty = true
					} else {
						assert.False(t, strings.HasPrefix(line, "## ") && empty && len(got) > 1, "no text before %s", line)
					}
					got = append(got, line)
				} else if line != "" {
					empty = false
				}
			}
			assert.Equal(t, want, got)
		})
	}
}
