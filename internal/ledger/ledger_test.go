package ledger_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"conclab/internal/gradebook"
	"conclab/internal/ledger"
	"conclab/internal/runner"
	"conclab/internal/sandbox"
)

// fillEnv makes the test binary a program that fills the ledger in the folder
// that it names.
const fillEnv = "CONCLAB_LEDGER"

func TestMain(m *testing.M) {
	if dir := os.Getenv(fillEnv); dir != "" {
		os.Exit(fill(dir))
	}
	os.Exit(m.Run())
}

func fill(dir string) int {
	l, err := ledger.Open(dir, ledger.Class{IDs: ids(200)})
	if err != nil {
		fmt.Println(err)
		return 1
	}
	defer l.Close()
	for _, id := range ids(200) {
		if err := l.Put(entry(id, runner.Pass)); err != nil {
			all, missing, readErr := ledger.Read(dir)
			left, _ := filepath.Glob(filepath.Join(dir, ".writing-*"))
			fmt.Println(err)
			fmt.Printf("%d whole, %d to go, %v, %d left behind\n", len(all), len(missing), readErr, len(left))
			return 1
		}
	}
	return 0
}

func ids(n int) []string {
	all := make([]string, n)
	for i := range all {
		all[i] = fmt.Sprintf("s-%03d", i)
	}
	return all
}

func entry(id string, v runner.Verdict) *gradebook.Entry {
	return &gradebook.Entry{
		Version: gradebook.Version, ID: id, Name: id, Key: "k",
		Made: gradebook.Made{Submission: "a", Suites: "s", Go: "go1.26.8", Repeats: []gradebook.Run{{Procs: 2}}},
		Lessons: []gradebook.Lesson{{Lesson: "queues", Status: gradebook.Graded, Tasks: []gradebook.Task{{
			Test: "TestQueue", Points: 4, Tests: []gradebook.Test{{Name: "TestQueue/TestX", Verdict: v, Runs: 1, Message: strings.Repeat("x", 500)}},
		}}}},
	}
}

func write(t *testing.T, dir string, shard ledger.Shard, class []string, entries ...*gradebook.Entry) {
	t.Helper()
	l, err := ledger.Open(dir, ledger.Class{Shard: shard, IDs: class})
	require.NoError(t, err)
	defer l.Close()
	for _, e := range entries {
		require.NoError(t, l.Put(e))
	}
}

func TestWhatIsPutCanBeGot(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, ledger.Shard{}, ids(3), entry("s-000", runner.Pass), entry("s-002", runner.Fail))
	all, missing, err := ledger.Read(dir)
	require.NoError(t, err)
	assert.Equal(t, []*gradebook.Entry{entry("s-000", runner.Pass), entry("s-002", runner.Fail)}, all)
	assert.Equal(t, []string{"s-001"}, missing)
}

func TestEntriesOfWhoLeftTheClassDoNotCount(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, ledger.Shard{}, ids(2), entry("s-000", runner.Pass), entry("s-001", runner.Pass))
	write(t, dir, ledger.Shard{}, ids(1))
	all, missing, err := ledger.Read(dir)
	require.NoError(t, err)
	assert.Len(t, all, 1)
	assert.Empty(t, missing)
}

