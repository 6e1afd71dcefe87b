package runner

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"go/parser"
	"go/token"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/mod/module"
	"golang.org/x/sync/errgroup"

	"conclab/internal/sandbox"
	"conclab/lessons"
)

// pingPackage is what a lesson imports that sends ICMP.
const pingPackage = "github.com/go-ping/ping"

// tree is where the compiler believes to be, on every machine.
const tree = "/lab"

// KitOptions say how graded binaries are made. Root, Dir and Lessons are
// required.
type KitOptions struct {
	Root      string // the module's root, where go.mod is
	Dir       string // an empty folder for the kit's files; the caller's to remove
	Lessons   []lessons.Lesson
	Race      RaceMode
	Isolation sandbox.Isolation
	Build     sandbox.Limits // of each call of the compiler and the linker
	Run       sandbox.Limits // of each process of a graded binary

	// Compilers is how many files of a submission are compiled at a time; zero
	// means one.
	Compilers int

	// Imports are the import paths in the candidates, whatever they are. What is
	// neither of the standard library nor of a module that the lab requires
	// cannot be imported.
	Imports []string
}

// Kit is all of a graded binary that is the same for every submission: compiled
// packages, suites, and the words for compiler and linker. It is made once, and
// only read afterwards: a submission is compiled with nothing but the compiler,
// in a sandbox, and no cache is there to be poisoned.
//
// Its methods may be called from any number of goroutines.
type Kit struct {
	// ID changes whenever a verdict might be another one because of what the
	// kit is made of: suites, what they stand on, the toolchain.
	ID string

	Go       string // such as go1.26.8
	Platform string // such as linux/amd64
	Race     bool
	NoRace   string // a sentence that says why the race detector is not used

	o          KitOptions
	tools      *tools
	suites     map[string]*kitSuite
	importable map[string]bool
	converter  string // test2json
	ping       bool   // whether the sandbox may send ICMP
}

// kitSuite is one lesson's suite. Its files are relative to the kit's folder.
type kitSuite struct {
	lesson    lessons.Lesson
	files     []string
	contract  []string // compiled with the candidate, which they put behind its contract
	expected  []Expected
	functions []string // that run tests
}

// listed is a package as go list describes it.
type listed struct {
	ImportPath string
	Export     string
	Dir        string
	GoFiles    []string
	Standard   bool
	Module     *struct{ Main bool }
	Error      *struct{ Err string }
	Incomplete bool
}

// NewKit makes a kit. It blocks for as long as it takes to compile what the
// suites stand on, which is nothing to speak of the second time.
func NewKit(ctx context.Context, o KitOptions) (*Kit, error) {
	root, err := filepath.Abs(o.Root)
	if err != nil {
		return nil, err
	}
	o.Root = root
	if o.Dir, err = filepath.Abs(o.Dir); err != nil {
		return nil, err
	}
	k := &Kit{o: o, suites: map[string]*kitSuite{}, importable: map[string]bool{}}
	if k.tools, err = findTools(ctx, root); err != nil {
		return nil, err
	}
	if k.Race, k.NoRace, err = k.tools.race(o.Race); err != nil {
		return nil, err
	}
	k.Go, k.Platform = k.tools.env["GOVERSION"], k.tools.env["GOOS"]+"/"+k.tools.env["GOARCH"]
	converter, err := k.goSays(ctx, "tool", "-n", "test2json")
	if err != nil {
		return nil, err
	}
	if k.converter, err = k.keep(converter, "test2json.exe"); err != nil {
		return nil, err
	}
	id := sha256.New()
	imports, err := k.copySuites(id)
	if err != nil {
		return nil, err
	}
	packages, err := k.list(ctx, imports)
	if err != nil {
		return nil, err
	}
	if err := k.write(id, packages); err != nil {
		return nil, err
	}
	k.ID = hex.EncodeToString(id.Sum(nil))
	if err := k.compileFirst(ctx); err != nil {
		return nil, err
	}
	if err := k.compileSuites(ctx); err != nil {
		return nil, err
	}
	if k.importable[pingPackage] {
		k.ping = sandbox.RawNetworkWorks(ctx, o.Isolation)
	}
	return k, nil
}

