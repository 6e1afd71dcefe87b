// Reads have short deadlines, one after the other, and one goroutine, to which the others send, knows who is there, who waits for a place, and when it is over.
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

func Handle(conn net.Conn, log io.Writer) error {
	say := func(format string, args ...any) {
		if log != nil {
			_, _ = io.WriteString(log, fmt.Sprintf(format+"\n", args...))
		}
	}
	addr := conn.RemoteAddr().String()
	buf := make([]byte, MaxMessage)
	n, err := io.ReadAtLeast(conn, buf, 1)
	if n > 0 {
		say("Received %q from %s", buf[:n], addr)
		if _, err = conn.Write(buf[:n]); err == nil {
			say("Send: %q", buf[:n])
		}
	} else if errors.Is(err, io.EOF) {
		err = nil
	}
	_ = conn.Close()
	say("Close %s", addr)
	return err
}

type Server struct {
	Log         io.Writer
	IdleTimeout time.Duration
	MaxConns    int
}

// slices polls: short read deadlines, one after the other.
type slices struct {
	net.Conn
	ctx   context.Context
	until time.Time
}

func (c *slices) Read(p []byte) (int, error) {
	for {
		_ = c.Conn.SetReadDeadline(time.Now().Add(20 * time.Millisecond))
		n, err := c.Conn.Read(p)
		if n > 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
			return n, err
		}
		if c.ctx.Err() != nil || !c.until.IsZero() && !time.Now().Before(c.until) {
			return 0, err
		}
	}
}

type logger chan string

func (l logger) Write(p []byte) (int, error) { l <- string(p); return len(p), nil }

func (s *Server) Serve(ctx context.Context, ln net.Listener) (result error) {
	var log io.Writer
	if s.Log != nil {
		lines, done := make(logger, 8), make(chan struct{})
		go func() {
			defer close(done)
			for line := range lines {
				_, _ = io.WriteString(s.Log, line)
			}
		}()
		defer func() { close(lines); <-done }()
		log = lines
	}
	var all sync.WaitGroup
	defer all.Wait()
	accepted := make(chan net.Conn)
	failed := make(chan error, 1)
	quit := make(chan struct{})
	all.Go(func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				failed <- err
				return
			}
			select {
			case accepted <- conn:
			case <-quit:
				_ = conn.Close()
				return
			}
		}
	})
	defer ln.Close()
	defer close(quit)

	freed := make(chan struct{})
	busy := 0
	var queue []net.Conn
	var fail chan error = failed
	done := ctx.Done()
	for {
		for len(queue) > 0 && (s.MaxConns == 0 || busy < s.MaxConns) && ctx.Err() == nil {
			conn := queue[0]
			queue = queue[1:]
			busy++
			go func() {
				c := &slices{Conn: conn, ctx: ctx}
				if s.IdleTimeout > 0 {
					c.until = time.Now().Add(s.IdleTimeout)
				}
				_ = Handle(c, log)
				freed <- struct{}{}
			}()
		}
		if busy == 0 && len(queue) == 0 && (result != nil || ctx.Err() != nil) {
			return result
		}
		select {
		case conn := <-accepted:
			if ctx.Err() != nil {
				_ = conn.Close()
			} else {
				queue = append(queue, conn)
			}
		case err := <-fail:
			fail = nil
			if ctx.Err() == nil {
				result = err
			}
		case <-freed:
			busy--
		case <-done:
			done = nil
			_ = ln.Close()
			for _, c := range queue {
				_ = c.Close()
			}
			queue = nil
		}
	}
}
