// Package bank reads what the lab knows about right and wrong answers to a
// lesson: the untouched starter, the reference solution, and the variants in
// its testdata, of which those in accept/ must pass and those in reject/ must
// fail. It only reads; package runner judges, and [Variant.Check] holds its
// result against what the bank says.
package bank

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/tools/txtar"

	"conclab/internal/runner"
	"conclab/lessons"
)

// Kind says what a variant is, and so what its tests must say.
type Kind string

// The kinds, in the order in which [Load] returns them.
const (
	Starter   Kind = "starter"   // every test fails, with one TODO
	Reference Kind = "reference" // every test passes
	Accept    Kind = "accept"    // every test passes
	Reject    Kind = "reject"    // one named test fails
)

// Variant is one answer to a lesson's exercise. A reject is written as an edit
// of the reference, or of the accept that its line "of: accept/NAME" names, so
// that the mistake shows at a glance; a whole file only where the mistake is
// another design.
type Variant struct {
	Lesson lessons.Lesson
	Kind   Kind
	Name   string // the file's, without its ending
	File   string // where it is written down, relative to the module's root
	Note   string // one sentence: what it does differently, or wrong
	Source []byte // the whole answer, as Go source

	// Test is what must fail about a Reject: a test such as
	// TestQueue/TestClose, or Vet.
	Test string

	// Race says that only the race detector can see the mistake.
	Race bool

	// Chance says that Test fails every time, and others now and then: the answer
	// tosses a coin that no test can weight. A line "chance: " tells why.
	Chance bool
}

// Vet stands in for the name of a test where go vet finds the mistake.
const Vet = "vet"

// String names the variant: lesson, kind and name.
func (v Variant) String() string {
	if v.Kind == Starter || v.Kind == Reference {
		return v.Lesson.Name + "/" + string(v.Kind)
	}
	return v.Lesson.Name + "/" + string(v.Kind) + "/" + v.Name
}

// Candidate returns the variant as something that can be judged.
func (v Variant) Candidate() runner.Candidate {
	return runner.Candidate{Lesson: v.Lesson, File: filepath.FromSlash(v.File), Source: v.Source}
}

// Load reads all variants of a lesson in the module at root. A variant that is
// not written as it should be is an error that names its file.
func Load(root string, lesson lessons.Lesson) ([]Variant, error) {
	own := lesson.Name + "/" + lesson.Name + ".go"
	starter := Variant{Lesson: lesson, Kind: Starter, File: "exercises/" + own}
	reference := Variant{Lesson: lesson, Kind: Reference, File: "solutions/" + own}
	all := []*Variant{&starter, &reference}
	for _, v := range all {
		source, err := read(root, v.File)
		if err != nil {
			return nil, err
		}
		v.Name, v.Source = lesson.Name, source
	}

	for _, kind := range []Kind{Accept, Reject} {
		dir := "solutions/" + lesson.Name + "/testdata/" + string(kind)
		entries, err := os.ReadDir(filepath.Join(root, filepath.FromSlash(dir)))
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return nil, fmt.Errorf("reading the bank: %w", err)
		}
		for _, e := range entries {
			v := Variant{Lesson: lesson, Kind: kind, File: dir + "/" + e.Name()}
			if err := v.load(root, all); err != nil {
				return nil, fmt.Errorf("%s: %w", v.File, err)
			}
			all = append(all, &v)
		}
	}

	variants := make([]Variant, len(all))
	for i, v := range all {
		variants[i] = *v
	}
	return variants, nil
}

func read(root, file string) ([]byte, error) {
	b, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(file)))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s is missing: get it back with `git checkout -- %[1]s`", file)
	} else if err != nil {
		return nil, fmt.Errorf("reading the bank: %w", err)
	}
	return b, nil
}

// load reads the variant's file: a whole answer, or an edit of one of the right
// answers that are known already.
func (v *Variant) load(root string, known []*Variant) error {
	text, err := read(root, v.File)
	if err != nil {
		return err
	}
	header := ""
	var edits []txtar.File
	name := filepath.Base(filepath.FromSlash(v.File))
	switch ext := filepath.Ext(name); {
	case ext == ".go":
		v.Source = text
		for line := range strings.Lines(string(text)) {
			comment, ok := strings.CutPrefix(line, "//")
			if !ok {
				break
			}
			header += strings.TrimPrefix(comment, " ")
		}
	case ext == ".txtar" && v.Kind == Reject:
		archive := txtar.Parse(text)
		header, edits = string(archive.Comment), archive.Files
	default:
		return fmt.Errorf("a %s is not written as a %q file", v.Kind, ext)
	}
	v.Name = strings.TrimSuffix(name, filepath.Ext(name))

	end := "\n\n"
	if v.Kind == Accept {
		end = "\n"
	}
	note, rest, _ := strings.Cut(header, end)
	v.Note = strings.Join(strings.Fields(note), " ")
	if v.Note == "" {
		return errors.New("the first sentence, which says what is different, is missing")
	}
	if v.Kind != Reject {
		return nil
	}
	original, err := v.parse(rest)
	if err != nil || v.Source != nil {
		return err
	}
	i := slices.IndexFunc(known, func(k *Variant) bool { return string(k.Kind) == original || string(k.Kind)+"/"+k.Name == original })
	if i < 0 {
		return fmt.Errorf("nothing is known of %q, which it edits", original)
	}
	v.Source, err = Edit(known[i].Source, edits)
	return err
}

