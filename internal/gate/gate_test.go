package gate_test

import (
	"context"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"conclab/internal/bank"
	"conclab/internal/gate"
	"conclab/internal/gradebook"
	"conclab/lessons"
)

const root = "../.."

// dishonest are those of the known wrong answers that break rules of the gate,
// too.
var dishonest = []string{"processes/reject/crash-of-zero-ignored"}

func TestEveryKnownAnswerPasses(t *testing.T) {
	g := gate.New(root)
	for _, lesson := range lessons.All() {
		variants, err := bank.Load(root, lesson)
		require.NoError(t, err)
		for _, v := range variants {
			findings, build, err := g.Check(t.Context(), lesson.Name, gradebook.File{Path: lesson.Name + ".go", Source: v.Source})
			require.NoError(t, err, v.String())
			assert.Empty(t, build, v.String())
			if slices.Contains(dishonest, v.String()) {
				assert.NotEmpty(t, findings, v.String())
				continue
			}
			assert.Empty(t, findings, v.String())
		}
	}
}

// check returns the findings for a file of the lesson echo, as LINE RULE, and
// what they say.
func check(t *testing.T, g *gate.Gate, source string) (found []string, text, build string) {
	t.Helper()
	findings, build, err := g.Check(t.Context(), "echo", gradebook.File{Path: "echo.go", Source: []byte(source)})
	require.NoError(t, err)
	for _, f := range findings {
		found = append(found, fmt.Sprintf("%d %s", f.Line, f.Rule))
		text += f.Message + "\n"
	}
	return found, text, build
}

func TestHonestFilesPass(t *testing.T) {
	g := gate.New(root)
	for name, body := range map[string]string{
		"a shadowed package":     "func f() { var os exits; os.Exit(1) }\n\ntype exits struct{}\n\nfunc (exits) Exit(int) {}",
		"names that are not bad": "type book struct{ File string }\n\nfunc (book) Fatal() {}\n\nfunc (b book) f() string { b.Fatal(); return b.File }",
		"init as a method":       "type t struct{}\n\nfunc (t) init() {}\n\nfunc f() { init := 1; _ = init }",
		"comments":               "// go:norace is a directive, and // +x is not; import \"os\" is neither\n\n/* go:build */\n//lint:ignore x y\n//line by line\n//nolint:errcheck\nfunc f() {}",
		"strings":                "const s = \"//go:norace import \\\"C\\\" init()\"\n\nvar raw = `\n//go:build x\n//line x.go:1\n`",
		"assertions at build":    "import \"io\"\n\nvar _ io.Reader = (*r)(nil)\nvar _ io.Reader = r{}\n\ntype r struct{}\n\nfunc (r) Read([]byte) (int, error) { return 0, io.EOF }",
		"tables":                 "import (\n\t\"strings\"\n\t\"unicode/utf8\"\n)\n\nvar table = fill()\n\nvar lower = strings.NewReplacer(\"A\", \"a\")\n\nvar ops = map[string]func(int) int{\"twice\": func(n int) int { return 2 * n }, \"same\": same(1)}\n\nfunc same(by int) func(int) int { return func(n int) int { return n * by } }\n\nfunc fill() (t [256]int) {\n\tfor i := range t {\n\t\tt[i] = utf8.RuneLen(rune(i))\n\t}\n\treturn t\n}",
		"errors":                 "import (\n\t\"errors\"\n\t\"fmt\"\n\t\"io\"\n)\n\nvar errA = errors.New(\"a\")\nvar errB = fmt.Errorf(\"b: %w, %w\", errA, io.EOF)",
		"interfaces asked for":   "import \"net\"\n\nfunc f(err error, c net.Conn) {\n\t_, _ = err.(interface{ Timeout() bool })\n\tif t, ok := c.(*net.TCPConn); ok {\n\t\t_ = t.CloseWrite()\n\t}\n\t_, _ = c.(interface{ CloseWrite() error })\n\tvar e net.Error\n\t_ = e\n}",
		"deadlines":              "import (\n\t\"errors\"\n\t\"os\"\n)\n\nfunc f(err error) bool { return errors.Is(err, os.ErrDeadlineExceeded) }",
		"a group":                "import (\n\t\"context\"\n\n\t\"golang.org/x/sync/errgroup\"\n)\n\nfunc f(ctx context.Context) error {\n\tg, _ := errgroup.WithContext(ctx)\n\tg.Go(func() error { return nil })\n\treturn g.Wait()\n}",
		"a log":                  "import (\n\t\"io\"\n\t\"log\"\n)\n\nfunc f(w io.Writer) { log.New(w, \"\", 0).Print(\"hello\"); log.Println() }",
		"a renamed import":       "import str \"strings\"\n\nvar s = str.ToUpper(\"a\")",
		"own globals":            "var count int\n\nfunc f() { count++; p := &count; *p = 2; ptr := &s; ptr.n = 1 }\n\nvar s struct{ n int }",
		"a megabyte":             "const maxBody = 1 << 20\n\nfunc f() int { var b [maxBody]byte; return len(b) }",
		"processors":             "import \"runtime\"\n\nfunc f() int { runtime.Gosched(); return runtime.NumCPU() }",
		"growing types":          "type pair[A, B any] struct {\n\ta A\n\tb B\n}\n\nfunc both[A, B any](a A, b B) pair[A, B] { return pair[A, B]{a, b} }\n\nfunc f() any { return both(both(1, \"a\"), both(both(2, 3), 4)) }",
		"deep but flat":          "func f(n int) int {\n\tif n == 0 {\n\t\treturn 0" + strings.Repeat("\n\t} else if n == 1 {\n\t\treturn 1", 200) + "\n\t}\n\treturn n" + strings.Repeat(" + n", 500) + "\n}",
	} {
		t.Run(name, func(t *testing.T) {
			found, text, build := check(t, g, "package echo\n\n"+body+"\n")
			assert.Empty(t, build)
			assert.Empty(t, found, text)
		})
	}
}

