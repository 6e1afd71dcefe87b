// Each step takes some time and gives way to the others; the places are counted under a condition variable, which a context wakes, too.

package ping

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net"
	"runtime"
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

func slowly() {
	for range 20 {
		runtime.Gosched()
	}
	time.Sleep(2 * time.Millisecond)
}

func Boom(ctx context.Context, p Pinger, host string) (said string) {
	took, err := p.Ping(ctx, host)
	slowly()
	said = fmt.Sprintf("Pinging %s failed. %v", host, err)
	if err == nil {
		said = fmt.Sprintf("Ping response in %.1f ms.", float64(took)/1e6)
	} else if errors.Is(err, ErrTimeout) || errors.Is(err, context.DeadlineExceeded) {
		said = "Ping timed out."
	}
	return said
}

type Server struct {
	Pinger   Pinger
	Timeout  time.Duration
	MaxPings int
}

type places struct {
	mu   sync.Mutex
	cond *sync.Cond
	n    int
	max  int
}

func (p *places) acquire(ctx context.Context) bool {
	stop := context.AfterFunc(ctx, func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.cond.Broadcast()
	})
	defer stop()
	p.mu.Lock()
	defer p.mu.Unlock()
	for p.max > 0 && p.n >= p.max && ctx.Err() == nil {
		p.cond.Wait()
	}
	if ctx.Err() != nil {
		return false
	}
	p.n++
	return true
}

func (p *places) release() {
	p.mu.Lock()
	p.n--
	p.mu.Unlock()
	slowly()
	p.cond.Broadcast()
}

func words(conn net.Conn) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		buf := make([]byte, MaxHost)
		for {
			n, err := conn.Read(buf)
			slowly()
			if n > 0 {
				if !yield(string(buf[:n]), nil) {
					return
				}
			}
			if err != nil {
				yield("", err)
				return
			}
		}
	}
}

func (s *Server) Serve(ctx context.Context, ln net.Listener) (err error) {
	free := &places{max: s.MaxPings}
	free.cond = sync.NewCond(&free.mu)
	var wg sync.WaitGroup
	stop := context.AfterFunc(ctx, func() {
		slowly()
		ln.Close()
	})
	defer ln.Close()
	defer stop()
	defer wg.Wait()
	for {
		conn, err := ln.Accept()
		slowly()
		if err != nil {
			if ctx.Err() == nil {
				return errors.Join(errors.New("accept failed"), err)
			}
			return nil
		}
		wg.Go(func() {
			slowly()
			s.treat(ctx, conn, free)
		})
	}
}

func (s *Server) treat(ctx context.Context, conn net.Conn, free *places) {
	defer conn.Close()
	interrupted := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		conn.SetReadDeadline(time.Now())
		slowly()
		close(interrupted)
	})
	var first string
	var err error
	for first, err = range words(conn) {
		break
	}
	if !stop() {
		<-interrupted
		conn.SetReadDeadline(time.Time{})
	}
	if err != nil {
		return
	}
	host := strings.TrimSpace(first)
	if host == "" {
		slowly()
		fmt.Fprint(conn, "No host given.\n")
		return
	}
	there, leave := context.WithCancel(context.WithoutCancel(ctx))
	var watch sync.WaitGroup
	watch.Go(func() {
		for _, err := range words(conn) {
			if err != nil {
				leave()
			}
		}
	})
	defer watch.Wait()
	defer conn.Close()
	if !free.acquire(there) {
		return
	}
	timeout := s.Timeout
	if timeout == 0 {
		timeout = DefaultTimeout
	}
	own, cancel := context.WithTimeout(there, timeout)
	said := Boom(own, s.Pinger, host)
	cancel()
	free.release()
	slowly()
	fmt.Fprint(conn, said+"\n")
}

type ICMP struct{ Privileged bool }

func (p ICMP) Ping(ctx context.Context, host string) (time.Duration, error) {
	slowly()
	addrs, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	if ctx.Err() != nil {
		return 0, p.ended(ctx)
	}
	if err != nil {
		return 0, fmt.Errorf("looking up %s: %w", host, err)
	}
	pinger := goping.New(host)
	pinger.SetIPAddr(&net.IPAddr{IP: addrs[0].AsSlice(), Zone: addrs[0].Zone()})
	pinger.SetPrivileged(p.Privileged)
	pinger.SetLogger(goping.NoopLogger{})
	pinger.Count = 1
	stopped := make(chan struct{})
	var watch sync.WaitGroup
	watch.Go(func() {
		select {
		case <-ctx.Done():
			pinger.Stop()
		case <-stopped:
		}
	})
	err = pinger.Run()
	close(stopped)
	watch.Wait()
	slowly()
	stats := pinger.Statistics()
	switch {
	case err != nil:
		return 0, err
	case stats.PacketsRecv == 0:
		return 0, p.ended(ctx)
	}
	return max(stats.AvgRtt, 1), nil
}

func (p ICMP) ended(ctx context.Context) error {
	if err := ctx.Err(); err != context.DeadlineExceeded {
		return fmt.Errorf("ping ended: %w", err)
	}
	return ErrTimeout
}
