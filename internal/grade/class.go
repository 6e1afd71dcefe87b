package grade

import (
	"context"
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"conclab/internal/gate"
	"conclab/internal/gradebook"
	"conclab/internal/intake"
	"conclab/internal/ledger"
	"conclab/lessons"
)

// Class is the folder of a class, or a part of it, ready to be graded.
type Class struct {
	IDs     []string // of the whole class, sorted
	Items   []Item   // of the shard
	Refused []gradebook.Refused
}

// ReadClass looks into the folder of a class. Submissions are read one by one,
// when it is their turn.
func ReadClass(dir string, course []lessons.Lesson, shard ledger.Shard) (*Class, error) {
	folder, err := intake.Open(dir)
	if err != nil {
		return nil, err
	}
	names := make([]string, len(course))
	for i, l := range course {
		names[i] = l.Name
	}
	c := &Class{Refused: folder.Refused}
	for i, entry := range folder.Entries {
		c.IDs = append(c.IDs, entry.ID)
		if shard.Has(i) {
			c.Items = append(c.Items, Item{ID: entry.ID, Read: func(ctx context.Context) (gradebook.Submission, error) {
				return entry.Read(ctx, names)
			}})
		}
	}
	if len(c.IDs) == 0 {
		return nil, fmt.Errorf("there are no submissions in %s: it should hold a folder or an archive for each student", dir)
	}
	return c, nil
}

// Find returns the submission with that ID.
func (c *Class) Find(id string) (Item, error) {
	i := slices.IndexFunc(c.Items, func(item Item) bool { return item.ID == id })
	if i < 0 {
		return Item{}, fmt.Errorf("there is no submission with the id %q", id)
	}
	return c.Items[i], nil
}

// Imports returns what the gate lets the lessons' files import.
func Imports(course []lessons.Lesson) []string {
	var all []string
	for _, l := range course {
		all = append(all, gate.Imports(l.Name)...)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// NewGate returns the gate that students can ask with lab check.
func NewGate(root string) Gate { return gate.New(root) }

// Apart returns an error, which says what to do, if the folder for the results is
// that of the submissions or lies in it.
func Apart(out, dir string) error {
	if Within(out, dir) {
		return fmt.Errorf("results in %s would count as a submission the next time: choose a folder that is not among the submissions, as in --out ../results", out)
	}
	return nil
}

// Within tells whether a file or folder, which need not be there yet, is the folder
// dir or lies in it, by whatever links and names that may be.
func Within(path, dir string) bool {
	folder, err := os.Stat(dir)
	if err != nil {
		return false
	}
	for at := resolved(path); ; at = filepath.Dir(at) {
		if info, err := os.Stat(at); err == nil && os.SameFile(info, folder) {
			return true
		}
		if at == filepath.Dir(at) {
			return false
		}
	}
}

// resolved returns the absolute path without links of what may not be there yet.
func resolved(path string) string {
	at, err := filepath.Abs(path)
	if err != nil {
		return path
	}
	rest := ""
	for range maxSteps {
		if found, err := filepath.EvalSymlinks(at); err == nil {
			return filepath.Join(found, rest)
		}
		if target, err := os.Readlink(at); err == nil { // a link to what is not there yet
			if !filepath.IsAbs(target) {
				target = filepath.Join(filepath.Dir(at), target)
			}
			at = target
			continue
		}
		at, rest = filepath.Dir(at), filepath.Join(filepath.Base(at), rest)
	}
	return filepath.Join(at, rest)
}

// maxSteps ends the search where links lead in a circle.
const maxSteps = 1000

// TempFor returns a folder for temporary files that belongs to the results in
// out: who has out open may use it, and finds what was left there by a grading
// that was killed.
func TempFor(out string) (string, error) {
	abs, err := filepath.Abs(out)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256([]byte(abs))
	return filepath.Join(os.TempDir(), fmt.Sprintf("conclab-grade-%d-%x", os.Getuid(), sum[:6])), nil
}