func TestFilesThatAreNoSubmissionsStayWithTheResults(t *testing.T) {
	leftOut := func(dir string) []gradebook.Refused {
		t.Helper()
		c, err := ledger.ReadClass(dir)
		require.NoError(t, err)
		return c.LeftOut
	}
	dir := t.TempDir()
	carol, dave := gradebook.Refused{Path: "carol.rar", Word: "unknown"}, gradebook.Refused{Path: "dave.7z", Word: "unknown"}
	for _, beside := range [][]gradebook.Refused{{carol, dave}, {dave}, nil} {
		l, err := ledger.Open(dir, ledger.Class{IDs: ids(2), LeftOut: beside})
		require.NoError(t, err)
		l.Close()
		assert.Equal(t, beside, leftOut(dir), "what the last grading saw")
	}

	old := `{"version":1,"shard":{"number":1,"of":1},"ids":["s-000"]}`
	require.NoError(t, os.WriteFile(filepath.Join(dir, ".class"), []byte(old), 0o600))
	assert.Empty(t, leftOut(dir), "an older lab did not write them down")
	_, missing, err := ledger.Read(dir)
	require.NoError(t, err)
	assert.Equal(t, []string{"s-000"}, missing)

	out, dirs := t.TempDir(), shards(t, 2)
	for i, beside := range [][]gradebook.Refused{{carol}, {carol, dave}} {
		l, err := ledger.Open(dirs[i], ledger.Class{Shard: ledger.Shard{Number: i + 1, Of: 2}, IDs: ids(7), LeftOut: beside})
		require.NoError(t, err)
		l.Close()
	}
	for range 2 {
		_, err = ledger.Merge(out, dirs)
		require.NoError(t, err)
		assert.Equal(t, []gradebook.Refused{carol, dave}, leftOut(out))
	}
}

func TestAnEntryThatIsDamagedIsNone(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, ledger.Shard{}, ids(1), entry("s-000", runner.Pass))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "s-000.json"), []byte(`{"version":1,`), 0o600))
	l, err := ledger.Open(dir, ledger.Class{IDs: ids(1)})
	require.NoError(t, err)
	defer l.Close()
	old, err := l.Get("s-000")
	assert.NoError(t, err)
	assert.Nil(t, old)
	_, _, err = ledger.Read(dir)
	assert.ErrorContains(t, err, "s-000.json: not a whole entry (unexpected EOF): grade it again")
}

// It would be read as a class of nobody, and its report be one without marks.
func TestAClassFileThatSaysNothingIsNone(t *testing.T) {
	for _, text := range []string{
		``, `{"version":1,`, `{}`, `null`, `{"version":1,"shard":{"number":1,"of":1}}`, `{"version":1,"ids":["s-000"]}`,
		`{"shard":{"number":1,"of":1},"ids":["s-000"]}`, `{"version":1,"shard":{"number":5,"of":2},"ids":["s-000"]}`,
	} {
		dir := t.TempDir()
		require.NoError(t, os.WriteFile(filepath.Join(dir, ".class"), []byte(text), 0o600))
		_, _, err := ledger.Read(dir)
		assert.ErrorContains(t, err, "grade again", text)
		_, err = ledger.Merge(t.TempDir(), []string{dir})
		assert.ErrorContains(t, err, "grade again", text)
		write(t, dir, ledger.Shard{}, ids(1), entry("s-000", runner.Pass))
		all, _, err := ledger.Read(dir)
		require.NoError(t, err)
		assert.Len(t, all, 1)
	}
}

// What somebody would miss is not written over because a flag was left out.
func TestNothingElseIsReplaced(t *testing.T) {
	refused := func(dir, says string) {
		t.Helper()
		before, err := os.ReadFile(filepath.Join(dir, ".class"))
		require.True(t, err == nil || os.IsNotExist(err))
		l, err := ledger.Open(dir, ledger.Class{IDs: ids(2)})
		if !assert.ErrorContains(t, err, says) {
			l.Close()
		}
		after, _ := os.ReadFile(filepath.Join(dir, ".class"))
		assert.Equal(t, string(before), string(after))
	}
	another := t.TempDir()
	write(t, another, ledger.Shard{}, []string{"x-1", "x-2"}, entry("x-1", runner.Pass))
	refused(another, "holds the results of another class, x-1 among them: name another folder with --out")

	newer := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(newer, ".class"), []byte(`{"version":9,"ids":["s-000"]}`), 0o600))
	refused(newer, "a newer lab wrote it: use that one")

	somebodys := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(somebodys, "package.json"), []byte("{}"), 0o600))
	refused(somebodys, "package.json in "+somebodys+" was there before any grading: name another folder with --out")

	dir := t.TempDir()
	write(t, dir, ledger.Shard{}, ids(1), entry("s-000", runner.Pass))
	text, err := os.ReadFile(filepath.Join(dir, "s-000.json"))
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "s-000.json"), bytes.Replace(text, []byte(`"version": 1`), []byte(`"version": 9`), 1), 0o600))
	l, err := ledger.Open(dir, ledger.Class{IDs: ids(1)})
	require.NoError(t, err)
	defer l.Close()
	_, err = l.Get("s-000")
	assert.ErrorIs(t, err, gradebook.ErrNewer)
}

