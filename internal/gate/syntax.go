package gate

import (
	"go/ast"
	"go/token"
	"path"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Limits on what a file may make the compiler do. The largest right answer that
// the lab knows stays far below each of them.
const (
	maxNesting   = 60       // of blocks, types, calls and the like in each other
	maxDepth     = 1000     // of the syntax tree
	maxGrowth    = 1 << 16  // of types, by generic functions called one after the other
	maxString    = 64 << 10 // bytes of a constant string, concatenated
	maxUnfolding = 20_000   // of types and generic functions, written out
	maxNumber    = 100      // digits of a number
)

// syntax judges what needs no types. It also finds out whether it is safe to
// look for the types.
func (c *check) syntax() {
	if name := c.file.Name; name.Name != c.lesson {
		c.refuse(name.Pos(), rulePackage, "the package must be called %s, not %s", c.lesson, name.Name)
	}
	c.comments()
	c.importList()
	for _, d := range c.file.Decls {
		f, ok := d.(*ast.FuncDecl)
		switch {
		case !ok:
		case f.Body == nil:
			c.refuse(f.Pos(), ruleBody, "the function %s has no body: write it in Go", f.Name.Name)
		case f.Recv == nil && f.Name.Name == "init":
			c.refuse(f.Pos(), ruleInit, "init runs before every test: do the work in the function that needs it")
		}
	}
	c.bombs()
}

func (c *check) comments() {
	for _, group := range c.file.Comments {
		for _, comment := range group.List {
			text := comment.Text
			switch {
			case strings.HasPrefix(text, "//go:"):
				directive, _, _ := strings.Cut(text, " ")
				c.refuse(comment.Pos(), ruleDirective, "%s is an order to the go command, not a comment: leave it out", clip(directive))
			case isBuildConstraint(text):
				c.refuse(comment.Pos(), ruleDirective, "// +build is an order to the go command, not a comment: leave it out")
			case (strings.HasPrefix(text, "//line ") || strings.HasPrefix(text, "/*line ")) && strings.Contains(text, ":"):
				c.refuse(comment.Pos(), ruleDirective, "a line directive makes messages name wrong lines: leave it out")
			case strings.HasPrefix(text, "//export ") || strings.HasPrefix(text, "//extern "):
				c.refuse(comment.Pos(), ruleDirective, "%s is an order to the compiler, not a comment: leave it out", text[:len("//export")])
			}
			c.hidden(comment.Pos(), text)
		}
	}
	ast.Inspect(c.file, func(n ast.Node) bool {
		if lit, ok := n.(*ast.BasicLit); ok {
			c.hidden(lit.Pos(), lit.Value)
		}
		return true
	})
}

// isBuildConstraint tells whether a comment is a build constraint as they were
// written before Go 1.17.
func isBuildConstraint(text string) bool {
	rest, ok := strings.CutPrefix(text, "//")
	return ok && strings.HasPrefix(strings.TrimSpace(rest), "+build ")
}

// hidden refuses characters that make a text look other than it is.
func (c *check) hidden(pos token.Pos, text string) {
	if i := strings.IndexFunc(text, isHidden); i >= 0 {
		r, _ := utf8.DecodeRuneInString(text[i:])
		c.refuse(pos, ruleCharacters, "the invisible character %U makes the text look other than it is: leave it out, or write it as \\u%04x", r, r)
	}
}

// isHidden tells whether r changes the direction of the text that follows.
func isHidden(r rune) bool {
	return r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069 || r == 0x200e || r == 0x200f || r == 0x061c
}

func (c *check) importList() {
	for _, spec := range c.file.Imports {
		to, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			continue // the parser has complained
		}
		_, allowed := find(c.lesson, to)
		switch {
		case !allowed:
			c.refuse(spec.Pos(), RuleImport, "%s", whyNotImport(clip(to)))
		case spec.Name != nil && (spec.Name.Name == "." || spec.Name.Name == "_"):
			c.refuse(spec.Pos(), RuleImport, "import %q as itself, not as %q, so that a reader sees what comes from it", path.Base(to), spec.Name.Name)
		default:
			c.imports = append(c.imports, to)
		}
	}
}

