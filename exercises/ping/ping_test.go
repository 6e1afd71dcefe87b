package ping_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	//lint:ignore SA1019 it stays, docs/decisions/go-ping.md says why
	goping "github.com/go-ping/ping"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/stretchr/testify/suite"

	"conclab/internal/contract/ping"
	"conclab/internal/labtest"
)

const (
	// tolerance is by how much something may come late that has a time. Whoever
	// counts in seconds is later.
	tolerance = 450 * time.Millisecond

	// noticed is when those who look at their context now and then have noticed its
	// end.
	noticed = 2 * time.Second

	timedOut = "Ping timed out.\n"
	noHost   = "No host given.\n"
)

var errBoom = errors.New("boom")

// Task 1: a ping in a sentence.

type BoomSuite struct{ labtest.Suite }

func TestBoom(t *testing.T) { suite.Run(t, new(BoomSuite)) }

func (s *BoomSuite) TestAnAnswerIsInMilliseconds() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("one-ping-in-words", "An answer must be given in milliseconds, with one decimal", ping.Declared.Boom)
		for delay, want := range map[time.Duration]string{
			12_345_678:          "Ping response in 12.3 ms.",
			12_360_000:          "Ping response in 12.4 ms.",
			40_000:              "Ping response in 0.0 ms.",
			180_000:             "Ping response in 0.2 ms.",
			7 * time.Second:     "Ping response in 7000.0 ms.",
			1_999_960_000:       "Ping response in 2000.0 ms.",
			time.Millisecond:    "Ping response in 1.0 ms.",
			90 * time.Minute:    "Ping response in 5400000.0 ms.",
			999_900_000:         "Ping response in 999.9 ms.",
			100*time.Hour + 1e8: "Ping response in 360000100.0 ms.",
		} {
			got := ping.Boom(t.Context(), always(delay, nil), "localhost")
			require.Equal(t, want, got, "of %v this was said", delay)
		}
		late, cancel := context.WithDeadline(t.Context(), time.Now())
		defer cancel()
		got := ping.Boom(late, always(time.Second, nil), "localhost")
		assert.Equal(t, "Ping response in 1000.0 ms.", got, "the deadline of ctx had passed, the Pinger answered all the same, and this was said")
	})
}

func (s *BoomSuite) TestATimeout() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("one-ping-in-words", "What matches ErrTimeout or context.DeadlineExceeded must be called a timeout", ping.Declared.Boom)
		for _, err := range []error{
			ping.ErrTimeout,
			context.DeadlineExceeded,
			fmt.Errorf("nobody at home: %w", ping.ErrTimeout),
			fmt.Errorf("too late: %w", context.DeadlineExceeded),
			errors.Join(errBoom, ping.ErrTimeout),
			errors.Join(context.Canceled, ping.ErrTimeout),
			fmt.Errorf("dial: %w", late{}),
		} {
			require.Equal(t, "Ping timed out.", ping.Boom(t.Context(), always(0, err), "localhost"), "of the error %q this was said", err)
		}
	})
}

func (s *BoomSuite) TestAFailure() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("one-ping-in-words", "Any other error must be called a failure, with the host and the error", ping.Declared.Boom)
		late, cancel := context.WithDeadline(t.Context(), time.Now())
		defer cancel()
		for _, err := range []error{
			errBoom,
			context.Canceled,
			fmt.Errorf("100%% %%d %w", errBoom),
			os.ErrDeadlineExceeded, // the network's, and another one
			errors.New(" ping timed out \n"),
		} {
			for _, host := range []string{"localhost", "100%d %s", "Grüße"} {
				for _, c := range []struct {
					ctx   context.Context
					delay time.Duration
				}{{t.Context(), 0}, {t.Context(), time.Second}, {late, 0}} {
					require.Equal(t, "Pinging "+host+" failed. "+err.Error(), ping.Boom(c.ctx, always(c.delay, err), host),
						"the Pinger returned %v and the error %q, the error of ctx was %v, and Boom said something else", c.delay, err, c.ctx.Err())
				}
			}
		}
	})
}

func (s *BoomSuite) TestItPingsThatHostOnce() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("one-ping-in-words", "Boom must ping its host, once, under its context", ping.Declared.Boom)
		hosts := new(hosts)
		assert.Equal(t, "Ping response in 500.0 ms.", ping.Boom(t.Context(), hosts, "500ms"), "something else was said")
		assert.Equal(t, []string{"500ms"}, hosts.Pinged(), "something else was pinged")

		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(30*time.Second, cancel)
		var got string
		call := t.Go(func() { got = ping.Boom(ctx, hosts, "1m") })
		time.Sleep(30 * time.Second)
		call.Returns("its context has ended, the ping has not, and Boom does not return")
		assert.Equal(t, "Pinging 1m failed. context canceled", got, "its context has ended, and something else was said")

		for _, err := range []error{nil, ping.ErrTimeout, context.DeadlineExceeded, os.ErrDeadlineExceeded, errBoom} {
			asked := 0
			ping.Boom(t.Context(), pings(func(context.Context, string) (time.Duration, error) {
				asked++
				return 0, err
			}), "localhost")
			require.Equal(t, 1, asked, "the error was %v, and so often it was pinged", err)
		}
	})
}

// Task 2: many clients.

type ServerSuite struct{ labtest.Suite }

func TestServer(t *testing.T) { suite.Run(t, new(ServerSuite)) }

func (s *ServerSuite) TestTheAnswerComesBack() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("one-client", "Serve must ping the host that a client names, answer with Boom's words and a newline, and close", ping.Declared.Serve)
		r := serve(t, &ping.Server{})
		for host, want := range map[string]string{
			"12ms":        answer("12ms"),
			"2s":          answer("2s"),
			"nobody":      "Pinging nobody failed. nobody of that name\n",
			"100%d.local": "Pinging 100%d.local failed. nobody of that name\n",
			"fe80::1%lo0": "Pinging fe80::1%lo0 failed. nobody of that name\n",
		} {
			before := len(r.hosts.Pinged())
			require.Equal(t, want, say(t, r.ln.Dial(), host), "something else came back")
			require.Equal(t, []string{host}, r.hosts.Pinged()[before:], "something else was pinged")
		}
		r.stop(t)
	})
}

func (s *ServerSuite) TestWhiteSpaceIsTrimmed() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("one-client", "White space around the host must be trimmed", ping.Declared.Serve)
		r := serve(t, &ping.Server{})
		for _, message := range []string{"12ms\n", "12ms\r\n", "  12ms", "\t 12ms \n\n", "\v\f12ms\r"} {
			require.Equal(t, answer("12ms"), say(t, r.ln.Dial(), message), "it said %q, and something else came back", message)
		}
		for _, host := range []string{"two words", "two\nlines", "two\r\nlines", "\x00nul\x00", "voilà", "Å"} {
			want := "Pinging " + host + " failed. nobody of that name\n"
			require.Equal(t, want, say(t, r.ln.Dial(), " "+host+"\n"), "it said %q, of which only the white space around the host may go, and something else came back", " "+host+"\n")
			require.Equal(t, want, say(t, r.ln.Dial(), host), "it said %q, and something else came back", host)
		}
		r.stop(t)

		odd := serve(t, &ping.Server{})
		for _, host := range []string{"\xff\xfe", "example.org.", "[::1]", `"quoted"`, "fe80::1%eth0"} {
			require.Equal(t, "Pinging "+host+" failed. nobody of that name\n", say(t, odd.ln.Dial(), " "+host+"\n"), "it said %q, of which only the white space around the host may go, and something else came back", " "+host+"\n")
			pinged := odd.hosts.Pinged()
			require.Equal(t, host, pinged[len(pinged)-1], "something else was pinged")
		}
		odd.stop(t)
	})
}

func (s *ServerSuite) TestItReadsOnce() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("one-client", "Serve must read once, and wait for nothing more", ping.Declared.Serve)
		r := serve(t, &ping.Server{})
		client := r.ln.Dial()
		var got string
		reader := t.Go(func() { got = rest(client) })
		_, err := client.Write([]byte("1ms")) // without a newline; the client stays
		require.NoError(t, err, "nobody read the host")
		reader.Returns("it has read a host, and does not answer and close")
		assert.Equal(t, answer("1ms"), got, "something else came back")
		r.stop(t)
	})
}