// parse reads the lines of a reject's header: what must fail, what is edited if
// that is not the reference, and what is left to chance.
func (v *Variant) parse(header string) (original string, err error) {
	original = string(Reference)
	for line := range strings.Lines(header) {
		if of, ok := strings.CutPrefix(line, "of:"); ok {
			original = strings.TrimSpace(of)
		}
		if _, ok := strings.CutPrefix(line, "chance:"); ok {
			v.Chance = true
		}
		if test, ok := strings.CutPrefix(line, "test:"); ok {
			words := strings.Fields(test)
			if v.Race = len(words) == 2 && words[1] == "race"; v.Race {
				words = words[:1]
			}
			if len(words) == 1 {
				v.Test = words[0]
			}
		}
	}
	if v.Test == "" {
		return "", errors.New(`the line "test: NAME", which names the test that must fail, is missing`)
	}
	return original, nil
}

// Edit replaces texts of a source: each section old, which must be there once, by
// the section new that follows it.
func Edit(source []byte, files []txtar.File) ([]byte, error) {
	for pair := range slices.Chunk(files, 2) {
		if len(pair) != 2 || pair[0].Name != "old" || pair[1].Name != "new" {
			return nil, errors.New("sections must come in pairs, -- old -- and -- new --")
		}
		old, replacement := pair[0].Data, pair[1].Data
		if n := bytes.Count(source, old); n != 1 {
			return nil, fmt.Errorf("the old text must be there once, and is %d times:\n%s", n, old)
		}
		source = bytes.Replace(source, old, replacement, 1)
	}
	if len(files) == 0 {
		return nil, errors.New("nothing is edited")
	}
	return source, nil
}

// Skipped says why a test was skipped, which it may be on a machine that lacks
// something, if any was.
func Skipped(r *runner.Result) string {
	for _, task := range r.Tasks {
		for _, test := range task.Tests {
			if skipped(test) {
				why, _, _ := strings.Cut(test.Message, "\n")
				return why
			}
		}
	}
	return ""
}

// skipped tells whether a test was skipped, and said why.
func skipped(test runner.Test) bool {
	return test.Verdict == runner.Skip && strings.HasPrefix(test.Message, "skipped, because ")
}

// Check tells whether a result is what it must be for this variant; nil means
// that it is. A test that was skipped, and said why, passes, except as the one that
// a reject names. Where the tests ran without the race detector, a variant that
// only it can see is not checked.
func (v Variant) Check(r *runner.Result) error {
	switch v.Kind {
	case Starter:
		return checkStarter(r)
	case Reject:
		return v.checkReject(r)
	default:
		return checkPass(r)
	}
}

func checkPass(r *runner.Result) error {
	if r.Build != "" {
		return fmt.Errorf("must pass, but is not built:\n%s", r.Build)
	}
	for _, f := range r.Vet {
		return fmt.Errorf("must pass, but go vet says %s:%d: %s", f.File, f.Line, f.Message)
	}
	for _, task := range r.Tasks {
		for _, test := range task.Tests {
			if test.Verdict != runner.Pass && !skipped(test) {
				return fmt.Errorf("must pass, but %s says %s:\n%s", test.Name, test.Verdict, test.Message)
			}
		}
	}
	return nil
}

func checkStarter(r *runner.Result) error {
	if r.Build != "" || len(r.Vet) > 0 {
		return fmt.Errorf("must be built and vetted without a word: %s%v", r.Build, r.Vet)
	}
	for _, task := range r.Tasks {
		for _, test := range task.Tests {
			if test.Verdict != runner.Fail || strings.Count(test.Message, "TODO") != 1 || strings.Contains(strings.TrimSpace(test.Message), "\n") {
				return fmt.Errorf("%s must fail with one TODO line, but says %s:\n%s", test.Name, test.Verdict, test.Message)
			}
		}
	}
	return nil
}

// maxLines is the most that a failure's message may have.
const maxLines = 15

func (v Variant) checkReject(r *runner.Result) error {
	switch {
	case r.Build != "":
		return fmt.Errorf("must fail by its tests, but is not even built:\n%s", r.Build)
	case v.Test == Vet:
		if len(r.Vet) == 0 {
			return errors.New("must be found by go vet, but is not")
		}
		return nil
	case v.Race && !r.Race:
		return nil
	}
	for _, task := range r.Tasks {
		for _, test := range task.Tests {
			if test.Name != v.Test {
				continue
			}
			switch lines := strings.Count(test.Message, "\n") + 1; {
			case test.Verdict == runner.Pass || test.Verdict == runner.Skip || test.Verdict == runner.DidNotRun:
				return fmt.Errorf("must fail in %s, which says %s", v.Test, test.Verdict)
			case lines > maxLines:
				return fmt.Errorf("the message of %s has %d lines, more than %d:\n%s", v.Test, lines, maxLines, test.Message)
			case test.Message == "":
				return fmt.Errorf("%s fails without a message", v.Test)
			}
			return nil
		}
	}
	return fmt.Errorf("must fail in %s, which is no test of the lesson", v.Test)
}
