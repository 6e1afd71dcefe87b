package finals_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/iotest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/stretchr/testify/suite"

	"conclab/internal/contract/finals"
	"conclab/internal/labtest"
)

// tolerance is by how much something may come late that has a time.
const tolerance = 100 * time.Millisecond

// halfADay is a timeout that ends nothing here. A goroutine that only sleeps it out
// is allowed, and gone before a bubble looks for what stays.
const halfADay = 12 * time.Hour

// nobody is where nobody listens: what does not use the client that it is given gets
// no answer there, and nothing leaves the machine.
const nobody = "http://127.0.0.1:1"

var errBoom = errors.New("boom")

// Task 1: what a client asks for.

type ParseSuite struct{ labtest.Suite }

func TestParse(t *testing.T) { suite.Run(t, new(ParseSuite)) }

func (s *ParseSuite) TestAnOperationAndItsArgument() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("a-line", "Parse must give the first word and the rest, trimmed", finals.Declared.Parse)
		parses(t, []line{
			{"ping localhost", "ping", "localhost"},
			{"get http://example.com/", "get", "http://example.com/"},
			{"  ping   localhost  ", "ping", "localhost"},
			{"\tping\tlocalhost\t", "ping", "localhost"},
			{"ping \t localhost\r\n", "ping", "localhost"},
			{"say one two", "say", "one two"},
			{"say  one  two\t\tthree ", "say", "one  two\t\tthree"},
			{"say Grüße", "say", "Grüße"},
			{"get http://example.com/?a=b%", "get", "http://example.com/?a=b%"},
			{"x y", "x", "y"},
			{"say say say", "say", "say say"},
			{"p ping p", "p", "ping p"},
			{"say \xff\xfe", "say", "\xff\xfe"},
			{`say "one two"`, "say", `"one two"`},
			{"say 'one'", "say", "'one'"},
			{"say \x00one\x00", "say", "\x00one\x00"},
		})
	})
}

func (s *ParseSuite) TestLettersOfAnyCase() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("a-line", "Parse must give the operation in lower case, and the argument as it is", finals.Declared.Parse)
		parses(t, []line{
			{"PING LocalHost", "ping", "LocalHost"},
			{"Get http://EXAMPLE.com/", "get", "http://EXAMPLE.com/"},
			{"gEt GET", "get", "GET"},
			{"ÄÖ x", "äö", "x"},
		})
	})
}

func (s *ParseSuite) TestWithoutOperationOrArgument() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("a-line", "A line without an operation or without an argument must be an error", finals.Declared.Parse)
		for _, line := range []string{"", " ", "\t \t", "ping", " ping", "ping ", "\tping\t ", "\r\n", "ping\r\n"} {
			got, err := finals.Parse(line)
			require.Error(t, err, "of %q it made %+v", line, got)
		}
	})
}

// line is one that a client may send, and what is in it.
type line struct{ whole, op, arg string }

// parses checks what Parse makes of lines.
func parses(t *labtest.T, lines []line) {
	for _, l := range lines {
		got, err := finals.Parse(l.whole)
		require.NoError(t, err, "of %q it made an error", l.whole)
		require.Equal(t, finals.Request{Op: l.op, Arg: l.arg}, got, "of %q it made", l.whole)
	}
}

// Task 2: a line, an answer.

type ServerSuite struct{ labtest.Suite }

func TestServer(t *testing.T) { suite.Run(t, new(ServerSuite)) }

func (s *ServerSuite) TestItDoesAsItIsTold() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("functions-in-a-map", "The operation that the line names must run once, with its argument, and the connection must then be closed", finals.Declared.Serve)
		var ran labtest.Recorder
		note := func(name string) finals.Operation {
			return func(_ context.Context, arg string, w io.Writer) error {
				_, _ = fmt.Fprintf(&ran, "%s %q", name, arg)
				_, err := fmt.Fprintf(w, "%s of %s\n", name, arg)
				return err
			}
		}
		r := serve(t, &finals.Server{Ops: ops{"one": note("one"), "two": note("two")}})
		for _, c := range []struct{ request, want string }{
			{"one argument\n", `one "argument"`},
			{"two argument\n", `two "argument"`},
			{"TWO Arg  ument \n", `two "Arg  ument"`},
			{"\t One \t 100 %d %s %!\n", `one "100 %d %s %!"`},
			{"two\tGrüße\r\n", `two "Grüße"`},
			{"one carriage\rreturn\r\n", `one "carriage\rreturn"`},
			{"two two two\n", `two "two two"`},
			{"one http://[::1]:80/?q=\n", `one "http://[::1]:80/?q="`},
			{"two \xff\xfe\n", `two "\xff\xfe"`},
		} {
			before := len(ran.Writes())
			got := ask(t, r.ln.Dial(), c.request)
			require.Equal(t, []string{c.want}, ran.Writes()[before:], "of the request %q it ran", c.request)
			name, quoted, _ := strings.Cut(c.want, " ")
			var arg string
			_, _ = fmt.Sscanf(quoted, "%q", &arg)
			require.Equal(t, name+" of "+arg+"\n", got, "to the request %q the answer was", c.request)
		}
		r.stop(t)
	})
}

func (s *ServerSuite) TestTheOutputReachesTheClientAsItIs() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("functions-in-a-map", "What an operation writes must reach the client, all of it and nothing else", finals.Declared.Serve)
		large := strings.Repeat("0123456789abcdef", 3<<12) // 192 KiB
		for _, parts := range [][]string{
			{"hello\n"},
			{"no newline"},
			{},
			{""},
			{"\n"},
			{"in ", "", "three ", "parts\n"},
			{"100 %d %s %!", "\x00\xff\xfe", "\r\n\r\n"},
			{large},
		} {
			r := serve(t, &finals.Server{Ops: ops{"write": func(_ context.Context, _ string, w io.Writer) error {
				for _, part := range parts {
					p := []byte(part)
					n, err := w.Write(p)
					assert.NoError(t, err, "the operation's Write failed")
					assert.Equal(t, len(p), n, "the operation's Write returned another number of bytes")
					clear(p) // it is the operation's again
				}
				return nil
			}}})
			got, want := ask(t, r.ln.Dial(), "write it\n"), strings.Join(parts, "")
			if want == large {
				require.Equal(t, len(large), len(got), "of 192 KiB so many bytes came")
				require.True(t, got == large, "of 192 KiB some bytes came out different")
			}
			require.Equal(t, short(want), short(got), "an operation wrote %.60q, a Write each, used its slice for something else after each, and this came", parts)
			r.stop(t)
		}

		const lines = 1_500
		line := strings.Repeat("x", 1023) + "\n"
		much := serve(t, &finals.Server{Timeout: halfADay, Ops: ops{"write": func(_ context.Context, _ string, w io.Writer) error {
			for range lines {
				t.Progress()
				if _, err := io.WriteString(w, line); err != nil {
					return err
				}
			}
			return nil
		}}})
		require.Equal(t, lines*len(line), len(ask(t, much.ln.Dial(), "write it\n")), "an operation wrote %d lines of 1 KiB, and so many bytes came", lines)
		much.stop(t)
	})
}

func (s *ServerSuite) TestALineMayComeInPieces() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("a-line-at-last", "A request must be read up to its line's end, however many pieces it comes in, and not run before", finals.Declared.Serve)
		var ran atomic.Int64
		server, ln := &finals.Server{Timeout: halfADay, Ops: ops{"say": counted(&ran)}}, labtest.NewListener()
		t.Go(func() { _ = server.Serve(context.Background(), ln) }) // a ctx that never ends
		for _, request := range []string{"say hello\n", "say hello\r\n"} {
			ran.Store(0)
			client := ln.Dial()
			for _, b := range []byte(request[:len(request)-1]) {
				_, err := client.Write([]byte{b})
				require.NoError(t, err, "the line has not ended, and nobody reads it any more")
				time.Sleep(time.Second)
			}
			t.Settle()
			require.Zero(t, ran.Load(), "the line has not ended, and the operation runs")
			require.Equal(t, "hello\n", ask(t, client, request[len(request)-1:]), "another answer came")
		}
		ln.FailOnce(errBoom)
	})
}

func (s *ServerSuite) TestALineMayEndWithAHalfClose() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("a-line-at-last", "A client that sends a line without a newline and stops sending (io.EOF) must have its answer", finals.Declared.Serve)
		r := serve(t, &finals.Server{Ops: ops{"say": say}})
		for _, conn := range []*sent{
			{data: "say hello", end: io.EOF},
			{data: "say hello", end: io.EOF, together: true},
			{data: "say hello\r", end: io.EOF, together: true},
		} {
			require.Equal(t, "hello\n", rest(r.ln.Dial(conn.wrap)), "it sent %q, and the answer was", conn.data)
		}
		r.stop(t)
	})
}

func (s *ServerSuite) TestOneRequestForEachClient() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("a-line-at-last", "Only one request of a client must run", finals.Declared.Serve)
		var ran atomic.Int64
		r := serve(t, &finals.Server{Ops: ops{"say": counted(&ran)}})
		require.Equal(t, "one\n", ask(t, r.ln.Dial(), "say one\nsay two\n"), "two lines came, and the answer was")
		t.Settle()
		require.Equal(t, int64(1), ran.Load(), "two lines came, and so many operations ran")
		r.stop(t)
	})
}

func (s *ServerSuite) TestALineOfMaxRequestBytes() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("too-long", "A line of MaxRequest bytes, without its ending, must be read as a whole", finals.Declared.Serve)
		var got atomic.Value
		r := serve(t, &finals.Server{Ops: ops{"take": func(_ context.Context, arg string, _ io.Writer) error {
			got.Store(arg)
			return nil
		}}})
		arg := strings.Repeat("0123456789", 102)[:finals.MaxRequest-len("take ")]
		for _, ending := range [][]string{{"\n"}, {"\r\n"}, {"\r", "\n"}} {
			got.Store("nothing")
			answer := ask(t, r.ln.Dial(), append([]string{"take " + arg + ending[0]}, ending[1:]...)...)
			require.Empty(t, answer, "a line of 1024 bytes came, its ending in these pieces: %q, its operation writes nothing, and the answer was", ending)
			require.Equal(t, arg, got.Load(), "1024 bytes and %q came, and the argument was", ending)
		}
		got.Store("nothing")
		require.Empty(t, rest(r.ln.Dial((&sent{data: "take " + arg, end: io.EOF}).wrap)), "1024 bytes and io.EOF came, and the answer was")
		require.Equal(t, arg, got.Load(), "1024 bytes and io.EOF came, and the argument was")
		r.stop(t)
	})
}

