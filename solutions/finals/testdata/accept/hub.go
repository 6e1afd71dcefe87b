// One goroutine owns everything: it hears of clients, lines, answers and time, and alone decides what becomes of whom.
package finals

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode"
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
	fields := strings.Fields(line)
	if len(fields) < 2 {
		return Request{}, errors.New("usage: OP ARG")
	}
	rest := strings.TrimLeftFunc(line, unicode.IsSpace)[len(fields[0]):]
	return Request{strings.ToLower(fields[0]), strings.TrimSpace(rest)}, nil
}

func PingOp(p Pinger) Operation {
	return func(ctx context.Context, arg string, w io.Writer) (err error) {
		var d time.Duration
		if d, err = p.Ping(ctx, arg); err == nil {
			_, err = io.WriteString(w, fmt.Sprintf("Ping response in %.1f ms.\n", float32(d.Microseconds())/1000))
		}
		return err
	}
}

func GetOp(client *http.Client) Operation {
	return func(ctx context.Context, arg string, w io.Writer) error {
		req, err := http.NewRequestWithContext(ctx, "", arg, http.NoBody)
		if err != nil {
			return err
		}
		if !slices.Contains([]string{"http", "https"}, req.URL.Scheme) {
			return fmt.Errorf("scheme %q: %w", req.URL.Scheme, http.ErrNotSupported)
		}
		resp, err := client.Do(req)
		if err != nil {
			return err
		}
		defer func() { resp.Body.Close() }()
		out := bufio.NewWriter(w)
		fmt.Fprintln(out, resp.Status)
		fmt.Fprintln(out)
		if _, err := io.CopyN(out, resp.Body, MaxBody); err != nil && err != io.EOF {
			return err
		}
		return out.Flush()
	}
}

type session struct {
	conn    net.Conn
	in      *bufio.Reader
	cancel  context.CancelFunc
	timer   *time.Timer
	goOn    chan struct{} // the reader may watch for the end
	running bool
	busy    int // goroutines
	output  []byte
	closing bool
}

type hub struct {
	*Server
	ctx      context.Context
	events   chan func()
	sessions map[*session]bool
	queue    []net.Conn
	ending   bool
}

func (s *Server) Serve(ctx context.Context, ln net.Listener) error {
	h := &hub{Server: s, ctx: context.WithoutCancel(ctx), events: make(chan func()), sessions: map[*session]bool{}}
	var failed error
	accepting := true
	go func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				h.events <- func() {
					accepting = false
					if !h.ending {
						failed = err
						ln.Close()
					}
				}
				return
			}
			h.events <- func() { h.admit(conn) }
		}
	}()
	done := ctx.Done()
	for accepting || len(h.sessions) > 0 {
		select {
		case event := <-h.events:
			event()
		case <-done:
			done = nil
			h.ending = true
			ln.Close()
			for _, conn := range h.queue {
				conn.Close()
			}
			h.queue = nil
			for c := range h.sessions {
				if !c.running {
					c.conn.SetReadDeadline(time.Now())
				}
			}
		}
	}
	return failed
}

func (h *hub) admit(conn net.Conn) {
	switch {
	case h.ending:
		conn.Close()
	case h.MaxConns > 0 && len(h.sessions) >= h.MaxConns:
		h.queue = append(h.queue, conn)
	default:
		c := &session{conn: conn, in: bufio.NewReader(conn), goOn: make(chan struct{}), cancel: func() {}}
		h.sessions[c] = true
		h.start(c, func() { h.read(c) })
	}
}

func (h *hub) start(c *session, f func()) {
	c.busy++
	go func() {
		f()
		h.events <- func() {
			c.busy--
			if c.busy > 0 {
				return
			}
			c.conn.Close()
			delete(h.sessions, c)
			if len(h.queue) > 0 {
				next := h.queue[0]
				h.queue = h.queue[1:]
				h.admit(next)
			}
		}
	}()
}

// read is the reader of a session, not the hub.
func (h *hub) read(c *session) {
	var line []byte
	for {
		b, err := c.in.ReadByte()
		if err == io.EOF {
			h.events <- func() { h.request(c, line) }
			return
		}
		if err != nil {
			return
		}
		if b == '\n' {
			break
		}
		line = append(line, b)
		if len(line) == MaxRequest+1 && b != '\r' || len(line) > MaxRequest+1 {
			break
		}
	}
	h.events <- func() { h.request(c, line) }
	<-c.goOn
	for {
		if _, err := c.in.ReadByte(); err != nil {
			h.events <- func() { c.cancel() }
			return
		}
	}
}

func (h *hub) request(c *session, line []byte) {
	c.running = true
	c.conn.SetReadDeadline(time.Time{})
	close(c.goOn)
	text := strings.TrimSuffix(string(line), "\r")
	if len(text) > MaxRequest {
		h.answer(c, errors.New("request too long"))
		return
	}
	req, err := Parse(text)
	if err != nil {
		h.answer(c, err)
		return
	}
	op, known := h.Ops[req.Op]
	if !known {
		names := make([]string, 0, len(h.Ops))
		for name := range h.Ops {
			names = append(names, name)
		}
		slices.Sort(names)
		h.answer(c, fmt.Errorf("unknown operation %q (have: %s)", req.Op, strings.Join(names, ", ")))
		return
	}
	var ctx context.Context
	ctx, c.cancel = context.WithCancel(h.ctx)
	limit := h.Timeout
	if limit == 0 {
		limit = DefaultTimeout
	}
	late := make(chan struct{})
	c.timer = time.AfterFunc(limit, func() { close(late) })
	over := make(chan struct{})
	h.start(c, func() {
		select {
		case <-late:
			h.events <- func() {
				h.answer(c, errors.New("timed out"))
				c.cancel()
			}
		case <-over:
		}
	})
	h.start(c, func() {
		err := run(ctx, op, req.Arg, writer(func(p []byte) {
			copied := slices.Clone(p)
			h.events <- func() {
				if !c.closing {
					c.output = append(c.output, copied...)
				}
			}
		}))
		close(over)
		h.events <- func() {
			c.timer.Stop()
			c.cancel()
			h.answer(c, err)
		}
	})
}

func run(ctx context.Context, op Operation, arg string, w io.Writer) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = errors.New("internal error")
		}
	}()
	return op(ctx, arg, w)
}

type writer func([]byte)

func (w writer) Write(p []byte) (int, error) {
	w(p)
	return len(p), nil
}

func (h *hub) answer(c *session, err error) {
	if c.closing {
		return
	}
	c.closing = true
	if err != nil {
		if n := len(c.output); n > 0 && c.output[n-1] != '\n' {
			c.output = append(c.output, '\n')
		}
		c.output = append(c.output, "error: "+strings.NewReplacer("\n", " ", "\r", " ").Replace(err.Error())+"\n"...)
	}
	output := c.output
	h.start(c, func() {
		c.conn.Write(output)
		c.conn.Close()
	})
}
