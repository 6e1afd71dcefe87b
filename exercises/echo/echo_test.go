package echo_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/stretchr/testify/suite"

	"conclab/internal/contract/echo"
	"conclab/internal/labtest"
)

// tolerance is by how much something may come late that has a time.
const tolerance = 100 * time.Millisecond

// noticed is when those who look at their context now and then have noticed its end.
const noticed = 2 * time.Second

var errBoom = errors.New("boom")

// messages are bytes of many kinds; each is given back as it is.
var messages = []string{"hello\n", "x", "100 %d %s %!", "\x00\xff\xfe", "Grüße \u2713", `"quoted" \ `, strings.Repeat("y", echo.MaxMessage), strings.Repeat("\x00", echo.MaxMessage)}

// Task 1: one client.

type HandleSuite struct{ labtest.Suite }

func TestHandle(t *testing.T) { suite.Run(t, new(HandleSuite)) }

func (s *HandleSuite) TestTheBytesComeBack() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("one-client", "Handle must write exactly the bytes back that it has read, and close", echo.Handle)
		for _, message := range messages {
			client, server := labtest.Connect()
			call := t.Go(func() { assert.NoError(t, echo.Handle(server, nil), "it failed") })
			var got string
			saying := t.Go(func() { got = say(t, client, message) })
			call.Returns("the client has sent its message and takes what comes back, and Handle does not return")
			require.True(t, server.Closed(), "Handle has returned, and the connection is not closed")
			saying.Join()
			require.Equal(t, message, got, "of %d bytes these %d came back", len(message), len(got))
		}
		client, server := labtest.Connect()
		call := t.Go(func() {
			assert.NoError(t, echo.Handle(server, nil), "a client takes its echo an hour later, and it failed")
		})
		_, err := client.Write([]byte("hello"))
		require.NoError(t, err, "nobody read the message")
		t.Pass(time.Hour)
		require.Equal(t, "hello", rest(client), "a client took its echo an hour later, and this came back")
		call.Returns("the client has its echo, and Handle does not return")
	})
}

func (s *HandleSuite) TestItReadsOnce() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("one-client", "Handle must read once, and wait for nothing more", echo.Handle)
		client, server := labtest.Connect()
		call := t.Go(func() { assert.NoError(t, echo.Handle(server, nil), "it failed") })
		var got []byte
		reader := t.Go(func() { got, _ = io.ReadAll(client) })
		_, err := client.Write([]byte("one"))
		require.NoError(t, err, "nobody read the message")
		// The client stays, and has more to say.
		t.Go(func() { _, _ = client.Write([]byte("two")) }).Returns("it has read one message, and does not close")
		call.Returns("it has read one message, and does not return")
		reader.Join()
		assert.Equal(t, "one", string(got), "something else came back")
	})
}

func (s *HandleSuite) TestAtMost100Bytes() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("one-client", "Handle must read and write at most MaxMessage bytes", echo.Handle)
		var log labtest.Recorder
		client, server := labtest.Connect()
		call := t.Go(func() { assert.NoError(t, echo.Handle(server, &log), "it failed") })
		message, sent := strings.Repeat("0123456789", 15), 0
		sender := t.Go(func() { sent, _ = client.Write([]byte(message)) })
		got := rest(client)
		sender.Join()
		_ = client.Close()
		call.Returns("it does not return")
		assert.Equal(t, 100, sent, "of 150 bytes it read so many")
		assert.Equal(t, message[:100], got, "of 150 bytes these came back")
		assert.Equal(t, lines(message[:100], server), log.Writes(), "and it logged something else")
	})
}

func (s *HandleSuite) TestTheLog() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("the-log", "Handle must log what it received and sent and that it closed, a line each, complete when it returns", echo.Handle)
		for _, message := range messages {
			var log labtest.Recorder
			client, server := labtest.Connect()
			var logged []string
			call := t.Go(func() {
				assert.NoError(t, echo.Handle(zoned{server}, &log), "it failed")
				logged = log.Writes()
			})
			say(t, client, message)
			call.Returns("it does not return")
			want := lines(message, zoned{server})
			if len(message) == echo.MaxMessage {
				// Too long for the two to be compared by eye.
				for i := range min(len(want), len(logged)) {
					require.Equal(t, len(want[i]), len(logged[i]), "so long is line %d of the log of a message of %d bytes", i+1, len(message))
				}
			}
			require.Equal(t, want, logged, "it logged something else")
		}
	})
}

func (s *HandleSuite) TestALogThatFails() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("one-client", "Handle must close the connection in every case, also if the log cannot be written", echo.Handle)
		for n := range 3 {
			client, server := labtest.Connect()
			writes := 0
			broken := labtest.WriterFunc(func(p []byte) (int, error) {
				if writes++; writes > n {
					return 0, errBoom
				}
				return len(p), nil
			})
			call := t.Go(func() { _ = echo.Handle(server, broken) })
			t.Go(func() { say(t, client, "hello") })
			call.Returns("the log has failed, and it does not return")
			require.True(t, server.Closed(), "the log has failed, and the connection is not closed")
		}
	})
}

func (s *HandleSuite) TestAClientWithoutAWord() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("hanging-up", "For a client that hangs up before sending Handle must return nil, and log the Close line only", echo.Handle)
		var log labtest.Recorder
		client, server := labtest.Connect()
		call := t.Go(func() { assert.NoError(t, echo.Handle(server, &log), "it failed") })
		call.Blocks("it returned before the client has said or done anything")
		_ = client.Close()
		call.Returns("the client has hung up, and it does not return")
		assert.Equal(t, lines("", server)[2:], log.Writes(), "it logged something else")
		assert.True(t, server.Closed(), "the connection is not closed")
	})
}

