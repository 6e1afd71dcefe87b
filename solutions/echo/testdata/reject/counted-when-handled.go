// Counts a client from when it is handled, so after an Accept error nobody waits
// for those who wait for their turn.
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

	var wg sync.WaitGroup
	var failure error
	for {
		conn, err := ln.Accept()
		if err != nil {
			if ctx.Err() == nil {
				failure = err
			}
			break
		}
		handle := func() {
			defer wg.Done()
			if places != nil {
				defer func() { <-places }()
			}
			s.attend(ctx, conn, log)
		}
		if places == nil {
			wg.Add(1)
			go handle()
			continue
		}
		select {
		case places <- struct{}{}:
			wg.Add(1)
			go handle()
		default:
			go func() {
				select {
				case places <- struct{}{}:
					wg.Add(1)
					handle()
				case <-ctx.Done():
					conn.Close()
				}
			}()
		}
	}
	ln.Close()
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
