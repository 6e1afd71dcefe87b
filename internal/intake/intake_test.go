package intake_test

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/rand"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/tools/txtar"

	"conclab/internal/gradebook"
	"conclab/internal/intake"
)

// taught are the lessons of these tests; the course may have others.
var taught = []string{"processes", "queues", "pipes", "locks", "echo"}

// item is what a section of a submission's description stands for.
type item struct {
	name   string
	link   string // a symbolic link to there
	hard   string // a hard link to there
	option string // fifo, device, encrypted
	data   []byte
}

// parse reads the sections: NAME, NAME -> LINK, NAME => HARDLINK, NAME [OPTION],
// where NAME may be quoted, and a number as the option is the size of the file.
func parse(t *testing.T, files []txtar.File) []item {
	t.Helper()
	var items []item
	for _, f := range files {
		i := item{name: f.Name, data: f.Data}
		if before, after, ok := strings.Cut(i.name, " -> "); ok {
			i.name, i.link = before, after
		}
		if before, after, ok := strings.Cut(i.name, " => "); ok {
			i.name, i.hard = before, after
		}
		if before, after, ok := strings.Cut(i.name, " ["); ok {
			i.name, i.option = before, strings.TrimSuffix(after, "]")
		}
		if n, err := strconv.Atoi(i.option); err == nil {
			i.data = append(i.data, bytes.Repeat([]byte("\n"), n-len(i.data))...)
		}
		if name, err := strconv.Unquote(i.name); err == nil {
			i.name = name
		}
		items = append(items, i)
	}
	return items
}

func writeFolder(t *testing.T, dir string, items []item) {
	t.Helper()
	for _, i := range items {
		file := filepath.Join(dir, filepath.FromSlash(i.name))
		require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o700))
		if i.link != "" {
			require.NoError(t, os.Symlink(i.link, file))
			continue
		}
		require.NoError(t, os.WriteFile(file, i.data, 0o600))
	}
}

func makeZip(t *testing.T, items []item) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, i := range items {
		h := &zip.FileHeader{Name: i.name, Method: zip.Deflate}
		h.SetMode(0o600)
		data := i.data
		if i.link != "" {
			h.SetMode(fs.ModeSymlink | 0o777)
			data = []byte(i.link)
		}
		if i.option == "encrypted" {
			h.Flags |= 1
		}
		w, err := z.CreateHeader(h)
		require.NoError(t, err)
		_, err = w.Write(data)
		require.NoError(t, err)
	}
	require.NoError(t, z.Close())
	return b.Bytes()
}

func makeTar(t *testing.T, items []item) []byte {
	t.Helper()
	var b bytes.Buffer
	g := gzip.NewWriter(&b)
	w := tar.NewWriter(g)
	for _, i := range items {
		h := &tar.Header{Name: i.name, Typeflag: tar.TypeReg, Mode: 0o600, Size: int64(len(i.data)), Format: tar.FormatGNU}
		switch {
		case i.link != "":
			h.Typeflag, h.Linkname, h.Size = tar.TypeSymlink, i.link, 0
		case i.hard != "":
			h.Typeflag, h.Linkname, h.Size = tar.TypeLink, i.hard, 0
		case i.option == "fifo":
			h.Typeflag, h.Size = tar.TypeFifo, 0
		case i.option == "device":
			h.Typeflag, h.Size = tar.TypeChar, 0
		}
		require.NoError(t, w.WriteHeader(h))
		if h.Size > 0 {
			_, err := w.Write(i.data)
			require.NoError(t, err)
		}
	}
	require.NoError(t, w.Close())
	require.NoError(t, g.Close())
	return b.Bytes()
}

// read reads the only submission of a class.
func read(t *testing.T, class string) gradebook.Submission {
	t.Helper()
	c, err := intake.Open(class)
	require.NoError(t, err)
	require.Len(t, c.Entries, 1)
	s, err := c.Entries[0].Read(t.Context(), taught)
	require.NoError(t, err)
	return s
}

// readArchive reads a class that has one archive.
func readArchive(t *testing.T, name string, b []byte) gradebook.Submission {
	t.Helper()
	class := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(class, name), b, 0o600))
	return read(t, class)
}

