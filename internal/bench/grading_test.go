package bench

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"conclab/internal/grade"
	"conclab/internal/gradebook"
	"conclab/internal/ledger"
	"conclab/internal/runner"
	classroom "conclab/internal/sample"
	"conclab/internal/sandbox"
	"conclab/lessons"
)

// How large the sample classes are.
const (
	beside = 6    // graded, and tested with plain go test
	again  = 4    // graded ten times
	large  = 1000 // graded in one lesson
)

// class makes a sample class and an engine with everything on.
func class(b *testing.B, students int, course []lessons.Lesson) (*grade.Class, *grade.Engine) {
	if err := sandbox.Check(b.Context(), sandbox.Bubblewrap); err != nil {
		b.Skipf("skipped, because %v", err)
	}
	dir := filepath.Join(b.TempDir(), "class")
	require.NoError(b, classroom.Write(dir, root, students))
	c, err := grade.ReadClass(dir, course, ledger.Shard{})
	require.NoError(b, err)
	e, err := grade.New(b.Context(), grade.Options{
		Root: root, Lessons: course, Isolation: sandbox.Bubblewrap, Race: runner.RaceOn, Gate: grade.NewGate(root), Imports: grade.Imports(course),
	})
	require.NoError(b, err)
	b.Cleanup(e.Close)
	return c, e
}

// graded grades a class into a new ledger.
func graded(b *testing.B, c *grade.Class, e *grade.Engine, on func(grade.Event)) ([]*gradebook.Entry, time.Duration) {
	dir := b.TempDir()
	l, err := ledger.Open(dir, ledger.Class{IDs: c.IDs})
	require.NoError(b, err)
	defer l.Close()
	s, err := e.Run(b.Context(), l, c.Items, on)
	require.NoError(b, err)
	all, missing, err := ledger.Read(dir)
	require.NoError(b, err)
	require.Empty(b, missing)
	return all, s.Elapsed
}

// BenchmarkGrading measures how many submissions of the sample class are graded
// in a minute with everything on (gate, sandbox, race detector, record,
// canaries), and how many a plain go test -race ./exercises/... a submission
// does, on the same submissions in the same run.
func BenchmarkGrading(b *testing.B) {
	for range b.N {
		c, e := class(b, beside, lessons.All())
		graded(b, c, e, nil) // fills the caches
		_, took := graded(b, c, e, nil)
		plain := time.Duration(0)
		for i, item := range c.Items {
			sub, err := item.Read(b.Context())
			require.NoError(b, err)
			one := plainly(b, sub)
			if i == 0 {
				one = plainly(b, sub) // the caches again
			}
			plain += one
		}
		b.ReportMetric(float64(beside)/took.Minutes(), "graded/min")
		b.ReportMetric(float64(beside)/plain.Minutes(), "plain/min")
		b.ReportMetric(plain.Seconds()/took.Seconds(), "x")
	}
}

// plainly runs what an instructor would run without lab grade.
func plainly(b *testing.B, sub gradebook.Submission) time.Duration {
	abs, err := filepath.Abs(root)
	require.NoError(b, err)
	dir, replace := b.TempDir(), map[string]string{}
	for name, f := range sub.Files {
		file := filepath.Join(dir, name+".go")
		require.NoError(b, os.WriteFile(file, f.Source, 0o600))
		replace[filepath.Join(abs, "exercises", name, name+".go")] = file
	}
	text, err := json.Marshal(map[string]any{"Replace": replace})
	require.NoError(b, err)
	overlay := filepath.Join(dir, "overlay.json")
	require.NoError(b, os.WriteFile(overlay, text, 0o600))
	cmd := exec.Command("go", "test", "-race", "-count=1", "-overlay", overlay, "./exercises/...")
	cmd.Dir = root
	// As go test is by itself.
	cmd.Env = slices.DeleteFunc(os.Environ(), func(s string) bool { return strings.HasPrefix(s, "GORACE=") })
	start := time.Now()
	_ = cmd.Run() // most submissions fail somewhere
	return time.Since(start)
}