func (s *ServerSuite) TestALineThatIsTooLong() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("too-long", "A line of more than MaxRequest bytes must be answered `error: request too long`, without waiting for its end", finals.Declared.Serve)
		var ran atomic.Int64
		r := serve(t, &finals.Server{Timeout: halfADay, Ops: ops{"say": counted(&ran)}})
		const want = "error: request too long\n"
		line := "say " + strings.Repeat("x", 200<<10)
		for _, parts := range [][]string{{line[:1025] + "\n"}, {line[:1025] + "\r\n"}, {line[:2000] + "\n"}, {line[:1025]}, {line}, {line[:1000], line[:25]}, {"say " + strings.Repeat("ü", 600)}} {
			client, n := r.ln.Dial(), len(strings.TrimSpace(strings.Join(parts, "")))
			var got string
			t.Go(func() { got = ask(t, client, parts...) }).Returns("%.12q..., %d bytes of a line, came (in pieces: %d), and there is no answer", strings.Join(parts, ""), n, len(parts))
			require.Equal(t, want, got, "%.12q..., %d bytes of a line, came, and the answer was", strings.Join(parts, ""), n)
		}
		require.Equal(t, want, rest(r.ln.Dial((&sent{data: line[:1025], end: io.EOF}).wrap)), "1025 bytes and io.EOF came, and the answer was")
		for _, request := range []string{
			"say hello" + strings.Repeat(" ", 1100) + "\n",
			strings.Repeat(" ", 1100) + "say hello\n",
			"say " + strings.Repeat("x\r", 550) + "x\n",
			"say " + strings.Repeat("\x00", 1100) + "\n",
			"say " + strings.Repeat("x", 1020) + "\r\r\n",
		} {
			var got string
			t.Go(func() { got = ask(t, r.ln.Dial(), request) }).Returns("%.20q...%q, %d bytes in all, came, and there is no answer", request, request[len(request)-4:], len(request))
			require.Equal(t, want, got, "%.20q...%q, %d bytes in all, came, and the answer was", request, request[len(request)-4:], len(request))
		}
		require.Zero(t, ran.Load(), "a line was too long, and its operation ran")
		r.stop(t)
	})
}

func (s *ServerSuite) TestALineThatBreaksOff() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("half-a-line", "If reading fails before the line has ended, nothing must run, and the connection must be closed", finals.Declared.Serve)
		var ran atomic.Int64
		r := serve(t, &finals.Server{Ops: ops{"say": counted(&ran)}})
		for _, data := range []string{"say all my mon", "say", ""} {
			for _, together := range []bool{false, true} {
				rest(r.ln.Dial((&sent{data: data, end: errBoom, together: together}).wrap))
			}
		}
		for _, end := range []error{io.ErrUnexpectedEOF, net.ErrClosed, io.ErrClosedPipe, context.Canceled} {
			for _, together := range []bool{false, true} {
				require.Empty(t, rest(r.ln.Dial((&sent{data: "say all my money", end: end, together: together}).wrap)), "reading failed (%v) before the line was whole, and this came", end)
			}
		}
		t.Settle()
		require.Zero(t, ran.Load(), "half a line came, and its operation ran")
		require.Zero(t, r.ln.Open(), "so many connections are still open")
		r.stop(t)
	})
}

func (s *ServerSuite) TestErrorsAreOneLine() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("errors-are-answers", "An error must be answered by one line, `error: MESSAGE`, with spaces for line breaks", finals.Declared.Serve)
		var fails error
		r := serve(t, &finals.Server{Ops: ops{"fail": func(context.Context, string, io.Writer) error { return fails }}})
		for _, c := range []struct {
			err  error
			want string
		}{
			{errBoom, "error: boom\n"},
			{errors.New(""), "error: \n"},
			{errors.New("one\ntwo"), "error: one two\n"},
			{errors.New("one\ntwo\nthree"), "error: one two three\n"},
			{errors.New("a %d b %s c %!"), "error: a %d b %s c %!\n"},
			{errors.New("error: of another \"kind\" "), "error: error: of another \"kind\" \n"},
			{fmt.Errorf("page: %w", context.DeadlineExceeded), "error: page: context deadline exceeded\n"}, // of its own
			{fmt.Errorf("page: %w", context.Canceled), "error: page: context canceled\n"},
		} {
			fails = c.err
			require.Equal(t, c.want, ask(t, r.ln.Dial(), "fail now\n"), "of the error %q the client was told", c.err)
		}
		fails = errors.New("one\r\ntwo")
		got := ask(t, r.ln.Dial(), "fail now\n")
		require.Equal(t, 1, strings.Count(got, "\n"), "of the error %q the client was told %q, lines:", fails, got)
		require.Equal(t, "error: one two", strings.Join(strings.Fields(got), " "), "of the error %q the client was told", fails)
		r.stop(t)

		var failure error
		odd := serve(t, &finals.Server{Ops: ops{"fail": func(context.Context, string, io.Writer) error { return failure }}})
		long := strings.Repeat("x", 10_000)
		for _, c := range []struct {
			err  error
			want string
		}{
			{io.EOF, "error: EOF\n"},
			{fmt.Errorf("page: %w", io.EOF), "error: page: EOF\n"},
			{io.ErrClosedPipe, "error: io: read/write on closed pipe\n"},
			{net.ErrClosed, "error: use of closed network connection\n"},
			{http.ErrAbortHandler, "error: net/http: abort Handler\n"},
			{errors.New(long), "error: " + long + "\n"},
			{manyErrors{"one", "two"}, "error: one; two\n"},
		} {
			failure = c.err
			got := ask(t, odd.ln.Dial(), "fail now\n")
			if len(c.want) > 200 { // too long to be compared by eye
				require.Equal(t, len(c.want), len(got), "an operation failed with an error of %d bytes, and so many has the line that its client was told", len(c.err.Error()))
			}
			require.Equal(t, c.want, got, "of the error %.100q the client was told", c.err.Error())
		}
		odd.stop(t)
	})
}

func (s *ServerSuite) TestABadRequestIsAnError() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("errors-are-answers", "A line that Parse does not understand must be answered by one line, `error: MESSAGE`", finals.Declared.Serve)
		var ran atomic.Int64
		r := serve(t, &finals.Server{Ops: ops{"say": counted(&ran)}})
		for _, request := range []string{"\n", "\r\n", "  \n", "say\n", " say \r\n", "nonsense\n"} {
			got := ask(t, r.ln.Dial(), request)
			require.Regexp(t, `\Aerror: .*\n\z`, got, "to the request %q the answer was", request)
		}
		_ = r.ln.Dial().Close() // not a word: nothing is promised
		t.Settle()
		require.Zero(t, ran.Load(), "so many operations ran")
		r.stop(t)
	})
}

func (s *ServerSuite) TestAnUnknownOperation() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("errors-are-answers", "An unknown operation must be answered by an error that lists those that there are, sorted", finals.Declared.Serve)
		for _, c := range []struct{ names, request string }{
			{"get, ping", "x y\n"},
			{"alpha, get, ping, whois", "pin localhost\n"},
			{"ping", "pings localhost\r\n"},
			{"ping", "ping: localhost\n"},
		} {
			all := ops{}
			for _, name := range strings.Split(c.names, ", ") {
				all[name] = say
			}
			op, _, _ := strings.Cut(c.request, " ")
			r := serve(t, &finals.Server{Ops: all})
			want := fmt.Sprintf("error: unknown operation %q (have: %s)\n", op, c.names)
			for range 20 { // a map has its keys in another order each time
				require.Equal(t, want, ask(t, r.ln.Dial(), c.request), "to the request %q the answer was", c.request)
			}
			r.stop(t)
		}
		r := serve(t, &finals.Server{})
		require.Regexp(t, `\Aerror: .*\n\z`, ask(t, r.ln.Dial(), "x y\n"), "there is no operation, and the answer was")
		r.stop(t)
	})
}

func (s *ServerSuite) TestWhatWasWrittenBeforeAnErrorStays() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("errors-are-answers", "What an operation wrote before it failed must stay, and the error must begin on a line of its own", finals.Declared.Serve)
		for _, parts := range [][]string{{"half"}, {"whole\n"}, {"whole\nhalf"}, {"half", "whole\n"}, {"whole\n", "half"}, {"whole\n", ""}, {"half", ""}} {
			for _, panics := range []bool{false, true} {
				r := serve(t, &finals.Server{Ops: ops{"fail": func(_ context.Context, _ string, w io.Writer) error {
					for _, part := range parts {
						_, _ = io.WriteString(w, part)
					}
					if panics {
						panic("boom (the panic of an operation, which Serve must recover)")
					}
					return errBoom
				}}})
				want := strings.TrimSuffix(strings.Join(parts, ""), "\n") + "\nerror: boom\n"
				if panics {
					want = strings.ReplaceAll(want, "boom", "internal error")
				}
				require.Equal(t, want, ask(t, r.ln.Dial(), "fail now\n"), "an operation wrote %q and failed, and its client got", parts)
				r.stop(t)
			}
		}
	})
}

func (s *ServerSuite) TestAPanicIsAnInternalError() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("a-panic-inside", "An operation that panics must be answered `error: internal error`, and the server must go on", finals.Declared.Serve)
		t.NothingStays()
		desk := newDesk()
		r := serve(t, &finals.Server{Timeout: halfADay, Ops: ops{
			"wait": desk.op,
			"half": func(context.Context, string, io.Writer) error {
				panic("secret: 42 (the panic of an operation whose line ended with io.EOF, which Serve must recover)")
			},
			"text": func(context.Context, string, io.Writer) error {
				panic("secret: 42 (the panic of an operation, which Serve must recover)")
			},
			"error": func(context.Context, string, io.Writer) error { panic(errBoom) },
			"runtime": func(_ context.Context, arg string, _ io.Writer) error {
				end := len(arg)
				beyond := arg[end]
				return fmt.Errorf("%c", beyond)
			},
		}})
		other := t.Go(func() {
			assert.Equal(t, "answer to hello\n", ask(t, r.ln.Dial(), "wait hello\n"), "others panicked, and a client got")
		})
		t.Settle()
		for _, op := range []string{"text", "error", "runtime"} {
			require.Equal(t, "error: internal error\n", ask(t, r.ln.Dial(), op+" now\n"), "the client was told")
		}
		require.Equal(t, "error: internal error\n", rest(r.ln.Dial((&sent{data: "half now", end: io.EOF}).wrap)), "its line ended with io.EOF, and the client was told")
		require.False(t, r.call.Returned(), "some operations have panicked, and Serve returned")
		close(desk.finish)
		other.Returns("others panicked, and a client has no answer")
		r.stop(t)

		var value any
		odd := serve(t, &finals.Server{Timeout: halfADay, Ops: ops{"panic": func(context.Context, string, io.Writer) error { panic(value) }, "say": say}})
		for _, v := range []any{nil, "", 0, []string{"one"}, manyErrors{"one"}, map[string]int{}, context.DeadlineExceeded, context.Canceled, io.EOF, http.ErrAbortHandler} {
			value = v
			require.Equal(t, "error: internal error\n", ask(t, odd.ln.Dial(), "panic now\n"), "it panicked with %T %v, and the client was told", v, v)
		}
		require.Equal(t, "hello\n", ask(t, odd.ln.Dial(), "say hello\n"), "others had panicked, and this came")
		odd.stop(t)
	})
}

