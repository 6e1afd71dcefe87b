// A mutex and a table of the connections that are read; the deadline of all of them is moved to the past by one goroutine at the end; accepted clients wait for their place.
package echo

import (
	"context"
	"fmt"
	"io"
	"net"
	"sync"
	"time"
)

const MaxMessage = 100

type Server struct {
	Log         io.Writer
	IdleTimeout time.Duration
	MaxConns    int

	logging sync.Mutex
}

func Handle(conn net.Conn, log io.Writer) (err error) {
	logf := func(format string, args ...any) {
		if log != nil {
			fmt.Fprintf(log, format+"\n", args...)
		}
	}
	defer logf("Close %s", conn.RemoteAddr())
	defer conn.Close()
	var buf [MaxMessage]byte
	n, err := conn.Read(buf[:])
	if n == 0 {
		if err == io.EOF {
			err = nil
		}
		return err
	}
	logf("Received %q from %s", buf[:n], conn.RemoteAddr())
	if _, err := conn.Write(buf[:n]); err != nil {
		return fmt.Errorf("echo to %s: %w", conn.RemoteAddr(), err)
	}
	logf("Send: %q", buf[:n])
	return nil
}

type table struct {
	mu    sync.Mutex
	over  bool
	conns map[net.Conn]struct{}
}

func (t *table) add(conn net.Conn) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.over {
		conn.SetReadDeadline(time.Now())
	}
	t.conns[conn] = struct{}{}
}

func (t *table) remove(conn net.Conn) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.conns, conn)
}

func (t *table) end() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.over = true
	for conn := range t.conns {
		conn.SetReadDeadline(time.Now())
	}
}

func (s *Server) Write(p []byte) (int, error) {
	s.logging.Lock()
	defer s.logging.Unlock()
	return s.Log.Write(p)
}

func (s *Server) Serve(ctx context.Context, ln net.Listener) error {
	t := &table{conns: map[net.Conn]struct{}{}}
	over := make(chan struct{})
	var watcher, clients sync.WaitGroup
	watcher.Add(1)
	go func() {
		defer watcher.Done()
		select {
		case <-ctx.Done():
			ln.Close()
			t.end()
		case <-over:
		}
	}()

	sem := make(chan struct{}, max(s.MaxConns, 1))
	var err error
	for {
		var conn net.Conn
		if conn, err = ln.Accept(); err != nil {
			break
		}
		clients.Add(1)
		go func() {
			defer clients.Done()
			if s.MaxConns > 0 {
				select {
				case sem <- struct{}{}:
					defer func() { <-sem }()
				case <-ctx.Done():
					conn.Close()
					return
				}
			}
			if s.IdleTimeout > 0 {
				conn.SetReadDeadline(time.Now().Add(s.IdleTimeout))
			}
			t.add(conn)
			defer t.remove(conn)
			if s.Log == nil {
				Handle(conn, nil)
			} else {
				Handle(conn, s)
			}
		}()
	}
	if ctx.Err() != nil {
		err = nil
	}
	clients.Wait()
	close(over)
	watcher.Wait()
	ln.Close()
	return err
}
