package runner

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"conclab/lessons"
)

const (
	// maxBuildOutput bounds what is kept of what the go command says, in bytes.
	maxBuildOutput = 64 << 10

	// maxMessage bounds every message, in lines.
	maxMessage = 15
)

// binary is the path of the test binary.
func (r *run) binary() string { return filepath.Join(r.dir, r.lesson.Name+".test.exe") }

// goCommand prepares a go command that sees the candidate in place of the
// exercise and does nothing that the user's GOFLAGS might add.
func (r *run) goCommand(ctx context.Context, args ...string) *exec.Cmd {
	cmd := command(ctx, r.Root, "go", args...)
	cmd.Env = append(cmd.Env,
		"GOFLAGS=-buildvcs=false", // an empty value would not override go env -w
		"GOTMPDIR="+r.dir)
	return cmd
}

// build builds the suite around the candidate. If that is the candidate's
// fault, the compiler's message comes back.
func (r *run) build(ctx context.Context, t *tools) (message string, err error) {
	if err := r.layOver(t); err != nil {
		return "", err
	}
	// Without symbol table and debug information the linker is quicker. Stack
	// traces need neither.
	args := append([]string{"test", "-c", "-vet=off", "-ldflags=-s -w", "-o", r.binary()}, t.flags...)
	cmd := r.goCommand(ctx, append(args, r.pkg())...)
	out := &clip{limit: maxBuildOutput}
	cmd.Stdout, cmd.Stderr = out, out
	err = runGroup(cmd)
	if err == nil {
		return "", nil
	}
	text := out.String()
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) && r.blames(text) {
		if m := twoPackages.FindStringSubmatch(text); m != nil {
			return fmt.Sprintf("%s is package %s, and has to be package %s", r.file, m[1], r.lesson.Name), nil
		}
		return r.complaints(withoutHeaders(text)), nil
	}
	return "", fmt.Errorf("building the suite of %s: %w\n%s", r.lesson.Name, err, strings.TrimSpace(text))
}

// complaints is what the compiler said, in the words of the learner, who did not
// write contract_test.go.
func (r *run) complaints(text string) string {
	message := clean(strings.Split(strings.TrimSpace(r.rename(text)), "\n"))
	if strings.Contains(message, "/contract_test.go:") {
		message = firstLines(message, maxMessage-1) + "\n" +
			"contract_test.go asks for what the lesson's contract says: where that is missing or has another type, change " + r.file
	}
	return message
}

// pkg names the exercise's package in the way that the go command takes.
func (r *run) pkg() string { return "./exercises/" + r.lesson.Name }

// layOver writes the candidate and the file that tells the go command where it
// belongs.
func (r *run) layOver(t *tools) error {
	if r.source == nil {
		return nil
	}
	overlay, err := json.Marshal(map[string]map[string]string{"Replace": {r.exercise: r.laid()}})
	if err != nil {
		return fmt.Errorf("overlay: %w", err)
	}
	file := filepath.Join(r.dir, "overlay.json")
	if err := errors.Join(os.WriteFile(r.laid(), r.source, 0o600), os.WriteFile(file, overlay, 0o600)); err != nil {
		return fmt.Errorf("overlay: %w", err)
	}
	t.flags = append(t.flags, "-overlay="+file)
	return nil
}

// laid is where the source lies that is laid over the exercise.
func (r *run) laid() string { return filepath.Join(r.dir, r.lesson.Name+".go") }

// noImport is what the compiler says of a package that is not where it should be.
// What a candidate cannot import has been refused before it comes to that.
var noImport = regexp.MustCompile(`(?m)^[^"\x60]*\.go:\d+:\d+: could not import `)

// twoPackages is what the go command says of a file that is no part of its folder's
// package.
var twoPackages = regexp.MustCompile(`found packages (\w+) \(`)

// blames tells whether the go command, or the compiler, found fault with the
// candidate or with the suite around it, rather than with this machine.
func (r *run) blames(text string) bool {
	text = withoutHeaders(text)
	if noImport.MatchString(text) {
		return false
	}
	for _, name := range []string{
		r.laid(), "exercises/" + r.lesson.Name, filepath.Join("exercises", r.lesson.Name), r.lesson.Name + ".go",
	} {
		if strings.Contains(text, name) {
			return true
		}
	}
	return false
}

// withoutHeaders leaves out the lines by which the go command says which
// packages it was at.
func withoutHeaders(text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		if !strings.HasPrefix(line, "# ") && !strings.HasPrefix(line, "FAIL") {
			b.WriteString(line)
		}
	}
	return strings.TrimRight(b.String(), "\n")
}