func TestWhatIsRefused(t *testing.T) {
	g := gate.New(root)
	for name, c := range map[string]struct{ body, want string }{
		"a method by embedding":         {"import \"log\"\n\ntype l struct{ *log.Logger }\n\nfunc f(x l) { x.Fatalln() }", "7 method"},
		"a method value":                {"import \"log\"\n\nfunc f(x *log.Logger) func(...any) { return x.Fatal }", "5 method"},
		"a method expression":           {"import \"log\"\n\nvar f = (*log.Logger).Fatalf", "5 method"},
		"a name by an alias":            {"import l \"log\"\n\nvar f = l.Fatal", "5 name"},
		"a type by an alias":            {"import \"net\"\n\ntype d = net.Dialer", "5 name"},
		"a constraint":                  {"type c interface{ Fatal(...any) }\n\nfunc f[T c](x T) { x.Fatal() }", "3 method"},
		"the default logger":            {"import \"log\"\n\nfunc f() { log.Default().SetOutput(nil); log.SetOutput(nil) }", "5 name"},
		"a dot":                         {"import . \"strings\"\n\nvar s = ToUpper(\"a\")", "3 import"},
		"a blank":                       {"import _ \"strings\"", "3 import"},
		"os by name":                    {"import \"os\"\n\nfunc f() { os.Exit(0) }", "5 name"},
		"os.Args":                       {"import \"os\"\n\nfunc f() { os.Args = nil }", "5 name"},
		"a loop to a foreign variable":  {"import \"io\"\n\nfunc f(all []error) { for _, io.EOF = range all {} }", "5 foreign"},
		"a received foreign variable":   {"import \"io\"\n\nfunc f(c chan error) { select { case io.EOF = <-c: } }", "5 foreign"},
		"a parenthesis":                 {"import \"io\"\n\nfunc f() { (io.EOF) = nil }", "5 foreign"},
		"a foreign field":               {"import \"net\"\n\nfunc f() { net.DefaultResolver.PreferGo = true }", "5 foreign"},
		"a directive behind code":       {"var x = 1 //go:norace", "3 directive"},
		"a line in a comment":           {"/*line x.go:1:1*/ var x = 1", "3 directive"},
		"a constant that is a variable": {"var MaxMessage = 100", "3 given"},
		"another constant":              {"const MaxMessage = 101", "3 given"},
		"a go at the start":             {"var x = f()\n\nfunc f() int { go f(); return 1 }", "5 start"},
		"a literal at the start":        {"var x = func() int { go println(); return 1 }()", "3 start"},
		"a goroutine far from there":    {"import \"slices\"\n\nvar x = slices.IndexFunc([]int{1}, func(int) bool { go println(); return true })", "5 start"},
		"a method of one's own":         {"var x = t{}.f()\n\ntype t struct{}\n\nfunc (t) f() int { select {} }", "7 start"},
		"a generic function":            {"var x = f[int](nil)\n\nfunc f[T any](c chan T) T { return <-c }", "5 start"},
		"a stringer at the start":       {"import \"fmt\"\n\nvar x = fmt.Errorf(\"%v\", t{})\n\ntype t struct{}\n\nfunc (t) String() string { return \"\" }", "5 start"},
		"a sleep at the start":          {"import (\n\t\"time\"\n)\n\nvar _ = func() int { time.Sleep(1); return 1 }()", "7 start"},
		"a function as a value":         {"var f = func() int { return 1 }\n\nvar x = f()", "5 start"},
		"a number of too many digits":   {"var x = 0." + strings.Repeat("1", 200), "3 size"},
		"arrays in arrays":              {"type a [1000][1000][1000]int", "3 size"},
		"an array behind a pointer":     {"func f() any { return new([1 << 30]byte) }", "3 size"},
		"a struct of structs":           {"type a struct{ x [8000]int64 }\ntype b [100]a\ntype c [100]b\n\nvar x c", "7 size"},
		"many large values":             {"type a [1 << 20]byte\n\nvar x = []a{" + strings.Repeat("{1}, ", 20) + "}", "5 size"},
		"strings in several scopes":     {"const a = \"" + strings.Repeat("x", 1000) + "\"\n\nfunc f() string { const b = a + a + a + a + a + a + a + a + a; const c = b + b + b + b + b + b + b + b; return c }", "5 size"},
		"a string from itself":          {"const a = \"" + strings.Repeat("x", 3000) + "\"\n\nvar s = " + strings.Repeat("a+", 30) + "a", "5 size"},
	} {
		t.Run(name, func(t *testing.T) {
			found, text, _ := check(t, g, "package echo\n\n"+c.body+"\n")
			assert.Contains(t, found, c.want, text)
		})
	}
}

