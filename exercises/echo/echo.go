// Package echo is where you write a server: it gives each client back what it
// says, serves many of them at the same time, and ends in good order.
//
// The text is lessons/echo/README.md, hints are in lessons/echo/hints.md, and
// echo_test.go beside this file says what every rule means. Replace each panic.
// Helpers and unexported fields of your own are welcome, package-level variables
// are not needed.
package echo

import (
	"context"
	"io"
	"net"
	"time"
)

// MaxMessage is how many bytes of a message are read.
const MaxMessage = 100

// Handle reads once from conn, at most MaxMessage bytes, and writes exactly the
// bytes that it has read back, whatever they are. It closes conn in every case.
//
// It logs three lines, in this order and each in one Write, where the message is
// written as %q does it and ADDR is the remote address:
//
//	Received "hello\n" from ADDR
//	Send: "hello\n"
//	Close ADDR
//
// "Send" may come before or after the sending itself. The log is complete when
// Handle returns; a nil log logs nothing.
//
// A client that hangs up before it has sent anything (io.EOF) is no error: Handle
// returns nil and logs the Close line only. An error of Read or Write is returned;
// then only the Close line is promised.
func Handle(conn net.Conn, log io.Writer) error {
	panic("TODO: read once, write it back, close, and log all that")
}

// Server is an echo server. One Serve at a time may run on it.
type Server struct {
	Log         io.Writer     // nil: no log
	IdleTimeout time.Duration // 0: none
	MaxConns    int           // 0: no limit
}

// Serve accepts clients from ln and treats each as Handle does. Every client is
// served while others are idle, and one that fails stops nobody else. s.Log is
// NOT safe for concurrent use: no two Writes may overlap. It may hold more lines
// than Handle's.
//
// When ctx ends, Serve stops accepting and closes the connections that still wait
// for their message. A client whose message has been read has its whole echo
// first. Then Serve returns nil. Connections that it has not accepted yet may be
// dropped.
//
// If Accept fails otherwise, Serve closes nobody, waits until every client has
// ended by itself (or ctx ends), and returns that error.
//
// In both cases the listener is closed, and no goroutine and no connection stays
// behind.
//
// For the brave: a client that is silent for IdleTimeout, counted from the start
// of its handling until its message has been read, is closed. At most MaxConns
// clients are handled at the same time; the next ones wait for their turn,
// accepted or not, and are closed at shutdown.
func (s *Server) Serve(ctx context.Context, ln net.Listener) error {
	panic("TODO: accept clients, handle each, and end in good order")
}
