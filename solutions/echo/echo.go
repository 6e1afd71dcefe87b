// Package echo is the reference solution of the lesson "echo": a server that
// gives each client back what it says, serves many of them at the same time, and
// ends in good order.
package echo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"
)

// MaxMessage is how many bytes of a message are read.
const MaxMessage = 100

// Handle reads once from conn, at most [MaxMessage] bytes, writes them back, and
// closes conn in every case. It logs what it received and sent and that it
// closed, a line each; a nil log logs nothing. A client that hangs up without a
// word is no error; errors of reading and writing are returned.
func Handle(conn net.Conn, log io.Writer) error {
	if log == nil {
		log = io.Discard
	}
	addr := conn.RemoteAddr()
	defer func() {
		_ = conn.Close()
		fmt.Fprintf(log, "Close %v\n", addr)
	}()

	buf := make([]byte, MaxMessage)
	n, err := conn.Read(buf)
	switch {
	case n > 0: // the error, if there is one, comes after the message
	case errors.Is(err, io.EOF):
		return nil
	default:
		return err
	}
	message := buf[:n]
	fmt.Fprintf(log, "Received %q from %v\n", message, addr)
	fmt.Fprintf(log, "Send: %q\n", message)
	_, err = conn.Write(message)
	return err
}

// Server is an echo server. Its zero value serves any number of clients, for as
// long as they like, and logs nothing.
type Server struct {
	Log         io.Writer     // nil: no log
	IdleTimeout time.Duration // 0: none
	MaxConns    int           // 0: no limit
}

// Serve accepts clients from ln and handles each as [Handle] does, at most
// MaxConns of them at the same time; one that is silent for IdleTimeout is
// closed. It writes to s.Log from one goroutine at a time.
//
// When ctx ends, Serve stops accepting, closes the connections whose message has
// not been read, lets the others have their echo, and returns nil. If Accept
// fails before that, Serve waits until all clients have ended by themselves, or
// ctx ends, and returns the error. In both cases ln is closed, and so are all
// connections.
func (s *Server) Serve(ctx context.Context, ln net.Listener) error {
	defer context.AfterFunc(ctx, func() { _ = ln.Close() })()
	var clients sync.WaitGroup
	defer clients.Wait()
	defer func() { _ = ln.Close() }()

	var log io.Writer
	if s.Log != nil {
		log = &locked{w: s.Log}
	}
	var places chan struct{}
	if s.MaxConns > 0 {
		places = make(chan struct{}, s.MaxConns)
	}
	for {
		if places != nil {
			select {
			case places <- struct{}{}:
			case <-ctx.Done():
				return nil
			}
		}
		conn, err := ln.Accept()
		if ctx.Err() != nil {
			if err == nil {
				_ = conn.Close()
			}
			return nil
		}
		if err != nil {
			return err
		}
		clients.Go(func() {
			s.handle(ctx, conn, log)
			if places != nil {
				<-places
			}
		})
	}
}

// handle handles one client and does not wait for its message any longer when
// ctx ends. Only reading is given up, by a deadline that has passed: a message
// that has been read cannot lose its echo to a shutdown that comes in between.
func (s *Server) handle(ctx context.Context, conn net.Conn, log io.Writer) {
	if s.IdleTimeout > 0 {
		_ = conn.SetReadDeadline(time.Now().Add(s.IdleTimeout))
	}
	defer context.AfterFunc(ctx, func() { _ = conn.SetReadDeadline(time.Unix(1, 0)) })()
	_ = Handle(conn, log)
}

// locked is a writer that lets one at a time write.
type locked struct {
	mu sync.Mutex
	w  io.Writer
}

func (l *locked) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.w.Write(p)
}