func (s *ServerSuite) TestNobodyWaitsForOthers() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("many-clients", "Every client must be served while others are silent, run, or do not take their answer", finals.Declared.Serve)
		desk := newDesk()
		r := serve(t, &finals.Server{Timeout: halfADay, Ops: ops{"say": say, "wait": desk.op}})
		var clients []*labtest.Conn
		for _, request := range []string{"", "say answer", "wait hello\n", "wait hello\n", "say answer to hello\n"} {
			clients = append(clients, begin(t, r.ln, request))
		}
		t.Settle()
		var got string
		t.Go(func() { got = ask(t, r.ln.Dial(), "say hello\n") }).Returns("others are there, and a client has no answer")
		require.Equal(t, "hello\n", got, "another answer came")
		close(desk.finish)
		for i, end := range []string{"say answer to hello\n", " to hello\n", "", "", ""} {
			require.Equal(t, "answer to hello\n", ask(t, clients[i], end), "another answer came")
		}
		r.stop(t)
	})
}

func (s *ServerSuite) TestHundredsAtATime() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("many-clients", "Hundreds of requests must run at the same time, and each client must have its own answer", finals.Declared.Serve)
		const n = 300
		for _, limit := range []int{0, n} {
			all := labtest.NewMeeting(n)
			r := serve(t, &finals.Server{Timeout: halfADay, MaxConns: limit, Ops: ops{"meet": func(ctx context.Context, arg string, w io.Writer) error {
				if !all.Attend() {
					return errors.New("the others never came")
				}
				return say(ctx, arg, w)
			}}})
			var calls []*labtest.Call
			for i := range n {
				client := r.ln.Dial()
				calls = append(calls, t.Go(func() {
					assert.Equal(t, fmt.Sprintf("I am %d\n", i), ask(t, client, fmt.Sprintf("meet I am %d\n", i)), "another answer came")
				}))
			}
			join(calls)
			r.stop(t)
		}
	})
}

func (s *ServerSuite) TestRealSockets() {
	s.Real(func(t *labtest.T) {
		t.Rule("many-clients", "On real sockets clients must have their answers, and Serve must end with its context", finals.Declared.Serve)
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err, "the test cannot listen on 127.0.0.1")
		ctx, cancel := context.WithCancel(t.Context())
		call := t.Go(func() {
			assert.NoError(t, (&finals.Server{Timeout: time.Hour, Ops: ops{"say": say}}).Serve(ctx, ln), "Serve failed")
		})
		var clients []*labtest.Call
		for i := range 20 {
			clients = append(clients, t.Go(func() {
				conn, err := net.Dial("tcp", ln.Addr().String())
				if !assert.NoError(t, err, "the test cannot connect") {
					return
				}
				defer conn.Close()
				ending := []string{"\n", "\r\n", ""}[i%3]
				_, _ = fmt.Fprintf(conn, "say I am %d%s", i, ending)
				if ending == "" {
					_ = conn.(*net.TCPConn).CloseWrite()
				}
				got, err := io.ReadAll(conn)
				assert.NoError(t, err, "reading the answer failed")
				assert.Equal(t, fmt.Sprintf("I am %d\n", i), string(got), "another answer came")
			}))
		}
		idle, err := net.Dial("tcp", ln.Addr().String())
		require.NoError(t, err, "the test cannot connect")
		defer idle.Close()
		join(clients)
		cancel()
		call.Join()
		_, err = idle.Read(make([]byte, 1))
		assert.Error(t, err, "the server has ended, and a client got something")
		assert.ErrorIs(t, ln.Close(), net.ErrClosed, "the server has ended, and its listener is not closed")
	})
}

func (s *ServerSuite) TestItEndsWithItsContext() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("the-orderly-end", "When ctx ends, Serve must stop accepting, close the listener and return nil", finals.Declared.Serve)
		t.NothingStays()
		for _, end := range t.Endings() {
			ctx, stop := end.Start()
			r := serveUntil(t, ctx, &finals.Server{Ops: ops{"say": say}})
			r.cancel = stop
			r.call.Blocks("nobody has asked it to end, and it returned")
			require.Equal(t, "hello\n", ask(t, r.ln.Dial(), "say hello\n"), "another answer came")
			r.stop(t)

			r = serveUntil(t, ctx, &finals.Server{Ops: ops{"say": say}})
			r.stop(t)
		}
	})
}

func (s *ServerSuite) TestWhoHasNotSentItsLineIsClosed() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("the-orderly-end", "When ctx ends, a client that has not sent its whole line must be closed, and nothing run for it", finals.Declared.Serve)
		t.NothingStays()
		var ran atomic.Int64
		r := serve(t, &finals.Server{Timeout: halfADay, Ops: ops{"say": counted(&ran)}})
		var clients []*labtest.Conn
		for _, part := range []string{"", "", "s", "say all my mon", "say all my money\r"} {
			clients = append(clients, begin(t, r.ln, part))
		}
		t.Settle()
		r.cancel()
		t.Settle()
		require.Zero(t, ran.Load(), "only half a line had come, and its operation ran")
		for _, client := range clients {
			var got string
			t.Go(func() { got = rest(client) }).Returns("ctx has ended, it had not sent its whole line, and it is not closed")
			require.Empty(t, got, "it had not sent its whole line, and got this")
		}
		r.stop(t)
	})
}

func (s *ServerSuite) TestARunningRequestGoesOn() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("the-orderly-end", "When ctx ends, the contexts of requests that run must not end, and their answers must get out", finals.Declared.Serve)
		t.NothingStays()
		for _, end := range t.Endings() {
			ctx, stop := end.Start()
			desk := newDesk()
			r := serveUntil(t, ctx, &finals.Server{Timeout: halfADay, Ops: ops{"wait": desk.op}})
			r.cancel = stop
			clients := []*labtest.Conn{begin(t, r.ln, "wait hello\n"), begin(t, r.ln, "wait hello\n"), r.ln.Dial((&sent{data: "wait hello", end: io.EOF}).wrap)}
			t.Settle()
			require.Equal(t, int64(3), desk.running.Load(), "so many requests run")
			require.Zero(t, desk.ended.Load(), "ctx has not ended, the third of three lines ended with io.EOF, and so many contexts have ended")
			r.cancel()
			r.call.Blocks("three requests run, and it returned")
			time.Sleep(time.Minute)
			t.Wait()
			require.Zero(t, desk.ended.Load(), "three requests run, and so many of their contexts have ended")
			close(desk.finish)
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
				require.Equal(t, "answer to hello\n", got.String(), "only this came")
			}
			r.stop(t)
		}
	})
}

func (s *ServerSuite) TestALineThatHasJustBeenReadHasItsAnswer() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("the-orderly-end", "If ctx ends right when a line has been read, its client must have its answer all the same", finals.Declared.Serve)
		var r *running
		server := func() *finals.Server { return &finals.Server{Timeout: halfADay, Ops: ops{"say": patient}} }
		for round := range 20 {
			t.Progress()
			r = serve(t, server())
			client := r.ln.Dial(func(c net.Conn) net.Conn {
				if round%4 == 0 {
					c = tardy{c}
				}
				return &reading{Conn: c, then: func() {
					r.cancel()
					labtest.StepAside()
				}}
			})
			require.Equal(t, "hello\n", ask(t, client, "say hello\n"), "only this came")
			r.stop(t)

			r = serve(t, server())
			client = r.ln.Dial()
			t.Wait()
			_, err := client.Write([]byte("say hello\n"))
			require.NoError(t, err, "nobody read the request")
			r.cancel()
			require.Equal(t, "hello\n", rest(client), "only this came")
			r.stop(t)
		}

		// An error is an answer, too.
		for _, request := range []string{"sing a song\n", "say\n", "\n"} {
			r = serve(t, server())
			client := begin(t, r.ln, request)
			t.Pass(time.Second) // whoever writes to it may hold a mutex
			r.cancel()
			t.Pass(time.Second)
			require.Regexp(t, `\Aerror: .*\n\z`, rest(client), "to the request %q the answer, taken when ctx had ended, was", request)
			r.stop(t)
		}
	})
}

func (s *ServerSuite) TestEitherTheAnswerOrNothing() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("the-orderly-end", "Whenever ctx ends, a client must have its answer if its line was read, and be closed if not", finals.Declared.Serve)
		for range 30 {
			t.Progress()
			r := serve(t, &finals.Server{Timeout: halfADay, Ops: ops{"say": say}})
			client := begin(t, r.ln, "say hel")
			var failed error
			var got string
			reader := t.Go(func() { got = rest(client) })
			t.Wait()
			t.Collide(func() { _, failed = client.Write([]byte("lo\n")) }, r.cancel)
			reader.Returns("the client is not closed")
			want := "hello\n"
			if failed != nil {
				want = ""
			}
			require.Equal(t, want, got, "the end of its line was sent with %v, and this came", failed)
			r.stop(t)
		}
	})
}

func (s *ServerSuite) TestAClientMayComeAtTheSameMoment() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("the-orderly-end", "A client that comes when ctx ends must not stay behind", finals.Declared.Serve)
		t.NothingStays()
		for range 30 {
			t.Progress()
			r := serve(t, &finals.Server{Ops: ops{"say": say}})
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
				assert.NoError(t, (&finals.Server{Ops: ops{"say": say}}).Serve(ctx, &accepting{Listener: ln, then: func() {
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
				assert.NoError(t, (&finals.Server{Ops: ops{"say": say}}).Serve(ctx, ln), "it failed")
			})
			t.Settle()
			ctx.Cancel()
			call.Returns("two clients had come, ctx ended right after Serve had called its Err or Done, and Serve does not return")
			for _, client := range clients {
				require.Empty(t, rest(client), "it had said nothing, and got this")
			}
			require.Equal(t, 0, ln.Open(), "Serve has returned, and so many connections are still open")
		})
	})
}