func (s *ServerSuite) TestAtMost100Bytes() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("one-client", "Serve must read at most MaxHost bytes", ping.Declared.Serve)
		r := serve(t, &ping.Server{})
		long := strings.Repeat("0123456789", 15)
		require.Equal(t, "Pinging "+long[:100]+" failed. nobody of that name\n", say(t, r.ln.Dial(), long), "of 150 bytes something else came back")
		require.Equal(t, []string{long[:100]}, r.hosts.Pinged(), "of 150 bytes something else was pinged")
		require.Equal(t, "Pinging "+long[:100]+" failed. nobody of that name\n", say(t, r.ln.Dial(), long[:100]), "of 100 bytes something else came back")
		require.Equal(t, "Pinging "+long[:90]+" failed. nobody of that name\n", say(t, r.ln.Dial(), strings.Repeat(" ", 10)+long), "of 10 spaces and 150 bytes something else came back")
		r.stop(t)
	})
}

func (s *ServerSuite) TestOneLineInOneWrite() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("one-client", "An answer and its newline must be written in one Write", ping.Declared.Serve)
		r := serve(t, &ping.Server{})
		for message, want := range map[string]string{"12ms": answer("12ms"), "\n": noHost} {
			client := r.ln.Dial()
			_, err := client.Write([]byte(message))
			require.NoError(t, err, "nobody read the host")
			buf := make([]byte, 1000)
			n, _ := client.Read(buf)
			require.Equal(t, want, string(buf[:n]), "the first Write brought this")
			require.Empty(t, rest(client), "then there was more")
		}
		r.stop(t)

		long := errors.New(strings.Repeat("x", 10_000))
		ctx, cancel := context.WithCancel(context.Background())
		ln := labtest.NewListener()
		call := t.Go(func() { _ = (&ping.Server{Pinger: always(0, long)}).Serve(ctx, ln) })
		client, buf := ln.Dial(), make([]byte, 20_000)
		_, err := client.Write([]byte("localhost"))
		require.NoError(t, err, "nobody read the host")
		n, _ := client.Read(buf)
		require.Equal(t, len("Pinging localhost failed. "+long.Error()+"\n"), n, "the error has 10000 bytes, and the first Write brought so many")
		_ = client.Close()
		cancel()
		call.Returns("its context has ended, and Serve does not return")
	})
}

func (s *ServerSuite) TestAnEmptyMessage() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("one-client", "A message of white space only must be answered with \"No host given.\", and nothing be pinged", ping.Declared.Serve)
		r := serve(t, &ping.Server{})
		for _, message := range []string{"\n", "\r\n", " ", " \t\n ", strings.Repeat(" ", ping.MaxHost)} {
			require.Equal(t, noHost, say(t, r.ln.Dial(), message), "it said %q, and something else came back", message)
		}
		last := r.ln.Dial(func(c net.Conn) net.Conn { return &failing{Conn: c, with: io.EOF} })
		require.Equal(t, noHost, say(t, last, "\n"), "the message came together with io.EOF, and something else came back")
		require.Empty(t, r.hosts.Pinged(), "something was pinged")
		slow := r.ln.Dial()
		r.name(t, slow, "\n")
		r.cancel()
		t.Settle()
		require.Equal(t, noHost, rest(slow), "it took its answer when ctx had ended, and got this")
		r.stop(t)
	})
}

func (s *ServerSuite) TestAClientWithoutAWord() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("one-client", "A client that leaves without sending must just be closed", ping.Declared.Serve)
		t.NothingStays()
		r := serve(t, &ping.Server{})
		_ = r.ln.Dial().Close()
		failing := r.ln.Dial(func(c net.Conn) net.Conn { return &failing{Conn: c, read: errBoom} })
		assert.Empty(t, rest(failing), "its reading failed, and it got this")
		t.Settle()
		assert.Empty(t, r.hosts.Pinged(), "something was pinged")
		assert.Zero(t, r.ln.Open(), "they have left, and so many connections are still open")
		r.stop(t)
	})
}

func (s *ServerSuite) TestEachPingHasItsTimeout() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("no-longer-than-that", "A ping must end after Timeout, and not before", ping.Declared.Serve)
		t.NothingStays()
		for _, c := range []struct{ given, want time.Duration }{
			{20 * time.Second, 20 * time.Second},
			{30 * time.Second, 30 * time.Second},
			{time.Second, time.Second},
			{1500 * time.Millisecond, 1500 * time.Millisecond},
			{300_500 * time.Microsecond, 300_500 * time.Microsecond},
			{0, ping.DefaultTimeout},
		} {
			r := serve(t, &ping.Server{Timeout: c.given})
			almost := (c.want - c.want/10).Truncate(time.Millisecond).String()
			require.Equal(t, answer(almost), say(t, r.ln.Dial(), almost), "with Timeout %v something else came back", c.given)
			start := time.Now()
			require.Equal(t, timedOut, say(t, r.ln.Dial(), "1000h"), "with Timeout %v something else came back", c.given)
			took := time.Since(start)
			require.GreaterOrEqual(t, took, c.want, "with Timeout %v it took so long", c.given)
			require.Less(t, took, c.want+tolerance, "with Timeout %v it took so long", c.given)
			r.stop(t)
		}
	})
}

func (s *ServerSuite) TestTheClockStartsWithThePing() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("no-longer-than-that", "Timeout must count from the start of the ping", ping.Declared.Serve)
		r := serve(t, &ping.Server{Timeout: 10 * time.Second})
		for range 2 {
			client := r.ln.Dial()
			time.Sleep(15 * time.Second)
			require.Equal(t, answer("9s"), say(t, client, "9s"), "it was silent for 15 seconds, then its ping took 9 of 10, and this came back")
		}
		r.stop(t)
	})
}

func (s *ServerSuite) TestNobodyWaitsForAPing() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("many-clients", "Every client must be served while others' pings run", ping.Declared.Serve)
		r := serve(t, &ping.Server{Timeout: 10 * time.Minute})
		var calls []*labtest.Call
		for range 10 {
			client := r.ln.Dial()
			calls = append(calls, t.Go(func() {
				assert.Equal(t, answer("15s"), say(t, client, "15s"), "something else came back")
			}))
		}
		t.Settle()
		start := time.Now()
		require.Equal(t, answer("1s"), say(t, r.ln.Dial(), "1s"), "ten pings run, and something else came back")
		require.Less(t, time.Since(start), time.Second+noticed, "ten pings run, and one of a second took")
		for _, c := range calls {
			c.Join()
		}
		r.stop(t)
	})
}

func (s *ServerSuite) TestNobodyWaitsForTheSilent() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("many-clients", "Every client must be served while others are silent, and they too when they speak", ping.Declared.Serve)
		r := serve(t, &ping.Server{})
		var silent []*labtest.Conn
		for range 10 {
			silent = append(silent, r.ln.Dial())
		}
		require.Equal(t, answer("1s"), say(t, r.ln.Dial(), "1s"), "ten others are silent, and something else came back")
		for _, client := range silent {
			require.Equal(t, answer("100ms"), say(t, client, "100ms"), "a silent one has spoken at last, and something else came back")
		}
		r.stop(t)
	})
}

func (s *ServerSuite) TestOneThatFailsStopsNobody() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("many-clients", "One that fails must stop nobody else", ping.Declared.Serve)
		t.NothingStays()
		r := serve(t, &ping.Server{})
		other := r.ln.Dial()
		_ = r.ln.Dial(func(c net.Conn) net.Conn { return &failing{Conn: c, read: errBoom} })
		say(t, r.ln.Dial(func(c net.Conn) net.Conn { return &failing{Conn: c, write: errBoom} }), "1s")
		say(t, r.ln.Dial(), "nobody")
		_ = r.ln.Dial().Close()
		half := r.ln.Dial()
		_, err := half.Write([]byte("1s"))
		require.NoError(t, err, "others have failed before, and nobody reads the host of the next")
		_ = half.Close() // does not wait for the answer
		t.Settle()
		require.False(t, r.call.Returned(), "some clients have failed, and Serve returned")
		assert.Equal(t, answer("1s"), say(t, r.ln.Dial(), "1s"), "something else came back")
		assert.Equal(t, answer("1s"), say(t, other, "1s"), "something else came back")
		r.stop(t)

		many := serve(t, &ping.Server{MaxPings: 2})
		for i := range 300 {
			_ = many.ln.Dial(func(c net.Conn) net.Conn {
				if i%2 == 0 {
					return &failing{Conn: c, read: errBoom}
				}
				return c
			}).Close()
		}
		var got string
		t.Go(func() { got = say(t, many.ln.Dial(), "1s") }).Returns("300 clients have failed, and the next is not answered")
		assert.Equal(t, answer("1s"), got, "300 clients have failed, and to the next this came back")
		many.cancel()
		many.ended(t, "300 clients have failed, then ctx ended, and Serve does not return: perhaps one of them still waits")
	})
}