func (s *HandleSuite) TestAReadError() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("hanging-up", "A read error must be returned, and the connection closed", echo.Handle)
		for _, failure := range []error{errBoom, io.ErrUnexpectedEOF, net.ErrClosed, &net.OpError{Op: "read", Err: syscall.ECONNRESET}} {
			var log labtest.Recorder
			_, server := labtest.Connect()
			err := echo.Handle(&failing{Conn: server, read: failure, close: errors.New("it is broken")}, &log)
			require.ErrorIs(t, err, failure, "Read failed with %q, Close with \"it is broken\", and Handle must return the error of Read", failure)
			require.True(t, server.Closed(), "the connection is not closed")
			require.Contains(t, log.Writes(), lines("", server)[2], "there is no Close line")
		}
	})
}

func (s *HandleSuite) TestAWriteError() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("hanging-up", "A write error must be returned, and the connection closed", echo.Handle)
		for _, failure := range []error{errBoom, io.ErrClosedPipe, net.ErrClosed, syscall.EPIPE, syscall.ECONNRESET} {
			var log labtest.Recorder
			client, server := labtest.Connect()
			call := t.Go(func() {
				err := echo.Handle(&failing{Conn: server, write: failure, close: errors.New("it is broken")}, &log)
				assert.ErrorIs(t, err, failure, "Write failed with %q, Close with \"it is broken\", and Handle must return the error of Write", failure)
			})
			say(t, client, "hello")
			call.Returns("writing failed, and it does not return")
			require.True(t, server.Closed(), "the connection is not closed")
			require.Contains(t, log.Writes(), lines("", server)[2], "there is no Close line")
		}
	})
}

func (s *HandleSuite) TestTheEndMayComeWithTheMessage() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("hanging-up", "A message that comes together with io.EOF is a message", echo.Handle)
		client, server := labtest.Connect()
		call := t.Go(func() {
			if err := echo.Handle(&failing{Conn: server, with: io.EOF}, nil); err != nil {
				assert.ErrorIs(t, err, io.EOF, "it failed") // io.EOF is the error of a Read, and may be returned
			}
		})
		assert.Equal(t, "hello", say(t, client, "hello"), "something else came back")
		call.Returns("it does not return")
	})
}

// Task 2: many clients.

type ServeSuite struct{ labtest.Suite }

func TestServe(t *testing.T) { suite.Run(t, new(ServeSuite)) }

func (s *ServeSuite) TestOneAfterTheOther() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("many-clients", "Serve must treat each client as Handle does, also without a log", echo.Declared.Serve)
		r := serve(t, &echo.Server{})
		for _, message := range messages {
			require.Equal(t, message, say(t, r.ln.Dial(), message), "something else came back")
		}
		long := strings.Repeat("0123456789", 15)
		require.Equal(t, long[:100], say(t, r.ln.Dial(), long), "of 150 bytes these came back")
		withEOF := r.ln.Dial(func(c net.Conn) net.Conn { return &failing{Conn: c, with: io.EOF} })
		require.Equal(t, "hello", say(t, withEOF, "hello"), "the message came together with io.EOF, and this came back")
		r.stop(t)

		ctx, cancel := context.WithCancel(context.Background())
		r = &running{ln: labtest.NewListener(), cancel: cancel}
		broken := labtest.WriterFunc(func([]byte) (int, error) { return 0, errBoom })
		r.call = t.Go(func() { _ = (&echo.Server{Log: broken}).Serve(ctx, r.ln) })
		for range 300 {
			client := r.ln.Dial()
			t.Go(func() { say(t, client, "hello") }).Returns("the log has failed, and a client is not closed")
		}
		r.stop(t)
	})
}

func (s *ServeSuite) TestNobodyWaitsForTheIdle() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("many-clients", "Every client must be served while others are idle", echo.Declared.Serve)
		const others = 300
		for _, limit := range []int{0, others + 1} {
			r := serve(t, &echo.Server{MaxConns: limit})
			var idle []*labtest.Conn
			for range others {
				idle = append(idle, r.ln.Dial())
			}
			require.Equal(t, "hello", say(t, r.ln.Dial(), "hello"), "%d others are idle, MaxConns is %d, and something else came back", others, limit)
			for i, client := range idle {
				t.Progress()
				message := fmt.Sprint("here is ", i)
				require.Equal(t, message, say(t, client, message), "an idle one has spoken at last, and something else came back")
			}
			r.stop(t)
		}
	})
}

func (s *ServeSuite) TestNobodyWaitsForTheSlow() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("many-clients", "Every client must be served while others do not take their echo", echo.Declared.Serve)
		var log labtest.Exclusive
		r := serve(t, &echo.Server{Log: &log})
		slow := r.ln.Dial()
		_, err := slow.Write([]byte("slow"))
		require.NoError(t, err, "nobody read the message")
		t.Settle()
		assert.Equal(t, "hello", say(t, r.ln.Dial(), "hello"), "something else came back")
		got, err := io.ReadAll(slow)
		assert.NoError(t, err, "the slow one has no echo")
		assert.Equal(t, "slow", string(got), "the slow one has another echo")
		r.stop(t)
	})
}

func (s *ServeSuite) TestOneThatFailsStopsNobody() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("many-clients", "One that fails must stop nobody else", echo.Declared.Serve)
		t.NothingStays()
		var log labtest.Exclusive
		r := serve(t, &echo.Server{Log: &log})
		other := r.ln.Dial()
		failed := []*labtest.Conn{
			r.ln.Dial(func(c net.Conn) net.Conn { return &failing{Conn: c, read: errBoom} }),
			r.ln.Dial(func(c net.Conn) net.Conn { return &failing{Conn: c, write: errBoom} }),
			r.ln.Dial(), r.ln.Dial(),
		}
		for range 300 {
			say(t, r.ln.Dial(func(c net.Conn) net.Conn { return &failing{Conn: c, write: errBoom} }), "lost")
		}
		say(t, failed[1], "lost")
		_ = failed[2].Close()
		_, err := failed[3].Write([]byte("I do not wait for the echo"))
		require.NoError(t, err, "nobody read the message")
		_ = failed[3].Close()
		t.Settle()
		require.False(t, r.call.Returned(), "some clients have failed, and Serve returned")
		assert.Equal(t, "hello", say(t, r.ln.Dial(), "hello"), "something else came back")
		assert.Equal(t, "hello", say(t, other, "hello"), "something else came back")
		r.stop(t)
		for _, client := range failed {
			require.True(t, slices.Contains(log.Writes(), linesOf("", client.LocalAddr())[2]), "it has failed, and the log has no Close line, as Handle's would")
		}
	})
}