func TestWhatIsTakenAndWhatIsRefused(t *testing.T) {
	files, err := filepath.Glob(filepath.Join("testdata", "*.txtar"))
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		archive, err := txtar.ParseFile(file)
		require.NoError(t, err)
		items := parse(t, archive.Files)
		var as []string
		take, refuse := map[string]string{}, []gradebook.Refused{}
		for line := range strings.Lines(string(archive.Comment)) {
			key, value, _ := strings.Cut(strings.TrimSpace(line), ": ")
			switch key {
			case "as":
				as = strings.Fields(value)
			case "take":
				lesson, path, _ := strings.Cut(value, " ")
				take[lesson] = path
			case "refuse":
				for _, word := range []string{
					intake.Link, intake.Climbs, intake.Absolute, intake.TooBig, intake.NotRegular,
					intake.Unknown, intake.Twice, intake.Encrypted, intake.Nested, intake.BadName, intake.Misplaced,
				} {
					if path, ok := strings.CutPrefix(value, word+" "); ok {
						if plain, err := strconv.Unquote(path); err == nil {
							path = plain
						}
						refuse = append(refuse, gradebook.Refused{Path: path, Word: word})
					}
				}
			}
		}
		require.NotEmpty(t, as, file)
		for _, form := range as {
			t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar")+"/"+form, func(t *testing.T) {
				class := t.TempDir()
				switch form {
				case "folder":
					if runtime.GOOS == "windows" && strings.Contains(file, "links") {
						t.Skip("skipped, because Windows allows links only to some")
					}
					writeFolder(t, filepath.Join(class, "alice"), items)
				case "zip":
					require.NoError(t, os.WriteFile(filepath.Join(class, "alice.zip"), makeZip(t, items), 0o600))
				case "tar":
					require.NoError(t, os.WriteFile(filepath.Join(class, "alice.tar.gz"), makeTar(t, items), 0o600))
				}
				s := read(t, class)
				assert.Equal(t, "alice", s.ID)
				taken := map[string]string{}
				for lesson, f := range s.Files {
					taken[lesson] = f.Path
					assert.NotEmpty(t, f.Source)
				}
				assert.Equal(t, take, taken)
				assert.ElementsMatch(t, refuse, s.Refused)
			})
		}
	}
}

func TestWhatIsTakenIsWhatWasHandedIn(t *testing.T) {
	text := []byte("package queues // \xff\x00 whatever it is\n")
	items := []item{{name: "queues.go", data: text}}
	assert.Equal(t, text, readArchive(t, "a.zip", makeZip(t, items)).Files["queues"].Source)
	assert.Equal(t, text, readArchive(t, "a.tgz", makeTar(t, items)).Files["queues"].Source)
}

func TestBrokenArchivesAreRefusedWhole(t *testing.T) {
	noise := make([]byte, 20_000)
	_, _ = rand.Read(noise)
	items := []item{{name: "queues.go", data: noise}, {name: "pipes.go", data: noise}}
	z, g := makeZip(t, items), makeTar(t, items)
	flipped := bytes.Clone(g)
	flipped[len(flipped)/2] ^= 1
	for name, c := range map[string]struct {
		file string
		data []byte
	}{
		"a zip cut off":        {"a.zip", z[:len(z)/2]},
		"a tar.gz cut off":     {"a.tar.gz", g[:len(g)/2]},
		"without its checksum": {"a.tar.gz", g[:len(g)-4]},
		"a bit that is wrong":  {"a.tar.gz", flipped},
		"no archive at all":    {"a.zip", []byte("hello")},
		"an empty file":        {"a.tgz", nil},
		"a zip called tar":     {"a.tar.gz", z},
	} {
		t.Run(name, func(t *testing.T) {
			s := readArchive(t, c.file, c.data)
			assert.Empty(t, s.Files)
			assert.Equal(t, []gradebook.Refused{{Path: c.file, Word: intake.Broken}}, s.Refused)
		})
	}

	// A zip has a checksum for each file, and so one bad file costs no other.
	z[60] ^= 1
	s := readArchive(t, "a.zip", z)
	assert.Equal(t, []gradebook.Refused{{Path: "queues.go", Word: intake.Broken}}, s.Refused)
	assert.Contains(t, s.Files, "pipes")
}

