// As many acceptors as there are places, and nobody is ever woken: everybody looks up ten times a second.
package finals

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
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

const tick = 50 * time.Millisecond

func Parse(line string) (Request, error) {
	m := regexp.MustCompile(`(?s)^\s*(\S+)\s+(\S.*?)\s*$`).FindStringSubmatch(line)
	if m == nil {
		return Request{}, errors.New("bad request")
	}
	return Request{Op: strings.ToLower(m[1]), Arg: m[2]}, nil
}

func PingOp(p Pinger) Operation {
	return func(ctx context.Context, arg string, w io.Writer) error {
		d, err := p.Ping(ctx, arg)
		if err != nil {
			return fmt.Errorf("pinging %s: %w", arg, err)
		}
		_, err = w.Write(fmt.Appendf(nil, "Ping response in %.1f ms.\n", float64(d.Nanoseconds())/1e6))
		return err
	}
}

func GetOp(client *http.Client) Operation {
	return func(ctx context.Context, arg string, w io.Writer) error {
		if !strings.HasPrefix(arg, "http://") && !strings.HasPrefix(arg, "https://") {
			return errors.New("not a web address")
		}
		req, err := http.NewRequest("GET", arg, nil)
		if err != nil {
			return err
		}
		resp, err := client.Do(req.WithContext(ctx))
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(io.LimitReader(resp.Body, MaxBody))
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(w, "%s\n\n%s", resp.Status, body)
		return err
	}
}

func (s *Server) Serve(ctx context.Context, ln net.Listener) error {
	var all, acceptors sync.WaitGroup
	var failed atomic.Pointer[error]
	serve := func(own bool) {
		for {
			conn, err := ln.Accept()
			if err != nil {
				failed.CompareAndSwap(nil, &err)
				ln.Close() // the others hear of it
				return
			}
			if own {
				s.serve(ctx, conn)
				continue
			}
			all.Add(1)
			go func() {
				defer all.Done()
				s.serve(ctx, conn)
			}()
		}
	}
	for range max(1, s.MaxConns) {
		acceptors.Add(1)
		go func() {
			defer acceptors.Done()
			serve(s.MaxConns > 0)
		}()
	}
	ended := make(chan struct{})
	go func() {
		acceptors.Wait()
		all.Wait()
		close(ended)
	}()
	orderly := false
	select {
	case <-ctx.Done():
		orderly = failed.Load() == nil
	case <-ended:
	}
	ln.Close()
	<-ended
	if orderly {
		return nil
	}
	return *failed.Load()
}

// line polls for a line; whole is false if there will be none.
func line(ctx context.Context, conn net.Conn) (read []byte, newline, whole bool) {
	buf := make([]byte, 1)
	for {
		conn.SetReadDeadline(time.Now().Add(tick))
		n, err := conn.Read(buf)
		read = append(read, buf[:n]...)
		if i := bytes.IndexByte(read, '\n'); i >= 0 {
			return read[:i], true, true
		}
		if len(bytes.TrimSuffix(read, []byte{'\r'})) > MaxRequest {
			return read, true, true
		}
		switch {
		case err == io.EOF:
			return read, false, true
		case errors.Is(err, os.ErrDeadlineExceeded):
			if ctx.Err() != nil {
				return nil, false, false
			}
		case err != nil:
			return nil, false, false
		}
	}
}

func (s *Server) serve(ctx context.Context, conn net.Conn) {
	defer conn.Close()
	if ctx.Err() != nil {
		return
	}
	read, newline, whole := line(ctx, conn)
	if !whole {
		return
	}
	read = bytes.TrimSuffix(read, []byte{'\r'})
	if len(read) > MaxRequest {
		io.WriteString(conn, "error: request too long\n")
		return
	}

	run := context.WithoutCancel(ctx)
	run, cancel := context.WithCancel(run)
	defer cancel()
	limit := s.Timeout
	if limit == 0 {
		limit = DefaultTimeout
	}
	start := time.Now()
	var out job
	go out.do(run, s.Ops, string(read))
	for hungUp := !newline; ; {
		if time.Since(start) >= limit {
			cancel()
			out.say(conn, errors.New("timed out"))
			conn.Close()
			for !out.over() {
				time.Sleep(tick)
			}
			return
		}
		if out.over() {
			out.say(conn, out.err)
			return
		}
		wait := min(tick, limit-time.Since(start))
		if hungUp {
			time.Sleep(wait)
			continue
		}
		conn.SetReadDeadline(time.Now().Add(wait))
		_, err := conn.Read(make([]byte, 512))
		if err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
			hungUp = true
			cancel()
		}
	}
}

type job struct {
	mu     sync.Mutex
	output []byte
	told   bool
	ended  bool
	err    error
}

func (j *job) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if !j.told {
		j.output = append(j.output, p...)
	}
	return len(p), nil
}

func (j *job) over() bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.ended
}

func (j *job) do(ctx context.Context, ops map[string]Operation, line string) {
	err := errors.New("internal error")
	defer func() {
		recover()
		j.mu.Lock()
		defer j.mu.Unlock()
		j.ended, j.err = true, err
	}()
	req, bad := Parse(line)
	if bad != nil {
		err = bad
		return
	}
	op := ops[req.Op]
	if op == nil {
		err = fmt.Errorf("unknown operation %q (have: %s)", req.Op, strings.Join(slices.Sorted(maps.Keys(ops)), ", "))
		return
	}
	err = op(ctx, req.Arg, j)
}

func (j *job) say(conn net.Conn, err error) {
	j.mu.Lock()
	j.told = true
	text := string(j.output)
	j.mu.Unlock()
	if err != nil {
		if text != "" && text[len(text)-1] != '\n' {
			text += "\n"
		}
		text += "error: " + strings.ReplaceAll(err.Error(), "\n", " ") + "\n"
	}
	io.WriteString(conn, text)
}
