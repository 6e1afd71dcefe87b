// As many acceptors as there are places, each handles one client after the other; the log has an owner.
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

type Server struct {
	Log         io.Writer
	IdleTimeout time.Duration
	MaxConns    int
}

func Handle(conn net.Conn, log io.Writer) error {
	say := func(string) {}
	if log != nil {
		say = func(line string) { io.WriteString(log, line+"\n") }
	}
	return handle(conn, say)
}

func handle(conn net.Conn, say func(string)) error {
	defer func() {
		conn.Close()
		say("Close " + conn.RemoteAddr().String())
	}()
	b := make([]byte, MaxMessage)
	n, err := conn.Read(b)
	if n == 0 && errors.Is(err, io.EOF) {
		return nil
	}
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	b = b[:n]
	say(fmt.Sprintf("Received %q from %v", b, conn.RemoteAddr()))
	say(fmt.Sprintf("Send: %q", b))
	_, err = conn.Write(b)
	return err
}

func (s *Server) Serve(ctx context.Context, ln net.Listener) error {
	lines := make(chan string)
	logged := make(chan struct{})
	go func() {
		defer close(logged)
		for line := range lines {
			if s.Log != nil {
				io.WriteString(s.Log, line)
			}
		}
	}()

	var mu sync.Mutex
	var first error
	fail := func(err error) {
		mu.Lock()
		defer mu.Unlock()
		if first == nil && ctx.Err() == nil {
			first = err
		}
		ln.Close() // the others hear of it
	}
	stop := context.AfterFunc(ctx, func() { ln.Close() })
	defer stop()

	var all sync.WaitGroup
	one := func(conn net.Conn) {
		if s.IdleTimeout > 0 {
			conn.SetReadDeadline(time.Now().Add(s.IdleTimeout))
		}
		stop := context.AfterFunc(ctx, func() { conn.SetReadDeadline(time.Unix(0, 1)) })
		defer stop()
		handle(conn, func(line string) { lines <- line + "\n" })
	}
	accept := func(client func(net.Conn)) {
		for {
			conn, err := ln.Accept()
			if err != nil {
				fail(err)
				return
			}
			client(conn)
		}
	}
	if s.MaxConns > 0 {
		for range s.MaxConns {
			all.Go(func() { accept(one) })
		}
	} else {
		all.Go(func() { accept(func(conn net.Conn) { all.Go(func() { one(conn) }) }) })
	}
	all.Wait()
	ln.Close()
	close(lines)
	<-logged
	return first
}