func TestBombsAreRefusedBeforeTheyGoOff(t *testing.T) {
	zeros := bytes.Repeat([]byte{0}, 4<<20)
	var big []item
	for i := range 3 {
		big = append(big, item{name: fmt.Sprintf("%d.bin", i), data: zeros})
	}
	var many []item
	for i := range 1001 {
		many = append(many, item{name: fmt.Sprintf("f/%d.txt", i)})
	}
	// A size that is a lie.
	lie := makeZip(t, []item{{name: "queues.go", data: zeros}})
	at := bytes.LastIndex(lie, []byte("PK\x01\x02"))
	copy(lie[at+24:], []byte{1, 0, 0, 0})

	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for name, c := range map[string]struct {
		file string
		data []byte
		word string
	}{
		"large zip":      {"a.zip", makeZip(t, big), intake.TooBig},
		"large tar":      {"a.tar.gz", makeTar(t, big), intake.TooBig},
		"many in a zip":  {"a.zip", makeZip(t, many), intake.TooMany},
		"many in a tar":  {"a.tar.gz", makeTar(t, many), intake.TooMany},
		"zeros for ever": {"a.tgz", gzipped(t, 200<<20), intake.TooBig},
	} {
		t.Run(name, func(t *testing.T) {
			s := readArchive(t, c.file, c.data)
			assert.Empty(t, s.Files)
			assert.Equal(t, []gradebook.Refused{{Path: c.file, Word: c.word}}, s.Refused)
		})
	}
	s := readArchive(t, "a.zip", lie)
	assert.Empty(t, s.Files)
	assert.Len(t, s.Refused, 1)
	runtime.ReadMemStats(&after)
	assert.Less(t, after.HeapInuse, before.HeapInuse+100<<20)
}

// gzipped returns n zeros, compressed.
func gzipped(t *testing.T, n int) []byte {
	t.Helper()
	var b bytes.Buffer
	g, err := gzip.NewWriterLevel(&b, gzip.BestSpeed)
	require.NoError(t, err)
	zeros := make([]byte, 1<<20)
	for range n >> 20 {
		_, err := g.Write(zeros)
		require.NoError(t, err)
	}
	require.NoError(t, g.Close())
	return b.Bytes()
}

func TestAFolderOfTooManyFilesIsRefusedWhole(t *testing.T) {
	class := t.TempDir()
	dir := filepath.Join(class, "alice")
	require.NoError(t, os.MkdirAll(filepath.Join(dir, "docs"), 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "queues.go"), nil, 0o600))
	for i := range intake.MaxFiles - 1 {
		require.NoError(t, os.WriteFile(filepath.Join(dir, fmt.Sprintf("%d.txt", i)), nil, 0o600))
		require.NoError(t, os.WriteFile(filepath.Join(dir, "docs", fmt.Sprintf("%d.txt", i)), nil, 0o600))
	}
	s := read(t, class)
	assert.Contains(t, s.Files, "queues", "a thousand files, beside the lab's own, are allowed")
	assert.Len(t, s.Refused, 101, "nobody reads a thousand refusals")

	require.NoError(t, os.WriteFile(filepath.Join(dir, "one-more.txt"), nil, 0o600))
	s = read(t, class)
	assert.Empty(t, s.Files)
	assert.Equal(t, []gradebook.Refused{{Path: ".", Word: intake.TooMany}}, s.Refused)
}

func TestAFolderOfTheLabsNameIsNotLookedThroughForEver(t *testing.T) {
	class := t.TempDir()
	dir := filepath.Join(class, "alice", "docs", "deep")
	require.NoError(t, os.MkdirAll(dir, 0o700))
	for i := range 2*intake.MaxFiles - 2 {
		require.NoError(t, os.WriteFile(filepath.Join(dir, fmt.Sprintf("a%d.txt", i)), nil, 0o600))
	}
	require.NoError(t, os.WriteFile(filepath.Join(class, "alice", "docs", "queues.go"), nil, 0o600))
	s := read(t, class)
	assert.Empty(t, s.Files)
	assert.Equal(t, []gradebook.Refused{{Path: "docs/queues.go", Word: intake.TooMany}}, s.Refused, "nobody knows what else is there")

	require.NoError(t, os.WriteFile(filepath.Join(class, "alice", "queues.go"), nil, 0o600))
	assert.Contains(t, read(t, class).Files, "queues", "the lab's own folders are no reason to refuse everything")
}