func TestManyMayAskAtTheSameTime(t *testing.T) {
	g := gate.New(root)
	var group sync.WaitGroup
	for _, lesson := range lessons.Names() {
		source, err := os.ReadFile(filepath.Join(root, "solutions", lesson, lesson+".go"))
		require.NoError(t, err)
		for range 3 {
			group.Go(func() {
				findings, build, err := g.Check(t.Context(), lesson, gradebook.File{Path: lesson + ".go", Source: source})
				assert.NoError(t, err)
				assert.Empty(t, findings)
				assert.Empty(t, build)
			})
		}
	}
	group.Wait()
}

func TestAGateThatCannotLook(t *testing.T) {
	source := []byte("package echo\n\nimport \"io\"\n\nvar _ io.Reader\n")
	_, _, err := gate.New(filepath.Join(t.TempDir(), "nowhere")).Check(t.Context(), "echo", gradebook.File{Path: "echo.go", Source: source})
	assert.ErrorContains(t, err, "asking the go command for packages")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, _, err = gate.New(root).Check(ctx, "echo", gradebook.File{Path: "echo.go", Source: source})
	assert.ErrorIs(t, err, context.Canceled)
}

func TestAGateWhoseCacheIsCleaned(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("skipped, because the go command that it stands in for is a script")
	}
	bin := t.TempDir()
	gone := filepath.Join(bin, "gone")
	require.NoError(t, os.WriteFile(filepath.Join(bin, "go"), []byte("#!/bin/sh\nprintf 'io\\t"+gone+"\\n'\n"), 0o755))
	source := []byte("package echo\n\nimport \"io\"\n\nvar _ io.Reader\n")
	g, path := gate.New(root), os.Getenv("PATH")
	t.Setenv("PATH", bin+string(os.PathListSeparator)+path)
	_, build, err := g.Check(t.Context(), "echo", gradebook.File{Path: "echo.go", Source: source})
	assert.ErrorContains(t, err, "reading the types of package io")
	assert.Empty(t, build, "it is the file's fault")

	t.Setenv("PATH", path)
	_, build, err = g.Check(t.Context(), "echo", gradebook.File{Path: "echo.go", Source: source})
	assert.NoError(t, err, "it does not ask again")
	assert.NotContains(t, build, "import")
}

