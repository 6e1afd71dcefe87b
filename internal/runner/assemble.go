package runner

import (
	"context"
	"errors"
	"fmt"
	"go/parser"
	"go/token"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"conclab/internal/sandbox"
	"conclab/lessons"
)

// Assembly is one submission, compiled: one binary that holds the suites of all
// lessons that could be built. Remove it when it is no longer needed. It is used
// by one goroutine at a time.
type Assembly struct {
	// NotBuilt holds, for each lesson that could not be built and by the
	// lesson's name, the compiler's message.
	NotBuilt map[string]string

	kit   *Kit
	dir   string
	parts []part
	bins  map[string]string // path of the binary, by the lesson's name
	joint bool              // whether one binary holds several lessons
}

// part is one candidate of an assembly.
type part struct {
	lesson lessons.Lesson
	file   string // what messages name
	pings  bool   // whether it wants to send ICMP
}

// Assemble compiles the candidates, one a lesson, and links them and their
// suites into one binary, in a new folder in dir. It blocks until that is done.
// A candidate that cannot be built is no error, and keeps no other from being
// built. A candidate's Source must not be nil.
func (k *Kit) Assemble(ctx context.Context, dir string, candidates []Candidate) (*Assembly, error) {
	work, err := os.MkdirTemp(dir, "submission-")
	if err != nil {
		return nil, fmt.Errorf("no room for temporary files: %w", err)
	}
	a := &Assembly{NotBuilt: map[string]string{}, kit: k, dir: work, bins: map[string]string{}}
	messages := make([]string, len(candidates))
	group, compiling := errgroup.WithContext(ctx)
	group.SetLimit(max(k.o.Compilers, 1))
	for i, c := range candidates {
		group.Go(func() (err error) {
			messages[i], err = a.compile(compiling, c)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, errors.Join(err, a.Remove())
	}
	for i, c := range candidates {
		if messages[i] != "" {
			a.NotBuilt[c.Lesson.Name] = messages[i]
			continue
		}
		a.parts = append(a.parts, part{c.Lesson, c.File, slices.Contains(Imports(c.Source), pingPackage)})
	}
	if len(a.parts) > 0 {
		if err := a.link(ctx, "graded", a.parts); err != nil {
			return nil, errors.Join(err, a.Remove())
		}
		a.joint = len(a.parts) > 1
	}
	return a, nil
}

// Remove removes the assembly's files.
func (a *Assembly) Remove() error { return os.RemoveAll(a.dir) }

// compile compiles a candidate, behind its contract. The message is empty if
// that went well.
func (a *Assembly) compile(ctx context.Context, c Candidate) (message string, err error) {
	l := c.Lesson
	suite := a.kit.suites[l.Name]
	if suite == nil {
		return "", fmt.Errorf("the lesson %s is not in the kit", l.Name)
	}
	name := filepath.Join("exercises", l.Name, l.Name+".go")
	if err := os.MkdirAll(filepath.Join(a.dir, filepath.Dir(name)), 0o755); err != nil {
		return "", fmt.Errorf("no room for temporary files: %w", err)
	}
	if err := os.WriteFile(filepath.Join(a.dir, name), c.Source, 0o644); err != nil {
		return "", fmt.Errorf("no room for temporary files: %w", err)
	}
	if message := a.kit.wrongImports(c); message != "" {
		return message, nil
	}
	args := append(a.kit.compilerFlags(candidatePath(l), filepath.Join(a.kit.o.Dir, l.Name+".cfg"), a.dir, a.kit.o.Dir), "-o", objectOf(l), name)
	for _, file := range suite.contract {
		args = append(args, filepath.Join(a.kit.o.Dir, file))
	}
	return a.tool(ctx, a.run(l, c.File), "compile", args)
}

// tool runs the compiler or the linker; the message is empty if all went well,
// and otherwise in the words of the learner.
func (a *Assembly) tool(ctx context.Context, r *run, name string, args []string) (message string, err error) {
	out, end, err := a.kit.tool(ctx, a.dir, name, args)
	switch {
	case ctx.Err() != nil:
		return "", ctx.Err()
	case err != nil:
		return "", err
	case name == "link" && end.Stopped != sandbox.Ended:
		return "", fmt.Errorf("the linker was stopped for %s: allow more in the policy's limits", end.Stopped) // no one file is to blame
	case end.Stopped == sandbox.TooMuchMemory:
		return fmt.Sprintf("the compiler was stopped: for this file it takes more than %d MiB of memory. Look for constants, arrays or types that grow without end", a.kit.o.Build.Memory>>20), nil
	case end.Stopped == sandbox.TooMuchOutput:
		return "the compiler was stopped: it has more to say about this file than anybody can read", nil
	case end.Stopped != sandbox.Ended:
		return "", fmt.Errorf("the compiler was stopped: %s", end.Stopped)
	case end.Code == 128+9 && (a.kit.o.Build.CPU <= 0 || end.CPU < a.kit.o.Build.CPU/2):
		return "", errors.New("the compiler or the linker was killed, and by no limit of the lab's: if the machine has too little memory, grade fewer submissions at a time with --jobs")
	case end.Code == 128+9 || end.Code == 128+24: // SIGKILL, SIGXCPU
		return fmt.Sprintf("the compiler was stopped: for this file it takes more than %v of processor time. Look for constants, or for generic types, that grow without end", a.kit.o.Build.CPU), nil
	case end.Code == 0:
		return "", nil
	case end.Code == 128+25: // SIGXFSZ
		return "the compiler was stopped: what it makes of this file is larger than a program may be", nil
	case strings.TrimSpace(out) == "":
		return "", fmt.Errorf("%s ended with status %d and no word", name, end.Code)
	case name == "compile" && !r.blames(out):
		return "", fmt.Errorf("the compiler cannot work: %s", firstLines(out, maxMessage))
	}
	return r.complaints(out), nil
}

// wrongImports says which packages the candidate imports and cannot have.
func (k *Kit) wrongImports(c Candidate) string {
	files := token.NewFileSet()
	parsed, err := parser.ParseFile(files, "", c.Source, parser.ImportsOnly)
	if parsed == nil || err != nil {
		return "" // the compiler says it better
	}
	var lines []string
	for _, spec := range parsed.Imports {
		name, err := strconv.Unquote(spec.Path.Value)
		if err == nil && k.importable[name] {
			continue
		}
		at := files.Position(spec.Pos())
		lines = append(lines, fmt.Sprintf("%s:%d:%d: package %s is not one of those that a submission can import", c.File, at.Line, at.Column, name))
	}
	return clean(lines)
}

// link links the suites of some lessons into a binary.
func (a *Assembly) link(ctx context.Context, name string, parts []part) error {
	var config, source strings.Builder
	base, err := os.ReadFile(filepath.Join(a.kit.o.Dir, "base.cfg"))
	if err != nil {
		return err
	}
	config.Write(base)
	fmt.Fprintf(&config, "packagefile %s=%s\n", firstPath, filepath.Join(a.kit.o.Dir, "first.a"))
	source.WriteString("package main\n\nimport (\n\tfirst \"" + firstPath + "\"\n\t\"testing\"\n\t\"testing/internal/testdeps\"\n\n\t\"conclab/internal/sealed/inside\"\n")
	for i, p := range parts {
		fmt.Fprintf(&config, "packagefile %s=%s\npackagefile %s=%s\n", candidatePath(p.lesson), objectOf(p.lesson), suitePath(p.lesson), a.kit.suiteObject(p.lesson))
		fmt.Fprintf(&source, "\t_ %q\n\ts%d %q\n", candidatePath(p.lesson), i, suitePath(p.lesson))
	}
	fmt.Fprintf(&source, ")\n\nfunc main() {\n\tinside.Main(first.Order, %v, map[string][]testing.InternalTest{\n", a.kit.Race)
	for i, p := range parts {
		fmt.Fprintf(&source, "\t\t%q: {\n", p.lesson.Name)
		for _, function := range a.kit.suites[p.lesson.Name].functions {
			fmt.Fprintf(&source, "\t\t\t{Name: %q, F: s%d.%[1]s},\n", function, i)
		}
		source.WriteString("\t\t},\n")
	}
	source.WriteString("\t}, func(tests []testing.InternalTest) interface{ Run() int } {\n\t\treturn testing.MainStart(testdeps.TestDeps{}, tests, nil, nil, nil)\n\t})\n}\n")

	files := map[string]string{name + ".cfg": config.String(), name + ".go": source.String()}
	for file, text := range files {
		if err := os.WriteFile(filepath.Join(a.dir, file), []byte(text), 0o644); err != nil {
			return fmt.Errorf("no room for temporary files: %w", err)
		}
	}
	r := a.run(parts[0].lesson, parts[0].file)
	args := append(a.kit.compilerFlags("main", name+".cfg", a.dir), "-o", name+".a", name+".go")
	message, err := a.tool(ctx, r, "compile", args)
	if err == nil && message == "" {
		binary := filepath.Join("bin", name, "graded.exe")
		if err := os.MkdirAll(filepath.Join(a.dir, filepath.Dir(binary)), 0o755); err != nil {
			return fmt.Errorf("no room for temporary files: %w", err)
		}
		args = []string{"-o", binary, "-importcfg", name + ".cfg", "-buildmode=exe", "-s", "-w", "-buildid=", "-X", "testing.testBinary=1"}
		if a.kit.Race {
			args = append(args, "-race")
		}
		message, err = a.tool(ctx, r, "link", append(args, name+".a"))
		for _, p := range parts {
			a.bins[p.lesson.Name] = filepath.Join(a.dir, binary)
		}
	}
	if message != "" {
		return fmt.Errorf("the graded binary was not linked: %s", message)
	}
	return err
}

// run prepares what the parts of this package share, for one lesson.
func (a *Assembly) run(l lessons.Lesson, file string) *run {
	return &run{
		Options:  Options{Root: a.kit.o.Root, Limit: time.Minute},
		lesson:   l,
		exercise: path.Join(tree, exerciseFile(l)),
		file:     file,
		dir:      a.dir,
		trees:    []string{tree + "/", a.kit.o.Dir + string(filepath.Separator)},
		onOne:    new(atomic.Bool),
	}
}
