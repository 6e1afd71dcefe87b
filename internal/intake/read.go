package intake

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"cmp"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"conclab/internal/gate"
	"conclab/internal/gradebook"
)

// The words for why a file is refused.
const (
	Link       = "link"        // it is a link, symbolic or hard
	Climbs     = "climbs"      // its path leads out of the archive
	Absolute   = "absolute"    // its path does not begin in the archive
	TooBig     = "too big"     // for a lesson's file, or for an archive
	TooMany    = "too many"    // files in one submission; none is looked at
	NotRegular = "not regular" // a device, a pipe, a file with holes
	Unknown    = "unknown"     // no lesson's file
	Twice      = "twice"       // there is another one for the same lesson
	Encrypted  = "encrypted"
	Broken     = "broken"    // the archive, or the file in it, cannot be unpacked
	Nested     = "nested"    // an archive in an archive
	BadName    = "name"      // not UTF-8, or with control characters
	Misplaced  = "misplaced" // a lesson's file in a folder that has a name of the lab's own, such as solutions
)

// maxRefused is how many refusals of one submission are kept.
const maxRefused = 100

// reader reads one submission.
type reader struct {
	ctx     context.Context
	lessons []string

	entries int // files and folders
	found   []found
	refused []gradebook.Refused
	beside  int                 // files and folders below the lab's own
	aside   []gradebook.Refused // of those, what is refused unless a clone is around it
	over    bool                // whether there are too many of them
}

// found is a file that may be a lesson's.
type found struct {
	path, lesson string
	rank         int
	source       []byte
}

var errTooMuch = errors.New("too much")

// refuse says no to a file, with a path that can be shown.
func (r *reader) refuse(name, word string) {
	r.refused = append(r.refused, gradebook.Refused{Path: strings.ToValidUTF8(name, "\ufffd"), Word: word})
}

// part reads what is on the top of the class's folder.
func (r *reader) part(root *os.Root, p part) error {
	info, err := root.Lstat(p.file)
	if err != nil {
		return err
	}
	name := cmp.Or(p.name, p.file)
	switch {
	case info.Mode()&fs.ModeSymlink != 0:
		r.refuse(name, Link)
	case info.IsDir():
		dir, err := root.OpenRoot(p.file)
		if err != nil {
			return err
		}
		defer func() { _ = dir.Close() }()
		if err := r.folder(dir, "."); !errors.Is(err, errTooMuch) {
			return err
		}
	default:
		return r.file(root, p.file, name, info)
	}
	return nil
}

