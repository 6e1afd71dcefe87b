package runner_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"conclab/internal/runner"
	"conclab/internal/sandbox"
	"conclab/lessons"
)

const labRoot = "../.."

func isolation(t *testing.T) sandbox.Isolation {
	if err := sandbox.Check(t.Context(), sandbox.Bubblewrap); err != nil {
		t.Logf("without a sandbox, because %v", err)
		return sandbox.None
	}
	return sandbox.Bubblewrap
}

func kit(t *testing.T, imports []string, names ...string) *runner.Kit {
	t.Helper()
	o := runner.KitOptions{
		Root: labRoot, Dir: t.TempDir(), Isolation: isolation(t), Imports: imports,
		Build: sandbox.Limits{Memory: 1 << 30, Output: 1 << 20, File: 256 << 20, CPU: 30 * time.Second},
		Run:   sandbox.Limits{Memory: 1 << 30, Processes: 256, File: 16 << 20},
	}
	for _, name := range names {
		l, err := lessons.Find(name)
		require.NoError(t, err)
		o.Lessons = append(o.Lessons, l)
	}
	k, err := runner.NewKit(t.Context(), o)
	require.NoError(t, err)
	return k
}

func TestAKitOfItsOwn(t *testing.T) {
	dir := t.TempDir()
	l, err := lessons.Find("processes")
	require.NoError(t, err)
	source, err := os.ReadFile(filepath.Join(labRoot, "solutions", l.Name, l.Name+".go"))
	require.NoError(t, err)
	k, err := runner.NewKit(t.Context(), runner.KitOptions{
		Root: labRoot, Dir: dir, Isolation: isolation(t), Lessons: []lessons.Lesson{l}, Imports: runner.Imports(source),
	})
	require.NoError(t, err)
	for _, name := range []string{"base.cfg", "candidate.cfg"} {
		config, err := os.ReadFile(filepath.Join(dir, name))
		require.NoError(t, err)
		for line := range strings.Lines(string(config)) {
			_, file, _ := strings.Cut(strings.TrimSpace(line), "=")
			require.True(t, strings.HasPrefix(file, dir), "somebody may clean the cache while it is used: %s", line)
		}
	}

	// Whatever happens to it is not the candidate's fault.
	packages, err := filepath.Glob(filepath.Join(dir, "package*.a"))
	require.NoError(t, err)
	require.NotEmpty(t, packages)
	for _, gone := range [][]string{packages, {filepath.Join(dir, "candidate.cfg")}} {
		for _, file := range gone {
			require.NoError(t, os.Remove(file))
		}
		_, err = k.Assemble(t.Context(), t.TempDir(), []runner.Candidate{{Lesson: l, File: "processes.go", Source: source}})
		require.ErrorContains(t, err, "the compiler cannot work")
	}
}

// A machine without memory kills the compiler in the same way as the limit on its
// processor time does, and must not make a zero of that.
func TestACompilerThatTheMachineKilledIsNotTheCandidatesFault(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("skipped, because only Linux shows who is at work in /proc")
	}
	k := kit(t, nil, "queues")
	source := []byte("package queues\n")
	for i := range 20000 { // some seconds of work
		source = fmt.Appendf(source, "func f%d(a, b int) int { return a*%[1]d + b/(a+%[1]d) }\n", i)
	}
	l, err := lessons.Find("queues")
	require.NoError(t, err)
	dir := t.TempDir()
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	go func() {
		for ctx.Err() == nil {
			files, _ := filepath.Glob("/proc/[0-9]*/cmdline")
			for _, file := range files {
				line, _ := os.ReadFile(file)
				if name, args, _ := bytes.Cut(line, []byte{0}); filepath.Base(string(name)) == "compile" && bytes.Contains(args, []byte(dir)) {
					pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(file)))
					if p, err := os.FindProcess(pid); err == nil {
						_ = p.Kill()
					}
				}
			}
		}
	}()
	a, err := k.Assemble(t.Context(), dir, []runner.Candidate{{Lesson: l, File: "queues.go", Source: source}})
	if err == nil {
		require.Empty(t, a.NotBuilt)
	}
	require.ErrorContains(t, err, "was killed, and by no limit of the lab's")
}

