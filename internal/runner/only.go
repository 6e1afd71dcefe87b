package runner

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"path"
	"strconv"
	"strings"
)

// only blanks out of a suite's source all test methods but those called method,
// and the imports that nothing needs any more. What is left stands where it
// stood. To compile all of a suite takes several times longer than to compile a
// candidate and run one test.
func only(method string, source []byte) ([]byte, error) {
	files := token.NewFileSet()
	file, err := parser.ParseFile(files, "", source, parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	left := bytes.Clone(source)
	blank := func(n ast.Node) {
		from, to := files.Position(n.Pos()).Offset, files.Position(n.End()).Offset
		for i := from; i < to; i++ {
			if left[i] != '\n' {
				left[i] = ' '
			}
		}
	}

	used := map[string]bool{}
	for _, d := range file.Decls {
		if f, ok := d.(*ast.FuncDecl); ok && f.Recv != nil && strings.HasPrefix(f.Name.Name, "Test") && f.Name.Name != method {
			blank(f)
			continue
		}
		ast.Inspect(d, func(n ast.Node) bool {
			if s, ok := n.(*ast.SelectorExpr); ok {
				if x, ok := s.X.(*ast.Ident); ok {
					used[x.Name] = true
				}
			}
			return true
		})
	}
	for _, spec := range file.Imports {
		name, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			return nil, err
		}
		name = path.Base(name)
		if spec.Name != nil {
			name = spec.Name.Name
		}
		if !used[name] && name != "_" && name != "." {
			blank(spec)
		}
	}
	return left, nil
}