func (s *ServeSuite) TestTheLogOfMany() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("the-log", "No two Writes of the log may overlap, and each client's lines must be there, in order", echo.Declared.Serve)
		var log labtest.Exclusive
		r := serve(t, &echo.Server{Log: &log})
		const n = 40
		var calls []*labtest.Call
		clients := make([]*labtest.Conn, n)
		for i := range clients {
			clients[i] = r.ln.Dial()
		}
		t.Wait()
		for i, client := range clients {
			calls = append(calls, t.Go(func() {
				assert.Equal(t, fmt.Sprint("I am ", i), say(t, client, fmt.Sprint("I am ", i)), "something else came back")
			}))
		}
		for _, c := range calls {
			c.Join()
		}
		r.stop(t)
		require.False(t, log.Overlapped(), "a Write began while another was at work")
		logged := log.Writes()
		for i, client := range clients {
			at := -1
			for _, want := range linesOf(fmt.Sprint("I am ", i), client.LocalAddr()) {
				next := slices.Index(logged[at+1:], want)
				if next < 0 {
					t.Fatalf("Serve has returned, and the line %q is missing, or stands before one that it must follow", want)
				}
				at += 1 + next
			}
		}

		// One that takes its time.
		var slow labtest.Recorder
		server := &echo.Server{Log: labtest.WriterFunc(func(p []byte) (int, error) {
			t.Pass(time.Second)
			return slow.Write(p)
		})}
		ctx, cancel := context.WithCancel(context.Background())
		ln := labtest.NewListener()
		call := t.Go(func() {
			assert.NoError(t, server.Serve(ctx, ln), "Serve failed")
			logged = slow.Writes()
		})
		client := ln.Dial()
		require.Equal(t, "hello", say(t, client, "hello"), "something else came back")
		cancel()
		call.Join()
		for _, want := range linesOf("hello", client.LocalAddr()) {
			require.Contains(t, logged, want, "when Serve returned, the log had no such line")
		}

		// Some speak while others arrive, then some are idle when ctx ends.
		for range 20 {
			t.Progress()
			r := serve(t, &echo.Server{Log: &log})
			calls = nil
			for range 20 {
				client := r.ln.Dial()
				calls = append(calls, t.Go(func() { say(t, client, "hello") }))
			}
			for _, c := range calls {
				c.Join()
			}
			for range 20 {
				r.ln.Dial()
			}
			t.Wait()
			r.stop(t)
		}
		require.False(t, log.Overlapped(), "a Write began while another was at work")
	})
}

func (s *ServeSuite) TestHundredsAtATime() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("many-clients", "Hundreds of clients at a time must all have their echo", echo.Declared.Serve)
		r := serve(t, &echo.Server{})
		var calls []*labtest.Call
		for i := range 300 {
			client := r.ln.Dial()
			calls = append(calls, t.Go(func() {
				message := fmt.Sprint("I am ", i)
				assert.Equal(t, message, say(t, client, message), "something else came back")
			}))
		}
		for _, c := range calls {
			c.Join()
		}
		r.stop(t)
	})
}

func (s *ServeSuite) TestRealSockets() {
	s.Real(func(t *labtest.T) {
		t.Rule("many-clients", "On real sockets clients must have their echo, and Serve must end with its context", echo.Declared.Serve)
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err, "the test cannot listen on 127.0.0.1")
		ctx, cancel := context.WithCancel(t.Context())
		call := t.Go(func() {
			assert.NoError(t, new(echo.Server).Serve(ctx, ln), "Serve failed")
		})
		var clients []*labtest.Call
		for i := range 20 {
			clients = append(clients, t.Go(func() {
				conn, err := net.Dial("tcp", ln.Addr().String())
				if !assert.NoError(t, err, "the test cannot connect") {
					return
				}
				defer conn.Close()
				_, _ = fmt.Fprintf(conn, "I am %d", i)
				got, err := io.ReadAll(conn)
				assert.NoError(t, err, "reading the echo failed")
				assert.Equal(t, fmt.Sprint("I am ", i), string(got), "something else came back")
			}))
		}
		idle, err := net.Dial("tcp", ln.Addr().String())
		require.NoError(t, err, "the test cannot connect")
		defer idle.Close()
		for _, c := range clients {
			c.Join()
		}
		cancel()
		call.Join()
		_, err = idle.Read(make([]byte, 1))
		assert.Error(t, err, "the server has ended, and a client got something")
		assert.ErrorIs(t, ln.Close(), net.ErrClosed, "the server has ended, and its listener is not closed")
	})
}

// Task 3: the orderly end.

type ShutdownSuite struct{ labtest.Suite }

func TestShutdown(t *testing.T) { suite.Run(t, new(ShutdownSuite)) }

