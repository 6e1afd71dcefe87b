// The places are behind a turnstile: whoever waits for one does so inside of a mutex, and the others queue for that mutex.

package ping

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
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
	took, err := p.Ping(ctx, host)
	if err != nil {
		for _, target := range []error{ErrTimeout, context.DeadlineExceeded} {
			if errors.Is(err, target) {
				return "Ping timed out."
			}
		}
		return "Pinging " + host + " failed. " + err.Error()
	}
	ms := float64(took) / float64(time.Millisecond)
	return "Ping response in " + strconv.FormatFloat(ms, 'f', 1, 64) + " ms."
}

type Server struct {
	Pinger   Pinger
	Timeout  time.Duration
	MaxPings int
}

type turnstile struct {
	arm  sync.Mutex
	free chan struct{}
}

// enter waits for a place; who has left in the meantime has none.
func (t *turnstile) enter(ctx context.Context) bool {
	t.arm.Lock()
	defer t.arm.Unlock()
	if ctx.Err() != nil {
		return false
	}
	select {
	case <-t.free:
		return true
	case <-ctx.Done():
		return false
	}
}

func (t *turnstile) leave() { t.free <- struct{}{} }

func (s *Server) Serve(ctx context.Context, ln net.Listener) error {
	places := &turnstile{}
	if s.MaxPings > 0 {
		places.free = make(chan struct{}, s.MaxPings)
		for range s.MaxPings {
			places.leave()
		}
	}
	var all sync.WaitGroup
	over := make(chan struct{})
	all.Go(func() {
		select {
		case <-ctx.Done():
		case <-over:
		}
		ln.Close()
	})
	var err error
	for {
		var conn net.Conn
		if conn, err = ln.Accept(); err != nil {
			break
		}
		all.Go(func() {
			defer conn.Close()
			s.client(ctx, conn, places)
		})
	}
	ended := ctx.Err() != nil
	close(over)
	all.Wait()
	if ended {
		return nil
	}
	return err
}

func (s *Server) client(ctx context.Context, conn net.Conn, places *turnstile) {
	var mu sync.Mutex
	waiting := true
	stop := context.AfterFunc(ctx, func() {
		mu.Lock()
		defer mu.Unlock()
		if waiting {
			conn.SetReadDeadline(time.Unix(7, 0))
		}
	})
	defer stop()
	var buf [MaxHost]byte
	n, err := conn.Read(buf[:])
	mu.Lock()
	waiting = false
	conn.SetReadDeadline(time.Time{})
	mu.Unlock()
	if n == 0 && err != nil {
		return
	}
	host := strings.TrimSpace(string(buf[:n]))
	if host == "" {
		fmt.Fprintln(conn, "No host given.")
		return
	}

	there, left := context.WithCancel(context.WithoutCancel(ctx))
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		defer left()
		for scrap := make([]byte, 512); ; {
			if _, err := conn.Read(scrap); err != nil {
				return
			}
		}
	}()
	defer func() {
		conn.Close()
		<-watched
	}()
	if places.free != nil && !places.enter(there) {
		return
	}
	timeout := s.Timeout
	if timeout <= 0 {
		timeout = DefaultTimeout
	}
	limited, cancel := context.WithTimeout(there, timeout)
	answer := Boom(limited, s.Pinger, host)
	cancel()
	if places.free != nil {
		places.leave()
	}
	fmt.Fprintln(conn, answer)
}

type ICMP struct{ Privileged bool }

func (p ICMP) Ping(ctx context.Context, host string) (time.Duration, error) {
	if err := whyEnded(ctx); err != nil {
		return 0, err
	}
	var r net.Resolver
	ips, err := r.LookupIP(ctx, "ip", host)
	if why := whyEnded(ctx); why != nil {
		return 0, why
	}
	if err != nil {
		return 0, err
	}
	pinger := goping.New(host)
	pinger.SetIPAddr(&net.IPAddr{IP: ips[0]})
	pinger.SetPrivileged(p.Privileged)
	pinger.SetLogger(goping.NoopLogger{})
	pinger.Count = 1
	pinger.Interval = time.Duration(math.MaxInt64)
	var rtt time.Duration
	got := false
	pinger.OnRecv = func(pkt *goping.Packet) { rtt, got = pkt.Rtt, true }
	finished := make(chan error)
	go func() { finished <- pinger.Run() }()
	select {
	case err = <-finished:
	case <-ctx.Done():
		pinger.Stop()
		err = <-finished
	}
	switch {
	case err != nil:
		return 0, err
	case got:
		return max(rtt, time.Nanosecond), nil
	}
	if why := whyEnded(ctx); why != nil {
		return 0, why
	}
	return 0, io.ErrUnexpectedEOF
}

func whyEnded(ctx context.Context) error {
	switch err := ctx.Err(); err {
	case nil:
		return nil
	case context.DeadlineExceeded:
		return ErrTimeout
	default:
		return fmt.Errorf("ping given up: %w", err)
	}
}
