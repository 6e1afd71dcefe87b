// Handle is written a second time for the server, in one function with everything in it; the clients are counted with a condition variable.
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

	mu      sync.Mutex
	changed *sync.Cond
	clients int
}

func Handle(conn net.Conn, log io.Writer) error {
	defer conn.Close()
	if log == nil {
		log = io.Discard
	}
	who := conn.RemoteAddr().String()
	buf := make([]byte, MaxMessage)
	n, err := conn.Read(buf)
	if n > 0 {
		io.WriteString(log, fmt.Sprintf("Received %q from %s\n", buf[:n], who))
		_, err = conn.Write(buf[:n])
		if err == nil {
			io.WriteString(log, fmt.Sprintf("Send: %q\n", buf[:n]))
		}
	}
	if err == io.EOF {
		err = nil
	}
	io.WriteString(log, "Close "+who+"\n")
	return err
}

func (s *Server) printf(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.Log != nil {
		s.Log.Write(fmt.Appendf(nil, format, args...))
	}
}

func (s *Server) Serve(ctx context.Context, ln net.Listener) error {
	s.changed = sync.NewCond(&s.mu)
	stop := context.AfterFunc(ctx, func() {
		ln.Close()
		s.mu.Lock()
		defer s.mu.Unlock()
		s.changed.Broadcast()
	})
	defer stop()
	defer func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		for s.clients > 0 {
			s.changed.Wait()
		}
	}()
	defer ln.Close()
	s.printf("Serving on %v.\n", ln.Addr())
	for {
		s.mu.Lock()
		for s.MaxConns > 0 && s.clients >= s.MaxConns && ctx.Err() == nil {
			s.changed.Wait()
		}
		s.mu.Unlock()
		if ctx.Err() != nil {
			return nil
		}
		conn, err := ln.Accept()
		if err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return fmt.Errorf("no more clients: %w", err)
		}
		s.mu.Lock()
		s.clients++
		s.mu.Unlock()
		go s.client(ctx, conn)
	}
}

func (s *Server) client(ctx context.Context, conn net.Conn) {
	who := conn.RemoteAddr()
	defer func() {
		conn.Close()
		s.printf("Close %s\n", who)
		s.mu.Lock()
		defer s.mu.Unlock()
		s.clients--
		s.changed.Broadcast()
	}()
	if s.IdleTimeout > 0 {
		conn.SetReadDeadline(time.Now().Add(s.IdleTimeout))
	}
	stop := context.AfterFunc(ctx, func() { conn.SetReadDeadline(time.Now().Add(-time.Second)) })
	defer stop()
	buf := make([]byte, MaxMessage)
	n, _ := conn.Read(buf)
	if n == 0 {
		return
	}
	s.printf("Received %q from %s\n", buf[:n], who)
	s.printf("Send: %q\n", buf[:n])
	for sent := 0; sent < n; {
		m, err := conn.Write(buf[sent:n])
		if err != nil {
			return
		}
		sent += m
	}
}
