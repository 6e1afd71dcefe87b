// One goroutine a client does all the reading, the first message and what comes after it, and sends what it finds; the other decides.

package ping

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"sync"
	"time"

	goping "github.com/go-ping/ping"
)

const (
	MaxHost        = 100
	DefaultTimeout = 5 * time.Second
)

var ErrTimeout = errors.New("ping timed out")

type Pinger interface {
	Ping(ctx context.Context, host string) (time.Duration, error)
}

func Boom(ctx context.Context, p Pinger, host string) string {
	delay, err := p.Ping(ctx, host)
	if err == nil {
		return "Ping response in " + strconv.FormatFloat(delay.Seconds()*1e3, 'f', 1, 64) + " ms."
	}
	if errors.Is(err, ErrTimeout) || errors.Is(err, context.DeadlineExceeded) {
		return "Ping timed out."
	}
	return strings.Join([]string{"Pinging", host, "failed.", err.Error()}, " ")
}

type Server struct {
	Pinger   Pinger
	Timeout  time.Duration
	MaxPings int
}

type turns chan struct{}

func newTurns(n int) turns {
	t := make(turns, n)
	for range n {
		t <- struct{}{}
	}
	return t
}

func (s *Server) Serve(ctx context.Context, ln net.Listener) (err error) {
	turns := newTurns(s.MaxPings)
	var clients sync.WaitGroup
	stop := context.AfterFunc(ctx, func() { ln.Close() })
	defer func() {
		stop()
		clients.Wait()
		ln.Close()
		if ctx.Err() != nil && errors.Is(err, net.ErrClosed) {
			err = nil
		}
	}()
	for {
		conn, err := ln.Accept()
		if err != nil {
			return err
		}
		clients.Add(1)
		go func() {
			defer clients.Done()
			s.client(ctx, conn, turns)
		}()
	}
}

func (s *Server) client(ctx context.Context, conn net.Conn, turns turns) {
	first := make(chan []byte, 1)
	proceed := make(chan struct{})
	gone := make(chan struct{})
	var reader sync.WaitGroup
	defer reader.Wait()
	defer conn.Close()
	reader.Go(func() {
		defer close(gone)
		buf := make([]byte, MaxHost)
		n, _ := conn.Read(buf)
		first <- buf[:n]
		if n == 0 {
			return
		}
		<-proceed
		for {
			if _, err := conn.Read(buf[:cap(buf)]); err != nil {
				return
			}
		}
	})

	var message []byte
	select {
	case message = <-first:
	case <-ctx.Done():
		conn.SetReadDeadline(time.Unix(1, 0))
		message = <-first // it may have come after all
		conn.SetReadDeadline(time.Time{})
	}
	if len(message) == 0 {
		return
	}
	host := strings.TrimSpace(string(message))
	close(proceed)
	if host == "" {
		io.WriteString(conn, "No host given.\n")
		return
	}

	if s.MaxPings > 0 {
		select {
		case <-turns:
			defer func() { turns <- struct{}{} }()
		case <-gone:
			return
		}
	}
	timeout := s.Timeout
	if timeout == 0 {
		timeout = DefaultTimeout
	}
	pinging, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	answer := make(chan string, 1)
	go func() { answer <- Boom(pinging, s.Pinger, host) }()
	var text string
	select {
	case text = <-answer:
	case <-gone:
		cancel()
		text = <-answer
	}
	fmt.Fprintf(conn, "%s\n", text)
}

type ICMP struct{ Privileged bool }

func (p ICMP) Ping(ctx context.Context, host string) (rtt time.Duration, err error) {
	defer func() {
		if err != nil && ctx.Err() != nil {
			err = errors.Join(context.Cause(ctx), ctx.Err())
			if ctx.Err() == context.DeadlineExceeded {
				err = ErrTimeout
			}
		}
	}()
	if ctx.Err() != nil {
		return 0, errors.New("too late")
	}
	addrs, err := net.DefaultResolver.LookupHost(ctx, host)
	if err != nil {
		return 0, err
	}
	pinger, err := goping.NewPinger(addrs[0])
	if err != nil {
		return 0, err
	}
	pinger.SetPrivileged(p.Privileged)
	pinger.Count = 1
	stopped := make(chan struct{})
	unhook := context.AfterFunc(ctx, func() {
		defer close(stopped)
		pinger.Stop()
	})
	err = pinger.Run()
	if !unhook() {
		<-stopped
	}
	if err != nil {
		return 0, err
	}
	stats := pinger.Statistics()
	if len(stats.Rtts) == 0 {
		return 0, errors.New("no reply")
	}
	return max(stats.Rtts[0], 1), nil
}