func (s *ServerSuite) TestHundredsAtATime() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("many-clients", "Without MaxPings hundreds of pings must run at the same time", ping.Declared.Serve)
		const n = 200
		r := serve(t, &ping.Server{Timeout: time.Hour})
		r.hosts.early = make(chan struct{})
		var calls []*labtest.Call
		for i := range n {
			client := r.ln.Dial()
			calls = append(calls, t.Go(func() {
				host := fmt.Sprintf("%ds", 1000+i%100)
				assert.Equal(t, answer(host), say(t, client, host), "something else came back")
			}))
		}
		t.Pass(time.Second)
		require.Equal(t, n, r.hosts.running.Now(), "so many run at the same time")
		close(r.hosts.early)
		for _, c := range calls {
			c.Join()
		}
		r.stop(t)
	})
}

func (s *ServerSuite) TestRealSockets() {
	s.Real(func(t *labtest.T) {
		t.Rule("many-clients", "On real sockets clients must have their answer, and Serve must end with its context", ping.Declared.Serve)
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err, "the test cannot listen on 127.0.0.1")
		ctx, cancel := context.WithCancel(t.Context())
		hosts := &hosts{early: make(chan struct{})}
		call := t.Go(func() {
			server := &ping.Server{Pinger: hosts, Timeout: time.Minute}
			assert.NoError(t, server.Serve(ctx, ln), "Serve failed")
		})
		dial := func() net.Conn {
			conn, err := net.Dial("tcp", ln.Addr().String())
			require.NoError(t, err, "the test cannot connect")
			return conn
		}
		silent, slow := dial(), dial()
		defer silent.Close()
		defer slow.Close()
		var clients []*labtest.Call
		for i := range 20 {
			conn := dial()
			clients = append(clients, t.Go(func() {
				defer conn.Close()
				host := fmt.Sprintf("%dms", i%5)
				_, _ = fmt.Fprintln(conn, host)
				got, err := io.ReadAll(conn)
				assert.NoError(t, err, "reading the answer failed")
				assert.Equal(t, answer(host), string(got), "something else came back")
			}))
		}
		for _, c := range clients {
			c.Join()
		}
		_, err = slow.Write([]byte("25s"))
		require.NoError(t, err, "the test cannot write")
		for !slices.Contains(hosts.Pinged(), "25s") { // it is in the kernel, and perhaps not yet read
			time.Sleep(time.Millisecond)
		}
		cancel()
		time.Sleep(10 * time.Millisecond)
		close(hosts.early)
		got, err := io.ReadAll(slow)
		assert.NoError(t, err, "ctx ended while its ping ran, and reading the answer failed")
		assert.Equal(t, answer("25s"), string(got), "ctx ended while its ping ran, and something else came back")
		call.Join()
		_, err = silent.Read(make([]byte, 1))
		assert.Error(t, err, "the server has ended, and a client that said nothing got something")
		assert.ErrorIs(t, ln.Close(), net.ErrClosed, "the server has ended, and its listener is not closed")
	})
}

func (s *ServerSuite) TestItEndsWithItsContext() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("the-orderly-end", "When ctx ends, Serve must stop accepting, close the listener and return nil", ping.Declared.Serve)
		t.NothingStays()
		for _, end := range t.Endings() {
			ctx, stop := end.Start()
			r := serveUntil(t, ctx, stop, &ping.Server{}, nil)
			silent := r.ln.Dial()
			r.call.Blocks("nobody has asked it to end, and it returned")
			r.stop(t)
			require.Empty(t, rest(silent), "it had said nothing, and got this")

			r = serveUntil(t, ctx, stop, &ping.Server{}, nil)
			r.stop(t)
		}
	})
}

func (s *ServerSuite) TestWhoHasSaidNothingIsClosed() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("the-orderly-end", "When ctx ends, connections that still wait for their host must be closed, also while pings run", ping.Declared.Serve)
		t.NothingStays()
		r := serve(t, &ping.Server{Timeout: 10 * time.Minute})
		var got string
		busy := r.ln.Dial()
		reader := t.Go(func() { got = say(t, busy, "30s") })
		var silent []*labtest.Conn
		for range 5 {
			silent = append(silent, r.ln.Dial())
		}
		t.Settle()
		start := time.Now()
		r.cancel()
		for _, client := range silent {
			require.Empty(t, rest(client), "it had said nothing, and got this")
		}
		require.Less(t, time.Since(start), noticed, "they were closed so long after ctx had ended")
		reader.Join()
		assert.Equal(t, answer("30s"), got, "the ping that ran got this")
		r.stop(t)
	})
}

func (s *ServerSuite) TestAPingThatRunsIsNotCancelled() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("the-orderly-end", "When ctx ends, a ping whose host has been read must go on and its answer get out, and Serve must wait for that", ping.Declared.Serve)
		t.NothingStays()
		for _, end := range t.Endings() {
			ctx, stop := end.Start()
			r := serveUntil(t, ctx, stop, &ping.Server{Timeout: 2 * time.Minute}, nil)
			hosts := []string{"50s", "60s", "1000h", "70s"}
			got := make([]string, len(hosts))
			var clients []*labtest.Call
			for i, host := range hosts {
				client := r.ln.Dial()
				clients = append(clients, t.Go(func() { got[i] = say(t, client, host) }))
			}
			slow := r.ln.Dial()
			r.name(t, slow, "45s")
			r.cancel()
			r.call.Blocks("ctx ended while five pings ran, no client has its answer yet, and Serve has returned")
			for _, c := range clients {
				c.Join()
			}
			require.Equal(t, []string{answer("50s"), answer("60s"), timedOut, answer("70s")}, got, "ctx ended (%v) while they ran, and they got this", end.Err)
			t.Pass(10 * time.Minute)
			require.False(t, r.call.Returned(), "a client has not taken its answer, and it returned")
			require.Equal(t, answer("45s"), rest(slow), "it took its answer ten minutes later, and got this")
			r.stop(t)
		}
	})
}

func (s *ServerSuite) TestAHostThatHasJustBeenReadIsPinged() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("the-orderly-end", "If ctx ends right when a host has been read, its client must have the answer all the same", ping.Declared.Serve)
		for round := range 20 {
			t.Progress()
			var r *running
			r = serve(t, &ping.Server{})
			client := r.ln.Dial(func(c net.Conn) net.Conn {
				return &reading{Conn: c, then: func() {
					r.cancel()
					if round%2 == 0 {
						labtest.StepAside()
					}
				}}
			})
			require.Equal(t, answer("3s"), say(t, client, "3s"), "only this came back")
			r.stop(t)

			r = serve(t, &ping.Server{})
			client = r.ln.Dial()
			t.Wait()
			_, err := client.Write([]byte("3s"))
			require.NoError(t, err, "nobody read the host")
			r.cancel()
			require.Equal(t, answer("3s"), rest(client), "only this came back")
			r.stop(t)
		}
	})
}

func (s *ServerSuite) TestEitherAnAnswerOrNothing() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("the-orderly-end", "Whenever ctx ends, a client must have its answer if its host was read, and be closed if not", ping.Declared.Serve)
		for range 30 {
			t.Progress()
			r := serve(t, &ping.Server{})
			client := r.ln.Dial()
			var sent error
			var got string
			reader := t.Go(func() { got = rest(client) })
			t.Wait()
			t.Collide(func() { _, sent = client.Write([]byte("1s")) }, r.cancel)
			reader.Returns("the client is not closed")
			want := answer("1s")
			if sent != nil {
				want = ""
			}
			require.Equal(t, want, got, "its host was sent with %v, and this came back", sent)
			r.stop(t)
		}
	})
}