func TestAnArchiveInAFolderIsLookedInto(t *testing.T) {
	class := t.TempDir()
	writeFolder(t, filepath.Join(class, "Jane Doe_12345_assignsubmission_file_"), []item{
		{name: "pipes.go", data: []byte("package pipes")},
		{name: "work.zip", data: makeZip(t, []item{{name: "w/queues.go", data: []byte("package queues")}})},
	})
	s := read(t, class)
	assert.Equal(t, "jane-doe-12345", s.ID)
	assert.Equal(t, "Jane Doe_12345", s.Name)
	assert.Equal(t, "w/queues.go", s.Files["queues"].Path)
	assert.Equal(t, "pipes.go", s.Files["pipes"].Path)
	assert.Empty(t, s.Refused)
}

func TestMoodleWithoutFolders(t *testing.T) {
	class := t.TempDir()
	writeFolder(t, class, []item{
		{name: "Jane Doe_12345_assignsubmission_file_queues.go", data: []byte("package queues")},
		{name: "Jane Doe_12345_assignsubmission_file_pipes.go", data: []byte("package pipes")},
		{name: "Jane Doe_6_assignsubmission_file_queues.go", data: []byte("package queues")},
		{name: "Jane Doe_6_assignsubmission_onlinetext_x.html", data: []byte("<p>")},
	})
	c, err := intake.Open(class)
	require.NoError(t, err)
	assert.Equal(t, []string{"jane-doe-12345", "jane-doe-6"}, ids(c))
	assert.Empty(t, c.Refused)
	s, err := c.Entries[0].Read(t.Context(), taught)
	require.NoError(t, err)
	assert.Len(t, s.Files, 2)
	assert.Equal(t, "queues.go", s.Files["queues"].Path)
	s, err = c.Entries[1].Read(t.Context(), taught)
	require.NoError(t, err)
	assert.Len(t, s.Files, 1)
	assert.Equal(t, []gradebook.Refused{{Path: "x.html", Word: intake.Unknown}}, s.Refused)
}

func TestMoodlesFoldersOfAllAges(t *testing.T) {
	for _, end := range []string{"", "_"} {
		class := t.TempDir()
		writeFolder(t, class, []item{
			{name: "John Roe_12346_assignsubmission_file" + end + "/queues.go", data: []byte("package queues")},
			{name: "Amy Poe_12349_assignsubmission_file" + end + "/sub/pipes.go", data: []byte("package pipes")},
			{name: "Amy Poe_12349_assignsubmission_onlinetext" + end + "/onlinetext.html", data: []byte("<p>")},
			{name: "Cy_7_assignsubmission_onlinetext" + end + "/onlinetext.html", data: []byte("<p>")},
		})
		c, err := intake.Open(class)
		require.NoError(t, err)
		assert.Empty(t, c.Refused)
		require.Equal(t, []string{"amy-poe-12349", "cy-7", "john-roe-12346"}, ids(c), "a text is no student of its own")
		text := []gradebook.Refused{{Path: "onlinetext.html", Word: intake.Unknown}}
		for i, want := range []struct {
			name, file string
			refused    []gradebook.Refused
		}{{"Amy Poe_12349", "sub/pipes.go", text}, {"Cy_7", "", text}, {"John Roe_12346", "queues.go", nil}} {
			s, err := c.Entries[i].Read(t.Context(), taught)
			require.NoError(t, err)
			assert.Equal(t, want.name, s.Name, "by whose number Moodle's worksheet finds it")
			assert.Equal(t, want.file, s.Files["pipes"].Path+s.Files["queues"].Path)
			assert.Equal(t, want.refused, s.Refused)
		}
	}
}

func ids(c *intake.Class) []string {
	var all []string
	for _, e := range c.Entries {
		all = append(all, e.ID)
	}
	return all
}

