// Package finals is the contract of the lesson finals as its suite sees it. See
// package contract.
package finals

import (
	"context"
	"io"
	"net"
	"net/http"
	"time"
)

// What is given.
const (
	MaxRequest     = 1024
	MaxBody        = 1 << 20
	DefaultTimeout = 5 * time.Second
)

// Request is what the learner's Request holds.
type Request struct{ Op, Arg string }

// Operation is the learner's Operation.
type Operation func(ctx context.Context, arg string, w io.Writer) error

// Pinger is the learner's Pinger.
type Pinger interface {
	Ping(ctx context.Context, host string) (time.Duration, error)
}

// Parse, PingOp and GetOp are the learner's.
var (
	Parse  func(line string) (Request, error)
	PingOp func(p Pinger) Operation
	GetOp  func(client *http.Client) Operation
)

// Declared holds the learner's functions and the method of Server, so that messages
// can say where they are declared.
var Declared struct{ Parse, PingOp, GetOp, Serve any }

// ProvideParse has Parse call parse, and read what it returns with fields.
func ProvideParse[R any](parse func(line string) (R, error), fields func(r R) (op, arg string)) {
	Parse = func(line string) (Request, error) {
		r, err := parse(line)
		op, arg := fields(r)
		return Request{Op: op, Arg: arg}, err
	}
}

// ProvidePingOp has PingOp call pingOp, with a Pinger that pinger converts.
func ProvidePingOp[P any, O ~func(ctx context.Context, arg string, w io.Writer) error](pingOp func(p P) O, pinger func(p Pinger) P) {
	PingOp = func(p Pinger) Operation { return Operation(pingOp(pinger(p))) }
}

// ProvideGetOp has GetOp call getOp.
func ProvideGetOp[O ~func(ctx context.Context, arg string, w io.Writer) error](getOp func(client *http.Client) O) {
	GetOp = func(client *http.Client) Operation { return Operation(getOp(client)) }
}

// Operations returns ops as a map of the learner's operations.
func Operations[O ~func(ctx context.Context, arg string, w io.Writer) error](ops map[string]Operation) map[string]O {
	if ops == nil {
		return nil
	}
	all := make(map[string]O, len(ops))
	for name, op := range ops {
		all[name] = O(op)
	}
	return all
}

// Server is the learner's *Server.
type Server struct {
	Ops      map[string]Operation
	Timeout  time.Duration
	MaxConns int

	learners server
}

type server interface {
	Serve(ctx context.Context, ln net.Listener) error
}

var newServer func(s *Server) server

// ProvideServer has a Server make the learner's with newLearners.
func ProvideServer[S server](newLearners func(s *Server) S) {
	newServer = func(s *Server) server { return newLearners(s) }
}

// Serve calls the learner's Serve. The first call makes the learner's *Server, with
// the fields as they are then, and all the others are calls of the same one.
func (s *Server) Serve(ctx context.Context, ln net.Listener) error {
	if s.learners == nil {
		s.learners = newServer(s)
	}
	return s.learners.Serve(ctx, ln)
}