// bombs refuses what could keep the compiler busy for minutes, or take all the
// memory that there is. Everything here is counted on the tree alone, because
// looking up the types would have the same trouble.
func (c *check) bombs() {
	nesting := 0
	var deepest token.Pos
	var levels []bool // whether each counts
	ast.Inspect(c.file, func(n ast.Node) bool {
		if n == nil {
			if levels[len(levels)-1] {
				nesting--
			}
			levels = levels[:len(levels)-1]
			return true
		}
		levels = append(levels, nests(n))
		if nests(n) {
			nesting++
		}
		if (nesting > maxNesting || len(levels) > maxDepth) && !deepest.IsValid() {
			deepest = n.Pos()
		}
		if lit, ok := n.(*ast.BasicLit); ok && lit.Kind != token.STRING && len(lit.Value) > maxNumber {
			c.tooMuchAt(lit.Pos(), "this number has %d characters, and may have %d", len(lit.Value), maxNumber)
		}
		return true
	})
	if deepest.IsValid() {
		c.tooMuchAt(deepest, "this is nested too deep: split it up")
		return
	}
	c.growth()

	u := newUnfolding(c.file)
	for _, d := range u.order {
		if d.text() > maxString {
			c.tooMuchAt(d.pos, "the constant %s would be a string of more than %d KiB", clip(d.name), maxString>>10)
			return
		}
		if u.size(d) > maxUnfolding {
			c.tooMuchAt(d.pos, "%s, written out, would be too large to compile: use fewer types inside of types", clip(d.name))
			return
		}
	}
	ast.Inspect(c.file, func(n ast.Node) bool {
		if e, ok := n.(*ast.BinaryExpr); ok && u.text(e) > maxString {
			c.tooMuchAt(e.Pos(), "this would be a string of more than %d KiB", maxString>>10)
			return false
		}
		return !c.tooMuch
	})
}

// growth refuses chains of generic functions whose result is a larger type than
// their arguments: x := pair(x, x), again and again, doubles a type each time.
func (c *check) growth() {
	factors := map[string]int{}
	for _, d := range c.file.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			parameters := map[string]bool{}
			if d.Recv != nil {
				ast.Inspect(d.Recv, func(n ast.Node) bool {
					switch n := n.(type) {
					case *ast.IndexExpr:
						note(parameters, n.Index)
					case *ast.IndexListExpr:
						note(parameters, n.Indices...)
					}
					return true
				})
			}
			if list := d.Type.TypeParams; list != nil {
				for _, f := range list.List {
					for _, name := range f.Names {
						note(parameters, name)
					}
				}
			}
			if d.Type.Results == nil {
				continue
			}
			for _, result := range d.Type.Results.List {
				uses := 0
				ast.Inspect(result.Type, func(n ast.Node) bool {
					if id, ok := n.(*ast.Ident); ok && parameters[id.Name] {
						uses++
					}
					if f, ok := n.(*ast.Field); ok && len(f.Names) > 1 {
						uses += len(f.Names)
					}
					return true
				})
				factors[d.Name.Name] = max(factors[d.Name.Name], uses)
			}
		case *ast.GenDecl:
			for _, s := range d.Specs {
				if t, ok := s.(*ast.TypeSpec); ok && t.Assign.IsValid() && t.TypeParams != nil {
					c.tooMuchAt(t.Pos(), "nobody needs an alias with type parameters here: declare a type")
				}
			}
		}
	}
	grown := 1
	ast.Inspect(c.file, func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok && factors[id.Name] > 1 && grown <= maxGrowth {
			if grown *= factors[id.Name]; grown > maxGrowth {
				c.tooMuchAt(id.Pos(), "types grow too large by calling %s again and again", clip(id.Name))
			}
		}
		return true
	})
}

func note(set map[string]bool, names ...ast.Expr) {
	for _, e := range names {
		if id, ok := e.(*ast.Ident); ok {
			set[id.Name] = true
		}
	}
}

// nests tells whether a node counts as a level. Those do not that make a deep
// tree of a long, flat text: a + b + c, x.y().z(), else if.
func nests(n ast.Node) bool {
	switch n.(type) {
	case *ast.BlockStmt, *ast.CallExpr, *ast.FuncLit, *ast.CompositeLit, *ast.ParenExpr, *ast.IndexExpr, *ast.IndexListExpr, *ast.UnaryExpr, *ast.StarExpr,
		*ast.ArrayType, *ast.MapType, *ast.ChanType, *ast.FuncType, *ast.StructType, *ast.InterfaceType:
		return true
	}
	return false
}

func (c *check) tooMuchAt(pos token.Pos, format string, args ...any) {
	c.tooMuch = true
	c.refuse(pos, ruleSize, format, args...)
}

// clip shortens a text of the file for a message.
func clip(s string) string {
	if len(s) > 60 {
		return strings.ToValidUTF8(s[:60], "") + "…"
	}
	return s
}
