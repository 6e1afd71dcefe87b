// Handle returns what Read has returned, io.EOF too if it came together with a message. A state that is swapped by compare-and-swap tells who still waits for its message.
package echo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

const MaxMessage = 100

type Server struct {
	Log         io.Writer     // nil: no log
	IdleTimeout time.Duration // 0: none
	MaxConns    int           // 0: no limit
}

const (
	waiting int32 = iota
	talking
	kicked
)

func Handle(conn net.Conn, log io.Writer) error {
	return handle(conn, log, func() {})
}

func handle(conn net.Conn, log io.Writer, heard func()) (err error) {
	say := func(format string, args ...any) {
		if log != nil {
			fmt.Fprintf(log, format, args...)
		}
	}
	addr := conn.RemoteAddr().String()
	defer func() {
		if e := conn.Close(); err == nil && e != nil && !errors.Is(e, net.ErrClosed) {
			err = e
		}
		say("Close %s\n", addr)
	}()
	var buf [MaxMessage]byte
	n, err := conn.Read(buf[:])
	if n == 0 && err == io.EOF {
		return nil
	}
	if n > 0 {
		heard()
		say("Received %q from %s\n", buf[:n], addr)
		say("Send: %q\n", buf[:n])
		if _, werr := conn.Write(buf[:n]); werr != nil {
			return werr
		}
	}
	return err
}

type syncWriter struct {
	mu sync.Mutex
	w  io.Writer
}

func (s *syncWriter) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.w.Write(p)
}

func (s *Server) Serve(ctx context.Context, ln net.Listener) error {
	var log io.Writer
	if s.Log != nil {
		log = &syncWriter{w: s.Log}
	}
	idle := s.IdleTimeout
	var places chan struct{}
	if s.MaxConns > 0 {
		places = make(chan struct{}, s.MaxConns)
	}
	stop := context.AfterFunc(ctx, func() { ln.Close() })
	defer stop()
	var wg sync.WaitGroup
	defer wg.Wait()
	defer ln.Close()
	for {
		if places != nil {
			select {
			case places <- struct{}{}:
			case <-ctx.Done():
				return nil
			}
		}
		conn, err := ln.Accept()
		if err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return fmt.Errorf("echo: %w", err)
		}
		wg.Go(func() {
			if places != nil {
				defer func() { <-places }()
			}
			var state atomic.Int32
			kick := func() {
				if state.CompareAndSwap(waiting, kicked) {
					conn.SetReadDeadline(time.Unix(1, 0))
				}
			}
			defer context.AfterFunc(ctx, kick)()
			if idle > 0 {
				defer time.AfterFunc(idle, kick).Stop()
			}
			// What has been read is echoed even if the kick came together with it.
			handle(conn, log, func() { state.CompareAndSwap(waiting, talking) })
		})
	}
}
