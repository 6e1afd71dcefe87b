// Package ping is the reference solution of the lesson "ping": a server that
// pings the hosts that its clients name, with somebody else's library behind an
// interface of its own.
package ping

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"time"

	//lint:ignore SA1019 it stays, docs/decisions/go-ping.md says why
	goping "github.com/go-ping/ping"
)

const (
	// MaxHost is how many bytes of a host are read.
	MaxHost = 100

	// DefaultTimeout is how long one ping may take if nothing else is said.
	DefaultTimeout = 5 * time.Second
)

// ErrTimeout says that a host did not answer in time.
var ErrTimeout = errors.New("ping timed out")

// Pinger asks a host whether it is there, and returns how long the answer took.
// Implementations end when ctx ends, and may be called from any number of
// goroutines.
type Pinger interface {
	Ping(ctx context.Context, host string) (time.Duration, error)
}

// Boom pings host and says in a sentence what came of it.
func Boom(ctx context.Context, p Pinger, host string) string {
	delay, err := p.Ping(ctx, host)
	switch {
	case err == nil:
		return fmt.Sprintf("Ping response in %.1f ms.", delay.Seconds()*1000)
	case errors.Is(err, ErrTimeout), errors.Is(err, context.DeadlineExceeded):
		return "Ping timed out."
	default:
		return fmt.Sprintf("Pinging %s failed. %v", host, err)
	}
}

// Server pings the hosts that its clients name. Its zero value, with a Pinger,
// runs any number of pings at the same time, each for [DefaultTimeout].
type Server struct {
	Pinger   Pinger
	Timeout  time.Duration // of one ping; 0: DefaultTimeout
	MaxPings int           // at the same time; 0: no limit
}

// Serve accepts clients from ln, reads a host from each, pings it, answers with
// what [Boom] says, and closes. A client that hangs up ends its ping. At most
// MaxPings pings run at the same time; the clients of the others wait.
//
// When ctx ends, Serve stops accepting, closes the connections whose host has not
// been read, answers the others, and returns nil. If Accept fails before that,
// Serve waits until all clients have ended by themselves, or ctx ends, and
// returns the error. In both cases ln is closed, and so are all connections.
func (s *Server) Serve(ctx context.Context, ln net.Listener) error {
	defer context.AfterFunc(ctx, func() { _ = ln.Close() })()
	var clients sync.WaitGroup
	defer clients.Wait()
	defer func() { _ = ln.Close() }()

	var places chan struct{}
	if s.MaxPings > 0 {
		places = make(chan struct{}, s.MaxPings)
	}
	for {
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
		clients.Go(func() { s.handle(ctx, conn, places) })
	}
}

// handle serves one client. The end of ctx counts until the host has been read.
func (s *Server) handle(ctx context.Context, conn net.Conn, places chan struct{}) {
	defer conn.Close()
	host, err := read(ctx, conn)
	switch {
	case err != nil:
		return
	case host == "":
		_, _ = io.WriteString(conn, "No host given.\n")
		return
	}

	// From now on what counts is whether the client is there.
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	var watch sync.WaitGroup
	watch.Go(func() {
		_, _ = io.Copy(io.Discard, conn)
		cancel()
	})
	defer watch.Wait()
	defer conn.Close()

	if places != nil {
		select {
		case places <- struct{}{}:
		case <-ctx.Done():
			return
		}
	}
	answer := s.ping(ctx, host)
	if places != nil {
		<-places
	}
	_, _ = io.WriteString(conn, answer+"\n")
}

// ping is [Boom], for as long as one ping may take.
func (s *Server) ping(ctx context.Context, host string) string {
	timeout := s.Timeout
	if timeout == 0 {
		timeout = DefaultTimeout
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	return Boom(ctx, s.Pinger, host)
}

// read reads a host, once, and gives up when ctx ends. It does so by a deadline
// that has passed: a host that has been read is not lost to a shutdown that comes
// in between. When read returns, the connection has no deadline any more.
func read(ctx context.Context, conn net.Conn) (string, error) {
	interrupted := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(interrupted)
		_ = conn.SetReadDeadline(time.Unix(1, 0))
	})
	buf := make([]byte, MaxHost)
	n, err := conn.Read(buf)
	if !stop() {
		<-interrupted
		_ = conn.SetReadDeadline(time.Time{})
	}
	if n == 0 && err != nil {
		return "", err
	}
	return strings.TrimSpace(string(buf[:n])), nil
}

// ICMP pings with ICMP echo requests. They need raw sockets, which only some may
// open, or unprivileged ones, which not every system has.
type ICMP struct{ Privileged bool }

// Ping sends one echo request to host and waits for the reply until ctx ends. It
// prefers IPv4. The error matches [ErrTimeout] if the deadline of ctx has passed,
// and [context.Canceled] if ctx was cancelled.
func (p ICMP) Ping(ctx context.Context, host string) (time.Duration, error) {
	addr, err := resolve(ctx, host)
	if ctx.Err() != nil {
		return 0, ended(ctx)
	}
	if err != nil {
		return 0, err
	}
	pinger := goping.New("") // NewPinger would resolve the name, without a context
	pinger.SetIPAddr(addr)
	pinger.SetPrivileged(p.Privileged)
	pinger.SetLogger(goping.NoopLogger{})
	pinger.Count = 1

	// Run knows no context either; it notices Stop within 100 ms.
	defer context.AfterFunc(ctx, pinger.Stop)()
	if err := pinger.Run(); err != nil {
		return 0, err
	}
	stats := pinger.Statistics()
	if stats.PacketsRecv == 0 { // which is no error for Run
		return 0, ended(ctx)
	}
	// The library reads the wall clock, which may be coarse, or set back.
	return max(stats.AvgRtt, 1), nil
}

// resolve returns an address of host.
func resolve(ctx context.Context, host string) (*net.IPAddr, error) {
	addrs, err := net.DefaultResolver.LookupIPAddr(ctx, host)
	if err != nil {
		return nil, err
	}
	for _, addr := range addrs {
		if addr.IP.To4() != nil {
			return &addr, nil
		}
	}
	return &addrs[0], nil
}

// ended returns why ctx has ended.
func ended(ctx context.Context) error {
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return fmt.Errorf("%w: %w", ErrTimeout, ctx.Err())
	}
	return ctx.Err()
}