// goSays returns what a go command prints.
func (k *Kit) goSays(ctx context.Context, args ...string) (string, error) {
	cmd := command(ctx, k.o.Root, "go", args...)
	// Nothing is fetched, whatever a submission imports.
	cmd.Env = append(cmd.Env, "GOFLAGS=-buildvcs=false -mod=readonly", "GOPROXY=off")
	if !k.Race {
		// Only the race detector wants a C compiler.
		cmd.Env = append(cmd.Env, "CGO_ENABLED=0")
	}
	var out strings.Builder
	complaint := &clip{limit: maxBuildOutput}
	cmd.Stdout, cmd.Stderr = &out, complaint
	if err := runGroup(cmd); err != nil {
		return "", fmt.Errorf("go %s: %w\n%s", args[0], err, strings.TrimSpace(complaint.String()))
	}
	return strings.TrimSpace(out.String()), nil
}

// keep copies a file of the go command's cache into the kit, since anybody may
// clean the cache while submissions are graded, and returns where it is.
func (k *Kit) keep(file, name string) (kept string, err error) {
	kept = filepath.Join(k.o.Dir, name)
	content, err := os.ReadFile(file)
	if err != nil {
		return "", err
	}
	if err := os.WriteFile(kept, content, 0o755); err != nil {
		return "", fmt.Errorf("no room for the kit: %w", err)
	}
	return kept, nil
}

// copySuites puts the suites into the kit, so that nobody changes them in the
// middle of a run, and returns what they import.
func (k *Kit) copySuites(id io.Writer) (imports []string, err error) {
	for _, l := range k.o.Lessons {
		s := &kitSuite{lesson: l}
		if s.expected, err = Tests(k.o.Root, l); err != nil {
			return nil, err
		}
		for _, e := range s.expected {
			s.functions = append(s.functions, e.Task.Test)
		}
		dir := path.Join("exercises", l.Name)
		from, to := filepath.Join(k.o.Root, filepath.FromSlash(dir)), filepath.Join(k.o.Dir, filepath.FromSlash(dir))
		files, err := fs.Glob(os.DirFS(from), "*_test.go")
		if err != nil {
			return nil, err
		}
		if err := os.MkdirAll(to, 0o755); err != nil {
			return nil, fmt.Errorf("no room for the suites: %w", err)
		}
		if data := filepath.Join(from, "testdata"); isDir(data) {
			if err := os.CopyFS(filepath.Join(to, "testdata"), os.DirFS(data)); err != nil {
				return nil, fmt.Errorf("no room for the suites: %w", err)
			}
		}
		for _, file := range files {
			text, err := os.ReadFile(filepath.Join(from, file))
			if err != nil {
				return nil, err
			}
			parsed, err := parser.ParseFile(token.NewFileSet(), file, text, parser.ImportsOnly)
			if err != nil {
				return nil, fmt.Errorf("the suite cannot be read: %w", err)
			}
			for _, spec := range parsed.Imports {
				if name, err := strconv.Unquote(spec.Path.Value); err == nil {
					imports = append(imports, name)
				}
			}
			name := path.Join(dir, file)
			switch parsed.Name.Name {
			case l.Name:
				s.contract = append(s.contract, filepath.FromSlash(name))
			case l.Name + "_test":
				s.files = append(s.files, filepath.FromSlash(name))
			default:
				return nil, fmt.Errorf("%s is of package %s, and can be graded only as %s_test", file, parsed.Name.Name, l.Name)
			}
			fmt.Fprintf(id, "%s %x\n", name, sha256.Sum256(text))
			if err := os.WriteFile(filepath.Join(to, file), text, 0o644); err != nil {
				return nil, fmt.Errorf("no room for the suites: %w", err)
			}
		}
		k.suites[l.Name] = s
	}
	return imports, nil
}

func isDir(name string) bool {
	info, err := os.Stat(name)
	return err == nil && info.IsDir()
}

