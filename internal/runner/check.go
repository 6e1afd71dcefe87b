package runner

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/scanner"
	"go/token"
	"go/types"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"

	"conclab/lessons"
)

// maxComplaints is after how many errors the compiler gives up.
const maxComplaints = 10

// Checker finds compile errors in the learner's files within milliseconds, by
// checking types in its own process, where a build takes a second to find them.
// Its silence means nothing: the last word is that of [Run]. What it says is
// what the compiler will say.
//
// Its methods may be called from any number of goroutines.
type Checker struct {
	root string

	mu       sync.Mutex
	exports  map[string]string // the file with a package's types, by import path
	importer types.Importer
}

// NewChecker returns a checker for the module at root, which must be absolute.
func NewChecker(root string) *Checker {
	c := &Checker{root: root, exports: map[string]string{}}
	c.importer = importer.ForCompiler(token.NewFileSet(), "gc", c.open)
	return c
}

// Prepare sees to it that Check knows the packages that the lesson's exercise
// imports as it is now; Check says nothing about a file that imports others. If
// they are not all known, it asks the go command for them, and blocks as long as
// that builds them. It has no error: Check is silent, then.
func (c *Checker) Prepare(ctx context.Context, l lessons.Lesson) {
	file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(c.root, filepath.FromSlash(exerciseFile(l))), nil, parser.ImportsOnly)
	if err == nil && c.knows(file) {
		return
	}
	c.list(ctx, "./exercises/"+l.Name)
}

// knows tells whether the types of all packages are known that the file imports.
func (c *Checker) knows(file *ast.File) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return !slices.ContainsFunc(file.Imports, func(spec *ast.ImportSpec) bool {
		path, err := strconv.Unquote(spec.Path.Value)
		return err != nil || path != "unsafe" && c.exports[path] == ""
	})
}

// list learns where the types of a package's dependencies are. The package
// itself need not compile.
func (c *Checker) list(ctx context.Context, packages ...string) {
	cmd := command(ctx, c.root, "go", append([]string{
		"list", "-e", "-export", "-deps",
		"-f", "{{if .Export}}{{.ImportPath}}\t{{.Export}}{{end}}",
	}, packages...)...)
	cmd.Env = append(cmd.Env, "GOFLAGS=-buildvcs=false")
	var out strings.Builder
	cmd.Stdout = &out
	_ = runGroup(cmd)
	c.mu.Lock()
	defer c.mu.Unlock()
	for line := range strings.Lines(out.String()) {
		if path, file, ok := strings.Cut(strings.TrimSpace(line), "\t"); ok {
			c.exports[path] = file
		}
	}
}

// open is how the importer gets at a package's types. Its caller holds the lock.
func (c *Checker) open(path string) (io.ReadCloser, error) {
	file, ok := c.exports[path]
	if !ok {
		return nil, fmt.Errorf("%s: %w", path, fs.ErrNotExist)
	}
	return os.Open(file)
}

// Check returns the compiler's message about the learner's file of the lesson;
// empty if there is none, or if that cannot be told so quickly.
func (c *Checker) Check(l lessons.Lesson) string {
	name := exerciseFile(l)
	path := filepath.Join(c.root, filepath.FromSlash(name))
	if hasMore(filepath.Dir(path)) {
		return "" // the package is more than this file and its suite
	}
	source, err := os.ReadFile(path)
	if err != nil {
		return ""
	}
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, name, source, parser.SkipObjectResolution|parser.AllErrors)
	if wrong := scanner.ErrorList(nil); errors.As(err, &wrong) {
		wrong.RemoveMultiples()
		all := make([]complaint, len(wrong))
		for i, e := range wrong {
			all[i] = complaint{e.Pos, "syntax error: " + e.Msg, ""}
		}
		return spell(all)
	}
	return c.types(l, fset, file)
}

// types checks what parses.
func (c *Checker) types(l lessons.Lesson, fset *token.FileSet, file *ast.File) string {
	if !c.knows(file) {
		return ""
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	var all []complaint
	config := types.Config{Importer: c.importer, Error: func(err error) {
		e := (types.Error{})
		if !errors.As(err, &e) {
			return
		}
		one := complaint{at: e.Fset.Position(e.Pos), message: e.Msg}
		if strings.HasPrefix(e.Msg, "\t") && len(all) > 0 {
			one.message = e.Msg[1:]
			all[len(all)-1].more += "\n\t" + one.String()
			return
		}
		all = append(all, one)
	}}
	_, _ = config.Check("conclab/exercises/"+l.Name, fset, []*ast.File{file}, nil)
	for _, one := range all {
		if strings.Contains(one.message, "could not import ") {
			// The fault is on this side: the cache was cleaned, for example.
			clear(c.exports)
			return ""
		}
	}
	return spell(all)
}

// complaint is one error, and more that belongs to it.
type complaint struct {
	at      token.Position
	message string
	more    string
}

func (c complaint) String() string {
	return fmt.Sprintf("%s:%d:%d: %s", c.at.Filename, c.at.Line, c.at.Column, c.message)
}

// spell writes the complaints as the compiler does.
func spell(all []complaint) string {
	slices.SortStableFunc(all, func(a, b complaint) int { return cmp.Compare(a.at.Offset, b.at.Offset) })
	var text strings.Builder
	for i, one := range all {
		if i == maxComplaints {
			one = all[i-1]
			one.message = "too many errors"
			text.WriteString(one.String())
			break
		}
		text.WriteString(one.String() + one.more + "\n")
	}
	return clean(strings.Split(strings.TrimSuffix(text.String(), "\n"), "\n"))
}