func (s *ShutdownSuite) TestItEndsWithItsContext() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("the-orderly-end", "When ctx ends, Serve must stop accepting, close the listener and return nil", echo.Declared.Serve)
		t.NothingStays()
		r := serve(t, &echo.Server{})
		r.call.Blocks("nobody has asked it to end, and it returned")
		r.stop(t)

		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		ln := labtest.NewListener()
		t.Go(func() {
			assert.NoError(t, new(echo.Server).Serve(ctx, ln), "its context had ended before the call, and it failed")
		}).Returns("its context had ended before the call, and it does not return")
		assert.True(t, ln.Closed(), "its context had ended before the call, and the listener is not closed")
	})
}

func (s *ShutdownSuite) TestAnEndByDeadlineIsNoErrorEither() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("the-orderly-end", "When ctx ends by its deadline, Serve must return nil too", echo.Declared.Serve)
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		ln := labtest.NewListener()
		client, slow := ln.Dial(), ln.Dial()
		start := time.Now()
		call := t.Go(func() { assert.NoError(t, new(echo.Server).Serve(ctx, ln), "it failed") })
		_, err := slow.Write([]byte("slow"))
		require.NoError(t, err, "nobody read the message")
		assert.Empty(t, rest(client), "a client that had said nothing got this")
		assert.Less(t, time.Since(start), time.Minute+noticed, "ctx ended after a minute, and a client that had said nothing was closed after")
		call.Blocks("its deadline has passed, a client has not had its echo, and it returned")
		assert.Equal(t, "slow", rest(slow), "its deadline has passed, and of an echo only this came back")
		call.Returns("its deadline has passed, nobody is left, and it does not return")
	})
}

func (s *ShutdownSuite) TestWhoHasSaidNothingIsClosed() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("the-orderly-end", "When ctx ends, connections that still wait for their message must be closed", echo.Declared.Serve)
		t.NothingStays()
		var log labtest.Exclusive
		r := serve(t, &echo.Server{Log: &log})
		var idle []*labtest.Conn
		for range 5 {
			idle = append(idle, r.ln.Dial())
		}
		t.Settle()
		r.stop(t)
		for _, client := range idle {
			require.Empty(t, rest(client), "it had said nothing, and got this")
			require.True(t, slices.Contains(log.Writes(), linesOf("", client.LocalAddr())[2]), "it was closed, and the log has no Close line")
		}
	})
}

func (s *ShutdownSuite) TestAMessageThatIsReadHasItsEcho() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("the-orderly-end", "When ctx ends, a client whose message has been read must have its whole echo, and Serve must wait for that", echo.Declared.Serve)
		t.NothingStays()
		var log labtest.Exclusive
		r := serve(t, &echo.Server{Log: &log})
		message := strings.Repeat("0123456789", 10)
		var clients []*labtest.Conn
		for range 3 {
			client := r.ln.Dial()
			_, err := client.Write([]byte(message))
			require.NoError(t, err, "nobody read the message")
			clients = append(clients, client)
		}
		t.Settle()
		r.cancel()
		r.call.Blocks("three clients have not had their echo, and it returned")
		t.Pass(time.Hour)
		require.False(t, r.call.Returned(), "three clients have not had their echo for an hour, and it returned")
		for _, client := range clients {
			var got strings.Builder
			one := make([]byte, 1)
			for {
				time.Sleep(time.Second) // a slow one
				n, err := client.Read(one)
				got.Write(one[:n])
				if err != nil {
					break
				}
			}
			require.Equal(t, message, got.String(), "only this came back")
		}
		r.stop(t)
		for _, client := range clients {
			require.True(t, slices.Contains(log.Writes(), linesOf(message, client.LocalAddr())[2]), "it has had its echo, and the log has no Close line")
		}
	})
}

func (s *ShutdownSuite) TestAMessageThatHasJustBeenReadHasItsEcho() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("the-orderly-end", "If ctx ends right when a message has been read, its client must have the whole echo all the same", echo.Declared.Serve)
		var r *running
		for range 20 {
			t.Progress()
			r = serve(t, &echo.Server{})
			client := r.ln.Dial(func(c net.Conn) net.Conn {
				return &reading{Conn: c, then: func() {
					r.cancel()
					labtest.StepAside()
				}}
			})
			require.Equal(t, "hello", say(t, client, "hello"), "only this came back")
			r.stop(t)

			r = serve(t, &echo.Server{})
			client = r.ln.Dial()
			t.Wait()
			_, err := client.Write([]byte("hello"))
			require.NoError(t, err, "nobody read the message")
			r.cancel()
			require.Equal(t, "hello", rest(client), "only this came back")
			r.stop(t)
		}
	})
}

func (s *ShutdownSuite) TestEitherTheWholeEchoOrNothing() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("the-orderly-end", "Whenever ctx ends, a client must have its whole echo if its message was read, and be closed if not", echo.Declared.Serve)
		for range 100 {
			t.Progress()
			r := serve(t, &echo.Server{})
			client := r.ln.Dial()
			var sent error
			var got string
			reader := t.Go(func() { got = rest(client) })
			t.Wait()
			t.Collide(func() { _, sent = client.Write([]byte("hello")) }, r.cancel)
			reader.Returns("the client is not closed")
			want := "hello"
			if sent != nil {
				want = ""
			}
			require.Equal(t, want, got, "its message was sent with %v, and this came back", sent)
			r.stop(t)
		}
	})
}