func TestNamesBecomeIDs(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("skipped, because Windows does not have such names")
	}
	names := []string{
		"alice", "Alice", "ALICE", "bob_2", "s1234567", "Ångström, Zoë", `O'Hara "Bo"`, "=cmd|' C calc'!A0", "a\nb", "..evil", "-rf", "con", "日本",
		"名前", "x\xff", strings.Repeat("long", 50), "dot.", ".git",
	}
	class := t.TempDir()
	for _, name := range names {
		writeFolder(t, filepath.Join(class, name), []item{{name: "queues.go", data: []byte(name)}})
	}
	c, err := intake.Open(class)
	require.NoError(t, err)
	assert.Empty(t, c.Refused)
	require.Len(t, c.Entries, len(names)-1, "the folder's own history is nobody's")
	given := map[string]string{}
	seen := map[string]bool{}
	for _, e := range c.Entries {
		assert.True(t, gradebook.ValidID(e.ID), e.ID)
		assert.False(t, seen[e.ID], e.ID)
		seen[e.ID] = true
		s, err := e.Read(t.Context(), taught)
		require.NoError(t, err)
		given[string(s.Files["queues"].Source)] = e.ID
		assert.Equal(t, strings.ToValidUTF8(string(s.Files["queues"].Source), "\ufffd"), e.Name)
	}
	for name, id := range map[string]string{
		"alice": "alice", "bob_2": "bob_2", "s1234567": "s1234567", "Ångström, Zoë": "angstrom-zoe", `O'Hara "Bo"`: "o-hara-bo",
		"=cmd|' C calc'!A0": "cmd-c-calc-a0", "a\nb": "a-b", "..evil": "evil", "-rf": "rf", "dot.": "dot", "x\xff": "x",
		"Alice": "alice-3bc51062", "ALICE": "alice-e7dcee3c",
	} {
		if id != given[name] {
			t.Errorf("%q must become %q, but becomes %q", name, id, given[name])
		}
	}
	assert.Regexp(t, `^con-[0-9a-f]{8}$`, given["con"])
	assert.Regexp(t, `^x-[0-9a-f]{8}$`, given["日本"])
	assert.NotEqual(t, given["日本"], given["名前"])

	again, err := intake.Open(class)
	require.NoError(t, err)
	assert.Equal(t, ids(c), ids(again))
}

func TestNobodyTakesTheIDOfSomebodyElse(t *testing.T) {
	class := t.TempDir()
	writeFolder(t, filepath.Join(class, "Bob"), []item{{name: "queues.go", data: []byte("Bob")}})
	c, err := intake.Open(class)
	require.NoError(t, err)
	assert.Equal(t, []string{"bob"}, ids(c))

	// Whoever is called bob to the letter stays bob, and what Bob becomes then is
	// not to be had by calling oneself so.
	writeFolder(t, filepath.Join(class, "bob!"), nil)
	require.NoError(t, os.MkdirAll(filepath.Join(class, "bob"), 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(class, "bob.zip"), makeZip(t, nil), 0o600))
	c, err = intake.Open(class)
	require.NoError(t, err)
	byName := map[string]string{}
	for _, e := range c.Entries {
		byName[e.Name] = e.ID
	}
	assert.Equal(t, "bob", byName["bob"])
	require.NoError(t, os.MkdirAll(filepath.Join(class, byName["Bob"]), 0o700))
	c, err = intake.Open(class)
	require.NoError(t, err)
	seen := map[string]bool{}
	for _, e := range c.Entries {
		assert.False(t, seen[e.ID])
		seen[e.ID] = true
	}
	assert.Len(t, seen, 4)
}

func TestALinkInPlaceOfASubmissionIsNotFollowed(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("skipped, because Windows allows links only to some")
	}
	class := t.TempDir()
	writeFolder(t, filepath.Join(class, "bob"), []item{{name: "queues.go", data: []byte("package queues")}})
	require.NoError(t, os.Symlink("bob", filepath.Join(class, "mallory")))
	require.NoError(t, os.Symlink("/etc/passwd", filepath.Join(class, "trudy.zip")))
	c, err := intake.Open(class)
	require.NoError(t, err)
	assert.Equal(t, []string{"bob", "mallory", "trudy"}, ids(c))
	for _, e := range c.Entries[1:] {
		s, err := e.Read(t.Context(), taught)
		require.NoError(t, err)
		assert.Empty(t, s.Files)
		assert.Equal(t, []gradebook.Refused{{Path: e.Name, Word: intake.Link}}, s.Refused)
	}
}

