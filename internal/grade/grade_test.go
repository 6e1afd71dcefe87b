package grade_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"conclab/internal/grade"
	"conclab/internal/gradebook"
	"conclab/internal/ledger"
	"conclab/internal/runner"
	"conclab/internal/sandbox"
	"conclab/lessons"
)

const root = "../.."

func course(t *testing.T, names ...string) []lessons.Lesson {
	t.Helper()
	var all []lessons.Lesson
	for _, name := range names {
		l, err := lessons.Find(name)
		require.NoError(t, err)
		all = append(all, l)
	}
	return all
}

func source(t *testing.T, file string) []byte {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, file))
	require.NoError(t, err)
	return text
}

func reference(t *testing.T, lesson string) string {
	return string(source(t, "solutions/"+lesson+"/"+lesson+".go"))
}

func starter(t *testing.T, lesson string) string {
	return string(source(t, "exercises/"+lesson+"/"+lesson+".go"))
}

// engine makes an engine for the lessons, with a gate only if gate is true.
func engine(t *testing.T, gate bool, change func(*grade.Options), names ...string) *grade.Engine {
	t.Helper()
	o := grade.Options{Root: root, Lessons: course(t, names...), Isolation: sandbox.Bubblewrap}
	if err := sandbox.Check(t.Context(), sandbox.Bubblewrap); err != nil {
		t.Skipf("skipped, because %v", err)
	}
	if o.Imports = grade.Imports(o.Lessons); gate {
		o.Gate = grade.NewGate(root)
	} else {
		// Whoever gets past the gate may have these.
		o.Imports = append(o.Imports, "os", "os/exec", "syscall", "flag", "net", "net/http", "runtime", "reflect")
	}
	if change != nil {
		change(&o)
	}
	e, err := grade.New(t.Context(), o)
	require.NoError(t, err)
	t.Cleanup(e.Close)
	return e
}

// submission is one of the given files, by lesson.
func submission(id string, files map[string]string) gradebook.Submission {
	s := gradebook.Submission{ID: id, Name: id, Files: map[string]gradebook.File{}}
	for lesson, text := range files {
		s.Files[lesson] = gradebook.File{Path: lesson + ".go", Source: []byte(text)}
	}
	return s
}

func item(s gradebook.Submission) grade.Item {
	return grade.Item{ID: s.ID, Read: func(context.Context) (gradebook.Submission, error) { return s, nil }}
}

// tests returns the verdicts of a lesson's tests, and how many there are.
func verdicts(l gradebook.Lesson) map[runner.Verdict]int {
	all := map[runner.Verdict]int{}
	for _, task := range l.Tasks {
		for _, test := range task.Tests {
			all[test.Verdict]++
		}
	}
	return all
}

func TestEveryStatus(t *testing.T) {
	e := engine(t, true, nil, "coroutines", "encoding", "locks")
	entry, err := e.Grade(t.Context(), submission("s-01", map[string]string{
		"coroutines": reference(t, "coroutines"),
		"encoding":   strings.Replace(reference(t, "encoding"), "import (", "import (\n\t\"os\"", 1),
	}))
	require.NoError(t, err)
	good, _ := entry.Lesson("coroutines")
	assert.Equal(t, gradebook.Graded, good.Status, good.Why)
	assert.Len(t, verdicts(good), 1, "everything passes: %v", verdicts(good))
	assert.NotZero(t, verdicts(good)[runner.Pass])
	ruled, _ := entry.Lesson("encoding")
	assert.Equal(t, gradebook.AgainstTheRules, ruled.Status)
	assert.NotEmpty(t, ruled.Findings)
	missing, _ := entry.Lesson("locks")
	assert.Equal(t, gradebook.NotSubmitted, missing.Status)
	assert.NotEmpty(t, missing.Tasks, "a report can say what there was to do")
	assert.Equal(t, "bwrap", entry.Made.Isolation)
	assert.True(t, entry.Resolved())

	entry, err = e.Grade(t.Context(), submission("s-02", map[string]string{
		"coroutines": starter(t, "coroutines"),
		"locks":      strings.Replace(reference(t, "locks"), "func Hello(", "func Hallo(", 1),
		"encoding":   "",
	}))
	require.NoError(t, err)
	untouched, _ := entry.Lesson("coroutines")
	assert.Equal(t, gradebook.Graded, untouched.Status)
	assert.Len(t, verdicts(untouched), 1)
	assert.NotZero(t, verdicts(untouched)[runner.Fail])
	renamed, _ := entry.Lesson("locks")
	assert.Equal(t, gradebook.NotBuilt, renamed.Status, "one lesson that is not built costs no other")
	assert.Contains(t, renamed.Build, "Hello")
	empty, _ := entry.Lesson("encoding")
	assert.Contains(t, []gradebook.Status{gradebook.NotBuilt, gradebook.AgainstTheRules}, empty.Status)
}

