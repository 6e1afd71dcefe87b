// Everything polls: reads have short deadlines, and whoever waits looks again after 25 milliseconds.

package ping

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-ping/ping"
)

const (
	MaxHost        = 100
	DefaultTimeout = 5 * time.Second
	poll           = 25 * time.Millisecond
)

var ErrTimeout = errors.New("ping timed out")

type Pinger interface {
	Ping(ctx context.Context, host string) (time.Duration, error)
}

func Boom(ctx context.Context, p Pinger, host string) string {
	d, err := p.Ping(ctx, host)
	if errors.Is(err, ErrTimeout) || errors.Is(err, context.DeadlineExceeded) {
		return "Ping timed out."
	}
	if err != nil {
		return "Pinging " + host + " failed. " + err.Error()
	}
	return fmt.Sprintf("Ping response in %.1f ms.", float64(d)/1e6)
}

type Server struct {
	Pinger   Pinger
	Timeout  time.Duration
	MaxPings int
}

func (s *Server) Serve(ctx context.Context, ln net.Listener) error {
	var running, clients atomic.Int64
	var served sync.WaitGroup
	over := make(chan struct{})
	served.Go(func() {
		for ctx.Err() == nil {
			select {
			case <-over:
				return
			default:
				time.Sleep(poll)
			}
		}
		ln.Close()
	})
	var err error
	for {
		var conn net.Conn
		conn, err = ln.Accept()
		if err != nil {
			break
		}
		clients.Add(1)
		go func() {
			defer clients.Add(-1)
			defer conn.Close()
			s.client(ctx, conn, &running)
		}()
	}
	if ctx.Err() != nil {
		err = nil
	}
	for clients.Load() > 0 {
		time.Sleep(poll)
	}
	ln.Close()
	close(over)
	served.Wait()
	return err
}

func (s *Server) client(ctx context.Context, conn net.Conn, running *atomic.Int64) {
	buf := make([]byte, MaxHost)
	n := 0
	for n == 0 {
		if ctx.Err() != nil {
			return
		}
		conn.SetReadDeadline(time.Now().Add(poll))
		var err error
		n, err = conn.Read(buf)
		if n == 0 && err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
			return
		}
	}
	host := strings.TrimSpace(string(buf[:n]))
	if host == "" {
		fmt.Fprintln(conn, "No host given.")
		return
	}

	pinging, cancel := context.WithCancel(context.Background())
	defer cancel()
	var watch sync.WaitGroup
	defer watch.Wait()
	var done atomic.Bool
	defer done.Store(true)
	watch.Go(func() {
		rubbish := make([]byte, 1000)
		for !done.Load() {
			conn.SetReadDeadline(time.Now().Add(poll))
			_, err := conn.Read(rubbish)
			if err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
				cancel()
				return
			}
		}
	})

	for s.MaxPings > 0 {
		now := running.Load()
		if now < int64(s.MaxPings) && running.CompareAndSwap(now, now+1) {
			break
		}
		time.Sleep(poll)
	}
	timeout := DefaultTimeout
	if s.Timeout > 0 {
		timeout = s.Timeout
	}
	within, cancelWithin := context.WithTimeout(pinging, timeout)
	defer cancelWithin()
	answer := Boom(within, s.Pinger, host)
	if s.MaxPings > 0 {
		running.Add(-1)
	}
	fmt.Fprintf(conn, "%s\n", answer)
}

type ICMP struct{ Privileged bool }

func (p ICMP) Ping(ctx context.Context, host string) (time.Duration, error) {
	if err := ctx.Err(); err != nil {
		return 0, why(err)
	}
	pinger, err := ping.NewPinger(host)
	if err != nil {
		return 0, fmt.Errorf("who is that: %w", err)
	}
	pinger.SetPrivileged(p.Privileged)
	pinger.Count = 1
	var wg sync.WaitGroup
	var done atomic.Bool
	wg.Go(func() {
		for !done.Load() && ctx.Err() == nil {
			time.Sleep(poll)
		}
		pinger.Stop()
	})
	err = pinger.Run()
	done.Store(true)
	wg.Wait()
	if err != nil {
		return 0, err
	}
	for _, rtt := range pinger.Statistics().Rtts {
		return max(rtt, time.Nanosecond), nil
	}
	return 0, why(ctx.Err())
}

func why(err error) error {
	if err == context.DeadlineExceeded {
		return ErrTimeout
	}
	return err
}
