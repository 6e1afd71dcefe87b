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

// only blanks out of a suite's source whatever one test, such as
// TestQueue/TestClose, does not need. What is left stands where it stood. To
// compile all of a suite takes several times longer than to compile a candidate
// and run one test.
func only(test string, source []byte) ([]byte, error) {
	files := token.NewFileSet()
	file, err := parser.ParseFile(files, "", source, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	function, method, _ := strings.Cut(test, "/")

	// What a name may stand for; a method goes with its receiver's type. That a
	// name can be a field's or a local one's as well only keeps more than need be.
	named := map[string][]ast.Decl{}
	for _, d := range file.Decls {
		for _, name := range names(d) {
			named[name] = append(named[name], d)
		}
	}
	kept, used := map[ast.Decl]bool{}, map[string]bool{}
	for left := []string{function, "init"}; len(left) > 0; left = left[1:] {
		for _, d := range named[left[0]] {
			f, ok := d.(*ast.FuncDecl)
			if kept[d] || ok && f.Recv != nil && strings.HasPrefix(f.Name.Name, "Test") && f.Name.Name != method {
				continue
			}
			kept[d] = true
			ast.Inspect(d, func(n ast.Node) bool {
				if name, ok := n.(*ast.Ident); ok {
					used[name.Name] = true
					left = append(left, name.Name)
				}
				return true
			})
		}
	}

	left := bytes.Clone(source)
	blank := func(n ast.Node, doc *ast.CommentGroup) {
		from, to := files.Position(n.Pos()).Offset, files.Position(n.End()).Offset
		if doc != nil {
			from = files.Position(doc.Pos()).Offset
		}
		for i := from; i < to; i++ {
			if left[i] != '\n' {
				left[i] = ' '
			}
		}
	}
	for _, d := range file.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			if !kept[d] {
				blank(d, d.Doc)
			}
		case *ast.GenDecl:
			if !kept[d] && d.Tok != token.IMPORT {
				blank(d, d.Doc)
			}
		}
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
			blank(spec, nil)
		}
	}
	return left, nil
}

// names returns the names by which a declaration is needed.
func names(d ast.Decl) (all []string) {
	f, ok := d.(*ast.FuncDecl)
	switch {
	case ok && f.Recv == nil:
		return []string{f.Name.Name}
	case ok:
		ast.Inspect(f.Recv.List[0].Type, func(n ast.Node) bool {
			if name, ok := n.(*ast.Ident); ok {
				all = append(all, name.Name) // type parameters too, which nothing is called
			}
			return true
		})
		return all
	}
	for _, spec := range d.(*ast.GenDecl).Specs {
		switch spec := spec.(type) {
		case *ast.TypeSpec:
			all = append(all, spec.Name.Name)
		case *ast.ValueSpec:
			for _, name := range spec.Names {
				all = append(all, name.Name)
			}
		}
	}
	return all
}