func TestWhatIsKnownIsNotGradedAgain(t *testing.T) {
	e := engine(t, true, nil, "coroutines")
	dir := t.TempDir()
	subs := []gradebook.Submission{
		submission("a", map[string]string{"coroutines": starter(t, "coroutines")}),
		submission("b", map[string]string{}),
	}
	was := map[string]string{}
	run := func() (known []string) {
		t.Helper()
		clear(was)
		l, err := ledger.Open(dir, ledger.Class{IDs: []string{"a", "b"}})
		require.NoError(t, err)
		defer l.Close()
		s, err := e.Run(t.Context(), l, []grade.Item{item(subs[0]), item(subs[1])}, func(event grade.Event) {
			if event.Known {
				known = append(known, event.ID)
			}
			if event.Was != "" {
				was[event.ID] = event.Was
			}
		})
		require.NoError(t, err)
		assert.Equal(t, len(known), s.Known)
		slices.Sort(known)
		return known
	}
	assert.Empty(t, run())
	assert.Equal(t, []string{"a", "b"}, run())

	subs[1].Name = "b.zip"
	run()
	assert.Empty(t, was, "another form is no other name")
	subs[1].Name = "another name"
	assert.Equal(t, []string{"a", "b"}, run(), "a name is no reason to grade again")
	assert.Equal(t, map[string]string{"b": "b.zip"}, was, "but somebody else's, perhaps")
	all, _, err := ledger.Read(dir)
	require.NoError(t, err)
	assert.Equal(t, "another name", all[1].Name, "but it is written down")

	subs[0] = submission("a", map[string]string{"coroutines": starter(t, "coroutines") + "\n"})
	assert.Equal(t, []string{"b"}, run())

	all[1].Lessons[0].Status = gradebook.GraderError
	l, err := ledger.Open(dir, ledger.Class{IDs: []string{"a", "b"}})
	require.NoError(t, err)
	require.NoError(t, l.Put(all[1]))
	l.Close()
	assert.Equal(t, []string{"a"}, run(), "a grader error is graded again")
}

func TestAnotherAssignmentReplacesNothing(t *testing.T) {
	dir := t.TempDir()
	sub := submission("a", map[string]string{"coroutines": "no Go"})
	run := func(lesson string) (grade.Summary, error) {
		t.Helper()
		l, err := ledger.Open(dir, ledger.Class{IDs: []string{"a"}})
		require.NoError(t, err)
		defer l.Close()
		return engine(t, true, nil, lesson).Run(t.Context(), l, []grade.Item{item(sub)}, nil)
	}
	_, err := run("coroutines")
	require.NoError(t, err)
	before, _, err := ledger.Read(dir)
	require.NoError(t, err)
	_, err = run("processes")
	require.ErrorContains(t, err, "the results of a in coroutines would be lost, which is not graded this time: name another folder with --out")
	after, _, err := ledger.Read(dir)
	require.NoError(t, err)
	assert.Equal(t, before, after)

	assert.False(t, grade.Outdated(after[0], sub))
	assert.True(t, grade.Outdated(after[0], submission("a", map[string]string{"coroutines": "other"})))
}

type brokenGate struct{ grade.Gate }

func (brokenGate) Check(context.Context, string, gradebook.File) ([]gradebook.Finding, string, error) {
	return nil, "", fmt.Errorf("the gate is broken")
}