func TestThePolicyIsRemembered(t *testing.T) {
	dirs := []string{t.TempDir(), t.TempDir()}
	for i, dir := range dirs {
		l, err := ledger.Open(dir, ledger.Class{Shard: ledger.Shard{Number: i + 1, Of: 2}, IDs: ids(2), Policy: "p.yaml"})
		require.NoError(t, err)
		require.NoError(t, l.Put(entry(ids(2)[i], runner.Pass)))
		l.Close()
	}
	all := t.TempDir()
	_, err := ledger.Merge(all, dirs)
	require.NoError(t, err)
	c, err := ledger.ReadClass(all)
	require.NoError(t, err)
	assert.Equal(t, ledger.Class{Version: gradebook.Version, Shard: ledger.Shard{Number: 1, Of: 1}, IDs: ids(2), Policy: "p.yaml"}, c)
}

func TestOneAtATime(t *testing.T) {
	dir := t.TempDir()
	l, err := ledger.Open(dir, ledger.Class{IDs: ids(1)})
	require.NoError(t, err)
	_, err = ledger.Open(dir, ledger.Class{IDs: ids(1)})
	assert.ErrorContains(t, err, "another grading")
	l.Close()
	l, err = ledger.Open(dir, ledger.Class{IDs: ids(1)})
	require.NoError(t, err)
	l.Close()
	_, err = ledger.Open(dir, ledger.Class{Shard: ledger.Shard{Number: 1, Of: 2}, IDs: ids(1)})
	assert.ErrorContains(t, err, "shard 1/1")
}

// inBox runs this test binary in a sandbox in which the folder is a small disk,
// or one that can only be read.
func inBox(t *testing.T, dir string, args ...string) string {
	t.Helper()
	if err := sandbox.Check(t.Context(), sandbox.Bubblewrap); err != nil {
		t.Skipf("skipped, because %v", err)
	}
	self, err := os.Executable()
	require.NoError(t, err)
	args = append([]string{"--ro-bind", "/", "/", "--proc", "/proc", "--dev", "/dev"}, append(args, self)...)
	cmd := exec.Command("bwrap", args...)
	cmd.Env = append(os.Environ(), fillEnv+"="+dir)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	assert.Error(t, cmd.Run(), "it must not go well")
	return out.String()
}

func TestAFullDiskLeavesTheLedgerWhole(t *testing.T) {
	dir := t.TempDir()
	out := inBox(t, dir, "--size", "65536", "--tmpfs", dir)
	assert.Contains(t, out, "no room left")
	assert.Regexp(t, `[1-9]\d* whole, \d+ to go, <nil>, 0 left behind`, out)
}

func TestAFolderThatCannotBeWrittenIsSaidAtOnce(t *testing.T) {
	dir := t.TempDir()
	assert.Contains(t, inBox(t, dir), "name a folder that you may write to")
}

func TestShards(t *testing.T) {
	for text, want := range map[string]ledger.Shard{"": {1, 1}, "1/1": {1, 1}, "2/4": {2, 4}} {
		s, err := ledger.ParseShard(text)
		require.NoError(t, err, text)
		assert.Equal(t, want, s)
	}
	for _, text := range []string{"0/4", "5/4", "1", "a/b", "1/2/3", "-1/2"} {
		_, err := ledger.ParseShard(text)
		assert.Error(t, err, text)
	}
	for i := range 20 {
		owners := 0
		for n := 1; n <= 3; n++ {
			if (ledger.Shard{Number: n, Of: 3}).Has(i) {
				owners++
			}
		}
		assert.Equal(t, 1, owners, i)
	}
}