func (s *ServerSuite) TestAnAcceptErrorIsReturned() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("the-orderly-end", "If Accept fails, Serve must close nobody, wait until every client has ended, and return that error", finals.Declared.Serve)
		t.NothingStays()
		for _, err := range []error{errBoom, net.ErrClosed, os.ErrDeadlineExceeded, syscall.EMFILE, io.EOF, context.Canceled} {
			desk := newDesk()
			r := serve(t, &finals.Server{Timeout: halfADay, Ops: ops{"say": say, "wait": desk.op}})
			idle, busy := r.ln.Dial(), begin(t, r.ln, "wait hello\n")
			t.Settle()

			r.fail(err)
			r.call.Blocks("Accept has failed, two clients are still there, and it returned")
			require.Zero(t, desk.ended.Load(), "Accept has failed, and the context of a request that runs has ended")
			close(desk.finish)
			require.Equal(t, "answer to hello\n", rest(busy), "Accept has failed, and a client got")
			require.Equal(t, 1, r.ln.Open(), "Accept has failed, one silent client is left, and so many connections are open")
			r.call.Blocks("Accept has failed, a client is still there, and it returned")
			require.Equal(t, "hello\n", ask(t, idle, "say hello\n"), "Accept has failed, and a client got")
			r.call.Returns("Accept has failed (%v), nobody is left, and it does not return", err)
			require.True(t, r.ln.Closed(), "the listener is not closed")
			require.Zero(t, r.ln.Open(), "so many connections are still open")
		}

		t.Rule("the-orderly-end", "When Serve returns an error of Accept, no goroutine may stay behind, whatever its clients have done", finals.Declared.Serve)
		r := serve(t, &finals.Server{Timeout: halfADay, Ops: ops{
			"say":   say,
			"fail":  func(context.Context, string, io.Writer) error { return errBoom },
			"panic": func(context.Context, string, io.Writer) error { panic("boom") },
		}})
		for _, request := range []string{"say hello\n", "fail now\n", "panic now\n", "sing a song\n", "say\n", "\n", strings.Repeat("x", 2000)} {
			ask(t, r.ln.Dial(), request)
		}
		for _, conn := range []*sent{{data: "say hel", end: errBoom}, {data: "say hello", end: io.EOF}, {end: io.EOF}} {
			client := r.ln.Dial(conn.wrap)
			_ = rest(client)
			_ = client.Close()
		}
		_ = begin(t, r.ln, "say hello\n").Close()
		t.Settle()
		r.fail(errBoom)
		r.call.Returns("Accept has failed, nobody is left, and it does not return")
	})
}

func (s *ServerSuite) TestTheContextMayEndAfterAnAcceptError() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("the-orderly-end", "If ctx ends while Serve waits after an Accept error, it must end as always, and return that error", finals.Declared.Serve)
		t.NothingStays()
		desk := newDesk()
		r := serve(t, &finals.Server{Timeout: halfADay, Ops: ops{"wait": desk.op}})
		idle, busy := r.ln.Dial(), begin(t, r.ln, "wait hello\n")
		t.Settle()
		r.fail(errBoom)
		r.call.Blocks("Accept has failed, two clients are still there, and it returned")
		r.cancel()
		assert.Empty(t, rest(idle), "it had said nothing, and got this")
		r.call.Blocks("a client has not had its answer, and it returned")
		close(desk.finish)
		assert.Equal(t, "answer to hello\n", rest(busy), "only this came")
		r.call.Returns("nobody is left, and it does not return")
	})
}

func (s *ServerSuite) TestItWaitsForTheLastOfThem() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("the-orderly-end", "When Serve returns, every connection must be closed", finals.Declared.Serve)
		t.ClosesAll((&finals.Server{Ops: ops{"say": say}}).Serve, func(client *labtest.Conn) { ask(t, client, "say hello\n") })
	})
}

func (s *ServerSuite) TestItMayServeAgain() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("the-orderly-end", "When one Serve has ended, the next must work", finals.Declared.Serve)
		server := &finals.Server{Ops: ops{"say": say}, MaxConns: 2}
		for range 3 {
			r := serve(t, server)
			for range 3 {
				var got string
				t.Go(func() { got = ask(t, r.ln.Dial(), "say hello\n") }).Returns("a client has no answer")
				require.Equal(t, "hello\n", got, "another answer came")
			}
			r.ln.Dial() // silent, when ctx ends
			t.Settle()
			r.stop(t)
		}
	})
}

// Task 3: two operations.

type OperationsSuite struct{ labtest.Suite }

func TestOperations(t *testing.T) { suite.Run(t, new(OperationsSuite)) }

func (s *OperationsSuite) TestPingAnswersInMilliseconds() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("ping", "PingOp must ping its argument and write `Ping response in 12.3 ms.` and a newline, in one Write", finals.Declared.PingOp)
		for _, c := range []struct {
			took time.Duration
			want string
		}{
			{12300 * time.Microsecond, "Ping response in 12.3 ms.\n"},
			{12340 * time.Microsecond, "Ping response in 12.3 ms.\n"},
			{12360 * time.Microsecond, "Ping response in 12.4 ms.\n"},
			{7 * time.Millisecond, "Ping response in 7.0 ms.\n"},
			{80 * time.Microsecond, "Ping response in 0.1 ms.\n"},
			{3 * time.Nanosecond, "Ping response in 0.0 ms.\n"},
			{2 * time.Second, "Ping response in 2000.0 ms.\n"},
			{90 * time.Second, "Ping response in 90000.0 ms.\n"},
			{0, "Ping response in 0.0 ms.\n"},
		} {
			var asked, out labtest.Recorder
			op := finals.PingOp(pinger(func(_ context.Context, host string) (time.Duration, error) {
				_, _ = io.WriteString(&asked, host)
				return c.took, nil
			}))
			require.NoError(t, op(t.Context(), "Host.example", &out), "it failed")
			require.Equal(t, []string{c.want}, out.Writes(), "a ping took %v, and it wrote", c.took)
			require.Equal(t, []string{"Host.example"}, asked.Writes(), "it should ping Host.example, and pinged")
		}
	})
}

func (s *OperationsSuite) TestPingGivesTheErrorOn() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("ping", "If the ping fails, PingOp must give its error on, and write nothing", finals.Declared.PingOp)
		for _, fails := range []error{errBoom, context.DeadlineExceeded} {
			var out labtest.Recorder
			op := finals.PingOp(pinger(func(context.Context, string) (time.Duration, error) { return time.Second, fails }))
			require.ErrorIs(t, op(t.Context(), "localhost", &out), fails, "it gave another error")
			require.Empty(t, out.Writes(), "it wrote something")
		}

		pings := 0
		var out labtest.Recorder
		op := finals.PingOp(pinger(func(context.Context, string) (time.Duration, error) {
			if pings++; pings == 1 {
				return 0, errBoom
			}
			return time.Second, nil
		}))
		require.ErrorIs(t, op(t.Context(), "localhost", &out), errBoom, "the ping failed, another would not, and it gave something else")
		require.Empty(t, out.Writes(), "the ping failed, and it wrote")
	})
}

func (s *OperationsSuite) TestPingHandsItsContextOn() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("ping", "PingOp must ping under its ctx", finals.Declared.PingOp)
		for _, end := range t.Endings() {
			ctx, stop := end.Start()
			op := finals.PingOp(pinger(func(ctx context.Context, _ string) (time.Duration, error) {
				<-ctx.Done()
				return 0, ctx.Err()
			}))
			call := t.Go(func() { assert.ErrorIs(t, op(ctx, "localhost", io.Discard), end.Err, "it gave another error") })
			call.Blocks("its ctx has not ended, and the ping has")
			stop()
			call.Returns("its ctx has ended, and the ping goes on")
		}
	})
}

func (s *OperationsSuite) TestGetWritesTheResponse() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("get", "GetOp must send a GET, and write the status, an empty line and the body", finals.Declared.GetOp)
		var asked labtest.Recorder
		client := web(t, func(w http.ResponseWriter, r *http.Request) {
			_, _ = fmt.Fprintf(&asked, "%s %s%s", r.Method, r.Host, r.URL.RequestURI())
			switch r.URL.Path {
			case "/bytes":
				_, _ = io.WriteString(w, "\x00\xff%d\r\n\r\n")
			case "/empty":
			default:
				_, _ = io.WriteString(w, "<p>hello")
			}
		})
		for _, c := range []struct{ url, want string }{
			{nobody + "/", "200 OK\n\n<p>hello"},
			{"http://127.0.0.7:1/a?b=c%20", "200 OK\n\n<p>hello"},
			{nobody + "/bytes", "200 OK\n\n\x00\xff%d\r\n\r\n"},
			{nobody + "/empty", "200 OK\n\n"},
		} {
			before := len(asked.Writes())
			var out labtest.Recorder
			require.NoError(t, finals.GetOp(client)(t.Context(), c.url, &out), "the client that GetOp is given reaches a server at any address, another one none, and it failed")
			require.Equal(t, c.want, out.String(), "it wrote something else")
			require.Equal(t, []string{"GET " + strings.TrimPrefix(c.url, "http://")}, asked.Writes()[before:], "the server was asked for something else")
		}
	})
}

func (s *OperationsSuite) TestGetTakesAnyStatusForASuccess() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("get", "Any status must be a success, and be written as resp.Status has it", finals.Declared.GetOp)
		for _, status := range []string{"404 Not Found", "500 Internal Server Error", "201 Created", "418 I'm a teapot", "299 100 %d", "304 Not Modified"} {
			body := &body{Reader: strings.NewReader("hello")}
			var out labtest.Recorder
			require.NoError(t, finals.GetOp(answering(status, body))(t.Context(), nobody+"/", &out), "the status was %s, and it failed", status)
			require.Equal(t, status+"\n\nhello", out.String(), "it wrote something else")
		}

		client := web(t, func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/here" {
				w.Header().Set("Location", "/there")
				w.WriteHeader(http.StatusFound)
				return
			}
			_, _ = io.WriteString(w, "hello")
		})
		var followed, stopped labtest.Recorder
		require.NoError(t, finals.GetOp(client)(t.Context(), nobody+"/here", &followed), "it failed")
		require.Equal(t, "200 OK\n\nhello", followed.String(), "its client follows redirects, and it wrote")
		client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
		require.NoError(t, finals.GetOp(client)(t.Context(), nobody+"/here", &stopped), "it failed")
		require.Equal(t, "302 Found\n\n", stopped.String(), "its client does not follow redirects, and it wrote")
	})
}

