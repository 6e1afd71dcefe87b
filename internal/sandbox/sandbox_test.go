package sandbox_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"conclab/internal/sandbox"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// needs skips the test where there is no bubblewrap.
func needs(t *testing.T) {
	t.Helper()
	if err := sandbox.Check(t.Context(), sandbox.Bubblewrap); err != nil {
		t.Skipf("skipped, because %v", err)
	}
}

// sh runs a script in the sandbox.
func sh(t *testing.T, c sandbox.Command, script string) (sandbox.Ending, string) {
	t.Helper()
	return shWithin(t.Context(), t, c, script)
}

func shWithin(ctx context.Context, t *testing.T, c sandbox.Command, script string) (sandbox.Ending, string) {
	t.Helper()
	if c.Isolation == "" {
		c.Isolation = sandbox.Bubblewrap
	}
	if c.Dir == "" {
		c.Dir = "/"
	}
	var out bytes.Buffer
	c.Path, c.Args, c.Stdout, c.Stderr = "/bin/sh", []string{"-c", script}, &out, &out
	end, err := sandbox.Run(ctx, c)
	require.NoError(t, err, out.String())
	return end, out.String()
}

func TestHowAProgramEndsIsHandedOn(t *testing.T) {
	for _, isolation := range isolations(t) {
		end, _ := sh(t, sandbox.Command{Isolation: isolation}, "exit 7")
		assert.Equal(t, 7, end.Code, isolation)
		end, _ = sh(t, sandbox.Command{Isolation: isolation}, "kill -9 $$")
		assert.Equal(t, 128+9, end.Code, isolation)
		assert.Equal(t, sandbox.Ended, end.Stopped, isolation)
	}
}

// isolations are those that this machine has.
func isolations(t *testing.T) []sandbox.Isolation {
	switch {
	case runtime.GOOS == "windows":
		t.Skip("skipped, because there is no sh")
	case sandbox.Check(t.Context(), sandbox.Bubblewrap) != nil:
		return []sandbox.Isolation{sandbox.None}
	}
	return []sandbox.Isolation{sandbox.Bubblewrap, sandbox.None}
}

func TestInputOutputAndRecord(t *testing.T) {
	for _, isolation := range isolations(t) {
		record, in, err := os.Pipe()
		require.NoError(t, err)
		defer record.Close()
		said := make(chan string)
		go func() {
			all, _ := io.ReadAll(record)
			said <- string(all)
		}()
		end, out := sh(t, sandbox.Command{Isolation: isolation, Stdin: []byte("the order\n"), Record: in, Env: []string{"X=y"}},
			"read order; echo $order for $X; echo recorded >&3")
		assert.Equal(t, 0, end.Code)
		assert.Equal(t, "the order for y\n", out)
		assert.Equal(t, "recorded\n", <-said, isolation)
	}
}

func TestOnlyWhatIsShownIsThere(t *testing.T) {
	needs(t)
	dir := t.TempDir()
	shown, written, hidden := filepath.Join(dir, "shown"), filepath.Join(dir, "written"), filepath.Join(dir, "hidden")
	for _, d := range []string{shown, written, hidden} {
		require.NoError(t, os.Mkdir(d, 0o700))
		require.NoError(t, os.WriteFile(filepath.Join(d, "f"), []byte("secret"), 0o600))
	}
	c := sandbox.Command{Show: []string{shown}, Write: []string{written}}
	_, out := sh(t, c, fmt.Sprintf(`
cat %[1]s/f; echo
(echo x > %[1]s/f) 2>/dev/null && echo changed what is shown
(echo x > %[2]s/g) && echo wrote
cat %[3]s/f 2>/dev/null && echo sees what is hidden
ls /root /home /work /etc/passwd /etc/shadow 2>/dev/null
for d in / /usr /bin /etc /lib /proc/sys/kernel; do (echo x > $d/x) 2>/dev/null && echo wrote to $d; done
echo x > $HOME/x && echo has a home
`, shown, written, hidden))
	assert.Equal(t, "secret\nwrote\nhas a home\n", out)
	_, out = sh(t, c, "ls $HOME/x 2>/dev/null")
	assert.Empty(t, out, "the home is new each time")
	assert.FileExists(t, filepath.Join(written, "g"))
}

func TestNobodyIsPrivileged(t *testing.T) {
	needs(t)
	_, out := sh(t, sandbox.Command{}, "grep -E '^Cap(Prm|Eff|Bnd)|NoNewPrivs' /proc/self/status; id -u")
	assert.Equal(t, "CapPrm:\t0000000000000000\nCapEff:\t0000000000000000\nCapBnd:\t0000000000000000\nNoNewPrivs:\t1\n1000\n", out)
}

func TestNoNetworkButALoopbackOfItsOwn(t *testing.T) {
	needs(t)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer listener.Close()
	_, port, _ := net.SplitHostPort(listener.Addr().String())
	_, out := sh(t, sandbox.Command{}, "tail -n +3 /proc/net/dev | cut -d: -f1; exec 2>/dev/null; bash -c 'echo > /dev/tcp/127.0.0.1/"+port+"' && echo connected")
	assert.Equal(t, []string{"lo"}, strings.Fields(out))
}

