// Package cheats holds tricks by which a submission could try to get points that
// it does not deserve, to read or break what is not its own, or to outlive its
// grading. Each stands in a file of testdata, as data, with what the gate must
// say about it, and what the next layer must say when the gate is switched off.
//
// It is read by tests only.
package cheats

import (
	"bytes"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/tools/txtar"

	"conclab/internal/bank"
	"conclab/lessons"
)

// Cheat is one trick.
type Cheat struct {
	Name   string // the file's, without its ending
	Note   string // what it tries
	Lesson string
	Source []byte // the whole file that is handed in
	Honest []byte // the answer that it is built on, without the trick

	// Gate are the rules that the gate must find broken, in any order; none if
	// the gate must let it pass.
	Gate []string

	// Then are the words, of a lesson or a test, one of which must be said of it
	// when there is no gate. If "pass" is among them only the gate stops it.
	Then []string

	// Worth is how many tests it may pass without a gate, if that is more than
	// what Honest passes.
	Worth int
}

// Load reads the tricks from dir, for the lessons of the module at root. Tricks
// for lessons that the course does not have are left out.
func Load(dir, root string) ([]Cheat, error) {
	files, err := filepath.Glob(filepath.Join(dir, "*.txtar"))
	if err != nil {
		return nil, err
	}
	known := map[string][]bank.Variant{}
	var all []Cheat
	for _, file := range files {
		archive, err := txtar.ParseFile(file)
		if err != nil {
			return nil, err
		}
		c := Cheat{Name: strings.TrimSuffix(filepath.Base(file), ".txtar")}
		note, header, _ := strings.Cut(string(archive.Comment), "\n\n")
		c.Note = strings.Join(strings.Fields(note), " ")
		on := string(bank.Starter)
		for line := range strings.Lines(header) {
			switch key, value, _ := strings.Cut(strings.TrimSpace(line), ": "); key {
			case "lesson":
				c.Lesson = value
			case "on":
				on = value
			case "gate":
				c.Gate = strings.Fields(value)
			case "then":
				c.Then = strings.Split(value, ", ")
			case "worth":
				if c.Worth, err = strconv.Atoi(value); err != nil {
					return nil, fmt.Errorf("%s: %w", file, err)
				}
			}
		}
		if c.Note == "" || c.Lesson == "" || len(c.Gate) == 0 || len(c.Then) == 0 {
			return nil, fmt.Errorf("%s: the note, lesson, gate or then is missing", file)
		}
		if slices.Equal(c.Gate, []string{"passes"}) {
			c.Gate = nil
		}
		lesson, err := lessons.Find(c.Lesson)
		if err != nil {
			continue
		}
		if known[c.Lesson] == nil {
			if known[c.Lesson], err = bank.Load(root, lesson); err != nil {
				return nil, err
			}
		}
		i := slices.IndexFunc(known[c.Lesson], func(v bank.Variant) bool {
			return on == string(v.Kind) || on == string(v.Kind)+"/"+v.Name
		})
		if i < 0 {
			return nil, fmt.Errorf("%s: nothing is known of %q", file, on)
		}
		c.Honest = known[c.Lesson][i].Source
		if err := c.build(archive.Files); err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		all = append(all, c)
	}
	return all, nil
}

// build makes the source: the sections head, imports and code are put before
// the package clause, behind it and at the end; old and new are edits; file is
// the whole.
func (c *Cheat) build(sections []txtar.File) error {
	c.Source = c.Honest
	var edits []txtar.File
	var head, imports, code []byte
	for _, s := range sections {
		switch s.Name {
		case "old", "new":
			// A section ends with its line; what is edited may go on.
			edits = append(edits, txtar.File{Name: s.Name, Data: bytes.TrimSuffix(s.Data, []byte("\n"))})
		case "head":
			head = append(s.Data, '\n')
		case "imports":
			for line := range strings.Lines(string(s.Data)) {
				imports = fmt.Appendf(imports, "\nimport %s", line)
			}
		case "code":
			code = append([]byte("\n"), s.Data...)
		case "file":
			c.Source = s.Data
		default:
			return fmt.Errorf("the section %q means nothing", s.Name)
		}
	}
	if len(edits) > 0 {
		var err error
		if c.Source, err = bank.Edit(c.Source, edits); err != nil {
			return err
		}
	}
	clause := []byte("package " + c.Lesson + "\n")
	if len(imports) > 0 {
		if bytes.Count(c.Source, clause) != 1 {
			return errors.New("the package clause is not there once")
		}
		c.Source = bytes.Replace(c.Source, clause, append(slices.Clone(clause), imports...), 1)
	}
	c.Source = slices.Concat(head, c.Source, code)
	return nil
}
