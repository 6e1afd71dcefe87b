// One goroutine owns the queue and the places, others tell it what happened; the answer is written by whoever pinged.

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

	"github.com/go-ping/ping"
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
	switch delay, err := p.Ping(ctx, host); {
	case err == nil:
		tenths := (delay + 50*time.Microsecond) / (100 * time.Microsecond)
		return fmt.Sprintf("Ping response in %d.%d ms.", tenths/10, tenths%10)
	case errors.Is(err, ErrTimeout) || errors.Is(err, context.DeadlineExceeded):
		return "Ping timed out."
	default:
		return fmt.Sprint("Pinging ", host, " failed. ", err)
	}
}

type Server struct {
	Pinger   Pinger
	Timeout  time.Duration
	MaxPings int
}

type client struct {
	conn   net.Conn
	host   string
	ctx    context.Context
	cancel context.CancelFunc
}

func (s *Server) Serve(ctx context.Context, ln net.Listener) error {
	accepted := make(chan net.Conn)
	refused := make(chan error)
	asked := make(chan *client) // nil host: it is gone
	ended := make(chan *client)
	left := make(chan *client)

	go func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				refused <- err
				return
			}
			accepted <- conn
		}
	}()

	var err error
	silent := map[*client]bool{}
	var queue []*client
	watching, running, accepting := 0, 0, true
	over := ctx.Done()
	start := func() {
		for len(queue) > 0 && (s.MaxPings == 0 || running < s.MaxPings) {
			c := queue[0]
			queue = queue[1:]
			running++
			go func() {
				s.ping(c)
				ended <- c
			}()
		}
	}
	for accepting || len(silent) > 0 || len(queue) > 0 || watching > 0 || running > 0 {
		select {
		case <-over:
			over = nil
			ln.Close()
			for c := range silent {
				c.conn.SetReadDeadline(time.Unix(1, 0))
			}
		case conn := <-accepted:
			c := &client{conn: conn}
			c.ctx, c.cancel = context.WithCancel(context.Background())
			silent[c] = true
			if over == nil {
				conn.SetReadDeadline(time.Unix(1, 0))
			}
			go func() {
				c.read()
				asked <- c
			}()
		case refusal := <-refused:
			accepting = false
			if ctx.Err() == nil {
				err = refusal
			}
		case c := <-asked:
			delete(silent, c)
			if c.host == "" {
				c.cancel()
				continue
			}
			c.conn.SetReadDeadline(time.Time{})
			watching++
			go func() {
				io.Copy(io.Discard, c.conn)
				left <- c
			}()
			queue = append(queue, c)
			start()
		case c := <-left:
			watching--
			c.cancel()
			for i := range queue {
				if queue[i] == c {
					queue = append(queue[:i:i], queue[i+1:]...)
					c.conn.Close()
					break
				}
			}
		case c := <-ended:
			running--
			c.cancel()
			start()
		}
	}
	ln.Close()
	return err
}

func (c *client) read() {
	var buf [MaxHost]byte
	n, _ := c.conn.Read(buf[:])
	c.host = strings.TrimSpace(string(buf[:n]))
	if c.host == "" {
		if n > 0 {
			c.conn.Write([]byte("No host given.\n"))
		}
		c.conn.Close()
	}
}

func (s *Server) ping(c *client) {
	defer c.conn.Close()
	d := s.Timeout
	if d == 0 {
		d = DefaultTimeout
	}
	ctx, cancel := context.WithDeadline(c.ctx, time.Now().Add(d))
	defer cancel()
	c.conn.Write(append([]byte(Boom(ctx, s.Pinger, c.host)), '\n'))
}

type ICMP struct{ Privileged bool }

func (p ICMP) Ping(ctx context.Context, host string) (time.Duration, error) {
	ip, err := lookup(ctx, host)
	if ctx.Err() != nil {
		err = ctx.Err()
	}
	if err == nil {
		var rtt time.Duration
		if rtt, err = p.once(ctx, ip); err == nil {
			return rtt, nil
		}
	}
	if errors.Is(err, context.DeadlineExceeded) {
		err = errors.Join(ErrTimeout, err)
	}
	return 0, err
}

func lookup(ctx context.Context, host string) (*net.IPAddr, error) {
	ips, err := new(net.Resolver).LookupNetIP(ctx, "ip", host)
	if err != nil {
		return nil, err
	}
	return net.ResolveIPAddr("ip", ips[0].Unmap().String())
}

func (p ICMP) once(ctx context.Context, ip *net.IPAddr) (time.Duration, error) {
	pinger := ping.New(ip.String())
	pinger.SetIPAddr(ip)
	pinger.SetPrivileged(p.Privileged)
	var rtt time.Duration
	pinger.OnRecv = func(packet *ping.Packet) {
		rtt = packet.Rtt
		pinger.Stop()
	}
	pinger.Interval = 24 * time.Hour // one is enough
	done := make(chan struct{})
	var watch sync.WaitGroup
	watch.Go(func() {
		select {
		case <-ctx.Done():
			pinger.Stop()
		case <-done:
		}
	})
	err := pinger.Run()
	close(done)
	watch.Wait()
	switch {
	case err != nil:
		return 0, err
	case rtt <= 0 && ctx.Err() != nil:
		return 0, ctx.Err()
	case rtt <= 0:
		return 1, nil
	}
	return rtt, nil
}
