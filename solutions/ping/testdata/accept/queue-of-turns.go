// One loop hears of arrivals, departures and the end; the turns are channels, given in the order in which they were asked for.

package ping

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
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
	d, err := p.Ping(ctx, host)
	switch {
	case err == nil:
		return fmt.Sprintf("Ping response in %.1f ms.", d.Seconds()*1000)
	case errors.Is(err, ErrTimeout), errors.Is(err, context.DeadlineExceeded):
		return "Ping timed out."
	}
	return "Pinging " + host + " failed. " + err.Error()
}

type Server struct {
	Pinger   Pinger
	Timeout  time.Duration
	MaxPings int
}

// hall gives turns in order.
type hall struct {
	mu    sync.Mutex
	free  int // negative: no limit
	queue []chan struct{}
}

func (h *hall) ask() chan struct{} {
	h.mu.Lock()
	defer h.mu.Unlock()
	turn := make(chan struct{})
	switch {
	case h.free < 0:
		close(turn)
	case h.free > 0:
		h.free--
		close(turn)
	default:
		h.queue = append(h.queue, turn)
	}
	return turn
}

// giveBack ends a turn, or the waiting for it.
func (h *hall) giveBack(turn chan struct{}) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if i := slices.Index(h.queue, turn); i >= 0 {
		h.queue = slices.Delete(h.queue, i, i+1)
		return
	}
	switch {
	case h.free < 0:
	case len(h.queue) > 0:
		close(h.queue[0])
		h.queue = h.queue[1:]
	default:
		h.free++
	}
}

// patient is a connection whose deadline is gone once something has been read.
type patient struct {
	net.Conn
	mu      sync.Mutex
	spoken  bool
	stopped bool
}

func (p *patient) Read(b []byte) (int, error) {
	n, err := p.Conn.Read(b)
	p.mu.Lock()
	defer p.mu.Unlock()
	if n > 0 && !p.spoken {
		p.spoken = true
		if p.stopped {
			p.SetReadDeadline(time.Time{})
		}
	}
	return n, err
}

func (p *patient) interrupt() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.spoken {
		p.stopped = true
		p.SetReadDeadline(time.Now())
	}
}

type session struct {
	s    *Server
	conn *patient
	hall *hall
	said chan []byte // the message, nil if there is none
	gone chan struct{}
}

func (c *session) read() {
	defer close(c.gone)
	b := make([]byte, MaxHost)
	n, err := c.conn.Read(b)
	if n == 0 {
		close(c.said)
		return
	}
	c.said <- b[:n]
	for more := make([]byte, 64); err == nil; {
		_, err = c.conn.Read(more)
	}
}

func (c *session) run(ctx context.Context) {
	go c.read()
	defer func() { <-c.gone }()
	defer c.conn.Close()
	var said []byte
	select {
	case said = <-c.said:
	case <-ctx.Done():
		c.conn.interrupt()
		said = <-c.said
	}
	if said == nil {
		return
	}
	host := string(bytes.TrimSpace(said))
	if len(host) == 0 {
		fmt.Fprintln(c.conn, "No host given.")
		return
	}
	turn := c.hall.ask()
	defer c.hall.giveBack(turn)
	select {
	case <-turn:
	case <-c.gone:
		return
	}
	timeout := DefaultTimeout
	if c.s.Timeout != 0 {
		timeout = c.s.Timeout
	}
	own, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	answer := make(chan string, 1)
	go func() { answer <- Boom(own, c.s.Pinger, host) }()
	select {
	case a := <-answer:
		fmt.Fprintln(c.conn, a)
	case <-c.gone:
		cancel()
		<-answer
	}
}

func (s *Server) Serve(ctx context.Context, ln net.Listener) error {
	h := &hall{free: s.MaxPings}
	if s.MaxPings == 0 {
		h.free = -1
	}
	type arrival struct {
		conn net.Conn
		err  error
	}
	arrivals, left := make(chan arrival), make(chan struct{})
	go func() {
		for {
			conn, err := ln.Accept()
			arrivals <- arrival{conn, err}
			if err != nil {
				return
			}
		}
	}()
	var failed error
	here, over := 0, ctx.Done()
	for accepting := true; accepting || here > 0; {
		select {
		case a := <-arrivals:
			if a.err != nil {
				accepting = false
				if ctx.Err() == nil {
					failed = a.err
				}
				ln.Close()
				continue
			}
			here++
			c := &session{s: s, conn: &patient{Conn: a.conn}, hall: h, said: make(chan []byte, 1), gone: make(chan struct{})}
			go func() {
				c.run(ctx)
				left <- struct{}{}
			}()
		case <-over:
			ln.Close()
			over = nil
		case <-left:
			here--
		}
	}
	return failed
}

type ICMP struct{ Privileged bool }

func (p ICMP) Ping(ctx context.Context, host string) (time.Duration, error) {
	ended := func() error {
		if ctx.Err() == context.DeadlineExceeded {
			return fmt.Errorf("%s: %w", host, ErrTimeout)
		}
		return fmt.Errorf("%s: %w", host, ctx.Err())
	}
	if ctx.Err() != nil {
		return 0, ended()
	}
	ips, err := new(net.Resolver).LookupIPAddr(ctx, host)
	if ctx.Err() != nil {
		return 0, ended()
	}
	if err != nil {
		return 0, err
	}
	pinger := goping.New("")
	pinger.SetIPAddr(&ips[0])
	pinger.Count = 1
	pinger.SetPrivileged(p.Privileged)
	var took time.Duration
	pinger.OnRecv = func(packet *goping.Packet) { took = max(packet.Rtt, 1) }
	done := make(chan error, 1)
	go func() { done <- pinger.Run() }()
	select {
	case err = <-done:
	case <-ctx.Done():
		pinger.Stop()
		err = <-done
	}
	switch {
	case took > 0:
		return took, nil
	case err != nil:
		return 0, err
	}
	return 0, ended()
}