func (s *ShutdownSuite) TestAClientMayComeAtTheSameMoment() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("the-orderly-end", "A client that comes when ctx ends must not stay behind", echo.Declared.Serve)
		t.NothingStays()
		for range 100 {
			t.Progress()
			r := serve(t, &echo.Server{})
			t.Wait()
			var client *labtest.Conn
			t.Collide(func() { client = r.ln.Dial() }, r.cancel)
			r.stop(t)
			require.Empty(t, rest(client), "it had said nothing, and got this")
		}
		for range 5 {
			ln := labtest.NewListener()
			ctx, cancel := context.WithCancel(context.Background())
			client := ln.Dial(func(c net.Conn) net.Conn { return c })
			call := t.Go(func() {
				assert.NoError(t, new(echo.Server).Serve(ctx, &accepting{Listener: ln, then: func() {
					cancel()
					labtest.StepAside()
				}}), "it failed")
			})
			call.Returns("its context ended when a client had just been accepted, and it does not return")
			require.Empty(t, rest(client), "it had said nothing, and got this")
			require.Equal(t, 0, ln.Open(), "Serve has returned, and so many connections are still open")
		}
		t.InTurn(20, func(ctx *labtest.Moment) {
			ctx.Then = ctx.Cancel
			ln := labtest.NewListener()
			clients := []*labtest.Conn{ln.Dial(), ln.Dial()}
			call := t.Go(func() {
				assert.NoError(t, new(echo.Server).Serve(ctx, ln), "it failed")
			})
			t.Settle()
			ctx.Cancel()
			call.Returns("its context ended right after Serve had called its Err or Done, two clients had come, and it does not return")
			for _, client := range clients {
				require.Empty(t, rest(client), "it had said nothing, and got this")
			}
			require.Equal(t, 0, ln.Open(), "Serve has returned, and so many connections are still open")
		})
	})
}

func (s *ShutdownSuite) TestAnAcceptErrorIsReturned() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("when-accept-fails", "If Accept fails, Serve must close nobody, wait until every client has ended, and return that error", echo.Declared.Serve)
		t.NothingStays()
		for _, failure := range []error{errBoom, net.ErrClosed, os.ErrDeadlineExceeded, syscall.EMFILE, syscall.ECONNABORTED, io.EOF, context.Canceled, context.DeadlineExceeded} {
			r := serveWith(t, new(echo.Server), failure)
			idle, slow := r.ln.Dial(), r.ln.Dial()
			_, err := slow.Write([]byte("slow"))
			require.NoError(t, err, "nobody read the message")
			t.Settle()

			fail := r.ln.Fail
			if failure == errBoom || failure == syscall.ECONNABORTED {
				fail = r.ln.FailOnce
			}
			fail(failure)
			t.Pass(2 * time.Minute)
			r.call.Blocks("Accept has failed, two clients are still there, and it returned")
			assert.Equal(t, "slow", rest(slow), "Accept has failed, and this came back")
			r.call.Blocks("Accept has failed, a client is still there, and it returned")
			assert.Equal(t, "hello", say(t, idle, "hello"), "Accept has failed, and this came back")
			r.ended(t, fmt.Sprintf("Accept has failed (%v), nobody is left, and it does not return", failure))
		}
		for range 20 {
			t.Progress()
			ln := labtest.NewListener()
			client := ln.Dial()
			call := t.Go(func() {
				err := new(echo.Server).Serve(t.Context(), &accepting{Listener: ln, then: func() { ln.Fail(errBoom) }})
				assert.ErrorIs(t, err, errBoom, "Serve must return the error of Accept, %q, and returned something else", errBoom)
			})
			call.Blocks("Accept failed right behind a client, who is still there, and it returned")
			require.Equal(t, "hello", say(t, client, "hello"), "Accept failed right behind it, and this came back")
			call.Returns("Accept has failed, nobody is left, and it does not return")
			require.Equal(t, 0, ln.Open(), "Serve has returned, and so many connections are still open")
		}
	})
}

func (s *ShutdownSuite) TestTheContextMayEndAfterAnAcceptError() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("when-accept-fails", "If ctx ends while Serve waits after an Accept error, it must end as always, and return that error", echo.Declared.Serve)
		t.NothingStays()
		r := serveWith(t, new(echo.Server), errBoom)
		idle, slow := r.ln.Dial(), r.ln.Dial()
		_, err := slow.Write([]byte("slow"))
		require.NoError(t, err, "nobody read the message")
		t.Settle()
		r.ln.FailOnce(errBoom)
		r.call.Blocks("Accept has failed, two clients are still there, and it returned")
		r.cancel()
		assert.Empty(t, rest(idle), "it had said nothing, and got this")
		r.call.Blocks("a client has not had its echo, and it returned")
		assert.Equal(t, "slow", rest(slow), "only this came back")
		r.ended(t, "nobody is left, and it does not return")
	})
}

func (s *ShutdownSuite) TestItWaitsForTheLastOfThem() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("the-orderly-end", "When Serve returns, every connection must be closed", echo.Declared.Serve)
		t.ClosesAll(new(echo.Server).Serve, func(client *labtest.Conn) { say(t, client, "hello") })
	})
}

func (s *ShutdownSuite) TestItMayServeAgain() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("the-orderly-end", "When one Serve has ended, the next must work", echo.Declared.Serve)
		var log labtest.Exclusive
		server := &echo.Server{MaxConns: 2, IdleTimeout: time.Hour, Log: &log}
		for n := range 3 {
			when := fmt.Sprintf("Serve number %d on the same Server, MaxConns is 2: ", 2*n+1)
			r := serve(t, server)
			var got string
			client, before := r.ln.Dial(), len(log.Writes())
			t.Go(func() { got = say(t, client, "hello") }).Returns("%sits first client has no echo", when)
			require.Equal(t, "hello", got, when+"to its first client something else came back")
			r.ln.Dial() // silent, when ctx ends
			t.Settle()
			r.stop(t)
			require.True(t, slices.Contains(log.Writes()[before:], linesOf("", client.LocalAddr())[2]), when+"a client had its echo, and there is no Close line")

			r = serveWith(t, server, errBoom)
			r.ln.Fail(errBoom)
			r.ended(t, "Accept has failed, nobody is there, and it does not return")
		}
	})
}

// Task 4, for the brave: the silent and the many.

type LimitsSuite struct{ labtest.Suite }

func TestLimits(t *testing.T) { suite.Run(t, new(LimitsSuite)) }

