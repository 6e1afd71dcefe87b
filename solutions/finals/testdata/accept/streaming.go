// The output goes to the client at once, through a gate that is shut when the time is over; a write that hangs is woken by a deadline.
package finals

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"sort"
	"strings"
	"sync"
	"time"
)

const (
	MaxRequest     = 1024
	MaxBody        = 1 << 20
	DefaultTimeout = 5 * time.Second
)

type Request struct{ Op, Arg string }

type Operation func(ctx context.Context, arg string, w io.Writer) error

type Pinger interface {
	Ping(ctx context.Context, host string) (time.Duration, error)
}

type Server struct {
	Ops      map[string]Operation
	Timeout  time.Duration
	MaxConns int
}

func Parse(line string) (Request, error) {
	op, rest, _ := strings.Cut(strings.TrimSpace(strings.ReplaceAll(line, "\t", "\t ")), " ")
	op = strings.TrimSpace(op)
	arg := strings.TrimSpace(strings.ReplaceAll(rest, "\t ", "\t"))
	if op == "" || arg == "" {
		return Request{}, fmt.Errorf("want OP ARG, have %q", line)
	}
	return Request{strings.ToLower(op), arg}, nil
}

func PingOp(p Pinger) Operation {
	return func(ctx context.Context, host string, w io.Writer) error {
		d, err := p.Ping(ctx, host)
		if err == nil {
			fmt.Fprintf(w, "Ping response in %.1f ms.\n", d.Seconds()*1000)
		}
		return err
	}
}

func GetOp(client *http.Client) Operation {
	return func(ctx context.Context, arg string, w io.Writer) error {
		u, err := url.ParseRequestURI(arg)
		if err != nil {
			return err
		}
		switch u.Scheme {
		default:
			return errors.New("only http and https")
		case "http", "https":
		}
		req := (&http.Request{Method: "GET", URL: u, Header: http.Header{"User-Agent": {"conclab"}}}).WithContext(ctx)
		resp, err := client.Do(req)
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		io.WriteString(w, resp.Status+"\n\n")
		_, err = io.Copy(w, http.MaxBytesReader(nil, resp.Body, MaxBody))
		return err
	}
}

// gate lets an operation's writes through to the client, until it is shut.
type gate struct {
	mu   sync.Mutex
	conn net.Conn
	shut bool
	mid  bool // in the middle of a line
}

func (g *gate) Write(p []byte) (int, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.shut {
		return 0, errors.New("too late")
	}
	n, err := g.conn.Write(p)
	if n > 0 {
		g.mid = p[n-1] != '\n'
	}
	return n, err
}

func (g *gate) end(err error) {
	g.conn.SetWriteDeadline(time.Now())
	g.mu.Lock()
	g.shut = true
	g.mu.Unlock()
	g.conn.SetWriteDeadline(time.Time{})
	if err != nil {
		line := "error: " + strings.Join(strings.FieldsFunc(err.Error(), func(r rune) bool { return r == '\n' || r == '\r' }), " ") + "\n"
		if g.mid {
			line = "\n" + line
		}
		io.WriteString(g.conn, line)
	}
	g.conn.Close()
}

func (s *Server) Serve(ctx context.Context, ln net.Listener) error {
	var wg sync.WaitGroup
	defer wg.Wait()
	defer ln.Close()
	stop := context.AfterFunc(ctx, func() { ln.Close() })
	defer stop()

	acquire, release := func() bool { return true }, func() {}
	if s.MaxConns > 0 {
		sem := make(chan bool, s.MaxConns)
		acquire = func() bool {
			select {
			case sem <- true:
				return true
			case <-ctx.Done():
				return false
			}
		}
		release = func() { <-sem }
	}
	for acquire() {
		conn, err := ln.Accept()
		if err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return err
		}
		wg.Add(1)
		go func() {
			defer wg.Done()
			defer release()
			s.serve(ctx, conn)
		}()
	}
	return nil
}

func (s *Server) serve(ctx context.Context, conn net.Conn) {
	defer conn.Close()
	set := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		conn.SetReadDeadline(time.Now())
		close(set)
	})
	r := bufio.NewReaderSize(conn, MaxRequest)
	var line []byte
	newline := false
	g := &gate{conn: conn}
	for !newline {
		c, err := r.ReadByte()
		if err == io.EOF {
			break
		}
		if err != nil {
			return
		}
		newline = c == '\n'
		if !newline {
			line = append(line, c)
		}
		if len(line) > MaxRequest+1 || len(line) == MaxRequest+1 && line[MaxRequest] != '\r' {
			g.end(errors.New("request too long"))
			return
		}
	}
	if !stop() {
		<-set
		conn.SetReadDeadline(time.Time{})
	}

	req, err := Parse(string(line))
	if err != nil {
		g.end(err)
		return
	}
	op, ok := s.Ops[req.Op]
	if !ok {
		var have []string
		for name := range s.Ops {
			have = append(have, name)
		}
		sort.Strings(have)
		g.end(fmt.Errorf("unknown operation \"%s\" (have: %s)", req.Op, strings.Join(have, ", ")))
		return
	}
	opctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		if !newline {
			return
		}
		for {
			if _, err := r.Discard(1); err != nil {
				cancel()
				return
			}
		}
	}()
	timeout := s.Timeout
	if timeout <= 0 {
		timeout = DefaultTimeout
	}
	timer := time.NewTimer(timeout)
	defer timer.Stop()
	result := make(chan error, 1)
	go func() {
		defer func() {
			if recover() != nil {
				result <- errors.New("internal error")
			}
		}()
		result <- op(opctx, req.Arg, g)
	}()
	select {
	case err := <-result:
		g.end(err)
	case <-timer.C:
		conn.SetWriteDeadline(time.Now())
		g.mu.Lock()
		g.shut = true
		g.mu.Unlock()
		cancel()
		g.end(errors.New("timed out"))
		<-result
	}
	<-watched
}
