// Package finals is where you write a server that does as it is told: a client
// sends a line with an operation and its argument, and gets the answer.
//
// The text is lessons/finals/README.md, hints are in lessons/finals/hints.md, and
// finals_test.go beside this file says what every rule means. Replace each panic.
// Helpers and unexported fields of your own are welcome, package-level variables
// that change are not needed.
package finals

import (
	"context"
	"io"
	"net"
	"net/http"
	"time"
)

const (
	// MaxRequest is how many bytes the line of a request may have, without its
	// ending.
	MaxRequest = 1024
	// MaxBody is how many bytes of a response's body GetOp writes.
	MaxBody = 1 << 20
	// DefaultTimeout is how long an operation may run on a Server without
	// Timeout.
	DefaultTimeout = 5 * time.Second
)

// Request is what a client asks for: an operation and its argument.
type Request struct{ Op, Arg string }

// Parse reads a line such as "ping example.com": an operation and its argument,
// separated by white space. The operation comes in any letter case and is given in
// lower case. The argument is the rest of the line, without the white space around
// it and otherwise as it is. A line without an operation or without an argument is
// an error.
func Parse(line string) (Request, error) {
	panic("TODO: split the line into an operation and its argument")
}

// Operation does something with arg and writes its answer to w. It ought to give
// up when ctx ends; some do not.
type Operation func(ctx context.Context, arg string, w io.Writer) error

// Pinger asks a host for a sign of life.
type Pinger interface {
	Ping(ctx context.Context, host string) (time.Duration, error)
}

// PingOp returns the operation that pings its argument with p and writes a line, in
// one Write:
//
//	Ping response in 12.3 ms.
//
// in milliseconds, with one digit behind the point. If p fails it writes nothing
// and gives the error on.
func PingOp(p Pinger) Operation {
	panic("TODO: return a function that pings, and writes how long it took")
}

// GetOp returns the operation that sends a GET request for its argument with
// client, under the operation's ctx, and writes the response: its status as
// resp.Status has it ("200 OK"), the end of the line, an empty line, and the body,
// at most MaxBody bytes of it. Any status is a success. An argument that is not an
// http or https URL is an error, and nothing is sent; a body that breaks off is one,
// too. The response's body is always closed.
func GetOp(client *http.Client) Operation {
	panic("TODO: return a function that gets a URL, and writes status and body")
}

// Server runs one operation for each client. One Serve at a time may run on it; its
// operations may run at the same time.
type Server struct {
	Ops      map[string]Operation // by their names, in lower case
	Timeout  time.Duration        // of one request; 0: DefaultTimeout
	MaxConns int                  // at the same time; 0: no limit
}

// Serve accepts clients from ln and serves one request for each. Every client is
// served while others' requests run.
//
// A request is a line of at most MaxRequest bytes without its ending. It ends with
// "\n" or "\r\n", or the client stops sending (io.EOF). The operation that it names
// runs with its argument, what that writes goes to the client (at once, or when the
// operation has ended), and the connection is closed.
//
// An error is one line, "error: MESSAGE", where each line break inside MESSAGE is
// replaced by a space. What an operation wrote before it failed stays, and then the
// error begins on a line of its own. Besides the errors of Parse and of the
// operations there are:
//
//	error: unknown operation "x" (have: get, ping)
//	error: request too long
//	error: internal error
//
// The first lists the names of s.Ops, sorted. The second is answered without waiting
// for the line's end. The third is for an operation that panics; the server goes on.
// When reading fails before the line is whole, nothing runs and the connection is
// closed.
//
// When ctx ends, Serve stops accepting and closes the connections of clients that
// have not sent their whole line. The contexts of requests that run are NOT ended by
// it, and their answers get out. Then Serve returns nil.
//
// If Accept fails otherwise, Serve closes nobody, waits until every client has
// ended by itself (or ctx ends), and returns that error.
//
// In both cases the listener is closed, and no goroutine and no connection stays
// behind.
//
// For the brave: when an operation runs longer than s.Timeout (the clock runs while
// it runs, not while the line is awaited), its context is ended, and its client is
// answered
//
//	error: timed out
//
// and closed, even if the operation ignores its context. Nothing that it writes
// later reaches the client, and Serve still waits for it.
//
// A client whose line ended with a newline hangs up when reading from it gives
// io.EOF or another error: that ends its request's context. Bytes that it sends
// after its line are ignored. (After a line that ended with io.EOF hanging up is not
// noticed.) At most s.MaxConns connections are handled at the same time; the next
// ones wait for their turn, accepted or not, and are closed when ctx ends.
func (s *Server) Serve(ctx context.Context, ln net.Listener) error {
	panic("TODO: read a line from each client, run what it asks for, and end in good order")
}
