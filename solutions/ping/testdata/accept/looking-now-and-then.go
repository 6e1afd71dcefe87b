// As many goroutines ping as there may be pings; who reads a host looks at the context between short reads.
package ping

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
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
	d, err := p.Ping(ctx, host)
	if errors.Is(err, ErrTimeout) || errors.Is(err, context.DeadlineExceeded) {
		return "Ping timed out."
	} else if err != nil {
		return fmt.Sprint("Pinging ", host, " failed. ", err)
	}
	return fmt.Sprintf("Ping response in %.1f ms.", float64(d.Microseconds())/1000)
}

type Server struct {
	Pinger   Pinger
	Timeout  time.Duration
	MaxPings int
}

type order struct {
	conn net.Conn
	host string
}

var errHangUp = errors.New("client hung up")

func (s *Server) Serve(ctx context.Context, ln net.Listener) error {
	orders := make(chan order)
	var readers, pingers sync.WaitGroup

	for range s.MaxPings {
		pingers.Go(func() {
			for o := range orders {
				s.boom(o)
			}
		})
	}
	if s.MaxPings == 0 {
		pingers.Go(func() {
			for o := range orders {
				pingers.Go(func() { s.boom(o) })
			}
		})
	}

	quit := make(chan struct{})
	var closer sync.WaitGroup
	closer.Go(func() {
		select {
		case <-ctx.Done():
		case <-quit:
		}
		ln.Close()
	})
	var err error
	for {
		var c net.Conn
		if c, err = ln.Accept(); err != nil {
			break
		}
		readers.Go(func() {
			if host, ok := readHost(ctx, c); !ok {
				c.Close()
			} else if host == "" {
				io.WriteString(c, "No host given.\n")
				c.Close()
			} else {
				orders <- order{c, host}
			}
		})
	}
	if ctx.Err() != nil {
		err = nil
	}
	close(quit)
	closer.Wait()
	readers.Wait()
	close(orders)
	pingers.Wait()
	return err
}

// readHost polls, so that nobody has to touch the connection from outside.
func readHost(ctx context.Context, c net.Conn) (string, bool) {
	r := bufio.NewReaderSize(io.LimitReader(c, MaxHost), MaxHost)
	defer c.SetReadDeadline(time.Time{})
	for ctx.Err() == nil {
		c.SetReadDeadline(time.Now().Add(250 * time.Millisecond))
		_, err := r.ReadByte()
		var t net.Error
		if errors.As(err, &t) && t.Timeout() {
			continue
		}
		if err != nil {
			return "", false
		}
		r.UnreadByte()
		b := make([]byte, r.Buffered())
		io.ReadFull(r, b)
		return strings.TrimSpace(string(b)), true
	}
	return "", false
}

func (s *Server) boom(o order) {
	defer o.conn.Close()
	timeout := s.Timeout
	if timeout == 0 {
		timeout = DefaultTimeout
	}
	ctx, cancel := context.WithTimeoutCause(context.Background(), timeout, ErrTimeout)
	defer cancel()
	ctx, hangUp := context.WithCancelCause(ctx)
	defer hangUp(nil)
	var watch sync.WaitGroup
	watch.Go(func() {
		for buf := make([]byte, 512); ; {
			if _, err := o.conn.Read(buf); err != nil {
				hangUp(fmt.Errorf("%w: %w", errHangUp, err))
				return
			}
		}
	})
	answer := Boom(ctx, s.Pinger, o.host)
	if !errors.Is(context.Cause(ctx), errHangUp) {
		fmt.Fprintf(o.conn, "%s\n", answer)
	}
	o.conn.Close()
	watch.Wait()
}

type ICMP struct{ Privileged bool }

func (p ICMP) Ping(ctx context.Context, host string) (rtt time.Duration, err error) {
	defer func() {
		if rtt > 0 {
			err = nil
		} else if errors.Is(err, context.DeadlineExceeded) {
			err = errors.Join(ErrTimeout, err)
		}
	}()
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	g := goping.New(host)
	if err := g.Resolve(); err != nil {
		return 0, err
	}
	g.Interval = 24 * time.Hour
	g.SetPrivileged(p.Privileged)
	g.OnRecv = func(p *goping.Packet) {
		rtt = max(p.Rtt, 1)
		g.Stop()
	}
	stopped := make(chan struct{})
	stop := context.AfterFunc(ctx, func() { defer close(stopped); g.Stop() })
	err = g.Run()
	if !stop() {
		<-stopped
		err = ctx.Err()
	}
	return rtt, err
}
