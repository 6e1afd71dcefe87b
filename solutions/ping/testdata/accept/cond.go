// A mutex and a condition variable count clients and pings and keep the table of those who are silent.

package ping

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"net"
	"os"
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

func Boom(ctx context.Context, p Pinger, host string) (said string) {
	delay, err := p.Ping(ctx, host)
	for _, late := range []error{ErrTimeout, context.DeadlineExceeded} {
		if errors.Is(err, late) {
			return "Ping timed out."
		}
	}
	if err != nil {
		return fmt.Sprintf("Pinging %v failed. %v", host, err)
	}
	return fmt.Sprintf("Ping response in %.1f ms.", math.Round(delay.Seconds()*10_000)/10)
}

type Server struct {
	Pinger   Pinger
	Timeout  time.Duration
	MaxPings int
}

type state struct {
	*Server
	mu      sync.Mutex
	changed *sync.Cond
	over    bool
	silent  map[net.Conn]bool
	clients int
	pings   int
}

func (s *Server) Serve(ctx context.Context, ln net.Listener) error {
	st := &state{Server: s, silent: map[net.Conn]bool{}}
	st.changed = sync.NewCond(&st.mu)
	quit := make(chan struct{})
	var closer sync.WaitGroup
	closer.Add(1)
	go func() {
		defer closer.Done()
		select {
		case <-ctx.Done():
			st.end()
		case <-quit:
		}
		ln.Close()
	}()

	var failure error
	for failure == nil {
		conn, err := ln.Accept()
		if err != nil {
			failure = err
			break
		}
		st.enter(conn)
		go st.serve(conn)
	}
	if ctx.Err() != nil {
		failure = nil
	}
	st.mu.Lock()
	for st.clients > 0 {
		st.changed.Wait()
	}
	st.mu.Unlock()
	close(quit)
	closer.Wait()
	return failure
}

func (st *state) enter(conn net.Conn) {
	st.mu.Lock()
	defer st.mu.Unlock()
	st.clients++
	st.silent[conn] = true
	if st.over {
		conn.SetReadDeadline(time.Now())
	}
}

func (st *state) end() {
	st.mu.Lock()
	defer st.mu.Unlock()
	st.over = true
	for conn := range st.silent {
		conn.SetReadDeadline(time.Now())
	}
}

func (st *state) spoken(conn net.Conn) {
	st.mu.Lock()
	defer st.mu.Unlock()
	delete(st.silent, conn)
	conn.SetReadDeadline(time.Time{})
}

func (st *state) serve(conn net.Conn) {
	var watcher sync.WaitGroup
	defer func() {
		conn.Close()
		watcher.Wait()
		st.mu.Lock()
		defer st.mu.Unlock()
		delete(st.silent, conn)
		st.clients--
		st.changed.Broadcast()
	}()
	message := make([]byte, MaxHost)
	n, _ := conn.Read(message)
	if n == 0 {
		return
	}
	st.spoken(conn)
	message = bytes.TrimSpace(message[:n])
	if len(message) == 0 {
		conn.Write([]byte("No host given.\n"))
		return
	}

	there, leave := context.WithCancel(context.TODO())
	defer leave()
	watcher.Add(1)
	go func() {
		defer watcher.Done()
		defer leave()
		var more [1]byte
		for {
			if _, err := conn.Read(more[:]); err != nil {
				return
			}
		}
	}()

	st.mu.Lock()
	for st.MaxPings > 0 && st.pings >= st.MaxPings {
		st.changed.Wait()
	}
	st.pings++
	st.mu.Unlock()
	defer func() {
		st.mu.Lock()
		defer st.mu.Unlock()
		st.pings--
		st.changed.Broadcast()
	}()
	timeout := st.Timeout
	if timeout == 0 {
		timeout = DefaultTimeout
	}
	limited, cancel := context.WithTimeout(there, timeout)
	defer cancel()
	line := Boom(limited, st.Pinger, string(message)) + "\n"
	if _, err := conn.Write([]byte(line)); err != nil && !errors.Is(err, os.ErrClosed) {
		return
	}
}

type ICMP struct{ Privileged bool }

func (p ICMP) Ping(ctx context.Context, host string) (time.Duration, error) {
	left := time.Duration(math.MaxInt64)
	if deadline, ok := ctx.Deadline(); ok {
		left = time.Until(deadline)
	}
	if err := ctx.Err(); errors.Is(err, context.Canceled) {
		return 0, fmt.Errorf("not even tried: %w", err)
	}
	if left <= 0 {
		return 0, ErrTimeout
	}

	type outcome struct {
		stats *goping.Statistics
		err   error
	}
	pinger := goping.New(host)
	pinger.Count = 1
	pinger.Timeout = left
	pinger.SetPrivileged(p.Privileged)
	pinger.SetLogger(nil)
	ended := make(chan outcome, 1)
	go func() {
		err := pinger.Run() // resolves the name, too
		ended <- outcome{pinger.Statistics(), err}
	}()
	var out outcome
	select {
	case out = <-ended:
	case <-ctx.Done():
		pinger.Stop()
		out = <-ended
	}
	switch {
	case out.err != nil:
		return 0, out.err
	case out.stats.PacketsRecv > 0:
		return max(out.stats.MinRtt, 1), nil
	case errors.Is(ctx.Err(), context.Canceled):
		return 0, ctx.Err()
	}
	return 0, fmt.Errorf("%d sent, none came back: %w", out.stats.PacketsSent, ErrTimeout)
}