func (s *OperationsSuite) TestGetKnowsOnlyTheWeb() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("get", "An argument that is no http or https URL must be an error, and nothing be sent", finals.Declared.GetOp)
		var sent labtest.Recorder
		client := &http.Client{Transport: transport(func(r *http.Request) (*http.Response, error) {
			_, _ = io.WriteString(&sent, r.URL.Scheme)
			return response(r, "200 OK", &body{Reader: strings.NewReader("")}), nil
		})}
		for _, arg := range []string{
			"ftp://127.0.0.1:1/", "file:///etc/passwd", "gopher://127.0.0.1:1/", "httpx://127.0.0.1:1/", "http+unix://127.0.0.1:1/",
			"127.0.0.1", "127.0.0.1:1", "localhost:1/x", "//127.0.0.1:1/", "/etc/passwd", "javascript:alert(1)", "http", "://",
			"ws://127.0.0.1:1/", "http//127.0.0.1:1/", "ftp://http://127.0.0.1:1/",
		} {
			err := finals.GetOp(client)(t.Context(), arg, io.Discard)
			require.Error(t, err, "for %q it gave none", arg)
			require.Empty(t, sent.Writes(), "for %q it has sent a request", arg)
		}
		require.Error(t, finals.GetOp(client)(t.Context(), nobody+"/%zz\x7f", io.Discard), "for a URL that does not parse it gave none")
		for _, scheme := range []string{"http", "https"} {
			require.NoError(t, finals.GetOp(client)(t.Context(), scheme+"://127.0.0.1:1/", io.Discard), "for a %s URL it gave one", scheme)
		}
		require.Equal(t, []string{"http", "https"}, sent.Writes(), "the requests that it sent")
	})
}

func (s *OperationsSuite) TestGetWritesAtMostMaxBody() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("bodies-without-end", "GetOp must write at most MaxBody bytes of a body, and all of it if it has no more", finals.Declared.GetOp)
		whole := strings.Repeat("0123456789abcdef", 1<<16) // MaxBody
		for _, extra := range []string{"", "!", strings.Repeat("!", 100_000)} {
			body := &body{Reader: strings.NewReader(whole + extra)}
			var out labtest.Recorder
			t.Progress()
			err := finals.GetOp(answering("200 OK", body))(t.Context(), nobody+"/", &out)
			if extra == "" {
				require.NoError(t, err, "a body has MaxBody bytes, and it failed")
			}
			got := strings.TrimPrefix(out.String(), "200 OK\n\n")
			require.Equal(t, len(whole), len(got), "of %d bytes it wrote so many", len(whole)+len(extra))
			require.True(t, whole == got, "of %d bytes some came out different", len(whole)+len(extra))
		}

		const plenty = 64 * finals.MaxBody
		body := &body{Reader: io.LimitReader(zeros{}, plenty)}
		t.Progress()
		_ = finals.GetOp(answering("200 OK", body))(t.Context(), nobody+"/", io.Discard)
		require.Less(t, body.read.Load(), int64(plenty), "of a body without an end it read so many bytes, and would read on")
	})
}

func (s *OperationsSuite) TestGetClosesTheBody() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("get", "The response's body must always be closed", finals.Declared.GetOp)
		broken := labtest.WriterFunc(func([]byte) (int, error) { return 0, errBoom })
		writes := 0
		breaks := labtest.WriterFunc(func(p []byte) (int, error) {
			if writes++; writes > 1 {
				return 0, errBoom
			}
			return len(p), nil
		})
		for _, c := range []struct {
			what, status string
			body         io.Reader
			w            io.Writer
		}{
			{"it was longer than MaxBody", "200 OK", io.LimitReader(zeros{}, 3*finals.MaxBody), io.Discard},
			{"it was read to its end", "200 OK", strings.NewReader("hello"), io.Discard},
			{"reading it failed", "200 OK", iotest.ErrReader(errBoom), io.Discard},
			{"the client could not be written to", "200 OK", strings.NewReader("hello"), broken},
			{"the client could be written to only once", "200 OK", strings.NewReader("hello"), breaks},
			{"the status was 204 No Content", "204 No Content", strings.NewReader(""), io.Discard},
			{"the status was 404 Not Found", "404 Not Found", strings.NewReader("hello"), io.Discard},
			{"the status was 500", "500 Internal Server Error", strings.NewReader("hello"), io.Discard},
		} {
			body := &body{Reader: c.body}
			_ = finals.GetOp(answering(c.status, body))(t.Context(), nobody+"/", c.w)
			require.True(t, body.closed.Load(), "%s, and it is not closed", c.what)
		}
	})
}

func (s *OperationsSuite) TestGetGivesErrors() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("get", "A response that does not come, or not whole, must be an error", finals.Declared.GetOp)
		deaf := &http.Client{Transport: transport(func(*http.Request) (*http.Response, error) { return nil, errBoom })}
		require.Error(t, finals.GetOp(deaf)(t.Context(), nobody+"/", io.Discard), "nobody answered, and it gave none")
		for _, end := range []error{errBoom, io.ErrUnexpectedEOF} {
			half := &body{Reader: io.MultiReader(strings.NewReader("half a bo"), iotest.ErrReader(end))}
			require.Error(t, finals.GetOp(answering("200 OK", half))(t.Context(), nobody+"/", io.Discard), "the body broke off (%v), and it gave none", end)
		}
	})
}

func (s *OperationsSuite) TestGetEndsWithItsContext() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("get", "When ctx ends, GetOp must end, before the response has come and in the middle of it", finals.Declared.GetOp)
		client := web(t, func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/half" {
				_, _ = io.WriteString(w, "half a bo")
				w.(http.Flusher).Flush()
			}
			<-r.Context().Done()
		})
		for _, path := range []string{"/", "/half"} {
			for _, end := range t.Endings() {
				ctx, stop := end.Start()
				call := t.Go(func() {
					assert.Error(t, finals.GetOp(client)(ctx, nobody+path, io.Discard), "it gave no error")
				})
				call.Blocks("its ctx has not ended, the response is not there, and it returned")
				stop()
				call.Returns("its ctx has ended, and it does not")
			}
		}
	})
}

func (s *OperationsSuite) TestOperationsRunSideBySide() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("functions-in-a-map", "An operation must be able to run many times at the same time", finals.Declared.PingOp, finals.Declared.GetOp)
		const n = 10
		all := labtest.NewMeeting(n)
		get := finals.GetOp(&http.Client{Transport: transport(func(r *http.Request) (*http.Response, error) {
			assert.True(t, all.Attend(), "ten GETs, and they do not run at the same time")
			return response(r, "200 OK", &body{Reader: strings.NewReader(r.URL.Path)}), nil
		})})
		both := labtest.NewMeeting(n)
		ping := finals.PingOp(pinger(func(_ context.Context, host string) (time.Duration, error) {
			assert.True(t, both.Attend(), "ten pings, and they do not run at the same time")
			return time.Duration(len(host)) * time.Millisecond, nil
		}))
		var calls []*labtest.Call
		for i := range n {
			calls = append(calls, t.Go(func() {
				var out labtest.Recorder
				slow := labtest.WriterFunc(func(p []byte) (int, error) {
					time.Sleep(time.Second)
					return out.Write(p)
				})
				assert.NoError(t, get(t.Context(), fmt.Sprintf("%s/%d", nobody, i), slow), "it failed")
				assert.Equal(t, fmt.Sprintf("200 OK\n\n/%d", i), out.String(), "it wrote something else")
			}), t.Go(func() {
				var out labtest.Recorder
				assert.NoError(t, ping(t.Context(), strings.Repeat("x", i+1), &out), "it failed")
				assert.Equal(t, fmt.Sprintf("Ping response in %d.0 ms.\n", i+1), out.String(), "it wrote something else")
			}))
		}
		join(calls)
	})
}

// Task 4, for the brave: no longer than that, and no more of them.

type LimitsSuite struct{ labtest.Suite }

func TestLimits(t *testing.T) { suite.Run(t, new(LimitsSuite)) }

func (s *LimitsSuite) TestAnOperationIsTimedOut() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("no-longer-than-that", "After Timeout an operation's context must be ended, and its client be answered `error: timed out` and closed", finals.Declared.Serve)
		t.NothingStays()
		var ended atomic.Int64
		until := func(ctx context.Context) {
			<-ctx.Done()
			ended.Add(1)
		}
		all := ops{
			"obey": func(ctx context.Context, _ string, _ io.Writer) error {
				until(ctx)
				return ctx.Err()
			},
			"explain": func(ctx context.Context, _ string, _ io.Writer) error {
				until(ctx)
				return fmt.Errorf("it took too long: %w", ctx.Err())
			},
			"soon": func(ctx context.Context, _ string, _ io.Writer) error {
				until(ctx)
				time.Sleep(time.Millisecond)
				return nil
			},
			"slowly": func(ctx context.Context, _ string, _ io.Writer) error {
				until(ctx)
				time.Sleep(time.Second)
				return nil
			},
			"badly": func(ctx context.Context, _ string, _ io.Writer) error {
				until(ctx)
				time.Sleep(time.Second)
				panic("boom (the panic of an operation whose time is over, which Serve must recover)")
			},
		}
		does := map[string]string{
			"obey":    "returns ctx.Err()",
			"explain": "returns an error that wraps ctx.Err()",
			"soon":    "returns nil a millisecond later",
			"slowly":  "returns nil a second later",
			"badly":   "panics a second later",
		}
		for _, timeout := range []time.Duration{time.Minute, 1500 * time.Millisecond, 300_500 * time.Microsecond} {
			ended.Store(0)
			r := serve(t, &finals.Server{Timeout: timeout, Ops: all})
			for i, op := range []string{"obey", "explain", "soon", "slowly", "badly"} {
				timedOut(t, r.ln.Dial(), op+" me\n", timeout, "an operation "+does[op]+" when its context ends, its time was over, and the client was told")
				t.Settle()
				require.Equal(t, int64(i+1), ended.Load(), "%d operations were timed out, and so many of their contexts have ended", i+1)
			}
			timedOut(t, r.ln.Dial((&sent{data: "obey me", end: io.EOF}).wrap), "", timeout, "its line ended with io.EOF, and the client was told")
			client := begin(t, r.ln, "obey me\n")
			time.Sleep(timeout)
			t.Pass(time.Second) // whoever writes to the client may hold a mutex
			require.Equal(t, int64(7), ended.Load(), "one client does not take its answer, and so many of seven contexts have ended")
			require.Equal(t, "error: timed out\n", rest(client), "it took its answer later, and was told")
			require.False(t, r.call.Returned(), "operations were timed out, and Serve returned")
			client = r.ln.Dial()
			t.Settle()
			r.fail(errBoom)
			t.Settle()
			timedOut(t, client, "obey me\n", timeout, "Accept had failed, and the client was told")
			r.stop(t)
		}
	})
}