func (s *ServerSuite) TestAClientMayComeAtTheSameMoment() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("the-orderly-end", "A client that comes when ctx ends must not stay behind", ping.Declared.Serve)
		t.NothingStays()
		for range 30 {
			t.Progress()
			r := serve(t, &ping.Server{})
			t.Wait()
			var client *labtest.Conn
			t.Collide(func() { client = r.ln.Dial() }, r.cancel)
			r.stop(t)
			require.Empty(t, rest(client), "it had said nothing, and got this")
		}
		for range 5 {
			ln := labtest.NewListener()
			ctx, cancel := context.WithCancel(context.Background())
			client := ln.Dial()
			call := t.Go(func() {
				assert.NoError(t, (&ping.Server{Pinger: new(hosts)}).Serve(ctx, &accepting{Listener: ln, then: func() {
					cancel()
					labtest.StepAside()
				}}), "it failed")
			})
			call.Returns("its context ended when a client had just been accepted, and it does not return")
			require.Empty(t, rest(client), "it had said nothing, and got this")
			require.Zero(t, ln.Open(), "so many connections are still open")
		}
		t.InTurn(20, func(ctx *labtest.Moment) {
			ctx.Then = ctx.Cancel
			ln := labtest.NewListener()
			clients := []*labtest.Conn{ln.Dial(), ln.Dial()}
			call := t.Go(func() {
				assert.NoError(t, (&ping.Server{Pinger: new(hosts)}).Serve(ctx, ln), "it failed")
			})
			t.Settle()
			ctx.Cancel()
			call.Returns("two clients had come, ctx ended right after Serve had called its Err or Done, and Serve does not return")
			for _, client := range clients {
				require.Empty(t, rest(client), "it had said nothing, and got this")
			}
			require.Zero(t, ln.Open(), "so many connections are still open")
		})
	})
}

func (s *ServerSuite) TestItWaitsForTheLastOfThem() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("the-orderly-end", "When Serve returns, every connection must be closed", ping.Declared.Serve)
		t.ClosesAll((&ping.Server{Pinger: new(hosts)}).Serve, func(client *labtest.Conn) { say(t, client, "1s") })
	})
}

func (s *ServerSuite) TestNoPingOutlivesServe() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("the-orderly-end", "Serve must not return while a ping runs, even one that does not hear of its end", ping.Declared.Serve)
		t.NothingStays()
		r := serve(t, &ping.Server{Timeout: time.Second})
		r.hosts.deaf = true
		client := r.ln.Dial()
		var got string
		reader := t.Go(func() { got = say(t, client, "25s") })
		t.Settle()
		r.cancel()
		r.call.Blocks("a ping still runs, and it returned")
		time.Sleep(10 * time.Second)
		reader.Returns("the ping has ended, and its client is not closed")
		assert.Equal(t, timedOut, got, "something else came back")
		r.stop(t)

		r = serve(t, &ping.Server{})
		r.hosts.deaf = true
		client = r.ln.Dial()
		r.name(t, client, "15m")
		_ = client.Close()
		r.cancel()
		r.call.Blocks("a ping still runs, whose client has hung up, and it returned")
		t.Pass(10 * time.Minute)
		r.call.Blocks("a ping still runs, whose client hung up ten minutes ago, and it returned")
		time.Sleep(5 * time.Minute)
		r.stop(t)
	})
}

func (s *ServerSuite) TestAnAcceptErrorIsReturned() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("the-orderly-end", "If Accept fails, Serve must close nobody, wait until every client has ended, and return that error", ping.Declared.Serve)
		t.NothingStays()
		for _, failure := range []error{errBoom, net.ErrClosed, os.ErrDeadlineExceeded, syscall.EMFILE, syscall.ECONNABORTED, io.EOF, context.Canceled, context.DeadlineExceeded} {
			r := serveWith(t, &ping.Server{Timeout: 10 * time.Minute, MaxPings: 1}, failure)
			silent, busy, next := r.ln.Dial(), r.ln.Dial(), r.ln.Dial()
			r.name(t, busy, "35s")
			r.name(t, next, "35s") // for the brave: it waits for its turn

			fail := r.ln.Fail
			if failure == errBoom || failure == syscall.ECONNABORTED {
				fail = r.ln.FailOnce
			}
			fail(failure)
			r.call.Blocks("Accept has failed, three clients are still there, and it returned")
			assert.Equal(t, answer("35s"), rest(busy), "Accept failed while its ping ran, and this came back")
			assert.Equal(t, answer("35s"), rest(next), "MaxPings is 1, Accept failed when its host had been read and another ping ran, and this came back")
			require.Equal(t, 1, r.ln.Open(), "Accept has failed, one silent client is left, and so many connections are open")
			r.call.Blocks("Accept has failed, a client is still there, and it returned")
			assert.Equal(t, answer("1s"), say(t, silent, "1s"), "Accept had failed before it spoke, and this came back")
			r.ended(t, fmt.Sprintf("Accept has failed (%v), nobody is left, and it does not return", failure))
		}

		t.Rule("the-orderly-end", "When Serve returns an error of Accept, no goroutine may stay behind, whatever its clients have done", ping.Declared.Serve)
		r := serveWith(t, &ping.Server{Timeout: time.Minute}, errBoom)
		for _, message := range []string{"12ms", "nobody", "1h", " \n"} {
			say(t, r.ln.Dial(), message)
		}
		say(t, r.ln.Dial(func(c net.Conn) net.Conn { return &failing{Conn: c, read: errBoom} }), "")
		say(t, r.ln.Dial(func(c net.Conn) net.Conn { return &failing{Conn: c, write: errBoom} }), "12ms")
		_ = r.ln.Dial().Close()
		leaves := r.ln.Dial()
		r.name(t, leaves, "30s")
		_ = leaves.Close()
		t.Pass(time.Minute)
		r.ln.Fail(errBoom)
		r.ended(t, "Accept has failed, nobody is left, and it does not return")
	})
}

func (s *ServerSuite) TestTheContextMayEndAfterAnAcceptError() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("the-orderly-end", "If ctx ends while Serve waits after an Accept error, it must end as always, and return that error", ping.Declared.Serve)
		t.NothingStays()
		r := serveWith(t, &ping.Server{Timeout: 10 * time.Minute}, errBoom)
		silent, busy := r.ln.Dial(), r.ln.Dial()
		var got string
		reader := t.Go(func() { got = say(t, busy, "40s") })
		t.Settle()
		r.ln.Fail(errBoom)
		r.call.Blocks("Accept has failed, two clients are still there, and it returned")
		r.cancel()
		assert.Empty(t, rest(silent), "it had said nothing, and got this")
		r.call.Blocks("a ping still runs, and it returned")
		reader.Join()
		assert.Equal(t, answer("40s"), got, "ctx ended while its ping ran, and this came back")
		r.ended(t, "nobody is left, and it does not return")
	})
}

func (s *ServerSuite) TestItMayServeAgain() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("the-orderly-end", "When one Serve has ended, the next must work", ping.Declared.Serve)
		server := &ping.Server{MaxPings: 1, Timeout: time.Minute}
		for range 3 {
			r := serve(t, server)
			var got string
			t.Go(func() { got = say(t, r.ln.Dial(), "1s") }).Returns("MaxPings is 1, Serve was called again, and a client is not served")
			require.Equal(t, answer("1s"), got, "something else came back")
			busy := r.ln.Dial()
			r.name(t, busy, "30s")
			r.cancel()
			require.Equal(t, answer("30s"), rest(busy), "ctx ended while its ping ran, and this came back")
			r.stop(t)
		}

		for range 2 {
			for _, fails := range []error{nil, errBoom} {
				r := serveWith(t, server, fails)
				busy, next := r.ln.Dial(), r.ln.Dial()
				r.name(t, busy, "30s")
				r.name(t, next, "20s") // for the brave: it waits for its turn
				if fails != nil {
					r.ln.Fail(fails)
				} else {
					r.cancel()
				}
				require.Equal(t, answer("30s"), rest(busy), "something else came back")
				require.Equal(t, answer("20s"), rest(next), "something else came back")
				r.ended(t, "nobody is left, and it does not return")
			}
		}
	})
}

// Task 3: the real thing.

type ICMPSuite struct{ labtest.Suite }

func TestICMP(t *testing.T) { suite.Run(t, new(ICMPSuite)) }

