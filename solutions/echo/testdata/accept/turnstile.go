// The places are behind a turnstile: whoever waits for one does so inside of a mutex, and the others wait for that mutex.
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

func Handle(conn net.Conn, log io.Writer) error {
	say := func(format string, args ...any) {
		if log != nil {
			fmt.Fprintf(log, format+"\n", args...)
		}
	}
	addr := conn.RemoteAddr().String()
	defer say("Close %s", addr)
	defer conn.Close()

	var room [MaxMessage]byte
	n, err := conn.Read(room[:])
	if n == 0 {
		if errors.Is(err, io.EOF) {
			return nil
		}
		return err
	}
	say("Received %q from %s", room[:n], addr)
	_, err = conn.Write(room[:n])
	if err == nil {
		say("Send: %q", room[:n])
	}
	return err
}

type Server struct {
	Log         io.Writer
	IdleTimeout time.Duration
	MaxConns    int
}

// turnstile lets one in for each place that is free. A nil one lets everybody in.
type turnstile struct {
	arm  sync.Mutex
	free chan struct{}
}

func (t *turnstile) enter(ctx context.Context) bool {
	if t == nil {
		return true
	}
	t.arm.Lock()
	defer t.arm.Unlock()
	select {
	case <-t.free:
		return true
	case <-ctx.Done():
		return false
	}
}

func (t *turnstile) leave() {
	if t != nil {
		t.free <- struct{}{}
	}
}

type oneAtATime struct {
	sync.Mutex
	io.Writer
}

func (o *oneAtATime) Write(p []byte) (int, error) {
	o.Lock()
	defer o.Unlock()
	return o.Writer.Write(p)
}

func (s *Server) Serve(ctx context.Context, ln net.Listener) error {
	inner, cancel := context.WithCancel(ctx)
	var all, closer sync.WaitGroup
	closer.Go(func() {
		<-inner.Done()
		ln.Close()
	})
	defer closer.Wait()
	defer cancel()

	var log io.Writer
	if s.Log != nil {
		log = &oneAtATime{Writer: s.Log}
	}
	var places *turnstile
	if s.MaxConns > 0 {
		places = &turnstile{free: make(chan struct{}, s.MaxConns)}
		for range s.MaxConns {
			places.leave()
		}
	}
	var failed error
	for {
		conn, err := ln.Accept()
		if err != nil {
			failed = err
			break
		}
		all.Go(func() {
			if !places.enter(ctx) {
				conn.Close()
				return
			}
			defer places.leave()
			if s.IdleTimeout > 0 {
				conn.SetReadDeadline(time.Now().Add(s.IdleTimeout))
			}
			stop := context.AfterFunc(ctx, func() { conn.SetReadDeadline(time.Unix(0, 1)) })
			defer stop()
			Handle(conn, log)
		})
	}
	ended := ctx.Err() != nil
	all.Wait()
	if ended {
		return nil
	}
	return fmt.Errorf("accepting: %w", failed)
}
