// Package ping is where you write a server that pings the hosts that its clients
// name, and put somebody else's library behind an interface of your own.
//
// The text is lessons/ping/README.md, hints are in lessons/ping/hints.md, and
// ping_test.go beside this file says what every rule means. Replace each panic.
// Helpers and unexported fields of your own are welcome, package-level variables
// are not needed.
package ping

import (
	"context"
	"errors"
	"net"
	"time"
)

const (
	// MaxHost is how many bytes of a host are read.
	MaxHost = 100

	// DefaultTimeout is how long one ping may take if nothing else is said.
	DefaultTimeout = 5 * time.Second
)

// ErrTimeout says that a host did not answer in time.
var ErrTimeout = errors.New("ping timed out")

// Pinger asks a host whether it is there, and returns how long the answer took.
// Implementations end when ctx ends, and may be called from any number of
// goroutines.
type Pinger interface {
	Ping(ctx context.Context, host string) (time.Duration, error)
}

// Boom pings host with p, under ctx, and says in a sentence what came of it:
//
//	Ping response in 12.3 ms.     it answered; one decimal
//	Ping timed out.               the error matches ErrTimeout or context.DeadlineExceeded
//	Pinging HOST failed. ERR      any other error
func Boom(ctx context.Context, p Pinger, host string) string {
	panic("TODO: ping, and say what came of it")
}

// Server pings the hosts that its clients name.
type Server struct {
	Pinger   Pinger
	Timeout  time.Duration // of one ping; 0: DefaultTimeout
	MaxPings int           // at the same time; 0: no limit
}

// Serve accepts clients from ln. From each it reads once, at most MaxHost bytes,
// trims white space, pings that host, writes Boom's answer and a newline, in one
// Write, and closes. Every client is served while others are silent and while
// their pings run.
//
// A ping has s.Timeout: that is the deadline of its context. The clock starts when
// the ping starts. A message of nothing but white space is answered with "No host
// given." and a newline, and no ping. A client that leaves without sending
// anything is just closed.
//
// When ctx ends, Serve stops accepting and closes the connections that still wait
// for their host. A ping whose host has been read is not cancelled by that, and
// its answer gets out. Then Serve returns nil. Connections that it has not
// accepted yet may be dropped.
//
// If Accept fails otherwise, Serve closes nobody, waits until every client has
// ended by itself (or ctx ends), and returns that error.
//
// In both cases the listener is closed, and no goroutine and no connection stays
// behind.
//
// For the brave: when a client hangs up, its ping's context ends, then and not
// before. To hang up is EOF or a read error after the message; further bytes do
// not count. At most MaxPings pings run at the same time. Silent clients and empty
// messages take no place, and a client whose host was read before ctx ended keeps
// its turn.
func (s *Server) Serve(ctx context.Context, ln net.Listener) error {
	panic("TODO: accept clients, ping for each, and end in good order")
}

// ICMP pings with ICMP echo requests, by github.com/go-ping/ping. They need raw
// sockets (Privileged), which only some may open, or unprivileged ones, which not
// every system has.
type ICMP struct{ Privileged bool }

// Ping sends one echo request to host, and returns the time until the reply,
// which is more than 0.
//
// If there is no reply until the deadline of ctx, or the deadline had passed
// before the call, the error matches ErrTimeout. If ctx is cancelled, before the
// call or while Ping waits, it matches context.Canceled. Both come within a
// second. An unknown host or a missing privilege is an error, too. No goroutine
// stays behind.
func (p ICMP) Ping(ctx context.Context, host string) (time.Duration, error) {
	panic("TODO: send one echo request with go-ping, and honour ctx, which go-ping does not know")
}
