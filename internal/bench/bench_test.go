package bench

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"conclab/internal/bank"
	"conclab/internal/runner"
	"conclab/lessons"
)

const root = "../.."

// samples is how often a figure is taken; the median counts.
const samples = 9

func TestMain(m *testing.M) {
	if os.Getenv(serveEcho) != "" {
		if err := serve(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	fmt.Printf("machine: %s/%s, %d processors, %s\n", runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), runtime.Version())
	os.Exit(m.Run())
}

// BenchmarkSuites measures how long the test binaries of all lessons run on
// their references, without the race detector: the waiting that a learner does
// for the tests themselves. ms is the sum.
func BenchmarkSuites(b *testing.B) {
	for range b.N {
		var sum time.Duration
		for _, l := range lessons.All() {
			binary := filepath.Join(b.TempDir(), l.Name+".test")
			goCommand(b, "test", "-c", "-o", binary, "-overlay", overlay(b, l, reference(b, l)), "./exercises/"+l.Name)
			took := median(func() time.Duration {
				cmd := exec.Command(binary)
				cmd.Dir = filepath.Join(root, "exercises", l.Name)
				return elapsed(b, cmd)
			})
			b.ReportMetric(milliseconds(took), l.Name+"-ms")
			sum += took
		}
		b.ReportMetric(milliseconds(sum), "all-ms")
	}
}

// BenchmarkEditToVerdict measures the time from a change of the learner's file
// to the end of go test, as a ratio to the same for a testify test that does
// nothing. Each run sees a file that was never built before.
func BenchmarkEditToVerdict(b *testing.B) {
	empty := emptyModule(b)
	for range b.N {
		for _, l := range lessons.All() {
			source := reference(b, l)
			var lesson, nothing []time.Duration
			for i := range samples + 1 {
				one := elapsed(b, command("test", "-overlay", overlay(b, l, edited(source)), "./exercises/"+l.Name))
				require.NoError(b, os.WriteFile(filepath.Join(empty, "empty.go"), edited([]byte(emptyExercise)), 0o600))
				bare := command("test", ".")
				bare.Dir = empty
				two := elapsed(b, bare)
				if i > 0 { // the first fills the caches
					lesson, nothing = append(lesson, one), append(nothing, two)
				}
			}
			slices.Sort(lesson)
			slices.Sort(nothing)
			b.ReportMetric(lesson[samples/2].Seconds()/nothing[samples/2].Seconds(), l.Name+"-x")
			b.ReportMetric(milliseconds(lesson[samples/2]), l.Name+"-ms")
			b.ReportMetric(milliseconds(nothing[samples/2]), "empty-ms")
		}
	}
}

// edited changes a file in a way that nobody saw before. What it adds runs: if it
// were linked away, the binary would stay the same, and the go command would not
// run the tests again.
func edited(source []byte) []byte {
	return fmt.Appendf(slices.Clone(source), "\nvar edits []int64\n\nfunc init() { edits = append(edits, %d) }\n", time.Now().UnixNano())
}

const emptyExercise = "package empty\n\nfunc Empty() {}\n"

const emptySuite = `package empty_test

import (
	"testing"

	"github.com/stretchr/testify/suite"

	"empty"
)

type Suite struct{ suite.Suite }

func TestEmpty(t *testing.T) { suite.Run(t, new(Suite)) }

func (s *Suite) TestNothing() { empty.Empty() }
`

// emptyModule makes a module with a testify test that does nothing, on the
// versions that the lab has.
func emptyModule(b *testing.B) string {
	dir := b.TempDir()
	for _, name := range []string{"go.mod", "go.sum"} {
		text, err := os.ReadFile(filepath.Join(root, name))
		require.NoError(b, err)
		text = bytes.Replace(text, []byte("module conclab\n"), []byte("module empty\n"), 1)
		require.NoError(b, os.WriteFile(filepath.Join(dir, name), text, 0o600))
	}
	require.NoError(b, os.WriteFile(filepath.Join(dir, "empty_test.go"), []byte(emptySuite), 0o600))
	return dir
}

// BenchmarkWrongAnswers measures how long it takes from the built binary to the
// whole verdict on a wrong answer, hangs included: the slowest, and the median of
// every tenth in the bank.
func BenchmarkWrongAnswers(b *testing.B) {
	for range b.N {
		var took []time.Duration
		slowest := ""
		for _, l := range lessons.All() {
			variants, err := bank.Load(root, l)
			require.NoError(b, err)
			for i, v := range variants {
				if v.Kind != bank.Reject || i%10 != 0 {
					continue
				}
				result, err := runner.Run(b.Context(), runner.Options{Root: root, Race: runner.RaceOff}, v.Candidate(), nil)
				require.NoError(b, err)
				took = append(took, result.TestTime)
				if result.TestTime == slices.Max(took) {
					slowest = v.String()
				}
			}
		}
		slices.Sort(took)
		b.ReportMetric(milliseconds(took[len(took)/2]), "median-ms")
		b.ReportMetric(milliseconds(took[len(took)-1]), "slowest-ms")
		b.Logf("the slowest of %d wrong answers: %s", len(took), slowest)
	}
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

func median(f func() time.Duration) time.Duration {
	all := make([]time.Duration, samples)
	for i := range all {
		all[i] = f()
	}
	slices.Sort(all)
	return all[len(all)/2]
}

func elapsed(b testing.TB, cmd *exec.Cmd) time.Duration {
	start := time.Now()
	out, err := cmd.CombinedOutput()
	require.NoError(b, err, string(out))
	return time.Since(start)
}

func command(args ...string) *exec.Cmd {
	cmd := exec.Command("go", args...)
	cmd.Dir = root
	return cmd
}

func goCommand(b testing.TB, args ...string) { elapsed(b, command(args...)) }

func reference(b testing.TB, l lessons.Lesson) []byte {
	source, err := os.ReadFile(filepath.Join(root, "solutions", l.Name, l.Name+".go"))
	require.NoError(b, err)
	return source
}

// overlay puts a source in the place of the lesson's exercise.
func overlay(b *testing.B, l lessons.Lesson, source []byte) string {
	abs, err := filepath.Abs(root)
	require.NoError(b, err)
	dir := b.TempDir()
	candidate := filepath.Join(dir, l.Name+".go")
	require.NoError(b, os.WriteFile(candidate, source, 0o600))
	text, err := json.Marshal(map[string]any{
		"Replace": map[string]string{filepath.Join(abs, "exercises", l.Name, l.Name+".go"): candidate},
	})
	require.NoError(b, err)
	file := filepath.Join(dir, "overlay.json")
	require.NoError(b, os.WriteFile(file, text, 0o600))
	return file
}