func TestNothingStays(t *testing.T) {
	needs(t)
	// The mark shows in the command lines of all processes of this machine.
	mark := fmt.Sprintf("%d.%d", 3_000_000+time.Now().Nanosecond()%1_000_000, os.Getpid())
	end, _ := sh(t, sandbox.Command{}, "sleep "+mark+" & (setsid sleep "+mark+" &) ; (trap '' TERM HUP; sleep "+mark+") & sleep 0.1")
	assert.Equal(t, 0, end.Code)
	assertNone(t, mark)

	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	start := time.Now()
	end, _ = shWithin(ctx, t, sandbox.Command{}, "(setsid sleep "+mark+" &); trap '' TERM INT; sleep "+mark)
	assert.Equal(t, sandbox.Cancelled, end.Stopped)
	assert.Less(t, time.Since(start), 3*time.Second)
	assertNone(t, mark)
}

func assertNone(t *testing.T, mark string) {
	t.Helper()
	files, err := filepath.Glob("/proc/[0-9]*/cmdline")
	require.NoError(t, err)
	for _, file := range files {
		text, _ := os.ReadFile(file)
		assert.NotContains(t, string(text), "sleep\x00"+mark, "it is still there: %s", file)
	}
}

func TestLimits(t *testing.T) {
	needs(t)
	for _, c := range []struct {
		name, script string
		limits       sandbox.Limits
		want         sandbox.Reason
	}{
		{"output", "yes", sandbox.Limits{Output: 1 << 20}, sandbox.TooMuchOutput},
		{"memory", "s=x; while :; do s=$s$s; done", sandbox.Limits{Memory: 256 << 20}, sandbox.TooMuchMemory},
		{"memory of many", "for i in 1 2 3 4; do (s=x; while [ ${#s} -lt 30000000 ]; do s=$s$s; done; sleep 30) & done; wait", sandbox.Limits{Memory: 150 << 20}, sandbox.TooMuchMemory},
	} {
		t.Run(c.name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			var out bytes.Buffer
			end, err := sandbox.Run(ctx, sandbox.Command{
				Isolation: sandbox.Bubblewrap, Path: "/bin/sh", Args: []string{"-c", c.script}, Dir: "/",
				Stdout: &out, Stderr: &out, Limits: c.limits,
			})
			require.NoError(t, err)
			assert.Equal(t, c.want, end.Stopped)
			assert.LessOrEqual(t, int64(out.Len()), int64(1<<20))
		})
	}
}

func TestAForkBombIsOver(t *testing.T) {
	needs(t)
	// Whoever counts, the kernel or the watch: it is over. How soon depends on when
	// the grader's other threads get a turn among its processes.
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	_, _ = shWithin(ctx, t, sandbox.Command{Limits: sandbox.Limits{Processes: 64, Output: 1 << 20}}, "b() { b | b & }; b; sleep 5; exit 3")
	assert.NoError(t, ctx.Err(), "it ran until it was stopped")
}

func TestFilesEnd(t *testing.T) {
	needs(t)
	dir := t.TempDir()
	c := sandbox.Command{Write: []string{dir}, Limits: sandbox.Limits{File: 1 << 20}}
	_, _ = sh(t, c, "head -c 8000000 /dev/zero > "+dir+"/f")
	info, err := os.Stat(filepath.Join(dir, "f"))
	require.NoError(t, err)
	assert.LessOrEqual(t, info.Size(), int64(1<<20))
	_, out := sh(t, c, "for i in 1 2 3 4 5 6; do head -c 500000 /dev/zero > $HOME/f$i; done 2>/dev/null; du -skx $HOME | cut -f1")
	var kib int
	_, err = fmt.Sscan(out, &kib)
	require.NoError(t, err)
	assert.LessOrEqual(t, kib, 1024)
}

func TestProcessorTimeEnds(t *testing.T) {
	needs(t)
	end, _ := sh(t, sandbox.Command{Limits: sandbox.Limits{CPU: time.Second}}, "while :; do :; done")
	assert.Contains(t, []int{128 + 9, 128 + 24}, end.Code)
	assert.Greater(t, end.CPU, time.Second/2, "so that who was killed for another reason can be told apart")
	end, _ = sh(t, sandbox.Command{Limits: sandbox.Limits{CPU: 9 * time.Second}}, "sleep 0.2; kill -9 $$")
	assert.Equal(t, 128+9, end.Code)
	assert.Less(t, end.CPU, time.Second)
}

func TestWhatCannotBeRunIsAnError(t *testing.T) {
	needs(t)
	_, err := sandbox.Run(t.Context(), sandbox.Command{Isolation: sandbox.Bubblewrap, Path: "/bin/true", Dir: "/", Show: []string{"/no/such/folder"}})
	assert.Error(t, err)
	err = sandbox.Check(t.Context(), "jail")
	assert.ErrorContains(t, err, "bwrap or none")
}

func TestWithoutBubblewrapItSaysWhatToDo(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	assert.ErrorContains(t, sandbox.Check(t.Context(), sandbox.Bubblewrap), "--isolation none")
	assert.NoError(t, sandbox.Check(t.Context(), sandbox.None))
}