// list compiles all that graded binaries are made of but the submissions, and
// settles what those may import.
func (k *Kit) list(ctx context.Context, imports []string) ([]listed, error) {
	own := append(imports, "runtime", "conclab/internal/sealed/inside", "testing/internal/testdeps")
	if k.Race {
		own = append(own, "runtime/race")
		if k.tools.env["CGO_ENABLED"] == "1" {
			own = append(own, "runtime/cgo")
		}
	}
	asked := slices.Clone(own)
	for _, name := range k.o.Imports {
		if possible(name) {
			asked = append(asked, name)
		}
	}
	slices.Sort(asked)
	asked = slices.Compact(asked)
	args := []string{"list", "-e", "-export", "-deps", "-json=ImportPath,Export,Dir,GoFiles,Standard,Module,Error,Incomplete"}
	if k.Race {
		args = append(args, "-race")
	}
	out, err := k.goSays(ctx, append(append(args, "--"), asked...)...)
	if err != nil {
		return nil, err
	}
	var all []listed
	for in := json.NewDecoder(strings.NewReader(out)); ; {
		var p listed
		if err := in.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return nil, fmt.Errorf("go list: %w", err)
		}
		broken := p.Error != nil || p.Incomplete || p.Export == "" && p.ImportPath != "unsafe"
		if broken && slices.Contains(own, p.ImportPath) {
			return nil, fmt.Errorf("what the suites stand on is not built: %s: %s", p.ImportPath, cmp.Or(p.Error, &struct{ Err string }{"go list says no more"}).Err)
		}
		if broken {
			continue
		}
		if slices.Contains(k.o.Imports, p.ImportPath) && possible(p.ImportPath) && (p.Standard || p.Module != nil && !p.Module.Main) {
			k.importable[p.ImportPath] = true
		}
		all = append(all, p)
	}
	k.importable["unsafe"] = true // the compiler's own; to forbid it is a gate's work
	slices.SortFunc(all, func(a, b listed) int { return cmp.Compare(a.ImportPath, b.ImportPath) })
	return all, nil
}

// possible tells whether a candidate's import path may be asked for.
func possible(name string) bool {
	internal := slices.Contains(strings.Split(name, "/"), "internal")
	return name != "C" && name != "unsafe" && !internal && !strings.HasPrefix(name, "conclab/") && module.CheckImportPath(name) == nil
}

// write writes the files that tell the compiler and the linker where packages
// are. Those of a submission are relative to its own folder, so that one text
// does for all.
func (k *Kit) write(id io.Writer, packages []listed) error {
	fmt.Fprintln(id, k.Go, k.Platform, k.Race)
	var base, candidate bytes.Buffer
	own := map[string]string{}
	for i, p := range packages {
		if p.Export == "" {
			continue
		}
		kept, err := k.keep(p.Export, fmt.Sprintf("package%d.a", i))
		if err != nil {
			return err
		}
		if !p.Standard {
			// Whatever the standard library is, it is that of this version of Go. The
			// go command's own IDs depend on where the clone lies.
			for _, name := range p.GoFiles {
				text, err := os.ReadFile(filepath.Join(p.Dir, name))
				if err != nil {
					return err
				}
				fmt.Fprintf(id, "%s/%s %x\n", p.ImportPath, name, sha256.Sum256(text))
			}
		}
		line := fmt.Sprintf("packagefile %s=%s\n", p.ImportPath, kept)
		base.WriteString(line)
		if strings.HasPrefix(p.ImportPath, "conclab/") {
			own[p.ImportPath] = line
		} else {
			candidate.WriteString(line)
		}
	}
	files := map[string][]byte{"candidate.cfg": candidate.Bytes(), "base.cfg": base.Bytes()}
	for _, l := range k.o.Lessons {
		files[l.Name+".cfg"] = append(slices.Clone(candidate.Bytes()), own[contractPath(l)]...)
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(k.o.Dir, name), text, 0o644); err != nil {
			return fmt.Errorf("no room for the kit: %w", err)
		}
	}
	return os.WriteFile(filepath.Join(k.o.Dir, "first.go"), []byte(firstSource), 0o644)
}

func candidatePath(l lessons.Lesson) string { return "conclab/exercises/" + l.Name }
func suitePath(l lessons.Lesson) string     { return candidatePath(l) + "_test" }
func contractPath(l lessons.Lesson) string  { return "conclab/internal/contract/" + l.Name }
func objectOf(l lessons.Lesson) string      { return l.Name + ".a" }

// suiteObject is where the kit has a lesson's suite.
func (k *Kit) suiteObject(l lessons.Lesson) string { return filepath.Join(k.o.Dir, l.Name+"_test.a") }