const (
	here = "127.0.0.1"

	// silent is the loopback's broadcast address. On Linux nobody answers there.
	silent = "127.255.255.255"

	// soon is how long a context lasts that ends while a ping waits.
	soon = 6 * time.Millisecond

	// tries is how often a right answer may be slow. A machine that has other
	// things to do makes it so now and then, and not each time.
	tries = 5
)

func (s *ICMPSuite) TestAReply() {
	s.real("A host that is there must be pinged, and the time until its reply be returned", func(t *labtest.T) {
		for _, p := range able(t, here) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			start := time.Now()
			rtt, err := p.Ping(ctx, here)
			took := time.Since(start)
			require.NoError(t, err, "%+v: go-ping itself can ping %s here with such sockets, and Ping failed", p, here)
			require.Positive(t, rtt, "%+v: the time that Ping returned", p)
			require.LessOrEqual(t, rtt, took+time.Second, "%+v: the whole call took %v, and the time that Ping returned is longer by more than a second", p, took)
		}
	})
}

func (s *ICMPSuite) TestOneRequest() {
	s.real("Ping must send one echo request, and return when the reply is there", func(t *labtest.T) {
		for _, p := range able(t, here) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			took := fastest(t, func() time.Duration {
				start := time.Now()
				_, err := p.Ping(ctx, here)
				require.NoError(t, err, "%+v: pinging %s failed", p, here)
				return time.Since(start)
			})
			require.Less(t, took, time.Second, "%+v: the reply is there in a millisecond, and Ping returned after", p)
		}
	})
}

func (s *ICMPSuite) TestNoReply() {
	s.real("Without a reply until the deadline of ctx, the error must match ErrTimeout, and come within a second", func(t *labtest.T) {
		for _, p := range able(t, silent) {
			took := fastest(t, func() time.Duration {
				start := time.Now()
				ctx, cancel := context.WithTimeout(t.Context(), soon)
				defer cancel()
				_, err := p.Ping(ctx, silent)
				took := time.Since(start)
				require.ErrorIs(t, err, ping.ErrTimeout, "%+v: nobody answers at %s, and it returned something else", p, silent)
				require.GreaterOrEqual(t, took, soon, "%+v: it did not wait until the deadline, but", p)
				return took
			})
			require.Less(t, took, soon+time.Second, "%+v: the deadline was after %v, and Ping returned after", p, soon)
		}
	})
}

func (s *ICMPSuite) TestADeadlineThatHadPassed() {
	s.real("If the deadline of ctx had passed before the call, the error must match ErrTimeout", func(t *labtest.T) {
		for _, p := range able(t, here) {
			for _, deadline := range []time.Time{time.Now().Add(-time.Hour), time.Now(), {}} {
				ctx, cancel := context.WithDeadline(t.Context(), deadline)
				_, err := p.Ping(ctx, "localhost")
				require.ErrorIs(t, err, ping.ErrTimeout, "%+v: the deadline had passed before the name was looked up, and it returned something else", p)
				took := fastest(t, func() time.Duration {
					start := time.Now()
					_, err := p.Ping(ctx, here)
					require.ErrorIs(t, err, ping.ErrTimeout, "%+v: the deadline had passed, and it returned something else", p)
					return time.Since(start)
				})
				cancel()
				require.Less(t, took, time.Second, "%+v: the deadline had passed, and Ping returned after", p)
			}
		}
	})
}

func (s *ICMPSuite) TestCancelledBeforeTheCall() {
	s.real("If ctx was cancelled before the call, the error must match context.Canceled", func(t *labtest.T) {
		for _, p := range able(t, here) {
			for _, parent := range parents(t) {
				ctx, cancel := context.WithCancelCause(parent)
				cancel(errBoom)
				_, err := p.Ping(ctx, "localhost")
				require.ErrorIs(t, err, context.Canceled, "%+v: it was cancelled before the name was looked up, and it returned something else", p)
				took := fastest(t, func() time.Duration {
					start := time.Now()
					_, err := p.Ping(ctx, here)
					require.ErrorIs(t, err, context.Canceled, "%+v: it was cancelled before the call, and it returned something else", p)
					return time.Since(start)
				})
				require.Less(t, took, time.Second, "%+v: it was cancelled before the call, and Ping returned after", p)
			}
		}
	})
}

func (s *ICMPSuite) TestCancelledWhileItWaits() {
	s.real("If ctx is cancelled while Ping waits, the error must match context.Canceled, and come within a second", func(t *labtest.T) {
		var calls []*labtest.Call
		for _, p := range able(t, silent) {
			for _, parent := range parents(t) {
				calls = append(calls, t.Go(func() {
					took := fastest(t, func() time.Duration { return cancelled(t, p, parent) })
					assert.Less(t, took, time.Second, "%+v: it was cancelled while it waited, and Ping returned after", p)
				}))
			}
		}
		for _, c := range calls {
			c.Join()
		}
	})
}

// cancelled cancels a ping while it waits, and returns how long it took to notice.
func cancelled(t *labtest.T, p ping.ICMP, parent context.Context) time.Duration {
	ctx, cancel := context.WithCancelCause(parent)
	var since time.Time
	timer := time.AfterFunc(soon, func() {
		since = time.Now()
		cancel(errBoom)
	})
	defer timer.Stop()
	_, err := p.Ping(ctx, silent)
	returned := time.Now()
	if ctx.Err() == nil {
		assert.Fail(t, "it does not wait", "%+v: nobody answers at %s, ctx has not ended, and it returned %v", p, silent, err)
		return 0
	}
	assert.ErrorIs(t, err, context.Canceled, "%+v: it was cancelled while it waited, and it returned something else", p)
	return returned.Sub(since)
}

func (s *ICMPSuite) TestAnUnknownHost() {
	s.real("An unknown host must be an error", func(t *labtest.T) {
		for _, p := range []ping.ICMP{{Privileged: true}, {Privileged: false}} {
			// None of these is a name that anybody would ask the network about.
			for _, host := range []string{"", "nobody..invalid", strings.Repeat("x", ping.MaxHost) + ".invalid"} {
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				_, err := p.Ping(ctx, host)
				cancel()
				require.Error(t, err, "%+v: %q was pinged", p, host)
			}
		}
	})
}

func (s *ICMPSuite) TestAMissingPrivilege() {
	s.real("A missing privilege must be an error", func(t *labtest.T) {
		must(t)
		tested := false
		for _, p := range []ping.ICMP{{Privileged: true}, {Privileged: false}} {
			if _, err := probe(p.Privileged, here); err == nil {
				continue
			}
			tested = true
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			_, err := p.Ping(ctx, here)
			cancel()
			require.Error(t, err, "%+v: this system forbids it, and Ping says nothing of that", p)
		}
		if !tested {
			t.Skip("this system allows everything")
		}
	})
}

func (s *ICMPSuite) TestNoGoroutineStays() {
	s.real("No goroutine must stay behind, whatever came out", func(t *labtest.T) {
		t.NothingStays()
		for _, p := range able(t, here) {
			lasts := parents(t)[1]
			_, _ = p.Ping(lasts, here)
			_, _ = p.Ping(lasts, "nobody..invalid")
			ctx, cancel := context.WithCancel(lasts)
			defer cancel()
			time.AfterFunc(soon, cancel)
			short, cancel := context.WithTimeout(lasts, soon)
			defer cancel()
			call := t.Go(func() { _, _ = p.Ping(short, silent) })
			_, _ = p.Ping(ctx, silent)
			call.Join()
		}
	})
}

// real runs f on the real clock.
func (s *ICMPSuite) real(rule string, f func(t *labtest.T)) {
	s.Real(func(t *labtest.T) {
		t.Rule("the-real-thing", rule, ping.Declared.Ping)
		f(t)
	})
}

// must calls Ping in a way in which it cannot succeed, so that one which has not
// been written says so on every system.
func must(t *labtest.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := ping.ICMP{}.Ping(ctx, here)
	require.Error(t, err, "it was cancelled before the call, and succeeded")
}

// parents returns contexts that last for longer than any ping, one of which has a
// deadline.
func parents(t *labtest.T) []context.Context {
	deadline, cancel := context.WithTimeout(context.Background(), time.Hour)
	context.AfterFunc(t.Context(), func() { time.AfterFunc(time.Minute, cancel) })
	return []context.Context{context.Background(), deadline}
}

