// Hands clients over in a channel, and after an Accept error leaves those who are
// in it alone.
//
// test: TestLimits/TestTheNextWaitForTheirTurn
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

const MaxMessage = 100

func Handle(conn net.Conn, log io.Writer) (err error) {
	addr := conn.RemoteAddr()
	say := func(format string, args ...any) {
		if log != nil {
			fmt.Fprintf(log, format+"\n", args...)
		}
	}
	defer func() {
		conn.Close()
		say("Close %v", addr)
	}()
	message, err := receive(conn)
	if len(message) == 0 {
		if errors.Is(err, io.EOF) {
			return nil
		}
		return err
	}
	say("Received %q from %v", message, addr)
	say("Send: %q", message)
	_, werr := conn.Write(message)
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	return werr
}

func receive(conn net.Conn) ([]byte, error) {
	buf := make([]byte, MaxMessage)
	n, err := conn.Read(buf)
	return buf[:n], err
}

type Server struct {
	Log         io.Writer
	IdleTimeout time.Duration
	MaxConns    int
}

// impatient is a connection whose Read is given up when ctx ends.
type impatient struct {
	net.Conn
	ctx context.Context
}

func (c impatient) Read(p []byte) (int, error) {
	over := make(chan struct{})
	stop := context.AfterFunc(c.ctx, func() {
		defer close(over)
		c.Conn.SetReadDeadline(time.Unix(1, 0))
	})
	n, err := c.Conn.Read(p)
	if !stop() {
		<-over
	}
	return n, err
}

type diary struct {
	mu sync.Mutex
	w  io.Writer
}

func (d *diary) Write(p []byte) (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.w.Write(p)
}

func (s *Server) Serve(ctx context.Context, ln net.Listener) error {
	var log io.Writer
	if s.Log != nil {
		log = &diary{w: s.Log}
	}
	var places chan struct{}
	if s.MaxConns > 0 {
		places = make(chan struct{}, s.MaxConns)
	}
	stop := context.AfterFunc(ctx, func() { ln.Close() })
	defer stop()

	conns, errs := make(chan net.Conn, 16), make(chan error, 1)
	go func() {
		defer close(conns)
		for {
			conn, err := ln.Accept()
			if err != nil {
				errs <- err
				return
			}
			conns <- conn
		}
	}()

	var wg sync.WaitGroup
	handle := func(conn net.Conn) {
		if conn == nil {
			return
		}
		if places != nil {
			select {
			case places <- struct{}{}:
			case <-ctx.Done():
				conn.Close()
				return
			}
		}
		wg.Add(1)
		go func() {
			defer wg.Done()
			if places != nil {
				defer func() { <-places }()
			}
			s.attend(ctx, conn, log)
		}()
	}
	var failure error
serving:
	for {
		select {
		case <-ctx.Done():
			break serving
		case err := <-errs:
			if ctx.Err() == nil {
				failure = err
			}
			break serving
		case conn, ok := <-conns:
			if !ok {
				conns = nil
				continue
			}
			handle(conn)
		}
	}
	ln.Close()
	if ctx.Err() != nil && conns != nil {
		for conn := range conns {
			conn.Close()
		}
	}
	wg.Wait()
	return failure
}

func (s *Server) attend(ctx context.Context, conn net.Conn, log io.Writer) {
	if s.IdleTimeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, s.IdleTimeout)
		defer cancel()
	}
	Handle(impatient{conn, ctx}, log)
}
