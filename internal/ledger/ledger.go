// Package ledger keeps the results of grading in a folder: one file a
// submission, and one that says which submissions there should be.
//
// What it promises:
//
//   - A file is there whole or not at all, whatever happens: a kill, a full
//     disk, a machine that goes down.
//   - Only one grading at a time writes to a folder.
//   - Merging the folders of several machines gives what one machine would have
//     written, or an error that names what is missing or twice; merging again
//     changes nothing.
//
// A [Ledger] may be used by any number of goroutines.
package ledger

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"conclab/internal/gradebook"
)

// The names of what is no entry begin with a dot; no ID does.
const (
	classFile = ".class"
	lockFile  = ".lock"
	tempStart = ".writing-"
)

// Shard is a part of a class: of its submissions, sorted by ID and counted from
// one, those whose number is Number modulo Of. The zero Shard is the whole class.
type Shard struct {
	Number int `json:"number"` // from 1
	Of     int `json:"of"`
}

// ParseShard reads "i/n".
func ParseShard(s string) (Shard, error) {
	if s == "" {
		return Shard{1, 1}, nil
	}
	i, n, ok := strings.Cut(s, "/")
	number, err1 := strconv.Atoi(i)
	of, err2 := strconv.Atoi(n)
	if !ok || err1 != nil || err2 != nil || number < 1 || number > of {
		return Shard{}, fmt.Errorf("a shard is written i/n, with i from 1 to n, as in 2/4; it cannot be %q", s)
	}
	return Shard{number, of}, nil
}

// Has tells whether the i-th submission, counted from zero in the order of the
// IDs, belongs to the shard.
func (s Shard) Has(i int) bool { return s.Of <= 1 || i%s.Of == s.Number-1 }

// Class is what a folder should hold.
type Class struct {
	Version int      `json:"version"`
	Shard   Shard    `json:"shard"` // the zero Shard is written as 1/1
	IDs     []string `json:"ids"`   // of the whole class, sorted

	// LeftOut are files beside the submissions that are none, such as an archive
	// of a kind that is not taken: somebody may have handed it in.
	LeftOut []gradebook.Refused `json:"leftOut,omitempty"`

	// Policy is the file by which it was graded, as it was called then; empty if
	// there was none.
	Policy string `json:"policy,omitempty"`
}

// of returns the IDs that belong to the class's shard.
func (c Class) of() []string {
	var ids []string
	for i, id := range c.IDs {
		if c.Shard.Has(i) {
			ids = append(ids, id)
		}
	}
	return ids
}

// Ledger is a folder of results that is open for writing.
type Ledger struct {
	dir    string
	unlock func()
}

// Open opens the folder for a class or a part of it, makes it if it is not there,
// and keeps others from opening it. Entries of submissions that are no longer in
// the class are left out by [Read]; they stay in the folder. Results of another
// class are an error: nobody gives them up by leaving out a flag.
func Open(dir string, c Class) (*Ledger, error) {
	c.Version = gradebook.Version
	c.IDs = slices.Sorted(slices.Values(c.IDs))
	if c.Shard.Of < 1 {
		c.Shard = Shard{1, 1}
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, trouble(dir, err)
	}
	unlock, err := lock(filepath.Join(dir, lockFile))
	if errors.Is(err, errLocked) {
		return nil, fmt.Errorf("another grading is writing its results to %s: wait for it, or name another folder with --out", dir)
	} else if err != nil {
		return nil, trouble(dir, err)
	}
	l := &Ledger{dir, unlock}
	if err := l.begin(c); err != nil {
		l.Close()
		return nil, err
	}
	return l, nil
}

func (l *Ledger) begin(c Class) error {
	there, err := os.ReadDir(l.dir)
	if err != nil {
		return trouble(l.dir, err)
	}
	strange := ""
	for _, file := range there {
		switch name := file.Name(); {
		case strings.HasPrefix(name, tempStart): // what a killed grading was writing
			_ = os.Remove(filepath.Join(l.dir, name))
		case filepath.Ext(name) == ".json":
			strange = name
		}
	}
	for _, id := range c.IDs {
		if !gradebook.ValidID(id) {
			return fmt.Errorf("the id %q is none", id)
		}
	}
	switch old, err := ReadClass(l.dir); {
	case errors.Is(err, fs.ErrNotExist) && strange != "":
		return fmt.Errorf("%s in %s was there before any grading: name another folder with --out", strange, l.dir)
	case errors.Is(err, gradebook.ErrNewer):
		return err
	case err != nil: // none, or none that is whole
	case old.Shard != c.Shard:
		return fmt.Errorf("%s holds the results of shard %d/%d, and cannot take those of shard %d/%d: name another folder with --out",
			l.dir, old.Shard.Number, old.Shard.Of, c.Shard.Number, c.Shard.Of)
	case len(old.IDs) > 0 && !slices.ContainsFunc(old.IDs, func(id string) bool { return slices.Contains(c.IDs, id) }):
		return fmt.Errorf("%s holds the results of another class, %s among them: name another folder with --out", l.dir, old.IDs[0])
	case reflect.DeepEqual(old, c):
		return nil
	}
	text, err := json.Marshal(c)
	if err != nil {
		return err
	}
	return l.write(classFile, append(text, '\n'))
}