// fastest returns the shortest of some tries.
func fastest(t *labtest.T, try func() time.Duration) time.Duration {
	took := time.Duration(1<<63 - 1)
	for range tries {
		t.Progress()
		if took = min(took, try()); took < time.Second/2 {
			break
		}
	}
	return took
}

// able returns the ways to ping that this system allows, and for which it depends
// on nobody's answer whether the host is there. If there is none, the test is
// skipped.
func able(t *labtest.T, host string) []ping.ICMP {
	must(t)
	var all []ping.ICMP
	var failed error
	for _, p := range []ping.ICMP{{Privileged: true}, {Privileged: false}} {
		replied, err := probe(p.Privileged, host)
		switch {
		case err != nil:
			failed = errors.Join(failed, err)
		case replied == (host == here):
			all = append(all, p)
		}
	}
	switch {
	case len(all) > 0:
	case failed != nil && host == here:
		t.Skip("this system forbids ICMP sockets (" + strings.ReplaceAll(failed.Error(), "\n", "; ") + "); " + allow())
	case failed != nil:
		t.Skip("pinging " + host + ", where nobody answers, needs raw sockets (" + strings.ReplaceAll(failed.Error(), "\n", "; ") + "); with sudo: go test ./exercises/ping -run TestICMP")
	default:
		t.Skip("on this system " + host + " does not do as it does on Linux, where only " + here + " answers")
	}
	return all
}

// allow says how ICMP sockets are allowed.
func allow() string {
	switch runtime.GOOS {
	case "windows":
		return "allow them in an administrator's shell: netsh advfirewall firewall add rule name=\"ICMPv4\" protocol=icmpv4:any,any dir=in action=allow"
	case "darwin":
		return "run the tests with raw sockets: sudo go test ./exercises/ping -run TestICMP"
	default:
		return "allow unprivileged ones: sudo sysctl -w net.ipv4.ping_group_range=\"0 2147483647\", and raw ones for the rest: sudo go test ./exercises/ping -run TestICMP"
	}
}

// probe asks go-ping itself.
func probe(privileged bool, host string) (replied bool, err error) {
	probes.mu.Lock()
	defer probes.mu.Unlock()
	key := fmt.Sprint(privileged, host)
	if known, ok := probes.known[key]; ok {
		return known.replied, known.err
	}
	pinger := goping.New("")
	pinger.SetIPAddr(&net.IPAddr{IP: net.ParseIP(host)})
	pinger.SetPrivileged(privileged)
	pinger.SetLogger(goping.NoopLogger{})
	pinger.Count = 1
	pinger.Timeout = 2 * soon
	if host == here {
		pinger.Timeout = 2 * time.Second
	}
	err = pinger.Run()
	replied = pinger.Statistics().PacketsRecv > 0
	probes.known[key] = finding{replied, err}
	return replied, err
}

// probes are what is known of this system.
var probes = struct {
	mu    sync.Mutex
	known map[string]finding
}{known: map[string]finding{}}

type finding struct {
	replied bool
	err     error
}

// Task 4, for the brave: those who leave, and the many.

type LimitsSuite struct{ labtest.Suite }

func TestLimits(t *testing.T) { suite.Run(t, new(LimitsSuite)) }

func (s *LimitsSuite) TestHangingUpEndsThePing() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("hanging-up", "When a client hangs up, its ping's context must end, and nobody else's", ping.Declared.Serve)
		t.NothingStays()
		r := serve(t, &ping.Server{Timeout: 20 * time.Minute})
		var got string
		other := r.ln.Dial()
		reader := t.Go(func() { got = say(t, other, "1m") })
		for name, hangUp := range map[string]func() func(){
			"its connection was closed": func() func() {
				client := r.ln.Dial()
				r.name(t, client, "5m")
				return func() { _ = client.Close() }
			},
			"reading from it failed": func() func() {
				fail := make(chan struct{})
				r.name(t, r.ln.Dial(func(c net.Conn) net.Conn { return &leaving{Conn: c, leave: fail} }), "5m")
				return func() { close(fail) }
			},
		} {
			end := hangUp()
			time.Sleep(5 * time.Second)
			require.Equal(t, 2, r.hosts.running.Now(), "two clients wait for their answer, and so many pings run")
			end()
			t.Settle()
			require.Equal(t, 1, r.hosts.running.Now(), "%s, and of two pings so many still run", name)
		}
		reader.Join()
		assert.Equal(t, answer("1m"), got, "others have hung up, and the one that stayed got this")
		r.stop(t)

		r = serve(t, &ping.Server{Timeout: 20 * time.Minute})
		for _, end := range []error{io.EOF, errBoom} {
			client := r.ln.Dial(func(c net.Conn) net.Conn { return &failing{Conn: c, with: end} })
			r.name(t, client, "5m")
			require.Zero(t, r.hosts.running.Now(), "its host came together with %q, and so many pings still run", end)
			_ = client.Close()
		}
		r.stop(t)

		r = serveWith(t, &ping.Server{Timeout: 20 * time.Minute}, errBoom)
		client := r.ln.Dial()
		r.name(t, client, "5m")
		r.ln.Fail(errBoom)
		t.Settle()
		_ = client.Close()
		r.ended(t, "Accept has failed, then the only client hung up, and its ping goes on")
	})
}

func (s *LimitsSuite) TestFurtherBytesDoNotCount() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("hanging-up", "Further bytes must not count as hanging up, and the end behind them must", ping.Declared.Serve)
		t.NothingStays()
		r := serve(t, &ping.Server{Timeout: 20 * time.Minute})
		chatty := func(host string) (client *labtest.Conn) {
			client = r.ln.Dial()
			r.name(t, client, host)
			t.Go(func() {
				for _, more := range []string{"\n", "hello?\n", strings.Repeat("x", 100_000), "\x00"} {
					time.Sleep(3 * time.Second)
					_ = t.Send(client, more)
				}
			})
			return client
		}
		client := chatty("30s")
		assert.Equal(t, answer("30s"), rest(client), "it went on talking, and got this")

		client = chatty("1m")
		time.Sleep(15 * time.Second)
		require.Equal(t, 1, r.hosts.running.Now(), "it went on talking, and so many pings run")
		_ = client.Close()
		t.Settle()
		require.Zero(t, r.hosts.running.Now(), "it went on talking, then it hung up, and so many pings still run")
		r.stop(t)

		r = serve(t, &ping.Server{MaxPings: 1, Timeout: time.Hour})
		busy, waiting := r.ln.Dial(), r.ln.Dial()
		r.name(t, busy, "1m")
		r.name(t, waiting, "30s")
		talks := t.Go(func() {
			for range 3 {
				time.Sleep(3 * time.Second)
				_, _ = waiting.Write([]byte("hello?\n"))
			}
		})
		assert.Equal(t, answer("1m"), rest(busy), "something else came back")
		assert.Equal(t, answer("30s"), rest(waiting), "it went on talking while it waited for its turn, and this came back")
		talks.Join()
		r.stop(t)
	})
}

func (s *LimitsSuite) TestHangingUpCountsToTheEnd() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("hanging-up", "When a client hangs up after ctx has ended, its ping's context must end, too, and no other's", ping.Declared.Serve)
		t.NothingStays()
		r := serve(t, &ping.Server{Timeout: 20 * time.Minute})
		stays, leaves := r.ln.Dial(), r.ln.Dial()
		var got string
		reader := t.Go(func() { got = say(t, stays, "1m") })
		r.name(t, leaves, "5m")
		r.cancel()
		time.Sleep(10 * time.Second)
		require.Equal(t, 2, r.hosts.running.Now(), "ctx has ended, nobody has hung up, and of two pings so many run")
		_ = leaves.Close()
		t.Settle()
		require.Equal(t, 1, r.hosts.running.Now(), "one of two has hung up, and so many pings run")
		reader.Join()
		assert.Equal(t, answer("1m"), got, "the one that stayed got this")
		r.stop(t)
	})
}

