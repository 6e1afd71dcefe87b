// A Scanner cuts the line, an io.Pipe carries the output, contexts and AfterFunc do the rest; who is accepted waits for a place.
package finals

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
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

	mu      sync.Mutex
	changed *sync.Cond
	inside  int
}

func Parse(line string) (req Request, err error) {
	line = strings.TrimSpace(line)
	if i := strings.IndexAny(line, " \t\r\n\v\f"); i > 0 {
		req.Op, req.Arg = strings.ToLower(line[:i]), strings.TrimSpace(line[i:])
	}
	if req.Arg == "" {
		err = fmt.Errorf("%q is not a request", line)
	}
	return req, err
}

func PingOp(p Pinger) Operation { return pingOp{p}.run }

type pingOp struct{ Pinger }

func (o pingOp) run(ctx context.Context, arg string, w io.Writer) error {
	d, err := o.Ping(ctx, arg)
	if err != nil {
		return err
	}
	line := fmt.Sprintf("Ping response in %.1f ms.\n", float64(d)/1e6)
	_, err = w.Write([]byte(line))
	return err
}

func GetOp(client *http.Client) Operation {
	return func(ctx context.Context, arg string, w io.Writer) error {
		scheme, _, found := strings.Cut(arg, "://")
		scheme = strings.ToLower(scheme)
		if !found || scheme != "http" && scheme != "https" {
			return fmt.Errorf("cannot get %s", arg)
		}
		own := *client
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, arg, nil)
		if err != nil {
			return err
		}
		resp, err := own.Do(req)
		if err != nil {
			return err
		}
		var all bytes.Buffer
		all.WriteString(resp.Status + "\n\n")
		_, err = all.ReadFrom(&io.LimitedReader{R: resp.Body, N: MaxBody})
		if e := resp.Body.Close(); err == nil {
			err = e
		}
		if _, e := all.WriteTo(w); err == nil {
			err = e
		}
		return err
	}
}

// wholeLines reads from a connection, and remembers an error that is not the end.
type wholeLines struct {
	net.Conn
	failed error
}

func (r *wholeLines) Read(p []byte) (int, error) {
	n, err := r.Conn.Read(p)
	if err != nil && err != io.EOF {
		r.failed = err
	}
	return n, err
}

var errLong = errors.New("request too long")

// split is bufio.ScanLines, but impatient with long lines; it keeps the newline.
func split(data []byte, atEOF bool) (int, []byte, error) {
	if i := bytes.IndexByte(data, '\n'); i >= 0 {
		data = data[:i+1]
		if len(strings.TrimSuffix(string(data[:i]), "\r")) > MaxRequest {
			return 0, nil, errLong
		}
		return len(data), data, nil
	}
	if len(bytes.TrimSuffix(data, []byte("\r"))) > MaxRequest {
		return 0, nil, errLong
	}
	if atEOF {
		return len(data), data, bufio.ErrFinalToken
	}
	return 0, nil, nil
}

func (s *Server) Serve(ctx context.Context, ln net.Listener) (err error) {
	s.mu.Lock()
	if s.changed == nil {
		s.changed = sync.NewCond(&s.mu)
	}
	s.mu.Unlock()
	wake := context.AfterFunc(ctx, func() {
		ln.Close()
		s.mu.Lock()
		s.changed.Broadcast()
		s.mu.Unlock()
	})
	defer wake()
	var wg sync.WaitGroup
	for {
		conn, e := ln.Accept()
		if e != nil {
			if ctx.Err() == nil {
				err = e
			}
			break
		}
		wg.Go(func() {
			defer conn.Close()
			if s.enter(ctx) {
				s.handle(ctx, conn)
				s.leave()
			}
		})
	}
	ln.Close()
	wg.Wait()
	return err
}

func (s *Server) enter(ctx context.Context) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.MaxConns > 0 && s.inside >= s.MaxConns && ctx.Err() == nil {
		s.changed.Wait()
	}
	if ctx.Err() != nil {
		return false
	}
	s.inside++
	return true
}

func (s *Server) leave() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.inside--
	s.changed.Broadcast()
}

func (s *Server) handle(ctx context.Context, conn net.Conn) {
	r := &wholeLines{Conn: conn}
	lines := bufio.NewScanner(r)
	lines.Buffer(make([]byte, 0, 4*MaxRequest), 4*MaxRequest)
	lines.Split(split)
	var mu sync.Mutex
	come := false
	stop := context.AfterFunc(ctx, func() {
		mu.Lock()
		defer mu.Unlock()
		if !come {
			conn.SetReadDeadline(time.Now())
		}
	})
	lines.Scan()
	mu.Lock()
	come = true
	mu.Unlock()
	stop()
	line := lines.Text()
	if r.failed != nil && !strings.HasSuffix(line, "\n") && lines.Err() != errLong {
		conn.Close()
		return
	}
	conn.SetReadDeadline(time.Time{})

	work, hangUp := context.WithCancelCause(context.Background())
	defer hangUp(nil)
	var watch sync.WaitGroup
	if strings.HasSuffix(line, "\n") {
		watch.Go(func() {
			_, err := io.Copy(io.Discard, conn)
			if err == nil {
				err = io.EOF
			}
			hangUp(err)
		})
	}
	defer watch.Wait()
	defer conn.Close()
	if err := lines.Err(); err != nil {
		fail(conn, "", errLong)
		return
	}
	req, err := Parse(line)
	if err != nil {
		fail(conn, "", err)
		return
	}
	op, ok := s.Ops[req.Op]
	if !ok {
		fail(conn, "", fmt.Errorf("unknown operation %q (have: %s)", req.Op, s.names()))
		return
	}

	timeout := DefaultTimeout
	if s.Timeout != 0 {
		timeout = s.Timeout
	}
	work, cancel := context.WithCancel(work)
	defer cancel()
	from, to := io.Pipe()
	over := make(chan struct{})
	go func() {
		defer close(over)
		defer func() {
			if recover() != nil {
				to.CloseWithError(errors.New("internal error"))
			}
		}()
		if err := op(work, req.Arg, to); err != nil {
			to.CloseWithError(fmt.Errorf("%w", err)) // an io.EOF would be the end of the output
			return
		}
		to.Close()
	}()
	late := errors.New("timed out")
	clock := time.AfterFunc(timeout, func() {
		to.CloseWithError(late)
		from.CloseWithError(late)
		cancel()
	})
	var out strings.Builder
	_, err = io.Copy(&out, from)
	clock.Stop()
	if err == io.ErrClosedPipe {
		err = late
	}
	fail(conn, out.String(), err)
	conn.Close()
	<-over
}

func (s *Server) names() string {
	var names []string
	for name := range s.Ops {
		names = append(names, name)
	}
	sort.Strings(names)
	return strings.Join(names, ", ")
}

func fail(conn net.Conn, out string, err error) {
	if err != nil {
		if out != "" && !strings.HasSuffix(out, "\n") {
			out += "\n"
		}
		out += "error: " + strings.Join(strings.Split(err.Error(), "\n"), " ") + "\n"
	}
	io.WriteString(conn, out)
}
