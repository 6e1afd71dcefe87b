package gate

import (
	"go/ast"
	"go/token"
)

// unfolding estimates how large the constants, types and generic functions of a
// file become when the compiler writes them out: a dozen lines, each twice as
// large as the one before, are a gigabyte. Names are taken as they stand, without
// their scopes; what has the same name counts together. The estimate is never
// too small.
type unfolding struct {
	decls map[string]*decl
	order []*decl
	texts map[ast.Expr]int // what text has found out
}

// decl is everything in a file that is declared with one name.
type decl struct {
	name string
	pos  token.Pos

	values   []ast.Expr // of constants
	length   int        // of the longest of the constants, in bytes
	measured bool

	refs    []string // every use of a type or of a generic function
	written int      // how many names it has, written out
	state   int      // of the computation of written: 0 not begun, 1 begun, 2 done

	of *unfolding
}

// saturated is as large as an estimate gets.
const saturated = 1 << 40

func newUnfolding(file *ast.File) *unfolding {
	u := &unfolding{decls: map[string]*decl{}, texts: map[ast.Expr]int{}}
	// What refers to what can only be told when all names are known.
	bodies := map[*decl][]ast.Node{}
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.GenDecl:
			if n.Tok == token.CONST {
				u.constants(n)
			}
		case *ast.TypeSpec:
			d := u.decl(n.Name)
			bodies[d] = append(bodies[d], n.Type)
			if n.TypeParams != nil {
				bodies[d] = append(bodies[d], n.TypeParams)
			}
		case *ast.FuncDecl:
			name := n.Name
			if n.Recv != nil {
				name = genericReceiver(n.Recv)
			} else if n.Type.TypeParams == nil {
				name = nil
			}
			if name != nil {
				d := u.decl(name)
				bodies[d] = append(bodies[d], n.Type)
				if n.Body != nil {
					bodies[d] = append(bodies[d], n.Body)
				}
			}
		}
		return true
	})
	for d, nodes := range bodies {
		for _, n := range nodes {
			ast.Inspect(n, func(n ast.Node) bool {
				switch n := n.(type) {
				case *ast.Field:
					// The tree has a, b T once.
					for range len(n.Names) - 1 {
						ast.Inspect(n.Type, func(n ast.Node) bool { u.refer(d, n); return true })
					}
				case *ast.SelectorExpr:
					ast.Inspect(n.X, func(n ast.Node) bool { u.refer(d, n); return true })
					return false
				default:
					u.refer(d, n)
				}
				return true
			})
		}
	}
	return u
}

func (u *unfolding) decl(name *ast.Ident) *decl {
	d, ok := u.decls[name.Name]
	if !ok {
		d = &decl{name: name.Name, pos: name.Pos(), of: u}
		u.decls[name.Name] = d
		u.order = append(u.order, d)
	}
	return d
}

func (u *unfolding) refer(d *decl, n ast.Node) {
	if id, ok := n.(*ast.Ident); ok && u.decls[id.Name] != nil {
		d.refs = append(d.refs, id.Name)
	}
}

// genericReceiver returns the name of a method's type if it has parameters.
func genericReceiver(recv *ast.FieldList) *ast.Ident {
	if len(recv.List) == 0 {
		return nil
	}
	t := ast.Unparen(recv.List[0].Type)
	if star, ok := t.(*ast.StarExpr); ok {
		t = ast.Unparen(star.X)
	}
	switch i := t.(type) {
	case *ast.IndexExpr:
		t = i.X
	case *ast.IndexListExpr:
		t = i.X
	default:
		return nil
	}
	name, _ := ast.Unparen(t).(*ast.Ident)
	return name
}

// constants notes what each constant is; without a value it repeats the one
// before.
func (u *unfolding) constants(group *ast.GenDecl) {
	var last []ast.Expr
	for _, s := range group.Specs {
		spec, ok := s.(*ast.ValueSpec)
		if !ok {
			continue
		}
		if len(spec.Values) > 0 {
			last = spec.Values
		}
		for i, name := range spec.Names {
			if i < len(last) {
				d := u.decl(name)
				d.values = append(d.values, last[i])
			}
		}
	}
}

// size returns how many names there are in the declaration, written out.
func (u *unfolding) size(d *decl) int {
	switch d.state {
	case 1:
		return 1 // it contains itself, and the compiler has its own rules for that
	case 2:
		return d.written
	}
	d.state, d.written = 1, 1
	for _, name := range d.refs {
		d.written = min(d.written+u.size(u.decls[name]), saturated)
	}
	d.state = 2
	return d.written
}

// text returns the length of the longest string that the declaration stands
// for.
func (d *decl) text() int {
	if !d.measured {
		d.measured = true
		for _, v := range d.values {
			d.length = max(d.length, d.of.text(v))
		}
	}
	return d.length
}

// text returns how long the string is at most that an expression is if it is
// constant; zero if it is none.
func (u *unfolding) text(e ast.Expr) int {
	n, ok := u.texts[e]
	if !ok {
		n = u.measure(e)
		u.texts[e] = n
	}
	return n
}

func (u *unfolding) measure(e ast.Expr) int {
	switch e := e.(type) {
	case *ast.BasicLit:
		if e.Kind == token.STRING {
			return len(e.Value)
		}
		return 4 // a character
	case *ast.Ident:
		if d := u.decls[e.Name]; d != nil {
			return d.text()
		}
	case *ast.ParenExpr:
		return u.text(e.X)
	case *ast.SelectorExpr:
		return 256 // a constant of some package; none of them is longer
	case *ast.CallExpr:
		if len(e.Args) == 1 {
			return u.text(e.Args[0]) // maybe a conversion
		}
	case *ast.BinaryExpr:
		if e.Op == token.ADD {
			return min(u.text(e.X)+u.text(e.Y), saturated)
		}
	}
	return 0
}