func (s *LimitsSuite) TestTheSilentAreClosed() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("the-silent", "A client that is silent for IdleTimeout must be closed, and not before", echo.Declared.Serve)
		t.NothingStays()
		for _, timeout := range []time.Duration{time.Minute, 1500 * time.Millisecond, 300_500 * time.Microsecond, 2 * time.Minute} {
			var log labtest.Exclusive
			r := serve(t, &echo.Server{IdleTimeout: timeout, Log: &log})
			silent := func(before func(), when string) (client *labtest.Conn) {
				start := time.Now()
				client = r.ln.Dial()
				time.AfterFunc(time.Hour, func() { _ = client.Close() }) // it does not wait for ever
				before()
				got := rest(client)
				took := time.Since(start)
				require.Empty(t, got, "it had said nothing, and got this")
				if took >= time.Hour {
					t.Fatalf("%sIdleTimeout is %v, and a silent client was not closed within an hour", when, timeout)
				}
				if took < timeout || took >= timeout+tolerance {
					t.Fatalf("%sIdleTimeout is %v, and a silent client was closed after %v", when, timeout, took)
				}
				return client
			}
			silent(func() {}, "")
			client := silent(func() {}, "")
			r.stop(t)
			assert.True(t, slices.Contains(log.Writes(), linesOf("", client.LocalAddr())[2]), "it was closed, and the log has no Close line")

			r = serveWith(t, &echo.Server{IdleTimeout: timeout}, errBoom)
			silent(func() {
				time.Sleep(timeout / 2)
				r.ln.FailOnce(errBoom)
			}, "Accept had failed in between: ")
			r.ended(t, "Accept has failed, the only client has been silent for its time, and Serve does not return")
		}
	})
}

func (s *LimitsSuite) TestWhoSpeaksInTimeIsServed() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("the-silent", "IdleTimeout must count until the message is read, and no longer", echo.Declared.Serve)
		r := serve(t, &echo.Server{IdleTimeout: time.Minute})
		client := r.ln.Dial()
		time.Sleep(time.Minute - time.Second)
		_, err := client.Write([]byte("hello"))
		require.NoError(t, err, "it spoke after 59 seconds of a minute, and nobody read it")
		t.Pass(time.Hour)
		assert.Equal(t, "hello", rest(client), "it spoke in time, took its echo an hour later, and this came back")
		r.stop(t)
	})
}

func (s *LimitsSuite) TestWithoutATimeoutSilenceIsFine() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("the-silent", "Without IdleTimeout a client may be silent for as long as it likes", echo.Declared.Serve)
		r := serve(t, &echo.Server{})
		client := r.ln.Dial()
		t.Pass(30 * time.Minute)
		assert.Equal(t, "hello", say(t, client, "hello"), "it spoke after half an hour, and this came back")
		r.stop(t)
	})
}

func (s *LimitsSuite) TestAnEndedContextClosesTheSilentBeforeTheirTime() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("the-silent", "When ctx ends, the silent must be closed, however much of IdleTimeout is left", echo.Declared.Serve)
		t.NothingStays()
		r := serve(t, &echo.Server{IdleTimeout: time.Hour})
		client := r.ln.Dial()
		t.Settle()
		start := time.Now()
		r.cancel()
		assert.Empty(t, rest(client), "it had said nothing, and got this")
		assert.Less(t, time.Since(start), noticed, "it was closed so long after ctx had ended")
		r.stop(t)

		for range 5 {
			t.Progress()
			r = serve(t, &echo.Server{IdleTimeout: time.Hour})
			client = r.ln.Dial(func(c net.Conn) net.Conn { return &granting{c, r.cancel} })
			t.Settle()
			r.cancel()
			start = time.Now()
			require.Empty(t, rest(client), "it had said nothing, and got this")
			require.Less(t, time.Since(start), noticed, "ctx ended right before its read deadline was set to the end of IdleTimeout, and it was closed so long after that")
			r.stop(t)
		}
	})
}

func (s *LimitsSuite) TestAtMostMaxConns() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("the-many", "At most MaxConns clients may be handled at the same time, and so many must be", echo.Declared.Serve)
		const limit = 3
		r := serve(t, &echo.Server{MaxConns: limit})
		var handled labtest.Gauge
		count := func(c net.Conn) net.Conn { return &gauged{Conn: c, gauge: &handled} }
		var clients []*labtest.Call
		for i := range 12 {
			client := r.ln.Dial(count)
			clients = append(clients, t.Go(func() {
				_, err := client.Write([]byte("hello"))
				assert.NoError(t, err, "client %d was never read", i+1)
				t.Pass(time.Second)
				assert.Equal(t, "hello", rest(client), "client %d got something else", i+1)
			}))
		}
		for _, c := range clients {
			c.Join()
		}
		assert.Equal(t, limit, handled.Max(), "MaxConns is %d, a client counts from its first Read until it is closed, and so many were there at the same time", limit)
		r.stop(t)
	})
}

