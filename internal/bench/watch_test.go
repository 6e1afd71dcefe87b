package bench

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"conclab/internal/screen"
	"conclab/internal/watch"
	"conclab/lessons"
)

// watched are the lessons for which the time from save to verdict is taken: one
// with a small suite, and one that builds net/http.
var watched = []string{"queues", "echo"}

// BenchmarkSaveToVerdict measures the time from a save to the verdict on the
// screen, as a ratio to a bare go test of the same edit in the same run: to the
// first broken rule of a file that fails, and to the whole verdict on one that
// passes, both in the lines of lab watch, and to the first broken rule in the
// full screen, which runs in a terminal of tmux.
func BenchmarkSaveToVerdict(b *testing.B) {
	b.Setenv("CGO_ENABLED", "0") // no second run with the race detector, which takes the processors from the next sample
	for _, name := range watched {
		l, err := lessons.Find(name)
		require.NoError(b, err)
		b.Run(name, func(b *testing.B) {
			for range b.N {
				saveToVerdict(b, l)
			}
		})
	}
}

func saveToVerdict(b *testing.B, l lessons.Lesson) {
	bareClone, lines, full := clone(b), newLines(b, l), newFullScreen(b, l)
	var bare, first, whole, filled []time.Duration
	for i := range samples + 1 {
		wrong, token := todo(b, l, i)
		save(b, bareClone, l, wrong)
		bare = append(bare, testBare(b, bareClone, l))
		first = append(first, lines.until(b, wrong, token))
		if full != nil {
			filled = append(filled, full.until(b, wrong, token))
		}
	}
	b.ReportMetric(ratio(first, bare), "first-x")
	b.ReportMetric(milliseconds(middle(first)), "first-ms")
	b.ReportMetric(milliseconds(middle(bare)), "bare-wrong-ms")
	if full != nil {
		b.ReportMetric(ratio(filled, bare), "screen-x")
		b.ReportMetric(milliseconds(middle(filled)), "screen-ms")
	}
	bare = nil
	for range samples + 1 {
		right := edited(reference(b, l))
		save(b, bareClone, l, right)
		bare = append(bare, testBare(b, bareClone, l))
		whole = append(whole, lines.until(b, right, fmt.Sprintf("ok    %s  %d of %[2]d tasks", l.Name, len(l.Tasks))))
	}
	b.ReportMetric(ratio(whole, bare), "whole-x")
	b.ReportMetric(milliseconds(middle(whole)), "whole-ms")
	b.ReportMetric(milliseconds(middle(bare)), "bare-ms")
}

// middle is the median; the first sample only fills the caches.
func middle(all []time.Duration) time.Duration {
	rest := slices.Sorted(slices.Values(all[1:]))
	return rest[len(rest)/2]
}

func ratio(a, b []time.Duration) float64 { return middle(a).Seconds() / middle(b).Seconds() }

// clone copies what the suites need to a folder of its own.
func clone(tb testing.TB) string {
	dir := tb.TempDir()
	for _, top := range []string{"go.mod", "go.sum", "exercises", "lessons", "internal/labtest", "internal/funcname"} {
		from := filepath.Join(root, filepath.FromSlash(top))
		require.NoError(tb, filepath.WalkDir(from, func(file string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() {
				return err
			}
			name, err := filepath.Rel(root, file)
			require.NoError(tb, err)
			text, err := os.ReadFile(file)
			require.NoError(tb, err)
			to := filepath.Join(dir, name)
			require.NoError(tb, os.MkdirAll(filepath.Dir(to), 0o700))
			return os.WriteFile(to, text, 0o600)
		}))
	}
	return dir
}

func save(tb testing.TB, clone string, l lessons.Lesson, source []byte) {
	require.NoError(tb, os.WriteFile(filepath.Join(clone, "exercises", l.Name, l.Name+".go"), source, 0o600))
}

// todo returns the starter with another text in all its panics, in which no
// letter is where it was in the one before: a screen is then drawn anew.
func todo(tb testing.TB, l lessons.Lesson, i int) (source []byte, token string) {
	starter, err := os.ReadFile(filepath.Join(root, "exercises", l.Name, l.Name+".go"))
	require.NoError(tb, err)
	token = strings.Repeat(string([]byte{byte('a' + i), byte('n' + i)}), 6)
	return bytes.ReplaceAll(starter, []byte(`panic("TODO: `), []byte(`panic("TODO: `+token+" ")), token
}

func testBare(tb testing.TB, clone string, l lessons.Lesson) time.Duration {
	cmd := exec.Command("go", "test", "./exercises/"+l.Name)
	cmd.Dir = clone
	start := time.Now()
	out, _ := cmd.CombinedOutput() // it may fail, if it does so in a test
	require.NotContains(tb, string(out), "[build failed]")
	return time.Since(start)
}

// stage is something that watches a clone and shows what it finds.
type stage struct {
	lesson lessons.Lesson
	clone  string
	out    *seen
	pid    int // of the lab, if it is a process of its own
}

// until saves and returns how long it takes until the text is seen.
func (s *stage) until(tb testing.TB, source []byte, text string) time.Duration {
	s.out.clear()
	start := time.Now()
	save(tb, s.clone, s.lesson, source)
	took := s.out.wait(tb, text).Sub(start)
	// What the run does after its verdict must not disturb the next sample.
	time.Sleep(max(700*time.Millisecond, took))
	return took
}

