// Package gate decides, before anything is built or run, whether a file keeps
// the rules of the course for what may be handed in. Students ask it with
// lab check, and grading asks the very same code.
//
// What it promises:
//
//   - Nothing of the file is run, and no file is asked for that it names. Memory
//     and time are bounded, whatever is in it.
//   - It reads the syntax tree and the types, not the text: a name that is
//     shadowed, renamed, embedded or reached through an alias is taken for what
//     it is.
//   - Packages, and names in them, are allowed one by one; what nobody has
//     thought of is refused.
//   - Whatever is refused comes with its line and a sentence that says what to
//     do.
//
// What it does not promise: that a file which passes is harmless. It can still
// loop, fill the memory, print without end and panic. Limits on what runs are
// for those who run it.
package gate

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
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"

	"conclab/internal/gradebook"
)

// Version is that of the rules. It changes whenever a file may be judged
// otherwise than before.
const Version = "1"

// MaxSize is the most that a file may have, in bytes.
const MaxSize = 64 << 10

// A Gate judges files. It may be used by several goroutines.
type Gate struct {
	root string

	mu      sync.Mutex // guards what follows
	exports map[string]string
	files   *token.FileSet
	from    types.Importer
}

// New returns a gate for the lab's module at root. It needs the go command,
// which it asks for the types of the packages that a file imports.
func New(root string) *Gate {
	g := &Gate{root: root, exports: map[string]string{}, files: token.NewFileSet()}
	g.from = importer.ForCompiler(g.files, "gc", func(path string) (io.ReadCloser, error) {
		return os.Open(g.exports[path])
	})
	return g
}

// CompileError says that a file is no Go, or that its types do not fit. It
// is what the compiler would say, at most ten lines of FILE:LINE:COLUMN: TEXT.
type CompileError struct{ File, Text string }

func (e *CompileError) Error() string { return e.Text }

// Check judges the source of a lesson's file; name is what messages call it. It
// returns what is against the rules, in the order of the file. If nothing is,
// the error is a [*CompileError] for a file that cannot be compiled. A file
// with findings or an error must not be built. Any other error is no fault of
// the file: the go command failed, or ctx has ended.
func (g *Gate) Check(ctx context.Context, lesson, name string, source []byte) ([]gradebook.Finding, error) {
	c := &check{lesson: lesson, name: name, files: token.NewFileSet()}
	if !c.plain(source) {
		return c.findings, nil
	}
	file, err := parser.ParseFile(c.files, name, source, parser.ParseComments|parser.SkipObjectResolution)
	if file == nil {
		return nil, c.compileError(err)
	}
	c.file = file
	c.syntax()
	if c.tooMuch || err != nil {
		return c.result(err)
	}
	err = g.types(ctx, c)
	var wrong *CompileError
	if err != nil && !errors.As(err, &wrong) {
		return nil, err
	}
	return c.result(err)
}

// types looks up what every name in the file means, and judges that.
func (g *Gate) types(ctx context.Context, c *check) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if err := g.load(ctx, c.imports); err != nil {
		return err
	}
	c.info = &types.Info{
		Types:      map[ast.Expr]types.TypeAndValue{},
		Defs:       map[*ast.Ident]types.Object{},
		Uses:       map[*ast.Ident]types.Object{},
		Selections: map[*ast.SelectorExpr]*types.Selection{},
	}
	var wrong scanner.ErrorList
	config := types.Config{
		Importer: imports{g, c.imports},
		Sizes:    sizes,
		Error: func(err error) {
			var e types.Error
			if errors.As(err, &e) {
				wrong.Add(c.files.PositionFor(e.Pos, false), e.Msg)
			}
		},
	}
	c.pkg, _ = config.Check(module+"/exercises/"+c.lesson, c.files, []*ast.File{c.file}, c.info)
	c.meaning()
	if len(wrong) > 0 {
		return c.compileError(wrong)
	}
	return nil
}

// imports hands on the packages that have been loaded, and no others.
type imports struct {
	gate    *Gate
	allowed []string
}

func (i imports) Import(path string) (*types.Package, error) {
	if !slices.Contains(i.allowed, path) {
		return nil, errors.New("not allowed")
	}
	return i.gate.from.Import(path)
}

// load asks the go command where the types of the packages are written down.
func (g *Gate) load(ctx context.Context, paths []string) error {
	var missing []string
	for _, path := range paths {
		if _, ok := g.exports[path]; !ok {
			missing = append(missing, path)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	cmd := exec.CommandContext(ctx, "go", append([]string{"list", "-export", "-f", "{{.ImportPath}}\t{{.Export}}", "--"}, missing...)...)
	cmd.Dir = g.root
	cmd.Env = append(os.Environ(), "GOFLAGS=-buildvcs=false", "GOTOOLCHAIN=local")
	out, err := cmd.Output()
	if err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			err = fmt.Errorf("%w: %s", err, strings.TrimSpace(string(exit.Stderr)))
		}
		return fmt.Errorf("asking the go command for packages: %w", err)
	}
	for line := range strings.Lines(string(out)) {
		path, file, _ := strings.Cut(strings.TrimSpace(line), "\t")
		g.exports[path] = file
	}
	return nil
}