func TestWhatAMachineDoesNotSeeIsSaid(t *testing.T) {
	const one = "the tests have one processor here"
	if runtime.NumCPU() > 1 {
		t.Setenv("CC", "no-such-compiler")
		notes := engine(t, true, func(o *grade.Options) { o.Race = runner.RaceAuto }, "coroutines").Notes()
		if runtime.GOOS != "darwin" { // the detector needs no compiler there
			require.Len(t, notes, 1)
			assert.Contains(t, notes[0], "no-such-compiler was not found")
		}

		taskset, err := exec.LookPath("taskset")
		if err != nil {
			t.Skip("the rest is skipped, because there is no taskset, which would take processors away")
		}
		status, err := os.ReadFile("/proc/self/status")
		require.NoError(t, err)
		_, allowed, _ := strings.Cut(string(status), "Cpus_allowed_list:")
		first := strings.FieldsFunc(allowed, func(r rune) bool { return !unicode.IsDigit(r) })[0]
		out, err := exec.Command(taskset, "-c", first, os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v").CombinedOutput()
		require.NoError(t, err, "%s", out)
		assert.Contains(t, string(out), one)
		return
	}
	notes := strings.Join(engine(t, true, nil, "coroutines").Notes(), "; ")
	assert.Contains(t, notes, one)
	t.Log(notes)
}

func TestAGraderErrorIsNeverAZero(t *testing.T) {
	e := engine(t, true, func(o *grade.Options) { o.Gate = brokenGate{o.Gate} }, "coroutines", "locks")
	entry, err := e.Grade(t.Context(), submission("a", map[string]string{"coroutines": reference(t, "coroutines")}))
	require.NoError(t, err)
	l, _ := entry.Lesson("coroutines")
	assert.Equal(t, gradebook.GraderError, l.Status)
	assert.Contains(t, l.Why, "the gate is broken")
	assert.False(t, entry.Resolved())
	other, _ := entry.Lesson("locks")
	assert.Equal(t, gradebook.NotSubmitted, other.Status)
}

func TestWhoCannotBeReadStaysOpenAndKeepsNobody(t *testing.T) {
	e := engine(t, true, nil, "coroutines", "locks")
	class, dir := t.TempDir(), t.TempDir()
	for _, id := range []string{"a", "b"} {
		require.NoError(t, os.MkdirAll(filepath.Join(class, id), 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(class, id, "coroutines.go"), []byte(starter(t, "coroutines")), 0o644))
	}
	run := func(between func()) (grade.Summary, []*gradebook.Entry) {
		t.Helper()
		c, err := grade.ReadClass(class, course(t, "coroutines", "locks"), ledger.Shard{})
		require.NoError(t, err)
		l, err := ledger.Open(dir, ledger.Class{IDs: c.IDs})
		require.NoError(t, err)
		defer l.Close()
		between()
		s, err := e.Run(t.Context(), l, c.Items, nil)
		require.NoError(t, err)
		all, missing, err := ledger.Read(dir)
		require.NoError(t, err)
		assert.Empty(t, missing)
		require.Len(t, all, 2)
		return s, all
	}
	away := filepath.Join(t.TempDir(), "a")
	s, all := run(func() { require.NoError(t, os.Rename(filepath.Join(class, "a"), away)) })
	assert.Equal(t, 1, s.Open)
	assert.False(t, all[0].Resolved())
	for _, l := range all[0].Lessons {
		assert.Equal(t, gradebook.GraderError, l.Status, "nobody knows what was handed in")
		assert.Contains(t, l.Why, "the submission cannot be read: ")
		assert.NotEmpty(t, l.Tasks)
	}
	assert.Equal(t, gradebook.Graded, all[1].Lessons[0].Status)

	require.NoError(t, os.Rename(away, filepath.Join(class, "a")))
	s, all = run(func() {})
	assert.Equal(t, 1, s.Known, "b is not graded again")
	assert.Equal(t, gradebook.Graded, all[0].Lessons[0].Status)
	assert.Zero(t, s.Open)
}

func TestRepeatsAreNeverTheBest(t *testing.T) {
	// It is right in the first process that asks and wrong in others: by the
	// processors that it may use.
	moody := strings.Replace(reference(t, "coroutines"), "func WaitHere(d time.Duration) Coroutine[string] {",
		"func WaitHere(d time.Duration) Coroutine[string] {\n\tif runtime.GOMAXPROCS(0) == 4 {\n\t\tpanic(\"a bad day\")\n\t}", 1)
	moody = strings.Replace(moody, "import (", "import (\n\t\"runtime\"", 1)
	e := engine(t, false, func(o *grade.Options) { o.Repeats = 3 }, "coroutines")
	entry, err := e.Grade(t.Context(), submission("a", map[string]string{"coroutines": moody}))
	require.NoError(t, err)
	require.Len(t, entry.Made.Repeats, 3)
	l, _ := entry.Lesson("coroutines")
	assert.Equal(t, gradebook.Graded, l.Status, l.Why+l.Build)
	failed := 0
	for _, task := range l.Tasks {
		for _, test := range task.Tests {
			assert.Equal(t, 3, test.Runs, test.Name)
			if !test.Passed() {
				failed++
				assert.Equal(t, 2, test.Passes, test.Name)
				assert.Equal(t, &entry.Made.Repeats[1], test.Failing, test.Name)
				if failed > 1 {
					continue
				}
				v, err := e.Replay(t.Context(), submission("a", map[string]string{"coroutines": moody}), course(t, "coroutines")[0], test.Name, *test.Failing)
				require.NoError(t, err)
				assert.Equal(t, test.Verdict, v.Tasks[0].Tests[0].Verdict, "a replay says the same")
			}
		}
	}
	assert.NotZero(t, failed)
}

func TestItEndsWithItsContext(t *testing.T) {
	e := engine(t, false, nil, "coroutines")
	spins := strings.Replace(starter(t, "coroutines"), "var ErrNoDomain", "var _ = func() int { for {} }()\n\nvar ErrNoDomain", 1)
	dir := t.TempDir()
	l, err := ledger.Open(dir, ledger.Class{IDs: []string{"a"}})
	require.NoError(t, err)
	defer l.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	_, err = e.Run(ctx, l, []grade.Item{item(submission("a", map[string]string{"coroutines": spins}))}, nil)
	assert.ErrorIs(t, err, context.DeadlineExceeded)
	_, missing, err := ledger.Read(dir)
	require.NoError(t, err)
	assert.Equal(t, []string{"a"}, missing, "half an entry is none")
}