func (s *LimitsSuite) TestEvenOneThatIgnoresItsContext() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("no-longer-than-that", "An operation that ignores its context must be timed out too, and Serve must still wait for it", finals.Declared.Serve)
		t.NothingStays()
		gate := labtest.NewGate()
		r := serve(t, &finals.Server{Timeout: time.Minute, Ops: ops{"say": say, "ignore": func(context.Context, string, io.Writer) error {
			gate.Pass()
			return nil
		}}})
		timedOut(t, r.ln.Dial(), "ignore me\n", time.Minute, "the client was told")
		require.Equal(t, "hello\n", ask(t, r.ln.Dial(), "say hello\n"), "an operation does not end, and another client got")
		time.AfterFunc(10*time.Second, r.cancel)
		timedOut(t, r.ln.Dial(), "ignore me\n", time.Minute, "ctx had ended when its time was over, and the client was told")
		time.Sleep(time.Minute)
		r.call.Blocks("operations still run, and Serve returned")
		gate.Open()
		r.stop(t)

		open := labtest.NewGate()
		r = serve(t, &finals.Server{Timeout: time.Minute, Ops: ops{"ignore": func(context.Context, string, io.Writer) error {
			open.Pass()
			return nil
		}}})
		_ = begin(t, r.ln, "ignore me\n").Close()
		t.Settle()
		r.cancel()
		t.Pass(10 * time.Minute)
		r.call.Blocks("a client hung up ten minutes ago, its operation still runs, and Serve returned")
		open.Open()
		r.stop(t)
	})
}

func (s *LimitsSuite) TestWhatComesTooLateReachesNobody() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("no-longer-than-that", "What an operation writes after its time is over must not reach the client", finals.Declared.Serve)
		for _, early := range []string{"", "early\n", "early"} {
			for _, ends := range []func() error{
				func() error { return nil },
				func() error { return errBoom },
				func() error {
					panic("too late (the panic of an operation whose time is over, which Serve must recover)")
				},
			} {
				late := func(until func()) finals.Operation {
					return func(ctx context.Context, _ string, w io.Writer) error {
						_, _ = io.WriteString(w, early)
						<-ctx.Done()
						until()
						for range 5 {
							_, _ = io.WriteString(w, "late\n")
							time.Sleep(time.Second)
						}
						return ends()
					}
				}
				gate := labtest.NewGate()
				r := serve(t, &finals.Server{Timeout: time.Minute, Ops: ops{
					"soon":  late(func() { time.Sleep(time.Millisecond) }),
					"later": late(gate.Pass),
				}})
				want := "error: timed out\n"
				if early != "" {
					want = "early\n" + want
				}
				require.Equal(t, want, ask(t, r.ln.Dial(), "soon again\n"), "the client got")

				// One that does not take its answer soon. Whoever writes to it may wait for a
				// mutex by then, and no time pass.
				client := begin(t, r.ln, "later again\n")
				time.Sleep(time.Minute)
				t.Pass(time.Minute)
				gate.Open()
				t.Pass(time.Minute)
				require.NotContains(t, rest(client), "late", "the client took its answer later, and got")
				r.stop(t)
			}
		}

		// What it writes into a buffer with room, where the end of the answer may be.
		gate := labtest.NewGate()
		r := serve(t, &finals.Server{Timeout: time.Minute, Ops: ops{"write": func(ctx context.Context, _ string, w io.Writer) error {
			for range 5 {
				_, _ = io.WriteString(w, strings.Repeat("early\n", 7))
			}
			<-ctx.Done()
			gate.Pass()
			_, _ = io.WriteString(w, "too late to be heard\n")
			return nil
		}}})
		client := begin(t, r.ln, "write now\n")
		time.Sleep(time.Minute)
		t.Pass(time.Minute)
		gate.Open()
		t.Pass(time.Minute)
		got := rest(client)
		got = got[max(0, len(got)-40):]
		require.True(t, strings.HasSuffix("\n"+got, "\nerror: timed out\n"), "it wrote %q too late; what its client got must end with %q, and ended with %q", "too late to be heard\n", "error: timed out\n", got)
		r.stop(t)
	})
}

func (s *LimitsSuite) TestWhoTakesNothingIsTimedOutToo() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("no-longer-than-that", "An operation whose client takes nothing must be timed out too, and its client be told when it does", finals.Declared.Serve)
		for range 3 {
			t.Progress()
			r := serve(t, &finals.Server{Timeout: time.Minute, Ops: ops{"write": func(ctx context.Context, _ string, w io.Writer) error {
				_, err := io.WriteString(w, strings.Repeat("early\n", 10_000))
				<-ctx.Done()
				if err == nil {
					err = ctx.Err()
				}
				return err
			}}})
			client := begin(t, r.ln, "write now\n")
			time.Sleep(time.Minute)
			t.Pass(time.Minute)
			got := rest(client)
			require.True(t, strings.HasSuffix("\n"+got, "\nerror: timed out\n"), "an operation wrote 60,000 bytes, its client took none until the time was over; what it got then must end with %q, and ended with %q", "error: timed out\n", got[max(0, len(got)-40):])
			r.stop(t)
		}
	})
}

func (s *LimitsSuite) TestTheClockRunsWithTheOperation() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("no-longer-than-that", "The clock must run while the operation runs, not while the line is awaited", finals.Declared.Serve)
		nap := func(ctx context.Context, arg string, w io.Writer) error {
			time.Sleep(time.Minute - time.Second)
			if err := ctx.Err(); err != nil {
				return fmt.Errorf("after 59 seconds: %w", err)
			}
			return say(ctx, arg, w)
		}
		for _, conns := range []int{0, 1} {
			r := serve(t, &finals.Server{Timeout: time.Minute, MaxConns: conns, Ops: ops{"nap": nap}})
			client := r.ln.Dial()
			time.Sleep(time.Minute)
			t.Progress()
			_, err := client.Write([]byte("nap hel"))
			require.NoError(t, err, "a client was silent for a minute, and nobody reads any more")
			time.Sleep(time.Minute)
			t.Progress()
			next := t.Go(func() {
				assert.Equal(t, "hello\n", ask(t, r.ln.Dial(), "nap hello\n"), "an operation had 59 seconds of a minute, and its client got")
			})
			require.Equal(t, "hello\n", ask(t, client, "lo\n"), "an operation had 59 seconds of a minute, and its client got")
			next.Join()
			r.stop(t)
		}

		// Nor while the answer is: the client takes it later, and closing takes a while.
		r := serve(t, &finals.Server{Timeout: time.Minute, Ops: ops{"fail": func(context.Context, string, io.Writer) error { return errBoom }}})
		client := r.ln.Dial(func(c net.Conn) net.Conn { return &gauged{Conn: c, t: t, gauge: new(labtest.Gauge)} })
		_, err := client.Write([]byte("fail now\n"))
		require.NoError(t, err, "nobody read the request")
		time.Sleep(time.Minute)
		t.Pass(time.Minute)
		require.Equal(t, "error: boom\n", rest(client), "an operation failed at once, its client took the answer two minutes later, and got")
		r.stop(t)
	})
}

func (s *LimitsSuite) TestTheDefaultTimeout() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("no-longer-than-that", "Without Timeout an operation must have DefaultTimeout", finals.Declared.Serve)
		r := serve(t, &finals.Server{Ops: ops{"nap": func(_ context.Context, arg string, w io.Writer) error {
			d, err := time.ParseDuration(arg)
			assert.NoError(t, err, "another argument")
			time.Sleep(d)
			_, err = io.WriteString(w, "done\n")
			return err
		}}})
		require.Equal(t, "done\n", ask(t, r.ln.Dial(), "nap 4.9s\n"), "it took 4.9 seconds of 5, and its client got")
		require.Equal(t, "error: timed out\n", ask(t, r.ln.Dial(), "nap 5.1s\n"), "it took 5.1 seconds of 5, and its client got")
		r.stop(t)
	})
}

func (s *LimitsSuite) TestHangingUpEndsTheContext() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("who-hangs-up", "When a client hangs up after its line, its request's context must end", finals.Declared.Serve)
		t.NothingStays()
		desk, gate := newDesk(), labtest.NewGate()
		r := serve(t, &finals.Server{Timeout: halfADay, Ops: ops{"wait": desk.op, "say": say, "panic": func(context.Context, string, io.Writer) error {
			gate.Pass()
			panic("boom (the panic of an operation whose client has hung up, which Serve must recover)")
		}}})
		for _, conn := range []*sent{
			{data: "wait hello\n", end: errBoom},
			{data: "wait hello\r\n", end: errBoom, together: true},
			{data: "wait hello\n", end: io.EOF, together: true},
		} {
			client := r.ln.Dial(conn.wrap)
			t.Settle()
			require.Zero(t, desk.there(), "it sent %q, reading on gave %q, and so many contexts have not ended", conn.data, conn.end)
			_ = client.Close()
		}
		var clients []*labtest.Conn
		for range 4 {
			clients = append(clients, begin(t, r.ln, "wait hello\r\n"))
		}
		_ = begin(t, r.ln, "panic now\n").Close()
		for i, c := range []struct {
			when   string
			before func()
		}{{"one of them", func() {}}, {"after an Accept error one of them", func() { r.fail(errBoom) }}, {"after the end of ctx one of them", r.cancel}} {
			c.before()
			t.Settle()
			require.Equal(t, int64(4-i), desk.there(), "others have hung up, %d clients are still there, and so many of their contexts have not ended", 4-i)
			_ = clients[i].Close()
			t.Settle()
			require.Equal(t, int64(3-i), desk.there(), "%s has hung up, and so many contexts have not ended", c.when)
		}
		close(desk.finish)
		require.Equal(t, "answer to hello\n", rest(clients[3]), "others have hung up, and a client got")
		r.call.Blocks("a client has hung up, its operation still runs, and Serve returned")
		gate.Open()
		r.stop(t)

		r = serve(t, &finals.Server{Timeout: halfADay, Ops: ops{"talk": func(ctx context.Context, _ string, w io.Writer) error {
			<-ctx.Done()
			for range 10 {
				_, _ = io.WriteString(w, "is anybody there?\n")
			}
			return ctx.Err()
		}}})
		_ = begin(t, r.ln, "talk now\n").Close()
		t.Settle()
		r.cancel()
		r.call.Returns("a client has hung up, its operation goes on writing, ctx has ended, and Serve does not return: perhaps that Write still waits")
		r.stop(t)
	})
}