// folder reads a folder of a submission and all below it.
func (r *reader) folder(root *os.Root, dir string) error {
	if err := r.ctx.Err(); err != nil {
		return err
	}
	list, err := list(root, dir)
	if err != nil {
		return err
	}
	for _, e := range list {
		name := path.Join(dir, e.Name())
		if r.passes(name) {
			r.lookAside(root, name, e)
			continue
		}
		if err := r.count(); err != nil {
			return err
		}
		if !legible(name) {
			r.refuse(name, BadName)
			continue
		}
		info, err := root.Lstat(name)
		switch {
		case err != nil:
			return err
		case info.IsDir():
			err = r.folder(root, name)
		default:
			err = r.file(root, name, name, info)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// list returns what is in a folder, by name. A folder of millions of files is not
// worth reading to its end.
func list(root *os.Root, dir string) ([]fs.DirEntry, error) {
	f, err := root.Open(dir)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	list, err := f.ReadDir(2 * MaxFiles)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	slices.SortFunc(list, func(a, b fs.DirEntry) int { return cmp.Compare(a.Name(), b.Name()) })
	return list, nil
}

// lookAside looks for lessons' files in what is passed over. Nothing of it is
// taken, so what cannot be read there is no trouble.
func (r *reader) lookAside(root *os.Root, name string, e fs.DirEntry) {
	_, ok := beside(name)
	if r.beside++; !ok || r.beside > 2*MaxFiles || r.ctx.Err() != nil {
		if ok && r.beside == 2*MaxFiles+1 {
			r.aside = append(r.aside, gradebook.Refused{Path: name, Word: TooMany})
		}
		return
	}
	if e.Type().IsRegular() {
		r.passOver(name)
	}
	if !e.IsDir() {
		return
	}
	list, _ := list(root, name)
	for _, e := range list {
		r.lookAside(root, path.Join(name, e.Name()), e)
	}
}

// passOver remembers a file that is passed over, if it is a lesson's.
func (r *reader) passOver(name string) {
	_, isLesson := r.which(name)
	if _, ok := beside(name); ok && isLesson {
		r.aside = append(r.aside, gradebook.Refused{Path: name, Word: Misplaced})
	}
}

// count counts one more file or folder.
func (r *reader) count() error {
	if r.entries++; r.entries > MaxFiles {
		r.over = true
		return errTooMuch
	}
	return nil
}

// file reads a file of a folder. Name is what it is called in the submission.
func (r *reader) file(root *os.Root, at, name string, info fs.FileInfo) error {
	_, isLesson := r.which(name)
	isArchive := trimArchive(name) != name && path.Dir(name) == "."
	limit := int64(gate.MaxSize)
	if isArchive {
		limit = MaxBytes
	}
	switch {
	case info.Mode()&fs.ModeSymlink != 0:
		r.refuse(name, Link)
		return nil
	case !info.Mode().IsRegular():
		r.refuse(name, NotRegular)
		return nil
	case !isLesson && !isArchive:
		r.refuse(name, Unknown)
		return nil
	case info.Size() > limit:
		r.refuse(name, TooBig)
		return nil
	}
	f, err := root.Open(at)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	b, err := io.ReadAll(io.LimitReader(f, limit+1))
	switch {
	case err != nil:
		return err
	case int64(len(b)) > limit:
		r.refuse(name, TooBig)
	case isArchive:
		return r.archive(name, b)
	default:
		r.take(name, b)
	}
	return nil
}

// archive looks into an archive. If it is broken, or too large, nothing of it
// is taken.
func (r *reader) archive(name string, b []byte) error {
	in := &reader{ctx: r.ctx, lessons: r.lessons}
	var err error
	if strings.EqualFold(path.Ext(name), ".zip") {
		err = in.zip(b)
	} else {
		err = in.tar(b)
	}
	switch {
	case r.ctx.Err() != nil:
		return r.ctx.Err()
	case in.over:
		r.refuse(name, TooMany)
	case errors.Is(err, errTooMuch):
		r.refuse(name, TooBig)
	case err != nil:
		r.refuse(name, Broken)
	default:
		r.found = append(r.found, in.found...)
		r.refused = append(r.refused, in.refused...)
		r.aside = append(r.aside, in.aside...)
	}
	return nil
}

// maxDirectory is how many bytes of a zip's own table of contents are read.
const maxDirectory = 2 << 20

func (r *reader) zip(b []byte) error {
	source := &meter{Reader: bytes.NewReader(b), left: maxDirectory}
	z, err := zip.NewReader(source, int64(len(b)))
	if source.left < 0 {
		r.over = true
		return errTooMuch
	}
	if err != nil {
		return err
	}
	source.left = 1 << 40
	var declared uint64
	seen := map[string]int{}
	for _, f := range z.File {
		declared += min(f.UncompressedSize64, MaxBytes+1)
		if declared > MaxBytes {
			return errTooMuch
		}
		seen[fold(f.Name)]++
	}
	for _, f := range z.File {
		if err := r.ctx.Err(); err != nil {
			return err
		}
		name, ok, err := r.name(f.Name, seen[fold(f.Name)])
		if err != nil {
			return err
		}
		mode := f.Mode()
		switch {
		case !ok || mode.IsDir():
			continue
		case mode&fs.ModeSymlink != 0:
			r.refuse(name, Link)
			continue
		case !mode.IsRegular():
			r.refuse(name, NotRegular)
			continue
		case !r.wanted(name):
			continue
		case f.Flags&1 != 0:
			r.refuse(name, Encrypted)
			continue
		case f.UncompressedSize64 > gate.MaxSize:
			r.refuse(name, TooBig)
			continue
		}
		r.unpack(name, f)
	}
	return nil
}

func (r *reader) unpack(name string, f *zip.File) {
	in, err := f.Open()
	if err != nil {
		r.refuse(name, Broken)
		return
	}
	defer func() { _ = in.Close() }()
	b, err := io.ReadAll(io.LimitReader(in, gate.MaxSize+1))
	switch {
	case len(b) > gate.MaxSize:
		r.refuse(name, TooBig)
	case err != nil:
		r.refuse(name, Broken)
	default:
		r.take(name, b)
	}
}

// meter counts what is read.
type meter struct {
	*bytes.Reader
	left int64
}

func (m *meter) ReadAt(p []byte, at int64) (int, error) {
	if m.left -= int64(len(p)); m.left < 0 {
		return 0, errTooMuch
	}
	return m.Reader.ReadAt(p, at)
}

// limited gives an error when there is more than it may read.
type limited struct {
	from io.Reader
	left int64
}

func (l *limited) Read(p []byte) (int, error) {
	if l.left < 0 {
		return 0, errTooMuch
	}
	n, err := l.from.Read(p)
	if l.left -= int64(n); l.left < 0 {
		return 0, errTooMuch
	}
	return n, err
}

func (r *reader) tar(b []byte) error {
	unzipped, err := gzip.NewReader(bytes.NewReader(b))
	if err != nil {
		return err
	}
	unzipped.Multistream(false) // some programs fill up the last block with zeros
	// Headers come on top of what the files have.
	stream := &limited{unzipped, MaxBytes + 4*512*MaxFiles}
	t := tar.NewReader(stream)
	type held struct {
		name string
		h    *tar.Header
		data []byte
	}
	var all []held
	seen := map[string]int{}
	var declared int64
	for {
		if err := r.ctx.Err(); err != nil {
			return err
		}
		h, err := t.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if stream.left < 0 {
			return errTooMuch
		}
		if err != nil {
			return err
		}
		if h.Typeflag == tar.TypeXGlobalHeader {
			continue
		}
		if declared += max(0, min(h.Size, MaxBytes+1)); declared > MaxBytes {
			return errTooMuch
		}
		seen[fold(h.Name)]++
		e := held{name: h.Name, h: h}
		clean := strings.TrimPrefix(path.Clean(strings.ReplaceAll(h.Name, `\`, "/")), "./")
		if _, ok := r.which(clean); ok && h.Typeflag == tar.TypeReg && h.Size <= gate.MaxSize {
			if e.data, err = io.ReadAll(t); err != nil {
				return err
			}
		}
		if len(all) > 20*MaxFiles {
			r.over = true
			return errTooMuch
		}
		all = append(all, e)
	}
	// What the archive's own end cuts off shows in the checksum behind it.
	if _, err := io.Copy(io.Discard, stream); err != nil {
		return err
	}

	for _, e := range all {
		name, ok, err := r.name(e.name, seen[fold(e.name)])
		if err != nil {
			return err
		}
		switch {
		case !ok || e.h.Typeflag == tar.TypeDir:
		case e.h.Typeflag == tar.TypeSymlink || e.h.Typeflag == tar.TypeLink:
			r.refuse(name, Link)
		case e.h.Typeflag != tar.TypeReg || hasHoles(e.h):
			r.refuse(name, NotRegular)
		case !r.wanted(name):
		case e.h.Size > gate.MaxSize:
			r.refuse(name, TooBig)
		default:
			r.take(name, e.data)
		}
	}
	return nil
}

// hasHoles tells whether the archive leaves out parts of a file.
func hasHoles(h *tar.Header) bool {
	for key := range h.PAXRecords {
		if strings.HasPrefix(key, "GNU.sparse.") {
			return true
		}
	}
	return false
}

// name judges the name of a file in an archive, which occurs n times in it, and
// returns it with slashes. If it is not ok it has been refused, or needs no word.
func (r *reader) name(given string, n int) (name string, ok bool, err error) {
	name = strings.ReplaceAll(given, `\`, "/")
	drive := len(name) > 1 && name[1] == ':'
	clean := path.Clean(name)
	switch {
	case r.passes(clean):
		r.passOver(clean)
		return "", false, nil
	case r.count() != nil:
		return "", false, errTooMuch
	case !legible(given):
		r.refuse(given, BadName)
	case strings.HasPrefix(name, "/") || drive:
		r.refuse(given, Absolute)
	case slices.Contains(strings.Split(name, "/"), ".."):
		r.refuse(given, Climbs)
	case n > 1 && !strings.HasSuffix(name, "/"):
		r.refuse(given, Twice)
	default:
		return clean, true, nil
	}
	return "", false, nil
}

// wanted tells whether a file of an archive is a lesson's, and refuses it if it
// is not.
func (r *reader) wanted(name string) bool {
	if _, ok := r.which(name); ok {
		return true
	}
	if trimArchive(name) != name {
		r.refuse(name, Nested)
	} else {
		r.refuse(name, Unknown)
	}
	return false
}

// legible tells whether a name can be shown and compared everywhere.
func legible(name string) bool {
	return utf8.ValidString(name) && strings.IndexFunc(name, unicode.IsControl) < 0
}

// fold makes equal what some file systems take for the same name.
func fold(name string) string {
	return strings.ToLower(path.Clean(strings.ReplaceAll(name, `\`, "/")))
}

// own are files of the lab itself, and what file managers and the like leave
// behind; parts are the lab's folders, but for the exercises. A clone holds them,
// nobody reads them, and they are not worth a word.
var (
	own = []string{
		".DS_Store", ".ci", ".git", ".github", ".gitignore", ".idea", ".vscode", "LICENSE", "Makefile", "README.md", "Thumbs.db", "__MACOSX",
		"desktop.ini", "go.mod", "go.sum",
	}
	parts = []string{"cmd", "docs", "internal", "lessons", "solutions"}
)

func isOwn(part string) bool { return slices.Contains(own, part) || strings.HasPrefix(part, "._") }

func isPart(name string) bool { return slices.Contains(parts, name) }

// passes tells whether a file lies where nobody looks, or is a suite that came
// with a clone.
func (r *reader) passes(name string) bool {
	parts := strings.Split(name, "/")
	if slices.Contains(parts, "..") {
		return false
	}
	if slices.ContainsFunc(parts, func(p string) bool { return isOwn(p) || isPart(p) }) {
		return true
	}
	n := len(parts)
	return n >= 3 && parts[n-3] == "exercises" && slices.Contains(r.lessons, parts[n-2]) &&
		(parts[n-1] == parts[n-2]+"_test.go" || parts[n-1] == "contract_test.go")
}

// beside tells whether a path leads through a folder that has the name of one of
// the lab's parts, and where the clone would be then: a for a/solutions/queues.go.
func beside(name string) (clone string, ok bool) {
	names := strings.Split(name, "/")
	i := slices.IndexFunc(names, isPart)
	if i < 0 || slices.ContainsFunc(names, isOwn) {
		return "", false
	}
	return cmp.Or(path.Join(names[:i]...), "."), true
}

// which returns the lesson whose file has that path in a submission.
func (r *reader) which(name string) (lesson string, ok bool) {
	lesson, ok = strings.CutSuffix(path.Base(name), ".go")
	if !ok || !slices.Contains(r.lessons, lesson) {
		return "", false
	}
	// queues/pipes.go is nobody's.
	if in := path.Base(path.Dir(name)); in != lesson && slices.Contains(r.lessons, in) {
		return "", false
	}
	return lesson, true
}

// take keeps a file that may be a lesson's.
func (r *reader) take(name string, source []byte) {
	lesson, ok := r.which(name)
	if !ok {
		return
	}
	f := found{path: name, lesson: lesson, source: source, rank: 2}
	if dir := path.Dir(name); path.Base(dir) == lesson {
		f.rank = 1
		if path.Base(path.Dir(dir)) == "exercises" {
			f.rank = 0
		}
	}
	r.found = append(r.found, f)
}

// choose settles which files are the submission: for each lesson that in a clone's
// place goes before that in a folder of the lesson's name, and that before any
// other; where that leaves two, none is taken unless they are the same.
func (r *reader) choose(s *gradebook.Submission) {
	if r.over {
		s.Refused = []gradebook.Refused{{Path: ".", Word: TooMany}}
		return
	}
	r.settle()
	slices.SortStableFunc(r.found, func(a, b found) int {
		return cmp.Or(cmp.Compare(a.lesson, b.lesson), cmp.Compare(a.rank, b.rank), cmp.Compare(a.path, b.path))
	})
	for lesson, of := range byLesson(r.found) {
		first := of[0]
		if len(of) > 1 && of[1].rank == first.rank && !bytes.Equal(first.source, of[1].source) {
			r.refuse(first.path, Twice)
		} else {
			s.Files[lesson] = gradebook.File{Path: first.path, Source: first.source}
		}
		for _, f := range of[1:] {
			r.refuse(f.path, Twice)
		}
	}
	slices.SortFunc(r.refused, func(a, b gradebook.Refused) int {
		return cmp.Or(cmp.Compare(a.Path, b.Path), cmp.Compare(a.Word, b.Word))
	})
	s.Refused = slices.Compact(r.refused)
	if len(s.Refused) > maxRefused {
		s.Refused = append(s.Refused[:maxRefused:maxRefused], gradebook.Refused{Path: "…", Word: TooMany})
	}
}

// settle says a word about lessons' files in folders such as solutions, unless
// there is a clone around them: then they are the lab's. None is ever taken, as a
// reference would be everybody's best answer.
func (r *reader) settle() {
	clones := map[string]bool{}
	for _, f := range r.found {
		if f.rank == 0 {
			clones[path.Dir(path.Dir(path.Dir(f.path)))] = true
		}
	}
	for _, a := range r.aside {
		if clone, _ := beside(a.Path); !clones[clone] {
			r.refuse(a.Path, a.Word)
		}
	}
}

func byLesson(sorted []found) map[string][]found {
	groups := map[string][]found{}
	for _, f := range sorted {
		groups[f.lesson] = append(groups[f.lesson], f)
	}
	return groups
}
