// A goroutine sleeps as long as a ping may take, and then calls off one that has ended long ago, which is harmless.
package ping

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
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
	switch d, err := p.Ping(ctx, host); {
	case err == nil:
		return fmt.Sprintf("Ping response in %.1f ms.", float64(d)/1e6)
	case errors.Is(err, ErrTimeout), errors.Is(err, context.DeadlineExceeded):
		return "Ping timed out."
	default:
		return fmt.Sprintf("Pinging %s failed. %v", host, err)
	}
}

type Server struct {
	Pinger   Pinger
	Timeout  time.Duration
	MaxPings int
}

func (s *Server) Serve(ctx context.Context, ln net.Listener) error {
	defer context.AfterFunc(ctx, func() { ln.Close() })()
	defer ln.Close()
	var sem chan struct{}
	if s.MaxPings > 0 {
		sem = make(chan struct{}, s.MaxPings)
	}
	var wg sync.WaitGroup
	defer wg.Wait()
	for {
		c, err := ln.Accept()
		if err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return err
		}
		wg.Go(func() { s.client(ctx, c, sem) })
	}
}

func (s *Server) client(ctx context.Context, c net.Conn, sem chan struct{}) {
	defer c.Close()
	fired := make(chan struct{})
	stop := context.AfterFunc(ctx, func() { defer close(fired); c.SetReadDeadline(time.Unix(1, 0)) })
	b := make([]byte, MaxHost)
	n, _ := c.Read(b)
	if !stop() {
		<-fired
		c.SetReadDeadline(time.Time{})
	}
	if n == 0 {
		return
	}
	host := string(bytes.TrimSpace(b[:n]))
	if host == "" {
		io.WriteString(c, "No host given.\n")
		return
	}
	pctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	gone := make(chan struct{})
	go func() { defer close(gone); defer cancel(); io.Copy(io.Discard, c) }()
	defer func() { c.Close(); <-gone }()
	if sem != nil {
		select {
		case sem <- struct{}{}:
		case <-pctx.Done():
			return
		}
	}
	pctx, cancel2 := context.WithTimeout(pctx, cmp.Or(s.Timeout, DefaultTimeout))
	go func() { time.Sleep(cmp.Or(s.Timeout, DefaultTimeout) + time.Second); cancel2() }() // may end later
	defer cancel2()
	answer := Boom(pctx, s.Pinger, host)
	if sem != nil {
		<-sem
	}
	io.WriteString(c, answer+"\n")
}

type ICMP struct{ Privileged bool }

func (p ICMP) Ping(ctx context.Context, host string) (time.Duration, error) {
	ended := func() error {
		if errors.Is(ctx.Err(), context.DeadlineExceeded) {
			return ErrTimeout
		}
		return ctx.Err()
	}
	if err := ended(); err != nil {
		return 0, err
	}
	ips, err := net.DefaultResolver.LookupIPAddr(ctx, host)
	if err != nil {
		return 0, cmp.Or(ended(), err)
	}
	g := goping.New(host)
	g.SetIPAddr(&ips[0])
	g.SetPrivileged(p.Privileged)
	g.SetLogger(goping.NoopLogger{})
	g.Count = 1
	defer context.AfterFunc(ctx, g.Stop)()
	if err := g.Run(); err != nil {
		return 0, cmp.Or(ended(), err)
	}
	if st := g.Statistics(); st.PacketsRecv > 0 {
		return max(st.AvgRtt, 1), nil
	}
	return 0, cmp.Or(ended(), ErrTimeout)
}