// File judges a file for the lesson, or the learner's own file, with all that
// lies beside it, if path is empty. It is [Gate.Check], and begins with what can
// be wrong about a file before anybody looks into it. Path is from the working
// directory, and messages call the file by it.
func (g *Gate) File(ctx context.Context, lesson, path string) ([]gradebook.Finding, error) {
	name := path
	var strays []gradebook.Finding
	if path == "" {
		name = "exercises/" + lesson + "/" + lesson + ".go"
		path = filepath.Join(g.root, filepath.FromSlash(name))
		var err error
		if strays, err = g.strays(lesson); err != nil {
			return nil, err
		}
	}
	source, refusal, err := read(path)
	switch {
	case errors.Is(err, fs.ErrNotExist) && name != path:
		return nil, fmt.Errorf("%s is missing: get it back with `git checkout -- %[1]s`", name)
	case err != nil:
		if reason := (*fs.PathError)(nil); errors.As(err, &reason) {
			err = reason.Err
		}
		return nil, fmt.Errorf("%s cannot be read: %w", name, err)
	case refusal != "":
		return append(strays, gradebook.Finding{File: name, Rule: ruleFile, Message: refusal}), nil
	}
	findings, err := g.Check(ctx, lesson, name, source)
	return append(strays, findings...), err
}

// read reads one regular file of at most [MaxSize]. If it is no such file, the
// refusal says so.
func read(path string) (source []byte, refusal string, err error) {
	info, err := os.Lstat(path)
	switch {
	case err != nil:
		return nil, "", err
	case info.Mode()&fs.ModeSymlink != 0:
		return nil, "this is a link to another file: put the file itself here", nil
	case !info.Mode().IsRegular():
		return nil, "this is no regular file: put your file here", nil
	case info.Size() > MaxSize:
		return nil, tooLarge, nil
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, "", err
	}
	defer func() { _ = f.Close() }()
	opened, err := f.Stat()
	if err != nil {
		return nil, "", err
	}
	if !os.SameFile(info, opened) {
		return nil, "the file was exchanged while it was read: try again", nil
	}
	source, err = io.ReadAll(io.LimitReader(f, MaxSize+1))
	return source, "", err
}

var tooLarge = fmt.Sprintf("the file has more than %d KiB: leave out what the lesson does not need", MaxSize>>10)

// strays finds every Go file in the lesson's folder that is neither the
// learner's file nor the suite.
func (g *Gate) strays(lesson string) ([]gradebook.Finding, error) {
	folder := "exercises/" + lesson
	entries, err := os.ReadDir(filepath.Join(g.root, filepath.FromSlash(folder)))
	if err != nil {
		return nil, fmt.Errorf("there is no folder %s under %s: get it back with `git checkout -- %[1]s`", folder, g.root)
	}
	var findings []gradebook.Finding
	for _, e := range entries {
		if name := e.Name(); filepath.Ext(name) == ".go" && name != lesson+".go" && name != lesson+"_test.go" {
			findings = append(findings, gradebook.Finding{
				File: folder + "/" + name, Rule: ruleFile,
				Message: "only " + lesson + ".go is handed in: move what is in here over there, or out of this folder",
			})
		}
	}
	return findings, nil
}

// check is the judgement of one file.
type check struct {
	lesson, name string
	files        *token.FileSet
	file         *ast.File
	imports      []string // those that are allowed
	tooMuch      bool     // whether looking any further could take too long
	info         *types.Info
	pkg          *types.Package
	findings     []gradebook.Finding
}

// Rules, as findings name them.
const (
	ruleFile       = "file"
	rulePackage    = "package"
	RuleImport     = "import" // [Imports] tells what may be imported
	ruleDirective  = "directive"
	ruleCharacters = "characters"
	ruleInit       = "init"
	ruleStart      = "start"
	ruleBody       = "body"
	ruleName       = "name"
	ruleMethod     = "method"
	ruleForeign    = "foreign"
	ruleGiven      = "given"
	ruleInstrument = "instrument"
	ruleSize       = "size"
)

// maxFindings is how many findings are worth reading.
const maxFindings = 20

func (c *check) refuse(pos token.Pos, rule, format string, args ...any) {
	f := gradebook.Finding{File: c.name, Rule: rule, Message: fmt.Sprintf(format, args...)}
	if pos.IsValid() {
		// Not where a //line directive says that it is.
		at := c.files.PositionFor(pos, false)
		f.Line, f.Column = at.Line, at.Column
	}
	c.findings = append(c.findings, f)
}

// plain tells whether the source is a text of bearable size.
func (c *check) plain(source []byte) bool {
	switch {
	case len(source) > MaxSize:
		c.refuse(token.NoPos, ruleFile, "%s", tooLarge)
	case !utf8.Valid(source):
		c.refuse(token.NoPos, ruleFile, "the file is not UTF-8: save it as UTF-8")
	}
	return len(c.findings) == 0
}

func (c *check) result(err error) ([]gradebook.Finding, error) {
	if len(c.findings) == 0 {
		if err != nil {
			return nil, c.compileError(err)
		}
		return nil, nil
	}
	slices.SortStableFunc(c.findings, func(a, b gradebook.Finding) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	all := slices.Compact(c.findings)
	if len(all) > maxFindings {
		all = all[:maxFindings]
	}
	return all, nil
}

// compileError puts what the parser or the type checker says into ten lines.
func (c *check) compileError(err error) error {
	var already *CompileError
	if errors.As(err, &already) {
		return already
	}
	var list scanner.ErrorList
	if !errors.As(err, &list) {
		return &CompileError{c.name, err.Error()}
	}
	list.Sort()
	list.RemoveMultiples()
	const most = 10
	var lines []string
	for i, e := range list {
		if i == most {
			lines = append(lines, "…")
			break
		}
		message := strings.Join(strings.Fields(e.Msg), " ")
		if len(message) > 300 {
			message = strings.ToValidUTF8(message[:300], "") + "…"
		}
		lines = append(lines, fmt.Sprintf("%s:%d:%d: %s", c.name, e.Pos.Line, e.Pos.Column, message))
	}
	return &CompileError{c.name, strings.Join(lines, "\n")}
}
