package gate

import (
	"go/ast"
	"go/constant"
	"go/token"
	"go/types"
	"slices"
)

// maxValue is how large one value may be, and all together that are written into
// the program, in bytes.
const maxValue = 16 << 20

// sizes are those of the systems that the course is graded on.
var sizes = types.SizesFor("gc", "amd64")

// meaning judges what takes the types. They may be incomplete, where the file
// does not compile; then it is not built anyway.
func (c *check) meaning() {
	c.uses()
	c.start()
	c.givenParts()
	measured := map[types.Type]int64{}
	total := int64(0)
	ast.Inspect(c.file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.AssignStmt:
			if n.Tok != token.DEFINE {
				for _, to := range n.Lhs {
					c.written(to)
				}
			}
		case *ast.IncDecStmt:
			c.written(n.X)
		case *ast.RangeStmt:
			if n.Tok == token.ASSIGN {
				c.written(n.Key)
				c.written(n.Value)
			}
		case *ast.UnaryExpr:
			if n.Op == token.AND {
				c.written(n.X)
			}
		case *ast.TypeAssertExpr:
			c.asserted(n.Type)
		case *ast.TypeSwitchStmt:
			for _, clause := range n.Body.List {
				for _, t := range clause.(*ast.CaseClause).List {
					c.asserted(t)
				}
			}
		case *ast.InterfaceType:
			c.interfaceMethods(n)
		case *ast.CompositeLit:
			if total <= maxValue {
				if total += c.literal(n, measured); total > maxValue {
					c.refuse(n.Pos(), ruleSize, "with this, more than %d MiB are written into the program: make large values while it runs", maxValue>>20)
				}
			}
		}
		if e, ok := n.(ast.Expr); ok {
			if t := c.info.Types[e].Type; t != nil && size(t, measured) > maxValue {
				c.refuse(e.Pos(), ruleSize, "this type takes more than %d MiB: make a slice while the program runs, of what is needed", maxValue>>20)
				return false
			}
		}
		return true
	})
}

// uses judges every name that belongs to another package.
func (c *check) uses() {
	for id, object := range c.info.Uses {
		pkg := object.Pkg()
		if pkg == nil || pkg == c.pkg {
			continue
		}
		if _, ok := object.(*types.PkgName); ok {
			continue
		}
		if f, ok := object.(*types.Func); ok && f.Signature().Recv() != nil {
			if reason, ok := methods[f.Name()]; ok {
				c.refuse(id.Pos(), ruleMethod, "the method %s may not be used, %s", f.Name(), reason)
			}
			continue
		}
		if object.Parent() != pkg.Scope() {
			continue // a field
		}
		a, ok := find(c.lesson, pkg.Path())
		if !ok {
			continue // the import has been refused
		}
		if reason := a.objects(object.Name()); reason != "" {
			c.refuse(id.Pos(), ruleName, "%s.%s may not be used here, %s", pkg.Name(), object.Name(), reason)
		}
	}
}

// written judges what is assigned to, or whose address is taken.
func (c *check) written(e ast.Expr) {
	for e != nil {
		switch x := e.(type) {
		case *ast.ParenExpr:
			e = x.X
		case *ast.StarExpr:
			e = x.X
		case *ast.IndexExpr:
			e = x.X
		case *ast.SliceExpr:
			e = x.X
		case *ast.SelectorExpr:
			if v, ok := c.packageVar(x.Sel); ok {
				c.refuse(x.Pos(), ruleForeign, "%s.%s belongs to another package, and everybody counts on it: leave it as it is", v.Pkg().Name(), v.Name())
				return
			}
			e = x.X
		case *ast.Ident:
			if v, ok := c.packageVar(x); ok && c.isGivenError(v.Name()) {
				c.refuse(x.Pos(), ruleGiven, "%s is given: leave it as it is", v.Name())
			}
			return
		default:
			return
		}
	}
}

// packageVar returns the package-level variable, of whichever package, that the
// identifier means.
func (c *check) packageVar(id *ast.Ident) (*types.Var, bool) {
	v, ok := c.info.Uses[id].(*types.Var)
	return v, ok && !v.IsField() && v.Pkg() != nil && v.Parent() == v.Pkg().Scope()
}

// asserted judges the type of a type assertion.
func (c *check) asserted(e ast.Expr) {
	if e == nil {
		return // x.(type)
	}
	t := c.info.TypeOf(e)
	if t == nil {
		return
	}
	i, ok := t.Underlying().(*types.Interface)
	if !ok {
		return
	}
	for m := range i.Methods() {
		if m.Pkg() == c.pkg && slices.Contains(instruments, m.Name()) {
			c.refuse(e.Pos(), ruleInstrument, "do not ask what you are given for its method %s: use it by the type that the signature names", m.Name())
		}
	}
}

