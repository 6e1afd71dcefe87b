package gate

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"
)

// start judges how package-level variables begin: that happens before every
// test, just like init. They may be made by functions of the file, such as one
// that fills a table, as long as these do nothing that lasts.
func (c *check) start() {
	s := starter{c, map[ast.Node]bool{}}
	for _, d := range c.file.Decls {
		group, ok := d.(*ast.GenDecl)
		if !ok || group.Tok != token.VAR {
			continue
		}
		for _, spec := range group.Specs {
			for _, v := range spec.(*ast.ValueSpec).Values {
				s.run(v)
			}
		}
	}
}

// starter follows what runs before the tests.
type starter struct {
	*check
	seen map[ast.Node]bool
}

func (s starter) refuse(n ast.Node, what string) {
	s.check.refuse(n.Pos(), ruleStart, "this runs before every test, to make a package-level variable, and may not %s: do that in the function that needs it", what)
}

// run judges a piece of code that runs at the start.
func (s starter) run(n ast.Node) {
	if n == nil || s.seen[n] {
		return
	}
	s.seen[n] = true
	ast.Inspect(n, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncLit:
			return false // it need not be called
		case *ast.GoStmt:
			s.refuse(n, "start a goroutine")
		case *ast.SendStmt, *ast.SelectStmt:
			s.refuse(n, "use channels")
		case *ast.UnaryExpr:
			if n.Op == token.ARROW {
				s.refuse(n, "use channels")
			}
		case *ast.CallExpr:
			s.call(n)
		}
		return true
	})
}

func (s starter) call(call *ast.CallExpr) {
	fun := s.info.Types[call.Fun]
	if fun.IsType() || fun.IsBuiltin() {
		return
	}
	if literal, ok := ast.Unparen(call.Fun).(*ast.FuncLit); ok {
		s.run(literal.Body)
		return
	}
	f := s.called(call)
	switch {
	case f == nil && s.info.TypeOf(call.Fun) == types.Typ[types.Invalid]:
		// It comes from a package that has been refused, or from nowhere.
	case f == nil:
		s.refuse(call, "call a function whose name does not stand here")
	case f.Pkg() == nil:
		s.refuse(call, "call the method "+f.Name()+" of whatever has it")
	case f.Pkg() == s.pkg:
		if body := s.body(f); body != nil {
			s.run(body)
		} else {
			s.refuse(call, "call the method "+f.Name()+" of whatever has it")
		}
	case !s.harmless(f, call):
		s.refuse(call, "call "+f.Pkg().Name()+"."+f.Name())
	default:
		for _, arg := range call.Args {
			if literal, ok := arg.(*ast.FuncLit); ok {
				s.run(literal.Body)
			}
		}
	}
}

// harmless tells whether a call of another package's function may run at the
// start.
func (s starter) harmless(f *types.Func, call *ast.CallExpr) bool {
	if slices.Contains(pureAtStart, f.Pkg().Path()) {
		return true
	}
	if !slices.Contains(atStart, f.Pkg().Path()+"."+f.Name()) {
		return false
	}
	if f.FullName() != "fmt.Errorf" {
		return true
	}
	// A value with a method Error or String would be called back.
	return !slices.ContainsFunc(call.Args, func(arg ast.Expr) bool { return s.info.Types[arg].Value == nil && !s.isPlainError(arg) })
}

// called returns the function or method that is called by its name; nil for a
// value that is a function.
func (c *check) called(call *ast.CallExpr) *types.Func {
	fun := ast.Unparen(call.Fun)
	switch i := fun.(type) {
	case *ast.IndexExpr:
		fun = i.X
	case *ast.IndexListExpr:
		fun = i.X
	}
	var id *ast.Ident
	switch fun := ast.Unparen(fun).(type) {
	case *ast.Ident:
		id = fun
	case *ast.SelectorExpr:
		id = fun.Sel
	default:
		return nil
	}
	f, ok := c.info.Uses[id].(*types.Func)
	if !ok {
		return nil
	}
	return f.Origin()
}

// body returns the body of a function that is declared in the file.
func (c *check) body(f *types.Func) ast.Node {
	for _, d := range c.file.Decls {
		if decl, ok := d.(*ast.FuncDecl); ok && c.info.Defs[decl.Name] == f && decl.Body != nil {
			return decl.Body
		}
	}
	return nil
}

// isPlainError tells whether e is an error variable of another package, or one
// of this file that is made by errors.New or fmt.Errorf.
func (c *check) isPlainError(e ast.Expr) bool {
	switch e := ast.Unparen(e).(type) {
	case *ast.SelectorExpr:
		v, ok := c.packageVar(e.Sel)
		return ok && v.Pkg() != c.pkg
	case *ast.Ident:
		v, ok := c.packageVar(e)
		if !ok {
			return false
		}
		call, ok := c.initialiser(v.Name()).(*ast.CallExpr)
		if !ok {
			return false
		}
		f := c.called(call)
		return f != nil && (f.FullName() == "errors.New" || f.FullName() == "fmt.Errorf")
	}
	return false
}