func (s *LimitsSuite) TestTheNextWaitForTheirTurn() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("the-many", "When MaxConns clients are there, the next must wait until one has ended, in whichever way", echo.Declared.Serve)
		r := serve(t, &echo.Server{MaxConns: 2})
		first, second := r.ln.Dial(), r.ln.Dial()
		t.Settle()
		for _, end := range []func(){
			func() { say(t, first, "hello") },
			func() { _ = second.Close() },
		} {
			next := r.ln.Dial()
			var got string
			call := t.Go(func() { got = say(t, next, "I am next") })
			t.Settle()
			if call.Returned() {
				t.Fatalf("two clients are there, and the third does not wait: it was closed, and this came back: %q", got)
			}
			end()
			call.Returns("one of the two has ended, and the third is still not served")
			require.Equal(t, "I am next", got, "something else came back")
			// Somebody takes the free place again.
			first = r.ln.Dial()
			t.Settle()
		}
		var calls []*labtest.Call
		for range 250 {
			client := r.ln.Dial()
			calls = append(calls, t.Go(func() {
				assert.Equal(t, "hello", say(t, client, "hello"), "it was one of 250 that waited for their turn, and this came back")
			}))
		}
		t.Pass(time.Second)
		assert.Equal(t, "hello", say(t, first, "hello"), "something else came back")
		for _, c := range calls {
			c.Join()
		}
		r.stop(t)

		r = serveWith(t, &echo.Server{MaxConns: 1}, errBoom)
		first = r.ln.Dial()
		t.Settle()
		waiting := make([]*labtest.Conn, 12)
		for i := range waiting {
			waiting[i] = r.ln.Dial()
		}
		t.Pass(time.Second) // whoever waits may hold a mutex
		accepted := len(waiting) - r.ln.Unaccepted()
		r.ln.FailOnce(errBoom)
		t.Pass(time.Second)
		assert.Equal(t, "hello", say(t, first, "hello"), "Accept failed after it had been accepted, and this came back")
		t.Pass(time.Second)
		require.False(t, accepted > 0 && r.call.Returned(), "Accept has failed, %d clients that have been accepted are still there, and Serve returned", accepted)
		got := make([]string, len(waiting))
		calls = nil
		for i, client := range waiting { // who is handled first is up to you
			calls = append(calls, t.Go(func() { got[i] = say(t, client, "hello") }))
		}
		for _, c := range calls {
			c.Join()
		}
		r.ended(t, "Accept has failed, all clients have spoken, and Serve does not return")
		for i := range accepted {
			assert.Equal(t, "hello", got[i], "Accept failed while it waited for its turn, and this came back")
		}

		// Accept fails right behind the second, and Serve may wait before that one does.
		for range 20 {
			t.Progress()
			ln, came := labtest.NewListener(), new(atomic.Int64)
			call := t.Go(func() {
				err := (&echo.Server{MaxConns: 1}).Serve(t.Context(), &accepting{Listener: ln, then: func() {
					if came.Add(1) == 2 {
						ln.Fail(errBoom)
					}
				}})
				assert.ErrorIs(t, err, errBoom, "Serve must return the error of Accept, %q, and returned something else", errBoom)
			})
			first := ln.Dial()
			t.Settle()
			second := ln.Dial()
			t.Settle()
			require.Equal(t, "hello", say(t, first, "hello"), "something else came back")
			var got string
			t.Go(func() { got = say(t, second, "hello") }).Returns("Accept failed right behind the second of two clients, the first has ended, and the second is not served")
			require.Equal(t, "hello", got, "Accept failed right behind the second of two clients, and to that this came back")
			call.Returns("Accept has failed, both clients have been served, and Serve does not return")
		}
	})
}

func (s *LimitsSuite) TestOneAcceptErrorIsEnough() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("when-accept-fails", "If Accept fails, once, Serve must end as well when there are many places", echo.Declared.Serve)
		t.NothingStays()
		r := serveWith(t, &echo.Server{MaxConns: 3}, errBoom)
		client := r.ln.Dial()
		t.Settle()
		r.ln.FailOnce(errBoom)
		r.call.Blocks("Accept has failed, a client is still there, and it returned")
		require.Equal(t, "hello", say(t, client, "hello"), "Accept has failed, and this came back")
		r.ended(t, "MaxConns is 3, Accept has failed once, nobody is left, and it does not return")
	})
}

func (s *LimitsSuite) TestTheFailedGiveTheirPlaceBack() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("the-many", "Clients that fail must give their place back", echo.Declared.Serve)
		t.NothingStays()
		r := serve(t, &echo.Server{MaxConns: 1, IdleTimeout: time.Minute})
		_ = r.ln.Dial(func(c net.Conn) net.Conn { return &failing{Conn: c, read: errBoom} })
		t.Wait()
		_ = r.ln.Dial() // silent
		t.Wait()
		say(t, r.ln.Dial(func(c net.Conn) net.Conn { return &failing{Conn: c, write: errBoom} }), "lost")
		assert.Equal(t, "hello", say(t, r.ln.Dial(), "hello"), "after three that failed something else came back")
		r.stop(t)
	})
}

func (s *LimitsSuite) TestTheClockStartsWithTheHandling() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("the-silent", "IdleTimeout must count from the start of the handling, not while a client waits for its turn", echo.Declared.Serve)
		r := serve(t, &echo.Server{MaxConns: 1, IdleTimeout: time.Minute})
		_ = r.ln.Dial() // silent for a minute
		t.Wait()
		waiting := r.ln.Dial()
		time.Sleep(100 * time.Second) // 60 for the first, 40 of its own
		assert.Equal(t, "hello", say(t, waiting, "hello"), "it waited a minute for its turn, was silent for 40 seconds of its own minute, then spoke, and this came back")
		t.Wait() // its place is free, so that the next takes it, and no later one
		_ = r.ln.Dial()
		t.Wait()
		start := time.Now()
		silent := r.ln.Dial()
		assert.Empty(t, rest(silent), "it had said nothing, and got this")
		took := time.Since(start)
		assert.GreaterOrEqual(t, took, 2*time.Minute, "a minute for its turn and a minute of silence: it was closed after")
		assert.Less(t, took, 2*time.Minute+2*noticed, "a minute for its turn and a minute of silence: it was closed after")
		r.stop(t)
	})
}