func TestWhatIsNoText(t *testing.T) {
	g := gate.New(root)
	found, text, _ := check(t, g, "package echo // \xff")
	assert.Equal(t, []string{"0 file"}, found)
	assert.Contains(t, text, "save it as UTF-8")
	found, text, _ = check(t, g, "package echo\n"+strings.Repeat("\n", gate.MaxSize))
	assert.Equal(t, []string{"0 file"}, found)
	assert.Contains(t, text, "more than 64 KiB")
}

func TestWhatDoesNotCompile(t *testing.T) {
	g := gate.New(root)
	for source, want := range map[string]string{
		"":                                      "echo.go:1:1: expected 'package', found 'EOF'",
		"package echo\n\nfunc f() { return 1 }": "echo.go:3:19: too many return values have (number) want ()",
		"package echo\n\nimport \"io\"\n":       "echo.go:3:8: \"io\" imported and not used",
		"package echo\n\nfunc f(":               "echo.go:3:8: expected ')', found 'EOF'",
		"package echo\n\nvar a int\nvar a int":  "echo.go:3:5: \tother declaration of a\necho.go:4:5: a redeclared in this block",
	} {
		found, _, build := check(t, g, source)
		assert.Empty(t, found)
		assert.Equal(t, strings.ReplaceAll(want, "\t", ""), build)
	}
	many := "package echo\n" + strings.Repeat("\nvar _ = nothing", 50)
	_, _, build := check(t, g, many)
	assert.Equal(t, 10, strings.Count(build, "\n"))
}