func (s *LimitsSuite) TestAtMostMaxPings() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("the-many", "At most MaxPings pings may run at the same time, and so many must", ping.Declared.Serve)
		for limit, n := range map[int]int{1: 12, 120: 240} {
			r := serve(t, &ping.Server{MaxPings: limit, Timeout: time.Hour})
			r.hosts.early = make(chan struct{})
			var clients []*labtest.Call
			for i := range n {
				client := r.ln.Dial()
				clients = append(clients, t.Go(func() {
					assert.Equal(t, answer("30m"), say(t, client, "30m"), "MaxPings is %d, %d clients have come, and client %d got something else", limit, n, i+1)
				}))
			}
			for answered := 0; answered < n; answered += limit {
				t.Pass(time.Second)
				require.Equal(t, limit, r.hosts.running.Now(), "MaxPings is %d, %d of %d clients have been answered, and so many pings run", limit, answered, n)
				for range limit {
					r.hosts.early <- struct{}{}
				}
			}
			for _, c := range clients {
				c.Join()
			}
			require.Equal(t, limit, r.hosts.running.Max(), "MaxPings is %d, and so many ran at the same time", limit)
			r.stop(t)
		}

		r := serve(t, &ping.Server{MaxPings: 2, Timeout: 20 * time.Second})
		r.hosts.deaf = true
		leaves, stays, next := r.ln.Dial(), r.ln.Dial(), r.ln.Dial()
		r.name(t, leaves, "90s")
		_ = leaves.Close()
		r.name(t, stays, "90s")
		r.name(t, next, "1s")
		t.Settle()
		require.Equal(t, 2, r.hosts.running.Max(), "MaxPings is 2, one client has hung up, the other's time is over, both pings go on, and so many ran at the same time")
		require.Equal(t, timedOut, rest(stays), "its ping took 90 seconds of 20, and it got this")
		require.Equal(t, answer("1s"), rest(next), "two pings before it had ended, and it got this")
		r.stop(t)
	})
}

func (s *LimitsSuite) TestThePlaceIsGivenBack() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("the-many", "When a ping has ended, in whichever way, the next must have its turn", ping.Declared.Serve)
		r := serve(t, &ping.Server{MaxPings: 1, Timeout: 20 * time.Second})
		for name, end := range map[string]func(){
			"was answered": func() { say(t, r.ln.Dial(), "1s") },
			"failed":       func() { say(t, r.ln.Dial(), "nobody") },
			"timed out":    func() { say(t, r.ln.Dial(), "1000h") },
			"had its client hang up": func() {
				client := r.ln.Dial()
				r.name(t, client, "15s")
				_ = client.Close()
				t.Settle()
			},
			"could not be answered": func() {
				say(t, r.ln.Dial(func(c net.Conn) net.Conn { return &failing{Conn: c, write: errBoom} }), "1s")
			},
		} {
			end()
			next := r.ln.Dial()
			var got string
			t.Go(func() { got = say(t, next, "1s") }).Returns("the one before %s, and the next is not served", name)
			require.Equal(t, answer("1s"), got, "the one before %s, and the next got something else", name)
		}
		r.stop(t)
	})
}

func (s *LimitsSuite) TestTheSilentTakeNoPlace() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("the-many", "Silent clients must take no place", ping.Declared.Serve)
		r := serve(t, &ping.Server{MaxPings: 2})
		for range 5 {
			_ = r.ln.Dial()
		}
		t.Settle()
		client := r.ln.Dial()
		var got string
		t.Go(func() { got = say(t, client, "1s") }).Returns("five clients are silent, no ping runs, MaxPings is 2, and the next is not served")
		assert.Equal(t, answer("1s"), got, "something else came back")
		r.stop(t)
	})
}

func (s *LimitsSuite) TestEmptyMessagesTakeNoPlace() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("the-many", "Empty messages must take no place", ping.Declared.Serve)
		r := serve(t, &ping.Server{MaxPings: 1, Timeout: 10 * time.Minute})
		busy, waiting := r.ln.Dial(), r.ln.Dial()
		r.name(t, busy, "60s")
		t.Go(func() { _, _ = waiting.Write([]byte("5s")) }).Returns("as many pings run as may, and nobody reads what the next client says")
		for range 3 {
			client := r.ln.Dial()
			var got string
			t.Go(func() { got = say(t, client, "\n") }).Returns("as many pings run as may, and an empty message is not answered")
			require.Equal(t, noHost, got, "something else came back")
		}
		assert.Equal(t, answer("60s"), rest(busy), "something else came back")
		assert.Equal(t, answer("5s"), rest(waiting), "something else came back")
		r.stop(t)
	})
}

func (s *LimitsSuite) TestTheClockStartsWithTheTurn() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("no-longer-than-that", "Timeout must count from the start of the ping, not while a client waits for its turn", ping.Declared.Serve)
		r := serve(t, &ping.Server{MaxPings: 1, Timeout: 20 * time.Second})
		var clients []*labtest.Call
		for range 4 {
			client := r.ln.Dial()
			r.name(t, client, "15s")
			clients = append(clients, t.Go(func() {
				assert.Equal(t, answer("15s"), rest(client), "its ping took 15 seconds of 20, once it had its turn, and this came back")
			}))
		}
		for _, c := range clients {
			c.Join()
		}
		r.stop(t)

		r = serve(t, &ping.Server{MaxPings: 1, Timeout: time.Minute})
		first, next := r.ln.Dial(), r.ln.Dial()
		r.name(t, first, "50s")
		r.name(t, next, "50s")
		r.cancel()
		require.Equal(t, answer("50s"), rest(first), "something else came back")
		require.Equal(t, answer("50s"), rest(next), "ctx ended while it waited for its turn, then its ping took 50 seconds of a minute, and this came back")
		r.stop(t)
	})
}

func (s *LimitsSuite) TestWhoLeavesWhileWaitingHoldsNobodyUp() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("hanging-up", "A client that hangs up while it waits for its turn must hold nobody up", ping.Declared.Serve)
		t.NothingStays()
		r := serve(t, &ping.Server{MaxPings: 1, Timeout: 20 * time.Minute})
		first := r.ln.Dial()
		r.name(t, first, "1m")
		for range 3 {
			leaves := r.ln.Dial()
			r.name(t, leaves, "10m")
			_ = leaves.Close()
		}
		last := r.ln.Dial()
		r.name(t, last, "10s")
		require.Equal(t, answer("1m"), rest(first), "something else came back")
		start := time.Now()
		require.Equal(t, answer("10s"), rest(last), "something else came back")
		require.Less(t, time.Since(start), 10*time.Second+noticed, "its turn had come, three before it had hung up, and its ping of ten seconds was answered after")
		require.Equal(t, 1, r.hosts.running.Max(), "MaxPings is 1, three hung up while they waited for their turn, and so many pings ran at the same time")
		r.stop(t)

		r = serve(t, &ping.Server{MaxPings: 1, Timeout: 20 * time.Minute})
		first, leaves := r.ln.Dial(), r.ln.Dial()
		r.name(t, first, "1m")
		r.name(t, leaves, "10m")
		r.cancel()
		t.Settle()
		_ = leaves.Close()
		require.Equal(t, answer("1m"), rest(first), "something else came back")
		r.ended(t, "ctx has ended, the only client that waited for its turn has hung up, and Serve does not return")

		// Those who hang up right when their turn comes.
		for range 30 {
			t.Progress()
			r := serve(t, &ping.Server{MaxPings: 1, Timeout: 20 * time.Minute})
			r.hosts.early = make(chan struct{})
			first := r.ln.Dial()
			r.name(t, first, "1m")
			var got string
			reader := t.Go(func() { got = rest(first) })
			var leaves []*labtest.Conn
			for range 40 {
				client := r.ln.Dial()
				_, err := client.Write([]byte("10s"))
				require.NoError(t, err, "nobody read the host")
				leaves = append(leaves, client)
			}
			t.Collide(func() {
				for _, client := range leaves {
					_ = client.Close()
				}
			}, func() { r.hosts.early <- struct{}{} })
			reader.Join()
			require.Equal(t, answer("1m"), got, "something else came back")
			last := r.ln.Dial()
			t.Go(func() { got = say(t, last, "1s") }).Returns("the first has its answer, others hung up right when their turn came, and the next is not served")
			require.Equal(t, answer("1s"), got, "something else came back")
			require.Equal(t, 1, r.hosts.running.Max(), "MaxPings is 1, some hung up right when their turn came, and so many pings ran at the same time")
			r.stop(t)
		}
	})
}

