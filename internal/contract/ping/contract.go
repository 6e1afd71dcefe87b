// Package ping is the contract of the lesson ping as its suite sees it. See package
// contract.
package ping

import (
	"context"
	"net"
	"time"
)

// What is given.
const (
	MaxHost        = 100
	DefaultTimeout = 5 * time.Second
)

// ErrTimeout is the learner's.
var ErrTimeout error

// Pinger is the learner's Pinger.
type Pinger interface {
	Ping(ctx context.Context, host string) (time.Duration, error)
}

// Boom is the learner's.
var Boom func(ctx context.Context, p Pinger, host string) string

// Declared holds Boom and the methods of Server and ICMP, so that messages can say
// where they are declared.
var Declared struct{ Boom, Serve, Ping any }

// ProvideBoom has Boom call boom, with a Pinger that pinger converts.
func ProvideBoom[P any](boom func(ctx context.Context, p P, host string) string, pinger func(p Pinger) P) {
	Boom = func(ctx context.Context, p Pinger, host string) string { return boom(ctx, pinger(p), host) }
}

// Server is the learner's *Server.
type Server struct {
	Pinger   Pinger
	Timeout  time.Duration
	MaxPings int

	learners server
}

type server interface {
	Serve(ctx context.Context, ln net.Listener) error
}

var (
	newServer func(s *Server) server
	setPinger func(learners server, p Pinger)
)

// ProvideServer has a Server make the learner's with newLearners, and change its
// Pinger with setLearners.
func ProvideServer[S server](newLearners func(s *Server) S, setLearners func(learners S, p Pinger)) {
	newServer = func(s *Server) server { return newLearners(s) }
	setPinger = func(learners server, p Pinger) { setLearners(learners.(S), p) }
}

// Serve calls the learner's Serve. The first call makes the learner's *Server, with
// the fields as they are then, and all the others are calls of the same one, with
// the Pinger that there is by then.
func (s *Server) Serve(ctx context.Context, ln net.Listener) error {
	if s.learners == nil {
		s.learners = newServer(s)
	}
	setPinger(s.learners, s.Pinger)
	return s.learners.Serve(ctx, ln)
}

// ICMP is the learner's.
type ICMP struct{ Privileged bool }

var ping func(ctx context.Context, p ICMP, host string) (time.Duration, error)

// ProvideICMP has ICMP's Ping call learners, with the ICMP that newLearners makes.
func ProvideICMP[P any](newLearners func(privileged bool) P, learners func(p P, ctx context.Context, host string) (time.Duration, error)) {
	ping = func(ctx context.Context, p ICMP, host string) (time.Duration, error) {
		return learners(newLearners(p.Privileged), ctx, host)
	}
}

// Ping calls the learner's Ping.
func (p ICMP) Ping(ctx context.Context, host string) (time.Duration, error) {
	return ping(ctx, p, host)
}
