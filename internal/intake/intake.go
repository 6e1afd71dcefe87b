// Package intake reads what a class has handed in: a folder that has one entry
// for each student. It takes what may be a lesson's file and refuses all else
// with a word, so that one bad submission keeps nobody from being graded.
//
// An entry is one of
//
//   - a folder: alice/queues.go, alice/queues/queues.go, or a whole clone of the
//     lab, alice/exercises/queues/queues.go, any of them below further folders;
//     an archive on the top of the folder is looked into as well;
//   - a .zip, .tar.gz or .tgz of those;
//   - what Moodle makes of "download all submissions":
//     Jane Doe_12345_assignsubmission_file/queues.go (older ones have an underscore at
//     the end of the folder's name), or without folders,
//     Jane Doe_12345_assignsubmission_file_queues.go. What the same student gave
//     in another way, such as ..._assignsubmission_onlinetext, belongs to it.
//
// # From names to IDs
//
// The ID of a submission is its entry's name without .zip, .tar.gz or .tgz, or
// for Moodle's name and number joined by a dash, in lower case, accents taken
// off, with one dash for each run of anything but letters and digits of ASCII,
// dots and underscores, cut to 80 characters. If two entries would have the same
// ID, it stays with the one whose name it is to the letter, and each other gets
// a dash and eight hexadecimal digits of its name's SHA-256 behind it. So does one that
// would be empty, or a device's name on Windows.
//
// # What it promises
//
//   - It writes nothing and runs nothing. Nothing outside of the folder is
//     read, whatever the links and names in it say.
//   - Memory is bounded by one submission at a time: an archive is never unpacked,
//     only the lessons' files are read out of it.
//   - The same folder gives the same submissions in the same order, everywhere.
package intake

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"conclab/internal/gradebook"
)

// Limits on one submission.
const (
	MaxBytes = 10 << 20 // that an archive may unpack to, and may have itself
	MaxFiles = 1000     // files and folders, but for those of the lab itself
)

// Class is a folder of submissions.
type Class struct {
	// Entries are the submissions, in the order of their IDs.
	Entries []Entry

	// Refused are the files on the top of the folder that are no submissions.
	Refused []gradebook.Refused

	dir string
}

// Entry is one submission that has not been read yet.
type Entry struct {
	ID   string
	Name string // as given

	dir   string
	parts []part
}

// part is a file or folder on the top of the class's folder, with the name that
// the student gave it. Only Moodle makes several parts of one submission.
type part struct{ file, name string }

// moodle takes Moodle's names apart: the student, the student's number, the kind
// of submission (file, onlinetext), and the file's name if there are no folders.
// See load_submissionplugin_filelist in mod/assign/classes/downloader.php of
// https://github.com/moodle/moodle.
var moodle = regexp.MustCompile(`(?s)^(.*)_(\d+)_assignsubmission_[a-z0-9]+(?:_(.*))?$`)

// Open looks into the folder of a class. It reads no submission yet.
func Open(dir string) (*Class, error) {
	list, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("the folder of submissions cannot be read: %w", err)
	}
	c := &Class{dir: dir}
	entries := map[string]*Entry{} // by what belongs together
	base := map[*Entry]string{}
	for _, f := range list {
		name := f.Name()
		e := &Entry{Name: strings.ToValidUTF8(name, "\ufffd"), dir: dir}
		key, trimmed := name, trimArchive(name)
		own := name
		m := moodle.FindStringSubmatch(name)
		switch {
		case passedOver(name):
			continue
		case m != nil:
			e.Name = strings.ToValidUTF8(m[1]+"_"+m[2], "\ufffd")
			key, trimmed, own = "moodle "+m[1]+"_"+m[2], m[1]+"-"+m[2], m[3]
		case !f.IsDir() && f.Type()&fs.ModeSymlink == 0 && trimmed == name:
			c.Refused = append(c.Refused, gradebook.Refused{Path: e.Name, Word: Unknown})
			continue
		case f.IsDir():
			trimmed = name
		}
		if entries[key] == nil {
			entries[key] = e
			base[e] = trimmed
		}
		entries[key].parts = append(entries[key].parts, part{name, own})
	}
	name(entries, base)
	for _, e := range entries {
		c.Entries = append(c.Entries, *e)
	}
	slices.SortFunc(c.Entries, func(a, b Entry) int { return cmp.Compare(a.ID, b.ID) })
	return c, nil
}