func (s *LimitsSuite) TestTheWaitingKeepTheirTurn() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("the-many", "When ctx ends, a client whose host was read before must keep its turn, and the silent must be closed", ping.Declared.Serve)
		t.NothingStays()
		for _, fails := range []error{nil, errBoom} {
			when := "ctx ended"
			if fails != nil {
				when = "Accept failed, then ctx ended"
			}
			r := serveWith(t, &ping.Server{MaxPings: 2, Timeout: time.Hour}, fails)
			r.hosts.early = make(chan struct{})
			hosts := []string{"30m", "31m", "5s", "nobody"}
			got := make([]string, len(hosts))
			var clients []*labtest.Call
			for i, host := range hosts {
				client := r.ln.Dial()
				_, err := client.Write([]byte(host))
				require.NoError(t, err, "nobody read the host")
				t.Pass(10 * time.Second)
				clients = append(clients, t.Go(func() { got[i] = rest(client) }))
			}
			silent := r.ln.Dial()
			t.Pass(10 * time.Second)
			if fails != nil {
				r.ln.Fail(fails)
				t.Pass(10 * time.Second)
			}
			start := time.Now()
			r.cancel()
			require.Empty(t, rest(silent), "it had said nothing, and got this")
			require.Less(t, time.Since(start), noticed, "a silent one was closed so long after ctx had ended")
			t.Pass(10 * time.Second)
			require.False(t, r.call.Returned(), "two pings run, two clients wait for their turn, and Serve returned")
			for range 2 {
				r.hosts.early <- struct{}{}
			}
			for _, c := range clients {
				c.Join()
			}
			want := []string{answer("30m"), answer("31m"), answer("5s"), "Pinging nobody failed. nobody of that name\n"}
			require.Equal(t, want, got, "MaxPings is 2, %s while two pings ran and two clients waited for their turn, and they got this", when)
			require.LessOrEqual(t, r.hosts.running.Max(), 2, "MaxPings is 2, %s while two clients waited for their turn, and so many pings ran at the same time", when)
			r.stop(t)
		}
	})
}

// hosts are all there are: each is called after the time that it takes to answer,
// such as "90s", or until it is told to answer early. A context that ends is heard
// of at once, unless they are deaf.
type hosts struct {
	deaf    bool
	early   chan struct{} // each message is for one of them
	running labtest.Gauge

	mu     sync.Mutex
	pinged []string
}

func (h *hosts) Ping(ctx context.Context, host string) (time.Duration, error) {
	defer h.running.Enter()()
	h.mu.Lock()
	h.pinged = append(h.pinged, host)
	h.mu.Unlock()
	delay, err := time.ParseDuration(host)
	if err != nil {
		return 0, errors.New("nobody of that name")
	}
	if h.deaf {
		time.Sleep(delay)
		return delay, ctx.Err()
	}
	timer := time.NewTimer(delay)
	defer timer.Stop()
	select {
	case <-timer.C:
		return delay, nil
	case <-h.early:
		return delay, nil
	case <-ctx.Done():
		return 0, ctx.Err()
	}
}

// Pinged returns what was pinged.
func (h *hosts) Pinged() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.pinged)
}

// answer is what the client hears of such a host.
func answer(host string) string {
	delay, err := time.ParseDuration(host)
	if err != nil {
		panic(err)
	}
	return fmt.Sprintf("Ping response in %.1f ms.\n", delay.Seconds()*1000)
}

// always is a Pinger to which all hosts are the same.
func always(delay time.Duration, err error) ping.Pinger {
	return pings(func(context.Context, string) (time.Duration, error) { return delay, err })
}

type pings func(ctx context.Context, host string) (time.Duration, error)

func (p pings) Ping(ctx context.Context, host string) (time.Duration, error) { return p(ctx, host) }

// late is an error that matches context.DeadlineExceeded and is another one, as
// package net has it.
type late struct{}

func (late) Error() string        { return "i/o timeout" }
func (late) Is(target error) bool { return target == context.DeadlineExceeded }

// running is a server that runs.
type running struct {
	ln     *labtest.Listener
	hosts  *hosts
	call   *labtest.Call
	cancel func()
}

// serve starts a server.
func serve(t *labtest.T, server *ping.Server) *running { return serveWith(t, server, nil) }

// serveWith starts a server that returns such an error in the end. Nobody ends its
// context then, but for a test that has failed.
func serveWith(t *labtest.T, server *ping.Server, want error) *running {
	ctx, cancel := context.WithCancel(context.Background())
	context.AfterFunc(t.Context(), func() {
		if t.Failed() {
			cancel()
		}
	})
	return serveUntil(t, ctx, cancel, server, want)
}

// serveUntil starts a server with such a context, which cancel ends.
func serveUntil(t *labtest.T, ctx context.Context, cancel func(), server *ping.Server, want error) *running {
	r := &running{ln: labtest.NewListener(), hosts: new(hosts), cancel: cancel}
	server.Pinger = r.hosts
	r.call = t.Go(func() {
		err := server.Serve(ctx, r.ln)
		if want == nil {
			assert.NoError(t, err, "Serve returned an error, and the error of ctx is %v", ctx.Err())
		} else {
			assert.ErrorIs(t, err, want, "Accept failed (%v), the error of ctx is %v, and Serve returned something else", want, ctx.Err())
		}
	})
	return r
}

// stop ends the server and checks what must then be so.
func (r *running) stop(t *labtest.T) {
	r.cancel()
	r.ended(t, "its context has ended, and Serve does not return")
}

// ended checks what must be so when the server has ended.
func (r *running) ended(t *labtest.T, instead string) {
	r.call.Returns("%s", instead)
	require.True(t, r.ln.Closed(), "Serve has returned, and the listener is not closed")
	require.Zero(t, r.ln.Open(), "Serve has returned, and so many connections are still open")
	require.Zero(t, r.hosts.running.Now(), "Serve has returned, and so many pings still run")
}

// name has the client name a host, and lets a moment pass.
func (r *running) name(t *labtest.T, client net.Conn, host string) {
	_, err := client.Write([]byte(host))
	require.NoError(t, err, "nobody read the host")
	t.Settle()
}

// say sends the message, while it reads what comes back until the connection is
// closed, and returns that.
func say(t *labtest.T, client net.Conn, message string) string {
	sender := t.Go(func() { _, _ = client.Write([]byte(message)) })
	got := rest(client)
	sender.Join()
	_ = client.Close()
	return got
}

// rest returns what comes from the server until it closes.
func rest(client net.Conn) string {
	got, _ := io.ReadAll(client)
	return string(got)
}

// failing is a connection on which something fails.
type failing struct {
	net.Conn
	read, write error
	with        error // comes together with what is read, and then always
	over        atomic.Bool
}

func (f *failing) Read(p []byte) (int, error) {
	if f.read != nil {
		return 0, f.read
	}
	if f.over.Load() {
		return 0, f.with
	}
	n, err := f.Conn.Read(p)
	if err == nil && f.with != nil {
		f.over.Store(true)
		err = f.with
	}
	return n, err
}

func (f *failing) Write(p []byte) (int, error) {
	if f.write != nil {
		return 0, f.write
	}
	return f.Conn.Write(p)
}

// leaving is a connection that fails from some moment on.
type leaving struct {
	net.Conn
	leave <-chan struct{}
	watch sync.Once
}

func (l *leaving) Read(p []byte) (int, error) {
	l.watch.Do(func() {
		go func() {
			<-l.leave
			_ = l.Conn.SetReadDeadline(time.Unix(1, 0))
		}()
	})
	n, err := l.Conn.Read(p)
	select {
	case <-l.leave:
		err = errBoom
	default:
	}
	return n, err
}

func (l *leaving) Write(p []byte) (int, error) {
	select {
	case <-l.leave:
		return 0, errBoom
	default:
		return l.Conn.Write(p)
	}
}

// reading is a connection on which something happens right when a host has been
// read.
type reading struct {
	net.Conn
	then func()
	once sync.Once
}

func (r *reading) Read(p []byte) (int, error) {
	n, err := r.Conn.Read(p)
	if n > 0 {
		r.once.Do(r.then)
	}
	return n, err
}

// accepting is a listener at which something happens right when a client has been
// accepted.
type accepting struct {
	*labtest.Listener
	then func()
}

func (a *accepting) Accept() (net.Conn, error) {
	conn, err := a.Listener.Accept()
	if err == nil {
		a.then()
	}
	return conn, err
}