// firstSource is a package that is initialized before any that can read from
// its process's standard input: packages are initialized in the order of their
// names as soon as those that they import are, and whatever can read imports
// package syscall.
const firstSource = `package first

import "syscall"

// Order is all that came on standard input, which is closed.
var Order = read()

func read() (all []byte) {
	buf := make([]byte, 4096)
	for {
		n, err := syscall.Read(syscall.Stdin, buf)
		if err == syscall.EINTR {
			continue
		}
		if n <= 0 || err != nil {
			syscall.Close(syscall.Stdin)
			return all
		}
		all = append(all, buf[:n]...)
	}
}
`

// firstPath comes before every other name.
const firstPath = "0"

func (k *Kit) compileFirst(ctx context.Context) error {
	return k.compile(ctx, append(k.compilerFlags(firstPath, "candidate.cfg", k.o.Dir), "-o", "first.a", "first.go"))
}

// compileSuites compiles what no submission changes.
func (k *Kit) compileSuites(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(runtime.GOMAXPROCS(0))
	for _, s := range k.suites {
		group.Go(func() error {
			args := append(k.compilerFlags(suitePath(s.lesson), "base.cfg", k.o.Dir), "-o", k.suiteObject(s.lesson))
			return k.compile(ctx, append(args, s.files...))
		})
	}
	return group.Wait()
}

// compile compiles a package of the kit's own.
func (k *Kit) compile(ctx context.Context, args []string) error {
	out, end, err := k.tool(ctx, k.o.Dir, "compile", args)
	switch {
	case err != nil:
		return err
	case end.Stopped != sandbox.Ended:
		return fmt.Errorf("the compiler does not work here: it was stopped for %s", end.Stopped)
	case end.Code != 0:
		return fmt.Errorf("the compiler does not work here: it ended with status %d: %s", end.Code, cmp.Or(strings.TrimSpace(out), "it said nothing"))
	}
	return nil
}

// compilerFlags are for a package whose files lie in the folders named, which its
// stack traces do not show.
func (k *Kit) compilerFlags(importPath, config string, dirs ...string) []string {
	version := strings.Join(strings.SplitN(strings.TrimPrefix(k.Go, "go"), ".", 3)[:2], ".")
	flags := []string{
		"-p", importPath, "-trimpath", strings.Join(dirs, "=>"+tree+";") + "=>" + tree, "-lang=go" + version, "-complete", "-c=1",
		"-dwarf=false", "-nolocalimports", "-buildid=", "-importcfg", config, "-pack",
	}
	if k.Race {
		flags = append(flags, "-race")
	}
	return flags
}

// tool runs the compiler or the linker in the folder dir, which alone it may
// write to.
func (k *Kit) tool(ctx context.Context, dir, name string, args []string) (output string, end sandbox.Ending, err error) {
	out := &clip{limit: maxBuildOutput}
	path := filepath.Join(k.tools.env["GOTOOLDIR"], name)
	if k.tools.env["GOOS"] == "windows" {
		path += ".exe"
	}
	end, err = sandbox.Run(ctx, sandbox.Command{
		Isolation: k.o.Isolation, Path: path, Args: args, Dir: dir,
		Env:    []string{"GOROOT=" + k.tools.env["GOROOT"], "GOGC=200"},
		Stdout: out, Stderr: out,
		Show:   []string{k.tools.env["GOROOT"], k.o.Dir},
		Write:  []string{dir},
		Limits: k.o.Build,
	})
	return out.String(), end, err
}

// Imports returns the import paths of a Go source, as far as it can be read.
func Imports(source []byte) []string {
	file, _ := parser.ParseFile(token.NewFileSet(), "", source, parser.ImportsOnly)
	if file == nil {
		return nil
	}
	var names []string
	for _, spec := range file.Imports {
		if name, err := strconv.Unquote(spec.Path.Value); err == nil {
			names = append(names, name)
		}
	}
	return names
}

// Expected names the tests of a lesson's tasks; nil if the kit does not have the
// lesson.
func (k *Kit) Expected(lesson string) []Expected {
	if s := k.suites[lesson]; s != nil {
		return s.expected
	}
	return nil
}