// TestNothingTakesLong has the gate read what was made to keep it busy.
func TestNothingTakesLong(t *testing.T) {
	g := gate.New(root)
	fill := func(before, unit, middle, back, after string) string {
		n := (gate.MaxSize - len(before) - len(middle) - len(after) - 100) / (len(unit) + len(back))
		return "package echo\n\n" + before + strings.Repeat(unit, n) + middle + strings.Repeat(back, n) + after + "\n"
	}
	doubling := func(format, last string, n int) string {
		var b strings.Builder
		b.WriteString("package echo\n\n")
		for i := range n {
			b.WriteString(strings.NewReplacer("#", fmt.Sprint(i+1), "@", fmt.Sprint(i)).Replace(format))
		}
		return b.String() + last
	}
	for name, source := range map[string]string{
		"parentheses":       fill("var x = ", "(", "1", ")", ""),
		"a sum":             fill("func f(n int) int { return n", "+n", "", "", "}"),
		"a constant sum":    fill("const x = 1", "+1", "", "", ""),
		"a sum of strings":  fill("const x = \"\"", "+\"\"", "", "", ""),
		"calls":             fill("func f(n int) int { return ", "f(", "1", ")", "}"),
		"generic calls":     fill("func g[T any](x T) T { return x }\n\nvar x = ", "g(", "1", ")", ""),
		"method calls":      fill("type t int\n\nfunc (x t) f() t { return x }\n\nfunc h(x t) t { return x", ".f()", "", "", "}"),
		"functions":         fill("var f = ", "func() any { return ", "1", "}", ""),
		"blocks":            fill("func f() ", "{", "", "}", ""),
		"pointers":          fill("var x ", "*", "int", "", ""),
		"slices":            fill("var x ", "[]", "int", "", ""),
		"arrays":            fill("var x ", "[9]", "int", "", ""),
		"signs":             fill("var x = ", "- ", "1", "", ""),
		"else if":           fill("func f(n int) { if n == 0 {", "} else if n == 1 {", "", "", "}}"),
		"types in types":    fill("type p[T any] struct{ x T }\n\nvar x ", "p[", "int", "]", ""),
		"structs":           fill("var x ", "struct{a ", "int", "}", ""),
		"elements":          fill("var x = []int{", "1,", "", "", "}"),
		"elements in lists": fill("var x = []any{", "[]any{", "1", "}", "}"),
		"cases":             fill("func f(n int) { switch n {", "case n:", "", "", "}}"),
		"variables":         fill("func f() {", "var a int;", "", "", "}"),
		"shifts":            fill("const x = 1", "<<1", "", "", ""),
		"products":          doubling("const c# = c@ * c@\n", "const c0 = 1.1", 2000),
		"quotients":         doubling("const c# = c@ * c@ / 7\n", "const c0 = 1.0 / 3", 2000),
		"powers":            doubling("const c# = c@ * c@\n", "const c0 = 3", 2000),
		"strings":           doubling("const c# = c@ + c@\n", "const c0 = \"x\"", 60),
		"structs twice":     doubling("type t# struct{ a, b t@ }\n", "type t0 int\n\nvar x t60", 60),
		"aliases":           doubling("type t# = p[t@, t@]\n", "type t0 = int\n\ntype p[A, B any] struct{}\n\nvar x t60", 60),
		"generic structs":   doubling("type t#[T any] struct{ a t@[p[T, T]]; b t@[T] }\n", "type t0[T any] struct{}\n\ntype p[A, B any] struct{}\n\nvar x t60[int]", 60),
		"functions twice":   doubling("func f#[T any]() { f@[[]T](); f@[*T]() }\n", "func f0[T any]() {}\n\nvar x = f60[int]", 60),
		"inferred":          doubling("func f#[T any](x T) { f@([]T{x}); f@(&x) }\n", "func f0[T any](T) {}\n\nvar x = f60[int]", 60),
		"returned":          doubling("func f#[T any](x T) p[T, T] { return p[T, T]{f@(x), f@(x)} }\n", "func f0[T any](x T) T { return x }\n\ntype p[A, B any] struct { a, b any }", 60),
		"inferred inwards":  doubling("", "func p[A, B any](a A, b B) struct{ a A; b B } { return struct{ a A; b B }{a, b} }\n\nfunc f() { x := 1; _ = x", 0) + strings.Repeat("; { x := p(x, x)", 58) + strings.Repeat("}", 58) + "}",
		"inferred flat":     "package echo\n\ntype q[A, B any] struct{ a A; b B }\n\nfunc p[A, B any](a A, b B) q[A, B] { return q[A, B]{a, b} }\n\nfunc f() {\n\tx0 := 1\n" + doublingLines("\tx# := p(x@, x@)\n", 40) + "}\n",
		"methods flat":      "package echo\n\ntype q[A, B any] struct{ a A; b B }\n\nfunc (x q[A, B]) p() (y q[q[A, B], q[B, A]]) { return }\n\nfunc f() {\n\tx0 := q[int, int]{}\n" + doublingLines("\tx# := x@.p()\n", 40) + "}\n",
		"generic aliases":   "package echo\n\ntype q[A, B any] struct{ a A; b B }\n\ntype d[T any] = q[T, T]\n\nfunc p[A any](a A) (x d[A]) { return }\n\nfunc f() {\n\tx0 := 1\n" + doublingLines("\tx# := p(x@)\n", 40) + "}\n",
		"interfaces":        doubling("type i# interface{ i@; m#(i@) i# }\n", "type i0 interface{}\n\nvar x i300 = i300(nil)", 300),
		"embedded":          doubling("type t# struct{ t@; *u@ }\ntype u# struct{ t@; *u@ }\n", "type t0 struct{ n int }\ntype u0 struct{ n int }\n\nvar x = t25{}.missing", 25),
	} {
		t.Run(name, func(t *testing.T) {
			require.LessOrEqual(t, len(source), gate.MaxSize)
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			start := time.Now()
			found, _, build := check(t, g, source)
			took := time.Since(start)
			runtime.ReadMemStats(&after)
			t.Logf("%v, %d MiB allocated; %v %.80s", took, (after.TotalAlloc-before.TotalAlloc)>>20, found, build)
			assert.Less(t, took, 5*time.Second)
			assert.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(500<<20))
		})
	}
}