// BenchmarkSameMarks grades a sample class ten times and counts what does not
// agree with the first: the marks, and the verdicts, which may name another of
// several mistakes.
func BenchmarkSameMarks(b *testing.B) {
	for range b.N {
		c, e := class(b, again, lessons.All())
		first, _ := graded(b, c, e, nil)
		marks, verdicts := 0, 0
		for range 9 {
			all, _ := graded(b, c, e, nil)
			for _, change := range ledger.Diff(first, all) {
				b.Log(change)
				verdicts++
				if pass := string(runner.Pass); change.Test == "" || (change.From == pass) != (change.To == pass) {
					marks++
				}
			}
		}
		b.ReportMetric(float64(marks), "marks-moved")
		b.ReportMetric(float64(verdicts), "verdicts-moved")
	}
}

// BenchmarkLargeClass grades one lesson of a thousand students, and writes what
// each submission cost on the way into docs/grading-figures.svg. It also reports
// the most memory that the grader itself had.
func BenchmarkLargeClass(b *testing.B) {
	l, err := lessons.Find("coroutines")
	require.NoError(b, err)
	for range b.N {
		c, e := class(b, large, []lessons.Lesson{l})
		// From here on the system keeps a new highest mark.
		_ = os.WriteFile("/proc/self/clear_refs", []byte("5"), 0)
		var costs []cost
		last, since := 0, time.Duration(0)
		_, took := graded(b, c, e, func(event grade.Event) {
			if slices.Contains([]int{10, 32, 100, 316, large}, event.Done) {
				costs = append(costs, cost{event.Done, (event.Elapsed - since).Seconds() / float64(event.Done-last)})
				last, since = event.Done, event.Elapsed
			}
		})
		b.ReportMetric(milliseconds(took)/large, "ms/submission")
		b.ReportMetric(costs[len(costs)-1].seconds/costs[0].seconds, "last/first")
		if mib, ok := highest(); ok {
			b.ReportMetric(mib, "grader-MiB")
		}
		require.NoError(b, drawCosts(costs, filepath.Join(root, "docs", "grading-figures.svg")))
	}
}

// cost is what one submission took, in wall time, on the way to so many.
type cost struct {
	students int
	seconds  float64
}

// highest returns the most memory that this process had, in MiB.
func highest() (mib float64, ok bool) {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0, false
	}
	for line := range strings.Lines(string(status)) {
		var kib float64
		if n, _ := fmt.Sscanf(line, "VmHWM: %f kB", &kib); n == 1 {
			return kib / 1024, true
		}
	}
	return 0, false
}

// drawCosts draws the cost of a submission against the size of the class.
func drawCosts(costs []cost, file string) error {
	const width, height, left, bottom = 640, 320, 70, 270
	most := 0.0
	for _, c := range costs {
		most = max(most, c.seconds)
	}
	top := math.Ceil(most*20) / 10 // the highest point is in the middle
	x := func(n int) float64 { return left + (math.Log10(float64(n))-1)/2*(width-left-30) }
	y := func(s float64) float64 { return bottom - s/top*(bottom-50) }
	var s strings.Builder
	fmt.Fprintf(&s, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" font-family="sans-serif" font-size="13">
<title>Wall time a submission, by the number of submissions</title>
<rect width="%[1]d" height="%[2]d" fill="#fff"/>
<text x="%d" y="24">Seconds a submission, one lesson, everything on (%s/%s, %d processors)</text>
`, width, height, left, runtime.GOOS, runtime.GOARCH, runtime.NumCPU())
	for i := range 5 {
		v := top * float64(i) / 4
		fmt.Fprintf(&s, `<path d="M%d %.1fH%d" stroke="#ddd"/><text x="%d" y="%.1f" text-anchor="end">%.2f</text>`+"\n", left, y(v), width-30, left-8, y(v)+4, v)
	}
	var path strings.Builder
	for i, c := range costs {
		command := "L"
		if i == 0 {
			command = "M"
		}
		fmt.Fprintf(&path, "%s%.1f %.1f", command, x(c.students), y(c.seconds))
		fmt.Fprintf(&s, `<text x="%.1f" y="%d" text-anchor="middle">%d</text><circle cx="%.1f" cy="%.1f" r="3.5" fill="#06c"/>`+"\n", x(c.students), bottom+20, c.students, x(c.students), y(c.seconds))
	}
	fmt.Fprintf(&s, `<path d="%s" fill="none" stroke="#06c" stroke-width="2"/>`+"\n", path.String())
	fmt.Fprintf(&s, `<text x="%d" y="%d" text-anchor="middle">submissions graded so far</text>`+"\n</svg>\n", (left+width-30)/2, bottom+42)
	return os.WriteFile(file, []byte(s.String()), 0o644)
}