func (s *LimitsSuite) TestTheWaitingAreClosedAtShutdown() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("the-many", "When ctx ends, those who wait for their turn must be closed", echo.Declared.Serve)
		t.NothingStays()
		r := serve(t, &echo.Server{MaxConns: 2})
		busy := []*labtest.Conn{r.ln.Dial(), r.ln.Dial()}
		for _, client := range busy {
			_, err := client.Write([]byte("busy"))
			require.NoError(t, err, "nobody read the message")
		}
		t.Settle()
		waiting := []*labtest.Conn{r.ln.Dial(), r.ln.Dial(), r.ln.Dial()}
		t.Pass(time.Minute)
		r.cancel()
		for _, client := range waiting {
			require.Empty(t, rest(client), "it had said nothing, and got this")
		}
		r.call.Blocks("two clients have not had their echo, and Serve returned")
		for _, client := range busy {
			require.Equal(t, "busy", rest(client), "only this came back")
		}
		r.stop(t)

		// After an Accept error, too. Who takes a place before Accept may not know of it,
		// and so Serve returns either.
		ctx, cancel := context.WithCancel(context.Background())
		r = &running{ln: labtest.NewListener(), cancel: cancel}
		r.call = t.Go(func() { _ = (&echo.Server{MaxConns: 1}).Serve(ctx, r.ln) })
		slow := r.ln.Dial()
		_, err := slow.Write([]byte("slow"))
		require.NoError(t, err, "nobody read the message")
		next := r.ln.Dial()
		t.Settle()
		r.ln.FailOnce(errBoom)
		t.Settle()
		r.cancel()
		var got string
		t.Go(func() { got = rest(next) }).Returns("ctx has ended after an Accept error, and one who waits for its turn is not closed")
		require.Empty(t, got, "it had said nothing, and got this")
		require.Equal(t, "slow", rest(slow), "only this came back")
		r.stop(t)

		t.InTurn(20, func(ctx *labtest.Moment) {
			ctx.Then = ctx.Cancel
			r := &running{ln: labtest.NewListener(), cancel: ctx.Cancel}
			r.call = t.Go(func() { _ = (&echo.Server{MaxConns: 1}).Serve(ctx, r.ln) })
			busy := r.ln.Dial()
			t.Go(func() { _, _ = busy.Write([]byte("busy")) }) // unless ctx has ended before
			t.Pass(time.Second)
			next := r.ln.Dial()
			t.Pass(time.Second)
			ctx.Cancel()
			var got string
			t.Go(func() { got = rest(next) }).Returns("ctx ended right after Serve had called ctx.Err or ctx.Done, and one who waits for its turn is not closed")
			require.Empty(t, got, "it had said nothing, and got this")
			rest(busy)
			r.stop(t)
		})
	})
}

// running is a server that runs.
type running struct {
	ln     *labtest.Listener
	call   *labtest.Call
	cancel context.CancelFunc
}

// serve starts a server.
func serve(t *labtest.T, server *echo.Server) *running { return serveWith(t, server, nil) }

// serveWith starts a server that returns such an error in the end. Nobody ends its
// context then, but for a test that has failed.
func serveWith(t *labtest.T, server *echo.Server, want error) *running {
	ctx, cancel := context.WithCancel(context.Background())
	context.AfterFunc(t.Context(), func() {
		if t.Failed() {
			cancel()
		}
	})
	r := &running{ln: labtest.NewListener(), cancel: cancel}
	r.call = t.Go(func() {
		err := server.Serve(ctx, r.ln)
		if want == nil {
			assert.NoError(t, err, "Serve failed")
		} else {
			assert.ErrorIs(t, err, want, "Serve must return the error of Accept, %q, and returned something else", want)
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
	require.Equal(t, 0, r.ln.Open(), "Serve has returned, and so many connections are still open")
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

// lines returns what Handle logs for a message.
func lines(message string, server net.Conn) []string { return linesOf(message, server.RemoteAddr()) }

func linesOf(message string, addr net.Addr) []string {
	return []string{
		fmt.Sprintf("Received %q from %v\n", message, addr),
		fmt.Sprintf("Send: %q\n", message),
		fmt.Sprintf("Close %v\n", addr),
	}
}

// failing is a connection on which something fails.
type failing struct {
	net.Conn
	read, write, close error
	with               error // comes together with what is read
}

func (f *failing) Close() error {
	_ = f.Conn.Close()
	return f.close
}

func (f *failing) Read(p []byte) (int, error) {
	if f.read != nil {
		return 0, f.read
	}
	n, err := f.Conn.Read(p)
	if err == nil {
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

// zoned is a connection to an address that is also a format.
type zoned struct{ net.Conn }

func (zoned) RemoteAddr() net.Addr { return &net.TCPAddr{IP: net.ParseIP("fe80::1"), Zone: "eth0"} }

// reading is a connection on which something happens right when a message has
// been read.
type reading struct {
	net.Conn
	then func()
}

func (r *reading) Read(p []byte) (int, error) {
	n, err := r.Conn.Read(p)
	if n > 0 {
		r.then()
	}
	return n, err
}

// granting is a connection at which something happens right before it is given time
// to read.
type granting struct {
	net.Conn
	first func()
}

func (g *granting) SetDeadline(when time.Time) error {
	g.grant(when)
	return g.Conn.SetDeadline(when)
}

func (g *granting) SetReadDeadline(when time.Time) error {
	g.grant(when)
	return g.Conn.SetReadDeadline(when)
}

func (g *granting) grant(when time.Time) {
	if when.After(time.Now()) {
		g.first()
		labtest.StepAside()
	}
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

// gauged is a connection that is counted from its first Read until it is closed.
type gauged struct {
	net.Conn
	gauge *labtest.Gauge
	leave atomic.Pointer[func()]
}

func (g *gauged) Read(p []byte) (int, error) {
	if g.leave.Load() == nil {
		leave := g.gauge.Enter()
		g.leave.Store(&leave)
	}
	return g.Conn.Read(p)
}

func (g *gauged) Close() error {
	if leave := g.leave.Swap(nil); leave != nil {
		labtest.StepAside() // so that the next one could come in between
		(*leave)()
	}
	return g.Conn.Close()
}
