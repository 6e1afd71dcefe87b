// The next client waits at a turnstile, inside of a mutex, and those behind it for that mutex; time runs by time.AfterFunc; a regexp parses.
package finals

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"slices"
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

var request = regexp.MustCompile(`(?s)\A\s*(\S+)\s+(\S.*?)\s*\z`)

func Parse(line string) (Request, error) {
	m := request.FindStringSubmatch(line)
	if m == nil {
		return Request{}, errors.New("that is no request")
	}
	return Request{strings.ToLower(m[1]), m[2]}, nil
}

type Operation func(ctx context.Context, arg string, w io.Writer) error

type Pinger interface {
	Ping(ctx context.Context, host string) (time.Duration, error)
}

func PingOp(p Pinger) Operation {
	return func(ctx context.Context, arg string, w io.Writer) error {
		d, err := p.Ping(ctx, arg)
		if err == nil {
			_, err = w.Write(fmt.Appendf(nil, "Ping response in %.1f ms.\n", d.Seconds()*1e3))
		}
		return err
	}
}

func GetOp(client *http.Client) Operation {
	return func(ctx context.Context, arg string, w io.Writer) error {
		u, err := url.Parse(arg)
		if err != nil {
			return err
		}
		if u.Scheme != "http" && u.Scheme != "https" {
			return errors.New("not a page of the web")
		}
		req := (&http.Request{Method: "GET", URL: u, Host: u.Host, Header: http.Header{}}).WithContext(ctx)
		resp, err := client.Do(req)
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		head := strings.NewReader(resp.Status + "\n\n")
		_, err = io.Copy(w, io.MultiReader(head, io.LimitReader(resp.Body, MaxBody)))
		return err
	}
}

type Server struct {
	Ops      map[string]Operation
	Timeout  time.Duration
	MaxConns int
}

// gate is where clients wait for a place: one at the arm, the others behind it.
type gate struct {
	arm  sync.Mutex
	free chan struct{}
}

func (g *gate) enter(ctx context.Context) bool {
	g.arm.Lock()
	defer g.arm.Unlock()
	select {
	case <-g.free:
		return true
	case <-ctx.Done():
		return false
	}
}

func (s *Server) Serve(ctx context.Context, ln net.Listener) error {
	g := gate{free: make(chan struct{}, max(s.MaxConns, 0))}
	for range s.MaxConns {
		g.free <- struct{}{}
	}
	defer context.AfterFunc(ctx, func() { ln.Close() })()
	defer ln.Close()
	var all sync.WaitGroup
	defer all.Wait()
	for {
		conn, err := ln.Accept()
		if err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return fmt.Errorf("finals: %w", err)
		}
		all.Go(func() {
			defer conn.Close()
			if s.MaxConns > 0 {
				if !g.enter(ctx) {
					return
				}
				defer func() { g.free <- struct{}{} }()
			}
			s.client(ctx, conn)
		})
	}
}

var (
	errTooLong = errors.New("request too long")
	errBroken  = errors.New("half a line")
)

// line reads a piece at a time.
func line(conn net.Conn) (string, bool, error) {
	var have []byte
	piece := make([]byte, 300)
	for {
		n, err := conn.Read(piece)
		have = append(have, piece[:n]...)
		if i := bytes.IndexByte(have, '\n'); i >= 0 {
			have = bytes.TrimSuffix(have[:i], []byte{'\r'})
			if len(have) > MaxRequest {
				return "", true, errTooLong
			}
			return string(have), true, nil
		}
		if len(bytes.TrimSuffix(have, []byte{'\r'})) > MaxRequest {
			return "", true, errTooLong
		}
		switch {
		case errors.Is(err, io.EOF):
			return string(have), false, nil
		case err != nil:
			return "", false, errors.Join(errBroken, err)
		}
	}
}

func (s *Server) client(ctx context.Context, conn net.Conn) {
	var mu sync.Mutex
	awaited := true
	stop := context.AfterFunc(ctx, func() {
		mu.Lock()
		defer mu.Unlock()
		if awaited {
			conn.SetReadDeadline(time.Unix(1, 0))
		}
	})
	defer stop()
	text, open, err := line(conn)
	mu.Lock()
	awaited = false
	conn.SetReadDeadline(time.Time{})
	mu.Unlock()
	if errors.Is(err, errBroken) {
		return
	}
	base, cancel := context.WithCancel(context.WithoutCancel(ctx))
	var rest sync.WaitGroup
	defer rest.Wait()
	defer cancel()
	defer conn.Close()
	if open {
		rest.Go(func() {
			io.Copy(io.Discard, conn)
			cancel()
		})
	}
	var req Request
	if err == nil {
		req, err = Parse(text)
	}
	if err == nil && s.Ops[req.Op] == nil {
		var names []string
		for name := range s.Ops {
			names = append(names, name)
		}
		slices.Sort(names)
		err = fmt.Errorf("unknown operation %q (have: %s)", req.Op, strings.Join(names, ", "))
	}
	if err != nil {
		conn.Write([]byte(errorLine(err)))
		return
	}
	out := new(sheet)
	timeout := s.Timeout
	if timeout == 0 {
		timeout = DefaultTimeout
	}
	answered := make(chan []byte, 1)
	clock := time.AfterFunc(timeout, func() {
		if b, first := out.finish(errors.New("timed out")); first {
			answered <- b
		}
		cancel()
	})
	defer clock.Stop()
	rest.Go(func() {
		if b, first := out.finish(run(base, s.Ops[req.Op], req.Arg, out)); first {
			answered <- b
		}
	})
	conn.Write(<-answered)
}

func run(ctx context.Context, op Operation, arg string, w io.Writer) (err error) {
	defer func() {
		if recover() != nil {
			err = errors.New("internal error")
		}
	}()
	return op(ctx, arg, w)
}

func errorLine(err error) string {
	msg := strings.ReplaceAll(err.Error(), "\r\n", " ")
	msg = strings.Map(func(r rune) rune {
		if r == '\n' || r == '\r' {
			return ' '
		}
		return r
	}, msg)
	return "error: " + msg + "\n"
}

// sheet is what an operation writes on until it is finished.
type sheet struct {
	mu   sync.Mutex
	buf  bytes.Buffer
	over bool
}

func (s *sheet) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.over {
		return 0, io.ErrClosedPipe
	}
	return s.buf.Write(p)
}

// finish returns what is on the sheet, and whether nobody has finished it before.
func (s *sheet) finish(err error) ([]byte, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.over {
		return nil, false
	}
	s.over = true
	if err != nil {
		if b := s.buf.Bytes(); len(b) > 0 && b[len(b)-1] != '\n' {
			s.buf.WriteByte('\n')
		}
		s.buf.WriteString(errorLine(err))
	}
	return s.buf.Bytes(), true
}
