package runner

import (
	"cmp"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"conclab/lessons"
)

// Expected names the tests that prove one task, in the order of the suite's
// source. Where the task's function runs a testify suite they are the suite's
// methods, as TestQueue/TestPutBlocksWhileFull; otherwise the function itself
// is the only one.
type Expected struct {
	Task  lessons.Task
	Names []string
}

// Tests reads from exercises/<lesson>/<lesson>_test.go under root which tests
// each of the lesson's tasks has. Nothing is built or run.
func Tests(root string, lesson lessons.Lesson) ([]Expected, error) {
	name := "exercises/" + lesson.Name + "/" + lesson.Name + "_test.go"
	file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(root, filepath.FromSlash(name)), nil, parser.SkipObjectResolution)
	if err != nil {
		return nil, fmt.Errorf("the suite %s cannot be read (get it back with `git checkout -- %[1]s`): %w", name, err)
	}
	source := readSuites(file)
	expected := make([]Expected, 0, len(lesson.Tasks))
	for _, task := range lesson.Tasks {
		function, ok := source.functions[task.Test]
		if !ok {
			return nil, fmt.Errorf("the suite %s has no function %s", name, task.Test)
		}
		names := []string{task.Test}
		if suite, ok := runs(function); ok {
			names = source.methods(suite)
			for i := range names {
				names[i] = task.Test + "/" + names[i]
			}
		}
		if len(names) == 0 {
			return nil, fmt.Errorf("the suite %s has no tests for %s", name, task.Test)
		}
		expected = append(expected, Expected{Task: task, Names: names})
	}
	return expected, nil
}

// suites is what a test file declares.
type suites struct {
	functions map[string]*ast.FuncDecl
	tests     map[string][]method // of each type
	embedded  map[string][]string // types in each type, of this file
}

type method struct {
	name string
	pos  token.Pos
}

func readSuites(file *ast.File) suites {
	s := suites{map[string]*ast.FuncDecl{}, map[string][]method{}, map[string][]string{}}
	for _, decl := range file.Decls {
		switch d := decl.(type) {
		case *ast.FuncDecl:
			if !strings.HasPrefix(d.Name.Name, "Test") {
				continue
			}
			if d.Recv == nil {
				s.functions[d.Name.Name] = d
			} else if receiver, ok := typeName(d.Recv.List[0].Type); ok {
				s.tests[receiver] = append(s.tests[receiver], method{d.Name.Name, d.Pos()})
			}
		case *ast.GenDecl:
			for _, spec := range d.Specs {
				t, ok := spec.(*ast.TypeSpec)
				if !ok {
					continue
				}
				if structure, ok := t.Type.(*ast.StructType); ok {
					s.embedded[t.Name.Name] = embeds(structure)
				}
			}
		}
	}
	return s
}

// methods returns the names of a type's test methods, promoted ones included.
func (s suites) methods(suite string) []string {
	all, todo := []method{}, []string{suite}
	for seen := map[string]bool{}; len(todo) > 0; todo = todo[1:] {
		if seen[todo[0]] {
			continue
		}
		seen[todo[0]] = true
		all = append(all, s.tests[todo[0]]...)
		todo = append(todo, s.embedded[todo[0]]...)
	}
	slices.SortFunc(all, func(a, b method) int { return cmp.Compare(a.pos, b.pos) })
	names := make([]string, 0, len(all))
	for _, m := range all {
		if !slices.Contains(names, m.name) {
			names = append(names, m.name)
		}
	}
	return names
}

func embeds(structure *ast.StructType) []string {
	var names []string
	for _, field := range structure.Fields.List {
		if name, ok := typeName(field.Type); ok && field.Names == nil {
			names = append(names, name)
		}
	}
	return names
}

// typeName returns T for T, *T and &T.
func typeName(e ast.Expr) (string, bool) {
	switch e := e.(type) {
	case *ast.Ident:
		return e.Name, true
	case *ast.StarExpr:
		return typeName(e.X)
	}
	return "", false
}

// runs returns the type that a test function hands to suite.Run, as new(T) or
// as &T{}.
func runs(function *ast.FuncDecl) (suite string, ok bool) {
	ast.Inspect(function.Body, func(n ast.Node) bool {
		call, isCall := n.(*ast.CallExpr)
		if !isCall || len(call.Args) != 2 {
			return true
		}
		called, isSelector := call.Fun.(*ast.SelectorExpr)
		if !isSelector || called.Sel.Name != "Run" {
			return true
		}
		if pkg, isIdent := called.X.(*ast.Ident); !isIdent || pkg.Name != "suite" {
			return true
		}
		switch value := call.Args[1].(type) {
		case *ast.CallExpr:
			if built, isIdent := value.Fun.(*ast.Ident); isIdent && built.Name == "new" && len(value.Args) == 1 {
				suite, ok = typeName(value.Args[0])
			}
		case *ast.UnaryExpr:
			if literal, isLiteral := value.X.(*ast.CompositeLit); isLiteral {
				suite, ok = typeName(literal.Type)
			}
		}
		return !ok
	})
	return suite, ok
}

// Exactly returns the pattern for [Options].Tests that selects the one test, or
// the one task's tests, called name.
func Exactly(name string) string {
	elements := strings.Split(name, "/")
	for i, e := range elements {
		elements[i] = "^" + regexp.QuoteMeta(e) + "$"
	}
	return strings.Join(elements, "/")
}

// matching returns the tests that the pattern selects.
func matching(all []Expected, pattern string) ([]Expected, error) {
	if pattern == "" {
		return all, nil
	}
	outer, inner, _ := strings.Cut(pattern, "/")
	function, err := regexp.Compile(outer)
	if err != nil {
		return nil, fmt.Errorf("pattern for tests: %w", err)
	}
	name, err := regexp.Compile(inner)
	if err != nil {
		return nil, fmt.Errorf("pattern for tests: %w", err)
	}
	var selected []Expected
	for _, e := range all {
		if !function.MatchString(e.Task.Test) {
			continue
		}
		names := slices.DeleteFunc(slices.Clone(e.Names), func(full string) bool {
			_, method, _ := strings.Cut(full, "/")
			return !name.MatchString(method)
		})
		if len(names) > 0 {
			selected = append(selected, Expected{e.Task, names})
		}
	}
	if len(selected) == 0 {
		return nil, fmt.Errorf("no test matches %q", pattern)
	}
	return selected, nil
}

// runPattern returns the argument for -test.run that selects just the names.
func runPattern(names []string) string {
	patterns := make([]string, len(names))
	for i, name := range names {
		patterns[i] = Exactly(name)
	}
	return strings.Join(patterns, "|")
}