func (s *LimitsSuite) TestFurtherBytesAreNoHangingUp() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("who-hangs-up", "Bytes that come after the line must be ignored: they end nothing, and hide no hanging up", finals.Declared.Serve)
		t.NothingStays()
		for _, further := range []string{"x", "wait again\n", strings.Repeat("line\n", 20_000)} {
			for _, hangsUp := range []bool{false, true} {
				desk := newDesk()
				r := serve(t, &finals.Server{Timeout: halfADay, Ops: ops{"wait": desk.op}})
				client := r.ln.Dial()
				writer := t.Go(func() {
					for _, s := range []string{"wait hello\n", further, further, "and more"} {
						_ = t.Send(client, s)
						time.Sleep(time.Second)
					}
				})
				t.Settle()
				require.Equal(t, int64(1), desk.running.Load(), "so many requests run")
				require.Zero(t, desk.ended.Load(), "further bytes came, and the context has ended")
				if hangsUp {
					_ = client.Close()
					writer.Join()
					t.Settle()
					require.Equal(t, int64(1), desk.ended.Load(), "the client hung up, after further bytes, and so many contexts have ended")
				} else {
					close(desk.finish)
					require.Equal(t, "answer to hello\n", rest(client), "further bytes came, and the answer was")
				}
				r.stop(t)
			}
		}
		// All at once.
		desk := newDesk()
		r := serve(t, &finals.Server{Timeout: halfADay, Ops: ops{"wait": desk.op}})
		client := r.ln.Dial()
		writer := t.Go(func() { _, _ = io.WriteString(client, "wait hello\r\n"+strings.Repeat("more\n", 600)) })
		t.Settle()
		require.Equal(t, int64(1), desk.running.Load(), "a line and 3000 further bytes came at once, and so many requests run")
		require.Zero(t, desk.ended.Load(), "further bytes came, and the context has ended")
		_ = client.Close()
		writer.Join()
		t.Settle()
		require.Equal(t, int64(1), desk.ended.Load(), "the client hung up, after further bytes, and so many contexts have ended")
		r.stop(t)

		patient := newDesk()
		server := serve(t, &finals.Server{Timeout: halfADay, Ops: ops{"wait": patient.op}})
		talker := server.ln.Dial()
		t.Go(func() { _ = t.Send(talker, "wait hello\n"+strings.Repeat("0123456789abcdef", 3<<16)) }).
			Returns("3 MiB come behind the line, and nobody reads them")
		t.Settle()
		require.Zero(t, patient.ended.Load(), "3 MiB came behind the line, and so many contexts have ended")
		_ = talker.Close()
		t.Settle()
		require.Equal(t, int64(1), patient.ended.Load(), "the client hung up, and so many contexts have ended")
		server.stop(t)
	})
}

func (s *LimitsSuite) TestAHalfCloseIsNoHangingUp() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("who-hangs-up", "A line that ended with io.EOF must have its answer: its context must not end", finals.Declared.Serve)
		desk := newDesk()
		r := serve(t, &finals.Server{Timeout: halfADay, Ops: ops{"wait": desk.op}})
		client := r.ln.Dial((&sent{data: "wait hello", end: io.EOF}).wrap)
		t.Settle()
		require.Equal(t, int64(1), desk.running.Load(), "so many requests run")
		require.Zero(t, desk.ended.Load(), "it has only stopped sending, and its context has ended")
		close(desk.finish)
		require.Equal(t, "answer to hello\n", rest(client), "another answer came")
		r.stop(t)
	})
}

func (s *LimitsSuite) TestAtMostMaxConns() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("the-many", "At most MaxConns connections must be handled at the same time, and so many must be", finals.Declared.Serve)
		for _, limit := range []int{1, 3} {
			r := serve(t, &finals.Server{MaxConns: limit, Timeout: halfADay, Ops: ops{"nap": func(ctx context.Context, arg string, w io.Writer) error {
				t.Pass(time.Second)
				return say(ctx, arg, w)
			}}})
			var handled labtest.Gauge
			count := func(c net.Conn) net.Conn { return &gauged{Conn: c, t: t, gauge: &handled} }
			var clients []*labtest.Call
			for i := range 4 * limit {
				client := r.ln.Dial(count)
				clients = append(clients, t.Go(func() {
					assert.Equal(t, "hello\n", ask(t, client, "nap hello\n"), "client %d got something else", i+1)
				}))
			}
			join(clients)
			assert.Equal(t, limit, handled.Max(), "MaxConns was %d, and so many were handled at the same time", limit)
			r.stop(t)
		}
	})
}

func (s *LimitsSuite) TestTheNextWaitForTheirTurn() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("the-many", "When MaxConns connections are there, the next must wait until one has ended, in whichever way", finals.Declared.Serve)
		desk := newDesk()
		r := serve(t, &finals.Server{MaxConns: 2, Timeout: time.Minute, Ops: ops{
			"say": say, "wait": desk.op,
			"panic": func(context.Context, string, io.Writer) error {
				panic("boom (the panic of an operation, which Serve must recover)")
			},
			"fail": func(context.Context, string, io.Writer) error { return errBoom },
		}})
		silent := r.ln.Dial()
		t.Settle()
		var call *labtest.Call
		var server net.Conn // the other end of the second
		for _, c := range []struct {
			what string
			end  func(client *labtest.Conn)
		}{
			{"has its answer", func(c *labtest.Conn) { ask(t, c, "say hello\n") }},
			{"has taken its error", func(c *labtest.Conn) {
				_, _ = c.Write([]byte("fail now\n"))
				call.Blocks("one of two clients has not taken its answer, and the third is served")
				time.Sleep(50 * time.Second) // until its time is over
				t.Pass(time.Minute)
				require.Equal(t, "error: boom\n", rest(c), "a client took its answer two minutes later, and got")
			}},
			{"has an operation that panics", func(c *labtest.Conn) { ask(t, c, "panic now\n") }},
			{"asks for what there is not", func(c *labtest.Conn) { ask(t, c, "what now\n") }},
			{"asks for nothing", func(c *labtest.Conn) { ask(t, c, "\n") }},
			{"says too much", func(c *labtest.Conn) { ask(t, c, strings.Repeat("x", 3000)) }},
			{"is timed out", func(c *labtest.Conn) { ask(t, c, "wait hello\n") }},
			{"breaks off", func(*labtest.Conn) { _ = server.Close() }},
			{"leaves without a word", func(c *labtest.Conn) { _ = c.Close() }},
			{"hangs up", func(c *labtest.Conn) {
				_, _ = c.Write([]byte("wait hello\n"))
				t.Settle()
				_ = c.Close()
			}},
		} {
			second := r.ln.Dial(func(c net.Conn) net.Conn { server = c; return c })
			t.Settle()
			next := r.ln.Dial()
			var got string
			call = t.Go(func() { got = ask(t, next, "say I am next\n") })
			t.Settle()
			if call.Returned() {
				t.Fatalf("MaxConns is 2, two clients are there, and the third does not wait: it was closed, and this came back: %q", got)
			}
			c.end(second)
			call.Returns("one of two clients %s, and the third is still not served", c.what)
			require.Equal(t, "I am next\n", got, "another answer came")
		}
		second, next := begin(t, r.ln, "say hello\n"), r.ln.Dial()
		t.Settle()
		accepted := r.ln.Unaccepted() == 0
		r.fail(syscall.EMFILE)
		t.Settle()
		require.Equal(t, "hello\n", rest(second), "another answer came")
		require.Equal(t, "hello\n", ask(t, silent, "say hello\n"), "another answer came")
		var got string
		t.Go(func() { got = ask(t, next, "say hello\n") }).Returns("MaxConns is 2, Accept failed while a client waited for its turn, the others have gone, and it is neither served nor closed")
		if accepted {
			require.Equal(t, "hello\n", got, "Accept failed while it waited for its turn, and the answer was")
		}
		r.call.Returns("Accept has failed, nobody is left, and Serve does not return")

		r = serve(t, &finals.Server{MaxConns: 1, Timeout: halfADay, Ops: ops{"say": say}})
		first := r.ln.Dial()
		t.Settle()
		waiting := make([]*labtest.Conn, 12)
		for i := range waiting {
			waiting[i] = r.ln.Dial()
		}
		t.Pass(time.Second) // whoever waits may hold a mutex
		count := len(waiting) - r.ln.Unaccepted()
		r.fail(errBoom)
		t.Pass(time.Second)
		require.Equal(t, "hello\n", ask(t, first, "say hello\n"), "Accept had failed, and the answer was")
		t.Pass(time.Second)
		require.False(t, count > 0 && r.call.Returned(), "Accept has failed, %d clients that have been accepted are still there, and Serve returned", count)
		answers := make([]string, len(waiting))
		var calls []*labtest.Call
		for i, client := range waiting { // who is handled first is up to you
			calls = append(calls, t.Go(func() { answers[i] = ask(t, client, "say hello\n") }))
		}
		join(calls)
		r.call.Returns("Accept has failed, all clients have had their turn, and Serve does not return")
		require.Zero(t, r.ln.Open(), "Accept has failed, Serve has returned, and so many connections are still open")
		for i := range count {
			require.Equal(t, "hello\n", answers[i], "Accept failed while it waited for its turn, and the answer was")
		}

		// Accept fails right behind the second, and Serve may wait before that one does.
		for range 20 {
			t.Progress()
			ln, came := labtest.NewListener(), new(atomic.Int64)
			call := t.Go(func() {
				err := (&finals.Server{MaxConns: 1, Ops: ops{"say": say}}).Serve(t.Context(), &accepting{Listener: ln, then: func() {
					if came.Add(1) == 2 {
						ln.Fail(errBoom)
					}
				}})
				assert.ErrorIs(t, err, errBoom, "Accept has failed, and it returned something else")
			})
			first := ln.Dial()
			t.Settle()
			second := ln.Dial()
			t.Settle()
			require.Equal(t, "hello\n", ask(t, first, "say hello\n"), "another answer came")
			var got string
			t.Go(func() { got = ask(t, second, "say hello\n") }).Returns("Accept failed right behind the second of two clients, the first has its answer, and the second is not served")
			require.Equal(t, "hello\n", got, "Accept failed right behind the second of two clients, and its answer was")
			call.Returns("Accept has failed, both clients have been served, and Serve does not return")
		}
	})
}

func (s *LimitsSuite) TestOneAcceptErrorIsEnough() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("the-orderly-end", "If Accept fails, once, Serve must end as well when there are many places", finals.Declared.Serve)
		t.NothingStays()
		r := serve(t, &finals.Server{MaxConns: 3, Timeout: halfADay, Ops: ops{"say": say}})
		client := r.ln.Dial()
		t.Settle()
		r.fail(errBoom)
		r.call.Blocks("Accept has failed, a client is still there, and it returned")
		require.Equal(t, "hello\n", ask(t, client, "say hello\n"), "Accept has failed, and the answer was")
		r.call.Returns("MaxConns is 3, Accept has failed once, nobody is left, and it does not return")
		require.True(t, r.ln.Closed(), "the listener is not closed")
	})
}