// Under such limits nothing works, whoever has written it.
func TestLimitsUnderWhichNothingWorksAreNotTheCandidatesFault(t *testing.T) {
	l, err := lessons.Find("queues")
	require.NoError(t, err)
	o := runner.KitOptions{Root: labRoot, Dir: t.TempDir(), Isolation: isolation(t), Lessons: []lessons.Lesson{l}}
	o.Build.Memory = 1 << 20
	_, err = runner.NewKit(t.Context(), o)
	if err != nil { // it may be over before anybody has looked
		require.ErrorContains(t, err, "the compiler does not work here: it was stopped for too much memory")
	}
	if o.Isolation == sandbox.None {
		return // nobody counts processes there
	}
	o.Build, o.Dir = sandbox.Limits{Processes: 1}, t.TempDir()
	_, err = runner.NewKit(t.Context(), o)
	require.ErrorContains(t, err, "the compiler does not work here: it ")

	// The linker takes more than this, and the compiler less.
	source, err := os.ReadFile(filepath.Join(labRoot, "solutions", l.Name, l.Name+".go"))
	require.NoError(t, err)
	o.Build, o.Dir, o.Imports = sandbox.Limits{Memory: 80 << 20}, t.TempDir(), runner.Imports(source)
	k, err := runner.NewKit(t.Context(), o)
	require.NoError(t, err)
	_, err = k.Assemble(t.Context(), t.TempDir(), []runner.Candidate{{Lesson: l, File: "queues.go", Source: source}})
	require.ErrorContains(t, err, "the linker was stopped for too much memory: allow more")
	require.NotContains(t, err.Error(), "this file")
}

func TestGradedBinaries(t *testing.T) {
	var imports []string
	var candidates []runner.Candidate
	for _, l := range lessons.All()[:3] { // package verify has them all
		source, err := os.ReadFile(filepath.Join(labRoot, "solutions", l.Name, l.Name+".go"))
		require.NoError(t, err)
		candidates = append(candidates, runner.Candidate{Lesson: l, File: "s/" + l.Name + ".go", Source: source})
		imports = append(imports, runner.Imports(source)...)
	}
	k := kit(t, append(imports, "os", "runtime"), lessons.Names()[:3]...)

	passes := func(t *testing.T, candidates []runner.Candidate) {
		a, err := k.Assemble(t.Context(), t.TempDir(), candidates)
		require.NoError(t, err)
		defer a.Remove()
		assert.Empty(t, a.NotBuilt)
		for _, c := range candidates {
			v, err := a.Judge(t.Context(), c.Lesson.Name, runner.Way{Procs: 2, Limit: time.Minute})
			require.NoError(t, err)
			assert.Empty(t, v.Tampered, c.Lesson.Name)
			for _, task := range v.Tasks {
				for _, test := range task.Tests {
					assert.Equal(t, runner.Pass, test.Verdict, "%s %s: %s", c.Lesson.Name, test.Name, test.Message)
				}
			}
		}
	}
	t.Run("references pass in one", func(t *testing.T) { passes(t, candidates) })
	t.Run("a death of the race detector costs nothing", func(t *testing.T) {
		dies := candidates[0]
		dies.Source = bytes.Replace(dies.Source, []byte("func NewProcess("), []byte(`func init() {
	if runtime.GOMAXPROCS(0) > 1 {
		println("ThreadSanitizer: CHECK failed: tsan_rtl.cpp:346")
		os.Exit(66)
	}
}

func NewProcess(`), 1)
		dies.Source = bytes.Replace(dies.Source, []byte("import ("), []byte("import (\n\t\"os\"\n\t\"runtime\""), 1)
		passes(t, []runner.Candidate{dies})
	})
}