func TestTrouble(t *testing.T) {
	_, err := intake.Open(filepath.Join(t.TempDir(), "nowhere"))
	assert.ErrorContains(t, err, "the folder of submissions cannot be read")
	assert.ErrorIs(t, err, fs.ErrNotExist)

	class := t.TempDir()
	writeFolder(t, filepath.Join(class, "alice"), []item{{name: "queues.go"}})
	writeFolder(t, filepath.Join(class, "gone"), []item{{name: "queues.go"}})
	c, err := intake.Open(class)
	require.NoError(t, err)
	require.NoError(t, os.RemoveAll(filepath.Join(class, "gone")))
	s, err := c.Entries[1].Read(t.Context(), taught)
	assert.ErrorIs(t, err, intake.ErrUnreadable)
	assert.ErrorIs(t, err, fs.ErrNotExist)
	assert.Equal(t, "gone", s.ID)

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = c.Entries[0].Read(ctx, taught)
	assert.ErrorIs(t, err, context.Canceled)
	assert.NotErrorIs(t, err, intake.ErrUnreadable)

	require.NoError(t, os.RemoveAll(class))
	_, err = c.Entries[0].Read(t.Context(), taught)
	assert.ErrorContains(t, err, "the folder of submissions cannot be read")
	assert.NotErrorIs(t, err, intake.ErrUnreadable, "it is not this one's trouble alone")
}

func TestWhatMayNotBeReadIsNobodysZero(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("skipped, because Windows does not have such permissions")
	}
	if os.Getuid() == 0 && os.Getenv("CONCLAB_NO_CAPS") == "" {
		// Root may read everything, unless that is taken away.
		setpriv, err := exec.LookPath("setpriv")
		if err != nil {
			t.Skip("skipped, because this is root, who may read everything, and there is no setpriv")
		}
		cmd := exec.Command(setpriv, "--bounding-set=-all", os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v")
		cmd.Env = append(os.Environ(), "CONCLAB_NO_CAPS=1")
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, "%s", out)
		assert.Contains(t, string(out), "--- PASS: "+t.Name())
		return
	}
	for what, locked := range map[string]string{
		"a folder": "alice", "a folder in it": "alice/exercises", "a file": "alice/pipes.go", "an archive": "alice/more.zip", "an archive alone": "bob.zip",
	} {
		t.Run(what, func(t *testing.T) {
			class := t.TempDir()
			writeFolder(t, class, []item{
				{name: "alice/pipes.go", data: []byte("package pipes")},
				{name: "alice/exercises/queues/queues.go", data: []byte("package queues")},
				{name: "alice/more.zip", data: makeZip(t, nil)},
				{name: "bob.zip", data: makeZip(t, []item{{name: "queues.go", data: []byte("package queues")}})},
				{name: "carol/queues.go", data: []byte("package queues")},
				{name: "carol/notes.txt"},
			})
			require.NoError(t, os.Chmod(filepath.Join(class, "carol", "notes.txt"), 0))
			require.NoError(t, os.Chmod(filepath.Join(class, locked), 0))
			t.Cleanup(func() { _ = os.Chmod(filepath.Join(class, locked), 0o700) })
			c, err := intake.Open(class)
			require.NoError(t, err)
			whose, _, _ := strings.Cut(locked, "/")
			for _, e := range c.Entries {
				s, err := e.Read(t.Context(), taught)
				if e.Name == whose {
					assert.ErrorIs(t, err, intake.ErrUnreadable)
					assert.ErrorIs(t, err, fs.ErrPermission)
					continue
				}
				require.NoError(t, err)
				assert.Contains(t, s.Files, "queues", "what nobody needs to read keeps nobody")
			}
		})
	}
}