func (s *LimitsSuite) TestTheWaitingAreClosedAtShutdown() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("the-many", "When ctx ends, those who wait for their turn must be closed", finals.Declared.Serve)
		t.NothingStays()
		for _, fails := range []error{nil, errBoom} {
			when := "ctx ended"
			if fails != nil {
				when = "Accept failed, then ctx ended"
			}
			desk := newDesk()
			r := serve(t, &finals.Server{MaxConns: 2, Timeout: halfADay, Ops: ops{"wait": desk.op}})
			busy := []*labtest.Conn{begin(t, r.ln, "wait hello\n"), begin(t, r.ln, "wait hello\n")}
			t.Settle()
			waiting := []*labtest.Conn{r.ln.Dial(), r.ln.Dial(), r.ln.Dial()}
			t.Pass(time.Minute)
			if r.may = fails; fails != nil {
				r.ln.FailOnce(fails)
				t.Pass(time.Second)
			}
			r.cancel()
			r.call.Blocks("two clients have not had their answer, and Serve returned")
			require.Equal(t, 2, r.ln.Open(), "MaxConns is 2, %s while two requests ran and three clients waited for their turn, and so many connections are open", when)
			for _, client := range waiting {
				require.Empty(t, rest(client), "it had said nothing, and got this")
			}
			close(desk.finish)
			for _, client := range busy {
				require.Equal(t, "answer to hello\n", rest(client), "only this came")
			}
			r.stop(t)
		}
		t.InTurn(20, func(ctx *labtest.Moment) {
			ctx.Then = ctx.Cancel
			desk, ln := newDesk(), labtest.NewListener()
			call := t.Go(func() {
				assert.NoError(t, (&finals.Server{MaxConns: 1, Timeout: halfADay, Ops: ops{"wait": desk.op}}).Serve(ctx, ln), "it failed")
			})
			busy := ln.Dial()
			t.Go(func() { _, _ = io.WriteString(busy, "wait hello\n") }) // unless ctx has ended before
			t.Pass(time.Second)
			next := ln.Dial()
			t.Pass(time.Second)
			ctx.Cancel()
			t.Go(func() { assert.Empty(t, rest(next), "it had said nothing, and got this") }).
				Returns("ctx ended right after Serve had called its Err or Done, and one who waits for its turn is not closed")
			close(desk.finish)
			rest(busy)
			call.Returns("its context has ended, all clients have gone, and it does not return")
		})
	})
}

// ops are a server's operations.
type ops = map[string]finals.Operation

// say is the operation that answers with its argument, as a line.
func say(_ context.Context, arg string, w io.Writer) error {
	_, err := io.WriteString(w, arg+"\n")
	return err
}

// counted is say, and counts how often it runs.
func counted(ran *atomic.Int64) finals.Operation {
	return func(ctx context.Context, arg string, w io.Writer) error {
		ran.Add(1)
		return say(ctx, arg, w)
	}
}

// patient is say, a while later, if its context has not ended by then.
func patient(ctx context.Context, arg string, w io.Writer) error {
	select {
	case <-time.After(time.Minute):
		return say(ctx, arg, w)
	case <-ctx.Done():
		return ctx.Err()
	}
}

// desk has an operation that waits until the test lets it finish, or until its
// context ends. Make it with newDesk, inside the bubble that uses it.
type desk struct {
	finish         chan struct{}
	running, ended atomic.Int64 // requests that have begun; contexts that have ended
}

func newDesk() *desk { return &desk{finish: make(chan struct{})} }

// there returns how many requests have begun whose contexts have not ended.
func (d *desk) there() int64 { return d.running.Load() - d.ended.Load() }

func (d *desk) op(ctx context.Context, arg string, w io.Writer) error {
	d.running.Add(1)
	select {
	case <-d.finish:
		return say(ctx, "answer to "+arg, w)
	case <-ctx.Done():
		d.ended.Add(1)
		return ctx.Err()
	}
}

// running is a server that runs.
type running struct {
	ln     *labtest.Listener
	call   *labtest.Call
	cancel func()
	fails  error // of Accept
	may    error // of Accept, if Serve has called it
}

// serve starts a server. Nobody ends its context, but for a test that has failed or
// does it itself.
func serve(t *labtest.T, server *finals.Server) *running {
	ctx, cancel := context.WithCancel(context.Background())
	context.AfterFunc(t.Context(), func() {
		if t.Failed() {
			cancel()
		}
	})
	r := serveUntil(t, ctx, server)
	r.cancel = cancel
	return r
}

// serveUntil starts a server that ctx ends.
func serveUntil(t *labtest.T, ctx context.Context, server *finals.Server) *running {
	r := &running{ln: labtest.NewListener(), cancel: func() {}}
	r.call = t.Go(func() {
		switch err := server.Serve(ctx, r.ln); {
		case r.fails != nil:
			assert.ErrorIs(t, err, r.fails, "Accept failed (%v), the error of ctx is %v, and Serve returned something else", r.fails, ctx.Err())
		case !errors.Is(err, r.may):
			assert.NoError(t, err, "Serve returned an error, and the error of ctx is %v", ctx.Err())
		}
	})
	return r
}

// fail makes Accept fail, with errBoom only once; then Serve must do so, too.
func (r *running) fail(err error) {
	r.fails = err
	if errors.Is(err, errBoom) {
		r.ln.FailOnce(err)
		return
	}
	r.ln.Fail(err)
}

// stop ends the server and checks what must then be so.
func (r *running) stop(t *labtest.T) {
	r.cancel()
	r.call.Returns("its context has ended, and Serve does not return")
	require.True(t, r.ln.Closed(), "Serve has returned, and the listener is not closed")
	require.Zero(t, r.ln.Open(), "Serve has returned, and so many connections are still open")
}

// ask sends the parts of a request, while it reads what comes back until the
// connection is closed, and returns that.
func ask(t *labtest.T, client net.Conn, request ...string) string {
	t.Progress()
	sender := t.Go(func() {
		for _, part := range request {
			_ = t.Send(client, part)
		}
	})
	got := rest(client)
	t.Progress()
	sender.Join()
	_ = client.Close()
	return got
}

// timedOut asks for what takes longer than timeout, and checks that then the client
// is told so.
func timedOut(t *labtest.T, client net.Conn, request string, timeout time.Duration, told string) {
	start := time.Now()
	time.AfterFunc(2*time.Minute, func() { _ = client.Close() }) // it does not wait for ever
	require.Equal(t, "error: timed out\n", ask(t, client, request), told)
	took := time.Since(start)
	require.GreaterOrEqual(t, took, timeout, "Timeout is %v, and the client had its answer and was closed after", timeout)
	require.Less(t, took, timeout+tolerance, "Timeout is %v, and the client was closed (or hung up, after two minutes) after", timeout)
}

// begin connects a client that sends the request, or the beginning of one.
func begin(t *labtest.T, ln *labtest.Listener, request string) *labtest.Conn {
	client := ln.Dial()
	_, err := io.WriteString(client, request)
	require.NoError(t, err, "nobody read what a client sent")
	return client
}

// rest returns what comes from the server until it closes.
func rest(client net.Conn) string {
	got, _ := io.ReadAll(client)
	return string(got)
}

// join waits until all of them have returned.
func join(calls []*labtest.Call) {
	for _, c := range calls {
		c.Join()
	}
}

// short cuts what a failure should not show.
func short(s string) string { return s[:min(len(s), 100)] }

// sent is a connection whose client sends data and then nothing more: Reads end
// with an error, which may come together with the last bytes.
type sent struct {
	net.Conn
	data     string
	end      error
	together bool

	mu   sync.Mutex
	read int
}

func (s *sent) wrap(c net.Conn) net.Conn {
	s.Conn = c
	return s
}

func (s *sent) Read(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := copy(p, s.data[s.read:])
	s.read += n
	if n == 0 && len(p) > 0 || s.together && s.read == len(s.data) {
		return n, s.end
	}
	return n, nil
}

// reading is a connection on which something happens right when a line has been
// read.
type reading struct {
	net.Conn
	then func()
}

func (r *reading) Read(p []byte) (int, error) {
	n, err := r.Conn.Read(p)
	if strings.HasSuffix(string(p[:n]), "\n") {
		r.then()
	}
	return n, err
}

// tardy is a connection on which it takes a while to end the reading.
type tardy struct{ net.Conn }

func (c tardy) SetDeadline(when time.Time) error {
	c.dawdle(when)
	return c.Conn.SetDeadline(when)
}

func (c tardy) SetReadDeadline(when time.Time) error {
	c.dawdle(when)
	return c.Conn.SetReadDeadline(when)
}

func (tardy) dawdle(when time.Time) {
	if when.IsZero() || when.After(time.Now()) {
		return
	}
	for range 5 {
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

// gauged is a connection that is counted from its first Read until it is closed,
// which takes a while.
type gauged struct {
	net.Conn
	t     *labtest.T
	gauge *labtest.Gauge

	mu     sync.Mutex
	leave  func()
	closed bool
}

func (g *gauged) Read(p []byte) (int, error) {
	g.mu.Lock()
	if g.leave == nil && !g.closed {
		g.leave = g.gauge.Enter()
	}
	g.mu.Unlock()
	return g.Conn.Read(p)
}

func (g *gauged) Close() error {
	g.t.Pass(time.Second)
	g.mu.Lock()
	if g.leave != nil && !g.closed {
		g.leave()
	}
	g.closed = true
	g.mu.Unlock()
	return g.Conn.Close()
}

// pinger is a function that serves as a Pinger.
type pinger func(ctx context.Context, host string) (time.Duration, error)

func (p pinger) Ping(ctx context.Context, host string) (time.Duration, error) { return p(ctx, host) }

// web starts an HTTP server in memory and returns a client for which every address
// leads there.
func web(t *labtest.T, handler http.HandlerFunc) *http.Client {
	ln := labtest.NewListener()
	server := &http.Server{Handler: handler}
	t.Go(func() { _ = server.Serve(ln) })
	way := &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) { return ln.Dial(), nil }}
	context.AfterFunc(t.Context(), func() {
		way.CloseIdleConnections()
		_ = server.Close()
	})
	return &http.Client{Transport: way}
}

// transport is a function that serves as an http.RoundTripper.
type transport func(*http.Request) (*http.Response, error)

func (f transport) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// answering returns a client for which everybody answers with status and body.
func answering(status string, b *body) *http.Client {
	return &http.Client{Transport: transport(func(r *http.Request) (*http.Response, error) { return response(r, status, b), nil })}
}

func response(r *http.Request, status string, b *body) *http.Response {
	code := 0
	_, _ = fmt.Sscan(status, &code)
	return &http.Response{
		Status: status, StatusCode: code, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{}, Body: b, ContentLength: -1, Request: r,
	}
}

// body is a response's body that counts what is read, and notes when it is closed.
type body struct {
	io.Reader
	read   atomic.Int64
	closed atomic.Bool
}

func (b *body) Read(p []byte) (int, error) {
	n, err := b.Reader.Read(p)
	b.read.Add(int64(n))
	return n, err
}

func (b *body) Close() error {
	b.closed.Store(true)
	return nil
}

// zeros is a source without an end.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// manyErrors cannot be compared, nor be a map's key.
type manyErrors []string

func (m manyErrors) Error() string { return strings.Join(m, "; ") }
