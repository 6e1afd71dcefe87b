package solutions_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// servers are the lessons whose program, lessons/LESSON/yours, is a server: with
// which flags it is tried, what its clients say, and what they hear.
var servers = []struct {
	lesson string
	flags  []string
	say    string
	want   string
}{
	{lesson: "echo", say: "hello", want: "hello"},
	{lesson: "ping", flags: []string{"-pretend", "300ms"}, say: "localhost\n", want: "Ping response in 300.0 ms.\n"},
}

const (
	// manyClients are connected at the same time.
	manyClients = 300

	// soon is what a busy machine may need for what takes milliseconds.
	soon = 30 * time.Second
)

// TestRealClients builds each server around its reference, as a learner would run
// it, and has real clients try it: nc, hundreds at a time, some that leave or say
// nothing. Then it is told to end. Nobody may be left without an answer, no file
// open, no process behind.
func TestRealClients(t *testing.T) {
	for _, s := range servers {
		t.Run(s.lesson, func(t *testing.T) {
			p := start(t, s.lesson, s.flags...)
			ask(t, p.addr, s.say, s.want) // whatever a first client makes it open
			before := p.openFiles()

			t.Run("nc", func(t *testing.T) { netcat(t, p.addr, s.say, s.want) })
			t.Run("hundreds", func(t *testing.T) { hundreds(t, p.addr, s.say, s.want) })
			t.Run("nothing leaks", func(t *testing.T) {
				if before < 0 {
					t.Skip("skipped, because only Linux tells which files another process has open")
				}
				require.Eventually(t, func() bool { return p.openFiles() <= before }, soon, 10*time.Millisecond,
					"when all clients had gone it had more files open than before")
				t.Logf("files open before the clients came: %d, after they had gone: %d", before, p.openFiles())
			})
			t.Run("the end", func(t *testing.T) { end(t, p, s.say, s.want) })
		})
	}
}

// ask is one client.
func ask(t *testing.T, addr, say, want string) {
	conn := dial(t, addr)
	defer conn.Close()
	_, err := io.WriteString(conn, say)
	require.NoError(t, err)
	got, err := io.ReadAll(conn)
	require.NoError(t, err)
	require.Equal(t, want, string(got))
}

func dial(t *testing.T, addr string) net.Conn {
	conn, err := net.DialTimeout("tcp", addr, soon)
	require.NoError(t, err)
	require.NoError(t, conn.SetDeadline(time.Now().Add(soon)))
	return conn
}

// netcat is a client as the texts recommend it.
func netcat(t *testing.T, addr, say, want string) {
	nc, err := exec.LookPath("nc")
	if err != nil {
		t.Skip("skipped, because nc is not installed")
	}
	host, port, err := net.SplitHostPort(addr)
	require.NoError(t, err)
	cmd := exec.CommandContext(t.Context(), nc, host, port)
	in, err := cmd.StdinPipe()
	require.NoError(t, err)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	give := time.AfterFunc(soon, func() { _ = cmd.Process.Kill() })
	defer give.Stop()

	_, err = io.WriteString(in, say)
	require.NoError(t, err)
	got := make([]byte, len(want))
	_, err = io.ReadFull(out, got)
	assert.NoError(t, err)
	assert.Equal(t, want, string(got))
	_ = in.Close() // some wait for that, others for the server
	rest, err := io.ReadAll(out)
	assert.NoError(t, err)
	assert.Empty(t, string(rest))
	assert.NoError(t, cmd.Wait())
	t.Logf("nc said %q and heard %q", say, got)
}

