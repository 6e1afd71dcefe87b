// Another goroutine reads, and whoever waits for it or for the end makes the reading fail by its deadline, then looks what was read after all.
package echo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"time"
)

const MaxMessage = 100

type Server struct {
	Log         io.Writer
	IdleTimeout time.Duration
	MaxConns    int
}

func Handle(conn net.Conn, log io.Writer) error {
	return handle(context.Background(), conn, log, 0)
}

type message struct {
	bytes []byte
	err   error
}

func handle(ctx context.Context, conn net.Conn, log io.Writer, idle time.Duration) error {
	if log == nil {
		log = io.Discard
	}
	defer fmt.Fprintf(log, "Close %v\n", conn.RemoteAddr())
	defer conn.Close()

	read := make(chan message, 1)
	go func() {
		b := make([]byte, MaxMessage)
		n, err := conn.Read(b)
		read <- message{b[:n], err}
	}()
	var late <-chan time.Time
	if idle > 0 {
		timer := time.NewTimer(idle)
		defer timer.Stop()
		late = timer.C
	}
	var m message
	select {
	case m = <-read:
	case <-ctx.Done():
		conn.SetReadDeadline(time.Unix(1, 0))
		m = <-read
	case <-late:
		conn.SetReadDeadline(time.Unix(1, 0))
		m = <-read
	}
	switch {
	case len(m.bytes) > 0:
	case errors.Is(m.err, io.EOF) || errors.Is(m.err, os.ErrDeadlineExceeded):
		return nil
	default:
		return m.err
	}
	fmt.Fprintf(log, "Received %q from %v\n", m.bytes, conn.RemoteAddr())
	fmt.Fprintf(log, "Send: %q\n", m.bytes)
	_, err := conn.Write(m.bytes)
	return err
}

type oneAtATime chan io.Writer

func (c oneAtATime) Write(p []byte) (int, error) {
	w := <-c
	defer func() { c <- w }()
	return w.Write(p)
}

func (s *Server) Serve(ctx context.Context, ln net.Listener) error {
	log := make(oneAtATime, 1)
	log <- io.Discard
	if s.Log != nil {
		<-log
		log <- s.Log
	}

	accepted := make(chan net.Conn)
	failed := make(chan error, 1)
	quit := make(chan struct{})
	var acceptor sync.WaitGroup
	acceptor.Go(func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				failed <- err
				return
			}
			select {
			case accepted <- conn:
			case <-quit:
				conn.Close()
			}
		}
	})

	var result error
	var waiting []net.Conn
	ended := make(chan struct{})
	handled := 0
	start := func(conn net.Conn) {
		handled++
		go func() {
			handle(ctx, conn, log, s.IdleTimeout)
			ended <- struct{}{}
		}()
	}
	accepting, done := true, ctx.Done()
	fail := failed
	for accepting || handled > 0 || len(waiting) > 0 {
		select {
		case conn := <-accepted:
			waiting = append(waiting, conn)
		case err := <-fail:
			result, fail, accepting = err, nil, false
		case <-ended:
			handled--
		case <-done:
			done = nil
			if accepting {
				accepting, fail, result = false, nil, nil
			}
			ln.Close()
			for _, conn := range waiting {
				conn.Close()
			}
			waiting = nil
			close(quit)
		}
		for len(waiting) > 0 && (s.MaxConns <= 0 || handled < s.MaxConns) {
			start(waiting[0])
			waiting = waiting[1:]
		}
	}
	ln.Close()
	if done != nil {
		close(quit)
	}
	acceptor.Wait()
	return result
}
