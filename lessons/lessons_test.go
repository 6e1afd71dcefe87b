package lessons_test

import (
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

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
			assert.Equal(t, []string{l.Name + ".go", l.Name + "_test.go"}, list(t, "exercises", l.Name))
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
		"lessons":   {"lessons.go", "lessons_test.go", "texts_test.go"},
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