// hundreds connect, and when all have done so, they speak.
func hundreds(t *testing.T, addr, say, want string) {
	conns := make([]net.Conn, manyClients)
	for i := range conns {
		conns[i] = dial(t, addr)
		defer conns[i].Close()
	}
	start := time.Now()
	var clients sync.WaitGroup
	for i, conn := range conns {
		clients.Go(func() {
			switch i % 10 {
			case 0: // leaves without a word
				_ = conn.Close()
				return
			case 1: // leaves without waiting
				_, _ = io.WriteString(conn, say)
				_ = conn.Close()
				return
			}
			_, err := io.WriteString(conn, say)
			assert.NoError(t, err)
			got, err := io.ReadAll(conn)
			assert.NoError(t, err)
			assert.Equal(t, want, string(got))
		})
	}
	clients.Wait()
	t.Logf("%d clients at the same time, every fifth of whom left early: all the others heard %q within %v",
		manyClients, want, time.Since(start).Round(time.Millisecond))
}

// end tells the server to end, while one client is silent and others have just
// been heard.
func end(t *testing.T, p *process, say, want string) {
	if runtime.GOOS == "windows" {
		t.Skip("skipped, because on Windows no process can send another one Ctrl+C alone")
	}
	silent := dial(t, p.addr)
	defer silent.Close()
	ask(t, p.addr, say, want) // so that the silent one has been accepted
	start := time.Now()
	require.NoError(t, p.cmd.Process.Signal(os.Interrupt))

	got, err := io.ReadAll(silent)
	assert.NoError(t, err, "the silent client was not closed")
	assert.Empty(t, string(got))
	out := <-p.out
	assert.NoError(t, p.cmd.Wait(), "it did not end well")
	assert.True(t, strings.HasSuffix(out, "Closed in good order.\n"), "its last words: %q", out[max(0, len(out)-200):])
	_, err = net.DialTimeout("tcp", p.addr, soon)
	assert.Error(t, err, "it still listens")
	t.Logf("it ended within %v of Ctrl+C", time.Since(start).Round(time.Millisecond))
}

// process is a server that runs.
type process struct {
	cmd  *exec.Cmd
	addr string
	out  chan string // what it printed, when it has ended
}

// start builds a lesson's program around the reference, and starts it. It ends
// with the test.
func start(t *testing.T, lesson string, flags ...string) *process {
	root, err := filepath.Abs("..")
	require.NoError(t, err)
	dir := t.TempDir()
	own := filepath.Join(lesson, lesson+".go")
	overlay, err := json.Marshal(map[string]map[string]string{
		"Replace": {filepath.Join(root, "exercises", own): filepath.Join(root, "solutions", own)},
	})
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "overlay.json"), overlay, 0o600))
	program := filepath.Join(dir, "yours.exe")
	build := exec.CommandContext(t.Context(), "go", "build", "-overlay", filepath.Join(dir, "overlay.json"), "-o", program, "./lessons/"+lesson+"/yours")
	build.Dir = root
	said, err := build.CombinedOutput()
	require.NoError(t, err, string(said))

	p := &process{out: make(chan string, 1), cmd: exec.CommandContext(t.Context(), program, append([]string{"-addr", "127.0.0.1:0"}, flags...)...)}
	pipe, err := p.cmd.StdoutPipe()
	require.NoError(t, err)
	p.cmd.Stderr = os.Stderr
	require.NoError(t, p.cmd.Start())
	t.Cleanup(func() {
		_ = p.cmd.Process.Kill() // it has ended, if all is well
		_ = p.cmd.Wait()
	})
	give := time.AfterFunc(10*soon, func() { _ = p.cmd.Process.Kill() })
	t.Cleanup(func() { give.Stop() })

	out := bufio.NewReader(pipe)
	line, err := out.ReadString('\n')
	require.NoError(t, err)
	go func() { // who logs must not have to wait
		more, _ := io.ReadAll(out)
		p.out <- string(more)
	}()
	serving, rest, _ := strings.Cut(line, ". ")
	p.addr = strings.TrimPrefix(serving, "Serving on ")
	require.Contains(t, rest, "nc ", "how to try it")
	return p
}

// openFiles tells how many files the process has open, connections too; -1 where
// the system does not say.
func (p *process) openFiles() int {
	entries, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", p.cmd.Process.Pid))
	if err != nil {
		return -1
	}
	return len(entries)
}