// shards writes a class of seven in n shards and returns their folders.
func shards(t *testing.T, n int) []string {
	var dirs []string
	for number := 1; number <= n; number++ {
		s := ledger.Shard{Number: number, Of: n}
		dir := t.TempDir()
		var own []*gradebook.Entry
		for i, id := range ids(7) {
			if s.Has(i) {
				own = append(own, entry(id, runner.Pass))
			}
		}
		write(t, dir, s, ids(7), own...)
		dirs = append(dirs, dir)
	}
	return dirs
}

func TestMergedShardsAreTheWhole(t *testing.T) {
	out, dirs := t.TempDir(), shards(t, 3)
	slices.Reverse(dirs)
	for range 2 {
		n, err := ledger.Merge(out, dirs)
		require.NoError(t, err)
		assert.Equal(t, 7, n)
		all, missing, err := ledger.Read(out)
		require.NoError(t, err)
		assert.Len(t, all, 7)
		assert.Empty(t, missing)
	}
}

func TestMergeRefusesGapsAndDuplicates(t *testing.T) {
	dirs := shards(t, 3)
	refuse := func(want string, dirs ...string) {
		t.Helper()
		out := t.TempDir()
		_, err := ledger.Merge(out, dirs)
		assert.ErrorContains(t, err, want)
		left, _ := os.ReadDir(out)
		assert.Empty(t, left)
	}
	refuse("shard 2/3 is missing", dirs[0], dirs[2])
	refuse("is there twice", dirs[0], dirs[1], dirs[1], dirs[2])
	refuse("nothing to merge")
	refuse("no folder of results", t.TempDir())
	refuse("not of one grading", dirs[0], shards(t, 2)[1])

	other := t.TempDir()
	write(t, other, ledger.Shard{Number: 3, Of: 3}, ids(8))
	refuse("s-007 is only in the second", dirs[0], dirs[1], other)

	strange := entry("s-002", runner.Pass)
	strange.Made.Go = "go1.27"
	write(t, dirs[2], ledger.Shard{Number: 3, Of: 3}, ids(7), strange)
	refuse("Go: go1.26.8, now go1.27", dirs...)

	require.NoError(t, os.Remove(filepath.Join(dirs[0], "s-003.json")))
	refuse("s-003 is missing", dirs...)
}

func TestDiffSaysWhatMovedAndWhy(t *testing.T) {
	a, b, c := entry("s-000", runner.Pass), entry("s-001", runner.Pass), entry("s-002", runner.Pass)
	older := []*gradebook.Entry{a, b, c}
	assert.Empty(t, ledger.Diff(older, older))

	resubmitted := entry("s-000", runner.Fail)
	resubmitted.Made.Submission = "b"
	unbuilt := entry("s-001", runner.Pass)
	unbuilt.Lessons[0].Status = gradebook.NotBuilt
	unbuilt.Made.Suites, unbuilt.Made.Go = "t", "go1.27"
	var lines []string
	for _, change := range ledger.Diff(older, []*gradebook.Entry{resubmitted, unbuilt, entry("s-003", runner.Pass)}) {
		lines = append(lines, change.String())
	}
	assert.Equal(t, []string{
		"s-000 queues TestQueue/TestX: pass → fail (the submission)",
		"s-001 queues: graded → not built (the suites or what they stand on, Go: go1.26.8, now go1.27)",
		"s-002: graded → nothing (it is not there any more)",
		"s-003: nothing → graded (it is new)",
	}, lines)

	flaky := ledger.Diff([]*gradebook.Entry{a}, []*gradebook.Entry{entry("s-000", runner.Fail)})
	assert.Contains(t, flaky[0].String(), "nothing else differs")
}