// rename makes a text of the go command, or of a test, call the candidate by
// the name that the learner knows, and every other file by its place in the
// module.
func (r *run) rename(text string) string {
	own := filepath.FromSlash(exerciseFile(r.lesson))
	names := []string{r.laid(), r.exercise, "." + string(filepath.Separator) + own, own}
	if near, err := filepath.Rel(r.Root, r.laid()); err == nil {
		names = append(names, near)
	}
	root := r.Root + string(filepath.Separator)
	// Stack traces have slashes on every system.
	pairs := make([]string, 0, 4*len(names)+4)
	for _, name := range names {
		pairs = append(pairs, name, r.file, filepath.ToSlash(name), r.file)
	}
	pairs = append(pairs, root, "", filepath.ToSlash(root), "")
	for _, tree := range r.trees {
		pairs = append(pairs, tree, "")
	}
	return strings.NewReplacer(pairs...).Replace(text)
}

// firstLines returns the first n lines, and says so if there are more.
func firstLines(text string, n int) string {
	lines := strings.Split(strings.TrimRight(text, "\n"), "\n")
	if len(lines) > n {
		lines = append(lines[:n-1:n-1], "…")
	}
	return strings.Join(lines, "\n")
}

// vet runs go vet with all its analyzers; go test would run only a few. The
// suite is not the learner's to change, and takes longer to vet than they wait
// for its tests, so it is left out.
func (r *run) vet(ctx context.Context, t *tools) ([]Finding, error) {
	args := append([]string{"vet", "-json"}, t.flags...)
	what := r.exercise
	if hasMore(filepath.Dir(r.exercise)) {
		what = r.pkg() // its files need one another
	}
	cmd := r.goCommand(ctx, append(args, what)...)
	out, complaint := &clip{limit: 16 * maxBuildOutput}, &clip{limit: maxBuildOutput}
	cmd.Stdout, cmd.Stderr = out, complaint
	if err := runGroup(cmd); err != nil {
		return nil, fmt.Errorf("go vet: %w\n%s", err, strings.TrimSpace(complaint.String()))
	}
	findings, err := r.findings(strings.NewReader(out.String()))
	if err != nil {
		return nil, fmt.Errorf("go vet: %w", err)
	}
	return findings, nil
}

// hasMore tells whether the folder of an exercise holds more Go files than that,
// besides tests.
func hasMore(dir string) bool {
	files, _ := fs.Glob(os.DirFS(dir), "*.go")
	return len(slices.DeleteFunc(files, func(name string) bool { return strings.HasSuffix(name, "_test.go") })) > 1
}

// findings reads the output of go vet -json. The package comes once alone and
// once with its tests; what is said twice is kept once.
func (r *run) findings(out io.Reader) ([]Finding, error) {
	var findings []Finding
	decoder := json.NewDecoder(out)
	for {
		var packages map[string]map[string]json.RawMessage
		if err := decoder.Decode(&packages); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return nil, err
		}
		for _, analyzers := range packages {
			for name, raw := range analyzers {
				var remarks []struct{ Posn, Message string }
				if err := json.Unmarshal(raw, &remarks); err != nil {
					return nil, fmt.Errorf("%s: %s", name, raw)
				}
				for _, remark := range remarks {
					findings = append(findings, r.finding(name, remark.Posn, remark.Message))
				}
			}
		}
	}
	slices.SortFunc(findings, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line),
			cmp.Compare(a.Column, b.Column), cmp.Compare(a.Message, b.Message))
	})
	return slices.Compact(findings), nil
}

func (r *run) finding(analyzer, position, message string) Finding {
	file, column := cutNumber(position)
	file, line := cutNumber(file)
	file = r.rename(file)
	if filepath.Base(file) == filepath.Base(r.exercise) {
		// The go command caches findings with the path that the same text had
		// in an earlier run. The package has no other file of this name.
		file = r.file
	}
	message = strings.ReplaceAll(message, "command-line-arguments.", "") // what vet calls a package of one file
	return Finding{
		File: file, Line: line, Column: column, Message: r.rename(message),
		Analyzer: analyzer, See: lessons.Section(analyzer),
	}
}

// cutNumber cuts the number off that follows the last colon.
func cutNumber(s string) (before string, n int) {
	if i := strings.LastIndexByte(s, ':'); i >= 0 {
		if n, err := strconv.Atoi(s[i+1:]); err == nil {
			return s[:i], n
		}
	}
	return s, 0
}