// Close lets others open the folder.
func (l *Ledger) Close() { l.unlock() }

// Get returns the entry of that ID; nil if there is none, or none that is whole.
// Its error is one of a newer lab's, which this one must not replace.
func (l *Ledger) Get(id string) (*gradebook.Entry, error) {
	file := filepath.Join(l.dir, id+".json")
	e, err := read(file)
	if errors.Is(err, gradebook.ErrNewer) {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	if err != nil || e.ID != id {
		return nil, nil
	}
	return e, nil
}

// Put stores an entry in the place of the one of the same ID. It blocks until
// the entry is on the disk.
func (l *Ledger) Put(e *gradebook.Entry) error {
	if !gradebook.ValidID(e.ID) {
		return fmt.Errorf("the id %q is none", e.ID)
	}
	var b bytes.Buffer
	if err := gradebook.Encode(&b, e); err != nil {
		return err
	}
	return l.write(e.ID+".json", b.Bytes())
}

// write puts a whole file into the folder, or leaves all as it was.
func (l *Ledger) write(name string, text []byte) (err error) {
	file, err := os.CreateTemp(l.dir, tempStart)
	if err != nil {
		return trouble(l.dir, err)
	}
	defer func() {
		if err != nil {
			_ = file.Close()
			_ = os.Remove(file.Name())
			err = trouble(l.dir, err)
		}
	}()
	if _, err := file.Write(text); err != nil {
		return err
	}
	if err := errors.Join(file.Chmod(0o644), file.Sync(), file.Close()); err != nil {
		return err
	}
	if err := os.Rename(file.Name(), filepath.Join(l.dir, name)); err != nil {
		return err
	}
	syncDir(l.dir)
	return nil
}

// trouble says in a sentence why nothing can be written.
func trouble(dir string, err error) error {
	switch {
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EFBIG), errors.Is(err, syscall.EDQUOT):
		return fmt.Errorf("there is no room left for the results in %s: make room and start again, what is there stays and is not graded twice: %w", dir, err)
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS):
		return fmt.Errorf("the results cannot be written to %s: name a folder that you may write to with --out: %w", dir, err)
	}
	return fmt.Errorf("the results cannot be written to %s: %w", dir, err)
}

func read(file string) (*gradebook.Entry, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	return gradebook.Decode(f)
}

// ReadClass returns what a folder should hold. The error matches [fs.ErrNotExist]
// if no grading has written to it.
func ReadClass(dir string) (c Class, err error) {
	text, err := os.ReadFile(filepath.Join(dir, classFile))
	if err != nil {
		return c, err
	}
	if err := json.Unmarshal(text, &c); err != nil {
		return c, fmt.Errorf("%s in %s cannot be read (%w): grade again, and it is made anew", classFile, dir, err)
	}
	switch {
	case c.Version > gradebook.Version:
		return c, fmt.Errorf("%s in %s: %w: use that one", classFile, dir, gradebook.ErrNewer)
	case c.Version < 1 || len(c.IDs) == 0 || c.Shard.Number < 1 || c.Shard.Number > c.Shard.Of:
		// Nobody grades an empty class, and a report on one would look like a class
		// without marks.
		return c, fmt.Errorf("%s in %s is not as lab grade writes it: grade again, and it is made anew", classFile, dir)
	}
	return c, nil
}

// Read returns the entries in the folder that belong to its class, by ID, and
// the IDs of those that are still to be graded.
func Read(dir string) (all []*gradebook.Entry, missing []string, err error) {
	c, err := ReadClass(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil, fmt.Errorf("there are no results in %s: it has to be a folder that lab grade wrote to", dir)
	} else if err != nil {
		return nil, nil, err
	}
	for _, id := range c.of() {
		switch e, err := read(filepath.Join(dir, id+".json")); {
		case errors.Is(err, fs.ErrNotExist):
			missing = append(missing, id)
		case err != nil:
			return nil, nil, fmt.Errorf("%s: %w", filepath.Join(dir, id+".json"), err)
		case e.ID != id:
			return nil, nil, fmt.Errorf("%s holds the entry of %s", filepath.Join(dir, id+".json"), e.ID)
		default:
			all = append(all, e)
		}
	}
	return all, missing, nil
}