func (c *check) interfaceMethods(i *ast.InterfaceType) {
	for _, field := range i.Methods.List {
		for _, name := range field.Names {
			if reason, ok := methods[name.Name]; ok {
				c.refuse(name.Pos(), ruleMethod, "the method %s may not be asked for, %s", name.Name, reason)
			}
		}
	}
}

// literal returns how many bytes the compiler writes down for a composite
// literal, without the literals in it: of a list all elements up to the last.
func (c *check) literal(lit *ast.CompositeLit, measured map[types.Type]int64) int64 {
	t := c.info.TypeOf(lit)
	if t == nil {
		return 0
	}
	s, ok := t.Underlying().(*types.Slice)
	if !ok {
		return size(t, measured)
	}
	elements := int64(len(lit.Elts))
	for _, e := range lit.Elts {
		if pair, ok := e.(*ast.KeyValueExpr); ok && c.info.Types[pair.Key].Value != nil {
			n, exact := constant.Int64Val(constant.ToInt(c.info.Types[pair.Key].Value))
			if !exact || n > maxValue {
				return maxValue + 1
			}
			elements = max(elements, n+1)
		}
	}
	return min(elements*size(s.Elem(), measured), maxValue+1)
}

// size returns how many bytes a value of the type takes, or more than maxValue.
// Unlike types.Sizes it looks at each type once, however often it is contained.
func size(t types.Type, known map[types.Type]int64) int64 {
	if n, ok := known[t]; ok {
		return n
	}
	known[t] = 0 // an invalid type may contain itself
	const tooLarge = maxValue + 1
	n := int64(8)
	switch u := t.Underlying().(type) {
	case *types.Basic:
		if u.Kind() != types.Invalid && u.Info()&types.IsUntyped == 0 {
			n = sizes.Sizeof(u)
		}
	case *types.Array:
		one := size(u.Elem(), known)
		if u.Len() < 0 || one > 0 && u.Len() > tooLarge/one {
			n = tooLarge
		} else {
			n = one * u.Len()
		}
		if u.Len() > tooLarge {
			n = tooLarge // of nothing, but who needs that
		}
	case *types.Struct:
		n = 0
		for f := range u.Fields() {
			n = min(n+(size(f.Type(), known)+7)&^7, tooLarge)
		}
	case *types.Tuple:
		n = 0
		for v := range u.Variables() {
			n = min(n+size(v.Type(), known), tooLarge)
		}
	case *types.Pointer:
		// Nobody needs a pointer to what nobody may have.
		if a, ok := u.Elem().Underlying().(*types.Array); ok && size(a, known) > maxValue {
			n = tooLarge
		}
	}
	known[t] = n
	return n
}

// initialiser returns what the package-level variable or constant is declared
// to be, if it is declared with a value of its own.
func (c *check) initialiser(name string) ast.Expr {
	for _, d := range c.file.Decls {
		group, ok := d.(*ast.GenDecl)
		if !ok {
			continue
		}
		for _, s := range group.Specs {
			spec, ok := s.(*ast.ValueSpec)
			if !ok || len(spec.Names) != len(spec.Values) {
				continue
			}
			for i, id := range spec.Names {
				if id.Name == name {
					return spec.Values[i]
				}
			}
		}
	}
	return nil
}

func (c *check) isGivenError(name string) bool {
	return slices.Contains(given[c.lesson].errors, name)
}

// givenParts judges whether the constants and errors that the starter gives are
// what they were. Those that are gone are the compiler's business.
func (c *check) givenParts() {
	if c.pkg == nil {
		return
	}
	for name, want := range given[c.lesson].constants {
		object, ok := c.pkg.Scope().Lookup(name).(*types.Const)
		if !ok {
			if o := c.pkg.Scope().Lookup(name); o != nil {
				c.refuse(o.Pos(), ruleGiven, "%s is given as a constant: leave it as it is in the starter", name)
			}
			continue
		}
		if got := object.Val().ExactString(); got != want {
			c.refuse(object.Pos(), ruleGiven, "%s is given: leave it as it is in the starter", name)
		}
	}
	for _, name := range given[c.lesson].errors {
		if object := c.pkg.Scope().Lookup(name); object != nil && !c.isNewError(c.initialiser(name)) {
			c.refuse(object.Pos(), ruleGiven, "%s is given as an error of its own, made by errors.New: leave it as it is in the starter", name)
		}
	}
}

// isNewError tells whether e is errors.New of a constant.
func (c *check) isNewError(e ast.Expr) bool {
	call, ok := e.(*ast.CallExpr)
	if !ok || len(call.Args) != 1 || c.info.Types[call.Args[0]].Value == nil {
		return false
	}
	f := c.called(call)
	return f != nil && f.FullName() == "errors.New"
}
