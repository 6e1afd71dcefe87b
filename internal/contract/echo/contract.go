// Package echo is the contract of the lesson echo as its suite sees it. See
// package contract.
package echo

import (
	"context"
	"io"
	"net"
	"time"
)

// MaxMessage is how many bytes of a message are read.
const MaxMessage = 100

// Handle is the learner's.
var Handle func(conn net.Conn, log io.Writer) error

// Server is the learner's *Server. Its fields are read at its first Serve.
type Server struct {
	Log         io.Writer     // nil: no log
	IdleTimeout time.Duration // 0: none
	MaxConns    int           // 0: no limit

	learner server // nil before the first Serve
}

// Declared holds the method of Server, so that messages can say where it is
// declared.
var Declared struct{ Serve any }

type server interface {
	Serve(ctx context.Context, ln net.Listener) error
}

var newServer func(s *Server) server

// ProvideServer has a Server call the learner's that newOne makes, which has its
// fields.
func ProvideServer[S server](newOne func(s *Server) S) {
	newServer = func(s *Server) server { return newOne(s) }
}

// Serve calls the learner's Serve, of one and the same *Server each time.
func (s *Server) Serve(ctx context.Context, ln net.Listener) error {
	if s.learner == nil {
		s.learner = newServer(s)
	}
	return s.learner.Serve(ctx, ln)
}
