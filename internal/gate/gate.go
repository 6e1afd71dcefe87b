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
	"time"
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

// Version is that of the rules; see the constant.
func (g *Gate) Version() string { return Version }

// Check judges a lesson's file. It returns what is against the rules, in the
// order of the file. If nothing is, build is what the compiler would say, at
// most ten lines, of a file that cannot be compiled. A file with either must not
// be built. An error is no fault of the file: the go command failed, or ctx has
// ended.
func (g *Gate) Check(ctx context.Context, lesson string, file gradebook.File) (findings []gradebook.Finding, build string, err error) {
	return g.check(ctx, lesson, file.Path, file.Source)
}

func (g *Gate) check(ctx context.Context, lesson, name string, source []byte) (findings []gradebook.Finding, build string, err error) {
	c := &check{lesson: lesson, name: name, files: token.NewFileSet()}
	if !c.plain(source) {
		return c.findings, "", nil
	}
	file, err := parser.ParseFile(c.files, name, source, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return nil, c.compiler(err), nil
	}
	c.file = file
	c.syntax()
	if c.tooMuch {
		return c.result(), "", nil
	}
	if err := g.load(ctx, c.imports); err != nil {
		return nil, "", err
	}

	// Nothing that is known takes long here. Should there be something that
	// nobody has thought of, it is left to itself.
	judged := make(chan *check, 1)
	go func() {
		deeper := *c
		deeper.findings = slices.Clone(c.findings)
		g.types(&deeper)
		judged <- &deeper
	}()
	patience := time.NewTimer(maxTime)
	defer patience.Stop()
	select {
	case deeper := <-judged:
		if all := deeper.result(); len(all) > 0 {
			return all, "", nil
		}
		return nil, deeper.build, nil
	case <-patience.C:
		c.refuse(token.NoPos, ruleSize, "the compiler would have too much to do with this file: use fewer types inside of types")
		return c.result(), "", nil
	case <-ctx.Done():
		return nil, "", ctx.Err()
	}
}

// maxTime is how long looking up the types of a file may take.
const maxTime = 10 * time.Second

// types looks up what every name in the file means, and judges that.
func (g *Gate) types(c *check) {
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
		c.build = c.compiler(wrong)
	}
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
	i.gate.mu.Lock()
	defer i.gate.mu.Unlock()
	return i.gate.from.Import(path)
}

// load imports the packages, after it has asked the go command where their types
// are written down.
func (g *Gate) load(ctx context.Context, paths []string) error {
	g.mu.Lock()
	defer g.mu.Unlock()
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
	cmd.Env = append(os.Environ(), "GOFLAGS=-buildvcs=false", "GOTOOLCHAIN=local", "GOWORK=off")
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
		// Now, since it is no fault of the file if this cannot be done.
		if _, err := g.from.Import(path); err != nil {
			delete(g.exports, path)
			return fmt.Errorf("reading the types of package %s: %w", path, err)
		}
	}
	return nil
}

// File judges a file for the lesson, or the learner's own file, with all that
// lies beside it, if path is empty. It is [Gate.Check], and begins with what can
// be wrong about a file before anybody looks into it. Path is from the working
// directory, and messages call the file by it; name is what they call it.
func (g *Gate) File(ctx context.Context, lesson, path string) (name string, findings []gradebook.Finding, build string, err error) {
	if path != "" {
		findings, build, err = g.file(ctx, lesson, path, path)
		return path, findings, build, err
	}
	name = "exercises/" + lesson + "/" + lesson + ".go"
	strays, err := g.strays(lesson)
	if err != nil {
		return name, nil, "", err
	}
	findings, build, err = g.file(ctx, lesson, name, filepath.Join(g.root, filepath.FromSlash(name)))
	if errors.Is(err, fs.ErrNotExist) {
		err = fmt.Errorf("%s is missing: get it back with `git checkout -- %[1]s`", name)
	}
	return name, append(strays, findings...), build, err
}

func (g *Gate) file(ctx context.Context, lesson, name, path string) (findings []gradebook.Finding, build string, err error) {
	source, refusal, err := read(path)
	switch {
	case err != nil:
		if reason := (*fs.PathError)(nil); errors.As(err, &reason) {
			err = reason.Err
		}
		return nil, "", fmt.Errorf("%s cannot be read: %w", name, err)
	case refusal != "":
		return []gradebook.Finding{{File: name, Rule: ruleFile, Message: refusal}}, "", nil
	}
	return g.check(ctx, lesson, name, source)
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
// learner's file nor of the suite.
func (g *Gate) strays(lesson string) ([]gradebook.Finding, error) {
	folder := "exercises/" + lesson
	entries, err := os.ReadDir(filepath.Join(g.root, filepath.FromSlash(folder)))
	if err != nil {
		return nil, fmt.Errorf("there is no folder %s under %s: get it back with `git checkout -- %[1]s`", folder, g.root)
	}
	var findings []gradebook.Finding
	for _, e := range entries {
		if name := e.Name(); filepath.Ext(name) == ".go" && name != lesson+".go" && name != lesson+"_test.go" && name != "contract_test.go" {
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
	build        string // what the compiler would say
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

func (c *check) result() []gradebook.Finding {
	slices.SortStableFunc(c.findings, func(a, b gradebook.Finding) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	all := slices.Compact(c.findings)
	return all[:min(len(all), maxFindings)]
}

// compiler puts what the parser or the type checker says into ten lines.
func (c *check) compiler(err error) string {
	var list scanner.ErrorList
	if !errors.As(err, &list) {
		return err.Error()
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
	return strings.Join(lines, "\n")
}