// newLines starts what lab watch does.
func newLines(tb testing.TB, l lessons.Lesson) *stage {
	s := &stage{lesson: l, clone: clone(tb), out: &seen{}}
	loop, err := watch.New(s.clone, []lessons.Lesson{l}, screen.NewWatch(s.out, s.clone).Event)
	require.NoError(tb, err)
	ctx, stop := context.WithCancel(context.Background())
	var group sync.WaitGroup
	group.Go(func() { loop.Run(ctx) })
	tb.Cleanup(func() { stop(); group.Wait() })
	return s
}

// BenchmarkWatching measures what the lab in a terminal costs: the share of one
// processor that it takes while nothing happens, and its memory after a thousand
// saves. Each save comes so soon that it puts the run before it out of date; the
// last is judged.
func BenchmarkWatching(b *testing.B) {
	if runtime.GOOS != "linux" {
		b.Skip("skipped, because only Linux tells of another process in /proc")
	}
	b.Setenv("CGO_ENABLED", "0")
	const saves, idle = 1000, 20 * time.Second
	for range b.N {
		l, err := lessons.Find("queues")
		require.NoError(b, err)
		s := newFullScreen(b, l)
		if s == nil {
			b.Skip("skipped, because tmux is not installed")
		}
		time.Sleep(10 * time.Second) // the map of the course is found out
		before := processorTime(b, s.pid)
		time.Sleep(idle)
		b.ReportMetric(100*(processorTime(b, s.pid)-before).Seconds()/idle.Seconds(), "idle-%")

		before = processorTime(b, s.pid)
		for range saves {
			save(b, s.clone, l, edited(reference(b, l)))
			time.Sleep(50 * time.Millisecond)
		}
		wrong, token := todo(b, l, 0)
		s.until(b, wrong, token)
		b.ReportMetric((processorTime(b, s.pid)-before).Seconds()*1000/saves, "own-ms/save")
		b.ReportMetric(memory(b, s.pid), "MB")
	}
}

// processorTime is what a process itself has used so far.
func processorTime(tb testing.TB, pid int) time.Duration {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	require.NoError(tb, err)
	_, rest, _ := strings.Cut(string(text), ") ")
	fields := strings.Fields(rest)
	user, err := strconv.Atoi(fields[11])
	require.NoError(tb, err)
	system, err := strconv.Atoi(fields[12])
	require.NoError(tb, err)
	return time.Duration(user+system) * 10 * time.Millisecond // ticks are hundredths on every Linux
}

// memory is what a process has of it now, in megabytes.
func memory(tb testing.TB, pid int) float64 {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	require.NoError(tb, err)
	for line := range strings.Lines(string(text)) {
		if fields := strings.Fields(line); len(fields) > 1 && fields[0] == "VmRSS:" {
			kB, err := strconv.Atoi(fields[1])
			require.NoError(tb, err)
			return float64(kB) / 1000
		}
	}
	require.FailNow(tb, "no VmRSS in /proc")
	return 0
}

// newFullScreen starts the lab in a terminal; nil if there is none.
func newFullScreen(tb testing.TB, l lessons.Lesson) *stage {
	if _, err := exec.LookPath("tmux"); err != nil {
		tb.Log("the full screen is left out, because tmux is not installed")
		return nil
	}
	s := &stage{lesson: l, clone: clone(tb), out: &seen{}}
	dir := tb.TempDir()
	lab := filepath.Join(dir, "lab")
	goCommand(tb, "build", "-o", lab, "./cmd/lab")
	state := filepath.Join(dir, "state", "conclab")
	require.NoError(tb, os.MkdirAll(state, 0o700))
	require.NoError(tb, os.WriteFile(filepath.Join(state, "state.json"), fmt.Appendf(nil, `{"version": 1, "lesson": %q}`, l.Name), 0o600))

	socket, raw := filepath.Join(dir, "tmux"), filepath.Join(dir, "raw")
	tmux := func(args ...string) string {
		out, err := exec.Command("tmux", append([]string{"-S", socket, "-f", os.DevNull}, args...)...).CombinedOutput()
		require.NoError(tb, err, string(out))
		return strings.TrimSpace(string(out))
	}
	tmux("new-session", "-d", "-x", "100", "-y", "30", "-e", "XDG_STATE_HOME="+filepath.Dir(state), "-e", "CGO_ENABLED=0",
		"cat") // waits until it is listened to
	tmux("pipe-pane", "cat > "+raw)
	tmux("respawn-pane", "-k", lab, "--root", s.clone)
	pid, err := strconv.Atoi(tmux("display-message", "-p", "#{pane_pid}"))
	require.NoError(tb, err)
	s.pid = pid
	tb.Cleanup(func() { tmux("kill-server") })
	stop := make(chan struct{})
	var group sync.WaitGroup
	group.Go(func() {
		offset := int64(0)
		for {
			select {
			case <-stop:
				return
			case <-time.After(2 * time.Millisecond):
			}
			text, err := os.ReadFile(raw)
			if err == nil && int64(len(text)) > offset {
				_, _ = s.out.Write(text[offset:])
				offset = int64(len(text))
			}
		}
	})
	tb.Cleanup(func() { close(stop); group.Wait() })
	s.out.wait(tb, "TODO")
	time.Sleep(time.Second)
	return s
}

// seen keeps what was written. Its methods may be called from any goroutine.
type seen struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (s *seen) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(p)
}

func (s *seen) clear() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.text.Reset()
}

// wait returns when the text was there.
func (s *seen) wait(tb testing.TB, text string) time.Time {
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(time.Millisecond) {
		s.mu.Lock()
		found := bytes.Contains(s.text.Bytes(), []byte(text))
		all := s.text.String()
		s.mu.Unlock()
		if found {
			return time.Now()
		}
		if time.Now().After(deadline) {
			require.FailNow(tb, "never seen: "+text, all)
		}
	}
}
