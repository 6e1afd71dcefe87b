package solutions_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestRealClientsOfFinals has real clients drive the server of the lesson finals:
// they ping and they get, by nc and hundreds at a time, and what they get is what
// curl gets.
func TestRealClientsOfFinals(t *testing.T) {
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/large":
			_, _ = io.WriteString(w, strings.Repeat("0123456789abcdef\n", 50_000))
		case "/none":
			http.NotFound(w, r)
		default:
			time.Sleep(300 * time.Millisecond)
			_, _ = io.WriteString(w, "hello\n")
		}
	}))
	defer web.Close()
	const (
		ping = "ping localhost\n"
		pong = "Ping response in 300.0 ms.\n"
		page = "200 OK\n\nhello\n"
	)
	get := "get " + web.URL + "/\n"

	p := start(t, "finals", "-pretend", "300ms")
	ask(t, p.addr, get, page) // whatever a first client makes it open
	ask(t, p.addr, ping, pong)
	before := p.openFiles()

	t.Run("nc pings", func(t *testing.T) { netcat(t, p.addr, ping, pong) })
	t.Run("nc gets", func(t *testing.T) { netcat(t, p.addr, "GET "+web.URL+"/\r\n", page) })
	t.Run("as curl gets it", func(t *testing.T) {
		curl, err := exec.LookPath("curl")
		if err != nil {
			t.Skip("skipped, because curl is not installed")
		}
		for _, path := range []string{"/", "/large", "/none"} {
			body, err := exec.CommandContext(t.Context(), curl, "--silent", "--show-error", "--noproxy", "*", web.URL+path).Output()
			require.NoError(t, err)
			status := "200 OK"
			if path == "/none" {
				status = "404 Not Found"
			}
			ask(t, p.addr, "get "+web.URL+path+"\n", status+"\n\n"+string(body))
			t.Logf("%s: %d bytes, the same as curl's", path, len(body))
		}
	})
	t.Run("hundreds ping", func(t *testing.T) { hundreds(t, p.addr, ping, pong) })
	t.Run("hundreds get", func(t *testing.T) { hundreds(t, p.addr, get, page) })
	t.Run("what nobody can do", func(t *testing.T) {
		ask(t, p.addr, "dance tango\n", "error: unknown operation \"dance\" (have: get, ping)\n")
		ask(t, p.addr, strings.Repeat("x", 2000)+"\n", "error: request too long\n")
	})
	t.Run("nothing leaks", func(t *testing.T) {
		if before < 0 {
			t.Skip("skipped, because only Linux tells which files another process has open")
		}
		require.Eventually(t, func() bool { return p.openFiles() <= before }, soon, 10*time.Millisecond,
			"when all clients had gone it had more files open than before")
		t.Logf("files open before the clients came: %d, after they had gone: %d", before, p.openFiles())
	})
	t.Run("the end", func(t *testing.T) { end(t, p, ping, pong) })
}

// TestFinalsReallyPings has the server ping this machine.
func TestFinalsReallyPings(t *testing.T) {
	p := start(t, "finals")
	conn := dial(t, p.addr)
	defer conn.Close()
	_, err := io.WriteString(conn, "ping 127.0.0.1\n")
	require.NoError(t, err)
	got, err := io.ReadAll(conn)
	require.NoError(t, err)
	for _, refusal := range []string{"permission denied", "operation not permitted"} {
		if strings.Contains(string(got), refusal) {
			t.Skipf("skipped, because this system allows no ICMP sockets (lessons/ping/README.md says how to allow them): %s", got)
		}
	}
	assert.Regexp(t, `\APing response in \d+\.\d ms\.\n\z`, string(got))
	t.Logf("%s", got)
}