func doublingLines(format string, n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(strings.NewReplacer("#", fmt.Sprint(i+1), "@", fmt.Sprint(i)).Replace(format))
	}
	return b.String()
}

func TestEveryImportExists(t *testing.T) {
	for _, lesson := range lessons.Names() {
		paths := gate.Imports(lesson)
		cmd := exec.Command("go", append([]string{"list", "--"}, paths...)...)
		cmd.Dir = root
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, string(out))
		for _, never := range []string{"os/exec", "syscall", "unsafe", "reflect", "plugin", "testing", "C", "embed", "flag", "path/filepath"} {
			assert.NotContains(t, paths, never)
		}
	}
}

// TestTheInstrumentsAreKnown holds the methods by which the tests' own things
// could be told from others against those that may not be asked for.
func TestTheInstrumentsAreKnown(t *testing.T) {
	ordinary := []string{
		"Accept", "Addr", "Close", "Deadline", "Done", "Err", "Join", "LocalAddr", "Read", "RemoteAddr", "String", "Value", "Write",
		"SetDeadline", "SetReadDeadline", "SetWriteDeadline",
	}
	g := gate.New(root)
	files, err := filepath.Glob(filepath.Join(root, "internal", "labtest", "*.go"))
	require.NoError(t, err)
	seen := 0
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
		require.NoError(t, err)
		for _, d := range parsed.Decls {
			f, ok := d.(*ast.FuncDecl)
			if !ok || f.Recv == nil || !f.Name.IsExported() || slices.Contains(ordinary, f.Name.Name) {
				continue
			}
			of := fmt.Sprint(f.Recv.List[0].Type)
			if strings.HasSuffix(of, " T}") || strings.HasSuffix(of, " Suite}") {
				continue // nobody gets those
			}
			seen++
			found, _, _ := check(t, g, fmt.Sprintf("package echo\n\nfunc f(x any) bool { _, ok := x.(interface{ %s() }); return ok }\n", f.Name.Name))
			assert.Equal(t, []string{"3 instrument"}, found, f.Name.Name)
		}
	}
	assert.Greater(t, seen, 10)
}

func TestAFileThatIsNoFile(t *testing.T) {
	g := gate.New(root)
	dir := t.TempDir()
	good, large := filepath.Join(dir, "good.go"), filepath.Join(dir, "large.go")
	require.NoError(t, os.WriteFile(good, []byte("package echo\n"), 0o600))
	require.NoError(t, os.WriteFile(large, make([]byte, gate.MaxSize+1), 0o600))
	_, findings, _, err := g.File(t.Context(), "echo", good)
	require.NoError(t, err)
	assert.Empty(t, findings)
	for file, want := range map[string]string{large: "more than 64 KiB", dir: "no regular file"} {
		_, findings, _, err = g.File(t.Context(), "echo", file)
		require.NoError(t, err)
		require.Len(t, findings, 1)
		assert.Contains(t, findings[0].Message, want)
	}
	link := filepath.Join(dir, "link.go")
	if err := os.Symlink(good, link); err == nil {
		_, findings, _, err = g.File(t.Context(), "echo", link)
		require.NoError(t, err)
		require.Len(t, findings, 1)
		assert.Contains(t, findings[0].Message, "link")
	}
	_, _, _, err = g.File(t.Context(), "echo", filepath.Join(dir, "nowhere.go"))
	assert.ErrorIs(t, err, fs.ErrNotExist)
}

func BenchmarkCheck(b *testing.B) {
	g := gate.New(root)
	source, err := os.ReadFile(filepath.Join(root, "solutions", "echo", "echo.go"))
	require.NoError(b, err)
	for b.Loop() {
		_, _, err := g.Check(b.Context(), "echo", gradebook.File{Path: "echo.go", Source: source})
		require.NoError(b, err)
	}
}