// passedOver tells whether a file on the top of a class's folder is one that
// file managers and the like leave behind.
func passedOver(name string) bool {
	return strings.HasPrefix(name, "._") || slices.Contains([]string{".DS_Store", ".git", ".gitignore", "__MACOSX", "Thumbs.db", "desktop.ini"}, name)
}

// name gives every entry its ID.
func name(entries map[string]*Entry, base map[*Entry]string) {
	wanted := map[string][]*Entry{}
	for _, e := range entries {
		wanted[slug(base[e])] = append(wanted[slug(base[e])], e)
	}
	for id, all := range wanted {
		exact := slices.IndexFunc(all, func(e *Entry) bool { return e.Name == id })
		for i, e := range all {
			if usable(id) && (i == exact || exact < 0 && len(all) == 1) {
				e.ID = id
				continue
			}
			e.ID = numbered(id, e.parts[0].file, wanted)
		}
	}
}

// numbered makes an ID that nobody else has.
func numbered(id, file string, taken map[string][]*Entry) string {
	sum := sha256.Sum256([]byte(file))
	digits := hex.EncodeToString(sum[:])
	if id == "" {
		id = "x"
	}
	for n := 8; ; n++ {
		// Whoever bears such a name from the beginning keeps it.
		if with := id + "-" + digits[:min(n, 16)]; taken[with] == nil || n > 16 {
			return with
		}
	}
}

var (
	notInID  = regexp.MustCompile(`[^a-z0-9._]+`)
	reserved = regexp.MustCompile(`^(con|prn|aux|nul|com[0-9]|lpt[0-9])(\.|$)`)
)

func usable(id string) bool { return gradebook.ValidID(id) && !reserved.MatchString(id) }

func slug(name string) string {
	var b strings.Builder
	for _, r := range norm.NFKD.String(strings.ToLower(name)) {
		if r < utf8.RuneSelf || r < 0x300 || r > 0x36f { // the accents
			b.WriteRune(r)
		}
	}
	id := notInID.ReplaceAllString(strings.ToLower(b.String()), "-")
	id = strings.TrimLeft(id, "-._")
	if len(id) > 80 {
		id = id[:80]
	}
	return strings.TrimRight(id, "-.")
}

var archiveEndings = []string{".tar.gz", ".tgz", ".zip"}

// trimArchive cuts the ending of an archive off.
func trimArchive(name string) string {
	for _, ending := range archiveEndings {
		if len(name) > len(ending) && strings.EqualFold(name[len(name)-len(ending):], ending) {
			return name[:len(name)-len(ending)]
		}
	}
	return name
}

// ErrUnreadable is what an error wraps if one submission cannot be read: by who
// grades, for lack of a permission, or by anybody, because of the disk. That says
// nothing about what was handed in.
var ErrUnreadable = errors.New("the submission cannot be read")

// Read reads the submission. What is wrong with it is in its Refused. An error
// wraps ErrUnreadable, and then the submission has its ID and name, or ctx.Err()
// if ctx has ended, or says that the whole folder cannot be read.
func (e Entry) Read(ctx context.Context, lessons []string) (gradebook.Submission, error) {
	s := gradebook.Submission{ID: e.ID, Name: e.Name, Files: map[string]gradebook.File{}}
	r := &reader{ctx: ctx, lessons: lessons}
	root, err := os.OpenRoot(e.dir)
	if err != nil {
		return s, fmt.Errorf("the folder of submissions cannot be read: %w", err)
	}
	defer func() { _ = root.Close() }()
	for _, p := range e.parts {
		switch err := r.part(root, p); {
		case ctx.Err() != nil:
			return s, ctx.Err()
		case err != nil:
			return s, fmt.Errorf("%w: %w: make it readable, and grade again", ErrUnreadable, err)
		}
	}
	r.choose(&s)
	return s, nil
}
