// The output goes to the client at once, each Write inside of a mutex, and so does the news that the time is over: it waits for a Write that has begun.
package finals

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
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

func Parse(line string) (r Request, err error) {
	fields := strings.Fields(line)
	if len(fields) < 2 {
		return r, fmt.Errorf("%d words are no request", len(fields))
	}
	_, arg, _ := strings.Cut(line, fields[0])
	return Request{Op: strings.ToLower(fields[0]), Arg: strings.TrimSpace(arg)}, nil
}

type Operation func(ctx context.Context, arg string, w io.Writer) error

type Pinger interface {
	Ping(ctx context.Context, host string) (time.Duration, error)
}

func PingOp(p Pinger) Operation {
	return func(ctx context.Context, arg string, w io.Writer) error {
		d, err := p.Ping(ctx, arg)
		if err != nil {
			return fmt.Errorf("pinging %s: %w", arg, err)
		}
		_, err = fmt.Fprintf(w, "Ping response in %.1f ms.\n", float64(d)/1e6)
		return err
	}
}

func GetOp(client *http.Client) Operation {
	return func(ctx context.Context, arg string, w io.Writer) error {
		req, err := http.NewRequest("GET", arg, nil)
		switch {
		case err != nil:
			return err
		case !slices.Contains([]string{"http", "https"}, req.URL.Scheme):
			return fmt.Errorf("%s: neither http nor https", arg)
		}
		resp, err := client.Do(req.WithContext(ctx))
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		if _, err = io.WriteString(w, resp.Status+"\n\n"); err == nil {
			if _, err = io.CopyN(w, resp.Body, MaxBody); err == io.EOF {
				err = nil
			}
		}
		return err
	}
}

type Server struct {
	Ops      map[string]Operation
	Timeout  time.Duration
	MaxConns int
}

// stream hands on what is written, and keeps an eye on the last byte.
type stream struct {
	mu    sync.Mutex
	w     io.Writer
	last  byte
	ended bool
	clock context.Context // of the operation, which is the only one to Write
}

func (s *stream) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended || isOver(s.clock) {
		return 0, net.ErrClosed
	}
	if len(p) == 0 {
		return 0, nil
	}
	s.last = p[len(p)-1]
	if _, err := s.w.Write(p); err != nil {
		return len(p), nil // the operation goes on, whoever listens
	}
	return len(p), nil
}

// end writes the last line, once.
func (s *stream) end(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended {
		return
	}
	s.ended = true
	if err == nil {
		return
	}
	text := "error: " + strings.NewReplacer("\r\n", " ", "\n", " ", "\r", " ").Replace(err.Error()) + "\n"
	if s.last != 0 && s.last != '\n' {
		text = "\n" + text
	}
	io.WriteString(s.w, text)
}

func (s *Server) Serve(ctx context.Context, ln net.Listener) error {
	var all sync.WaitGroup
	stop := context.AfterFunc(ctx, func() { ln.Close() })
	sem := make(chan struct{}, max(1, s.MaxConns))
	var err error
	for {
		var conn net.Conn
		conn, err = ln.Accept()
		if err != nil {
			break
		}
		all.Add(1)
		go func() {
			defer all.Done()
			defer conn.Close()
			if s.MaxConns > 0 {
				select {
				case sem <- struct{}{}:
					defer func() { <-sem }()
				case <-ctx.Done():
					return
				}
			}
			s.serve(ctx, conn)
		}()
	}
	if ctx.Err() != nil {
		err = nil
	}
	ln.Close()
	all.Wait()
	stop()
	return err
}

func (s *Server) serve(ctx context.Context, conn net.Conn) {
	interrupt := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		conn.SetReadDeadline(time.Unix(1, 0))
		close(interrupt)
	})
	in := bufio.NewReader(conn)
	var line []byte
	var err error
	for b := byte(0); err == nil && b != '\n' && len(bytes.TrimSuffix(line, []byte{'\r'})) <= MaxRequest; {
		if b, err = in.ReadByte(); err == nil {
			line = append(line, b)
		}
	}
	if !stop() {
		<-interrupt
		conn.SetReadDeadline(time.Time{})
	}
	out := &stream{w: conn}
	text := strings.TrimSuffix(strings.TrimSuffix(string(line), "\n"), "\r")
	open := err == nil
	switch {
	case len(text) > MaxRequest:
		out.end(errors.New("request too long"))
		return
	case err != nil && !errors.Is(err, io.EOF):
		return
	}
	req, err := Parse(text)
	if err != nil {
		out.end(err)
		return
	}
	op, known := s.Ops[req.Op]
	if !known {
		out.end(fmt.Errorf("unknown operation %q (have: %s)", req.Op, strings.Join(slices.Sorted(maps.Keys(s.Ops)), ", ")))
		return
	}

	own, hangUp := context.WithCancel(context.WithoutCancel(ctx))
	var others sync.WaitGroup
	defer others.Wait()
	defer conn.Close()
	if open {
		others.Go(func() {
			io.Copy(io.Discard, in)
			hangUp()
		})
	}
	timeout := s.Timeout
	if timeout == 0 {
		timeout = DefaultTimeout
	}
	clock, cancel := context.WithTimeout(own, timeout)
	out.clock = clock
	finished := make(chan struct{})
	others.Go(func() {
		defer close(finished)
		defer cancel()
		err := call(clock, op, req.Arg, out)
		if isOver(clock) {
			err = errors.New("timed out")
		}
		out.end(err)
	})
	select {
	case <-finished:
	case <-clock.Done():
		if isOver(clock) {
			out.end(errors.New("timed out"))
		} else {
			<-finished
		}
	}
	hangUp()
}

func isOver(ctx context.Context) bool { return errors.Is(ctx.Err(), context.DeadlineExceeded) }

func call(ctx context.Context, op Operation, arg string, w io.Writer) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = errors.New("internal error")
		}
	}()
	return op(ctx, arg, w)
}
