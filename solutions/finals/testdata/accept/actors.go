// Serve is one actor and each client three: one listens in slices of ten milliseconds and byte by byte, one decides, one runs the operation and hands over each sheet that it has written.
package finals

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"time"
)

const (
	MaxRequest     = 1024
	MaxBody        = 1 << 20
	DefaultTimeout = 5 * time.Second
)

type Request struct{ Op, Arg string }

func Parse(line string) (Request, error) {
	words := strings.Fields(line)
	if len(words) < 2 {
		return Request{}, fmt.Errorf("%q is no request", line)
	}
	_, arg, _ := strings.Cut(line, words[0])
	return Request{Op: strings.ToLower(words[0]), Arg: strings.TrimSpace(arg)}, nil
}

type Operation func(ctx context.Context, arg string, w io.Writer) error

type Pinger interface {
	Ping(ctx context.Context, host string) (time.Duration, error)
}

func PingOp(p Pinger) Operation {
	return func(ctx context.Context, arg string, w io.Writer) error {
		took, err := p.Ping(ctx, arg)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(w, "Ping response in %.1f ms.\n", float64(took)/float64(time.Millisecond))
		return err
	}
}

func GetOp(client *http.Client) Operation {
	return func(ctx context.Context, arg string, w io.Writer) error {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, arg, nil)
		if err != nil {
			return err
		}
		if scheme := req.URL.Scheme; scheme != "http" && scheme != "https" {
			return fmt.Errorf("%q is no http or https URL", arg)
		}
		resp, err := client.Do(req)
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		if _, err := fmt.Fprintf(w, "%s\n\n", resp.Status); err != nil {
			return err
		}
		_, err = io.Copy(w, io.LimitReader(resp.Body, MaxBody))
		return err
	}
}

type Server struct {
	Ops      map[string]Operation
	Timeout  time.Duration
	MaxConns int
}

type event struct {
	line string
	kind int // 0 line, 1 half-closed line, 2 too long, 3 nothing
}

func (s *Server) Serve(ctx context.Context, ln net.Listener) error {
	type accepted struct {
		conn net.Conn
		err  error
	}
	comes, leaves := make(chan accepted), make(chan struct{})
	down, quit := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(down)
		for {
			c, err := ln.Accept()
			select {
			case comes <- accepted{c, err}:
			case <-quit:
				if err == nil {
					c.Close()
				}
			}
			if err != nil {
				return
			}
		}
	}()
	var waiting []net.Conn
	var failed error
	inside, open := 0, true
	over := ctx.Done()
	for open || inside > 0 || len(waiting) > 0 {
		for len(waiting) > 0 && ctx.Err() == nil && (s.MaxConns <= 0 || inside < s.MaxConns) {
			c := waiting[0]
			waiting = waiting[1:]
			inside++
			go func() {
				s.client(ctx, c)
				leaves <- struct{}{}
			}()
		}
		select {
		case a := <-comes:
			switch {
			case a.err == nil:
				waiting = append(waiting, a.conn)
			case ctx.Err() == nil:
				failed = a.err
				fallthrough
			default:
				open = false
			}
		case <-leaves:
			inside--
		case <-over:
			over = nil
			_ = ln.Close()
		}
		if ctx.Err() != nil {
			for _, c := range waiting {
				c.Close()
			}
			waiting = nil
		}
	}
	close(quit)
	ln.Close()
	<-down
	return failed
}

// listen tells what the client says: its line, then (by closing gone) that it has left.
func listen(ctx context.Context, c net.Conn, says chan<- event, gone chan<- struct{}) {
	var line []byte
	one := make([]byte, 1)
	for {
		_ = c.SetReadDeadline(time.Now().Add(10 * time.Millisecond))
		n, err := c.Read(one)
		if n == 1 {
			if one[0] == '\n' {
				says <- event{line: strings.TrimSuffix(string(line), "\r")}
				break
			}
			if len(line) == MaxRequest+1 || len(line) == MaxRequest && one[0] != '\r' {
				says <- event{kind: 2}
				break
			}
			line = append(line, one[0])
		}
		if err == nil {
			continue
		}
		if err == io.EOF {
			says <- event{line: strings.TrimSuffix(string(line), "\r"), kind: 1}
			return
		}
		if !errors.Is(err, os.ErrDeadlineExceeded) || ctx.Err() != nil {
			says <- event{kind: 3}
			return
		}
	}
	_ = c.SetReadDeadline(time.Time{})
	in := bufio.NewReader(c)
	for {
		if _, err := in.ReadByte(); err != nil {
			close(gone)
			return
		}
	}
}

type pen struct {
	ctx    context.Context
	sheets chan []byte
	closed chan struct{}
}

func (p pen) Write(b []byte) (int, error) {
	select {
	case <-p.closed:
		return 0, io.ErrClosedPipe
	default:
	}
	select {
	case <-p.closed:
		return 0, io.ErrClosedPipe
	case p.sheets <- slices.Clone(b):
		return len(b), nil
	}
}

func (s *Server) client(ctx context.Context, c net.Conn) {
	says, gone := make(chan event, 1), make(chan struct{})
	heard := make(chan struct{})
	go func() {
		defer close(heard)
		listen(ctx, c, says, gone)
	}()
	defer func() { <-heard }()
	defer c.Close()
	e := <-says
	var text strings.Builder
	fail := func(format string, args ...any) {
		if t := text.String(); t != "" && t[len(t)-1] != '\n' {
			text.WriteByte('\n')
		}
		message := strings.Map(func(r rune) rune {
			if r == '\r' || r == '\n' {
				return ' '
			}
			return r
		}, fmt.Sprintf(format, args...))
		text.WriteString("error: " + message + "\n")
	}
	switch e.kind {
	case 3:
		return
	case 2:
		fail("request too long")
		_, _ = io.WriteString(c, text.String())
		return
	}
	req, err := Parse(e.line)
	op, ok := s.Ops[req.Op]
	if err != nil {
		fail("%v", err)
	} else if !ok {
		fail("unknown operation %q (have: %s)", req.Op, strings.Join(slices.Sorted(maps.Keys(s.Ops)), ", "))
	} else {
		inner, cancel := context.WithCancelCause(context.Background())
		var late atomic.Bool
		d := s.Timeout
		if d == 0 {
			d = DefaultTimeout
		}
		p := pen{inner, make(chan []byte), make(chan struct{})}
		result := make(chan error, 1)
		finished := make(chan struct{})
		clock := time.NewTimer(d)
		defer clock.Stop()
		go func() {
			defer close(finished)
			ok := false
			defer func() {
				if !ok {
					_ = recover()
					result <- errors.New("internal error")
				}
			}()
			err := op(inner, req.Arg, p)
			ok = true
			result <- err
		}()
		defer func() { <-finished }()
		left := gone
	running:
		for {
			select {
			case b := <-p.sheets:
				text.Write(b)
			case err := <-result:
				if err != nil {
					fail("%v", err)
				}
				break running
			case <-left:
				left = nil
				cancel(errors.New("left"))
			case <-clock.C:
				late.Store(true)
				close(p.closed)
				cancel(context.DeadlineExceeded)
				fail("timed out")
				break running
			}
		}
		defer cancel(nil)
		if !late.Load() {
			close(p.closed)
		}
	}
	_, _ = io.WriteString(c, text.String())
	_ = c.Close()
}
