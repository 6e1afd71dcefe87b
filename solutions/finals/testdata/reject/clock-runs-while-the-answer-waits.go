// The timer of an operation that has ended in time runs on until its client has
// taken the answer, and may tell it behind that that the time is over.
//
// test: TestLimits/TestTheClockRunsWithTheOperation
package finals

import (
	"bufio"
	"container/list"
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
	"sync/atomic"
	"time"
	"unicode"
)

func Parse(line string) (Request, error) {
	op, arg, found := "", "", false
	rest := strings.TrimLeftFunc(line, unicode.IsSpace)
	for i, r := range rest {
		if unicode.IsSpace(r) {
			op, arg, found = rest[:i], rest[i:], true
			break
		}
	}
	arg = strings.TrimFunc(arg, unicode.IsSpace)
	if !found || arg == "" {
		return Request{}, fmt.Errorf("no argument in\n%s", line)
	}
	return Request{Op: strings.ToLower(op), Arg: arg}, nil
}

func PingOp(p Pinger) Operation {
	return func(ctx context.Context, arg string, w io.Writer) error {
		d, err := p.Ping(ctx, arg)
		if err != nil {
			return err
		}
		var b []byte
		b = fmt.Appendf(b, "Ping response in %.1f ms.\n", float64(d.Nanoseconds())/1e6)
		_, err = w.Write(b)
		return err
	}
}

func GetOp(client *http.Client) Operation {
	return func(ctx context.Context, arg string, w io.Writer) error {
		u, err := url.Parse(arg)
		if err != nil {
			return err
		}
		if s := strings.ToLower(u.Scheme); s != "http" && s != "https" {
			return fmt.Errorf("%w: %s", http.ErrNotSupported, u.Scheme)
		}
		req, err := http.NewRequest(http.MethodGet, arg, nil)
		if err != nil {
			return err
		}
		resp, err := client.Do(req.WithContext(ctx))
		if resp != nil && resp.Body != nil {
			defer resp.Body.Close()
		}
		if err != nil {
			return err
		}
		bw := bufio.NewWriter(w)
		fmt.Fprint(bw, resp.Status, "\n\n")
		left := MaxBody
		buf := make([]byte, 1000)
		for left > 0 {
			n, err := resp.Body.Read(buf[:min(left, len(buf))])
			bw.Write(buf[:n])
			left -= n
			if err == io.EOF {
				break
			}
			if err != nil {
				bw.Flush()
				return err
			}
		}
		return bw.Flush()
	}
}

// turns hands out n turns, first come first served.
type turns struct {
	mu      sync.Mutex
	free    int
	waiting list.List // of chan struct{}
}

func (t *turns) take(ctx context.Context) bool {
	t.mu.Lock()
	if ctx.Err() != nil {
		t.mu.Unlock()
		return false
	}
	if t.free > 0 {
		t.free--
		t.mu.Unlock()
		return true
	}
	c := make(chan struct{})
	e := t.waiting.PushBack(c)
	t.mu.Unlock()
	select {
	case <-c:
		return true
	case <-ctx.Done():
		t.mu.Lock()
		defer t.mu.Unlock()
		select {
		case <-c:
			return true
		default:
			t.waiting.Remove(e)
			return false
		}
	}
}

func (t *turns) give() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if e := t.waiting.Front(); e != nil {
		close(t.waiting.Remove(e).(chan struct{}))
		return
	}
	t.free++
}

func (s *Server) Serve(ctx context.Context, ln net.Listener) error {
	var (
		mu    sync.Mutex
		idle  = sync.NewCond(&mu)
		n     int
		aerr  error
		t     *turns
		ended bool
	)
	if s.MaxConns > 0 {
		t = &turns{free: s.MaxConns}
	}
	n = 1
	go func() {
		defer func() { mu.Lock(); ended = true; n--; idle.Broadcast(); mu.Unlock() }()
		for {
			conn, err := ln.Accept()
			if err != nil {
				mu.Lock()
				if ctx.Err() == nil {
					aerr = err
				}
				mu.Unlock()
				ln.Close()
				return
			}
			mu.Lock()
			n++
			mu.Unlock()
			go func() {
				defer func() { mu.Lock(); n--; idle.Broadcast(); mu.Unlock() }()
				defer conn.Close()
				if t != nil {
					if !t.take(ctx) {
						return
					}
					defer t.give()
				}
				newJob(s, conn).run(ctx)
			}()
		}
	}()
	ender := make(chan struct{})
	stop := context.AfterFunc(ctx, func() { ln.Close(); close(ender) })
	mu.Lock()
	for !ended || n > 0 {
		idle.Wait()
	}
	mu.Unlock()
	if !stop() {
		<-ender
	}
	return aerr
}

const (
	stWorking int32 = iota
	stDone
	stLate
)

// job is one client's; its operation runs in the client's own goroutine.
type job struct {
	s      *Server
	conn   net.Conn
	rd     *bufio.Reader
	state  atomic.Int32
	mu     sync.Mutex // for writing to conn
	column int
	wg     sync.WaitGroup
}

func newJob(s *Server, c net.Conn) *job {
	return &job{s: s, conn: c, rd: bufio.NewReaderSize(c, 16)}
}

func (j *job) Write(p []byte) (n int, err error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.state.Load() != stWorking {
		return 0, errors.New("too late")
	}
	n, err = j.conn.Write(p)
	for _, c := range p[:n] {
		if j.column++; c == '\n' {
			j.column = 0
		}
	}
	return
}

func (j *job) complain(msg string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.column > 0 {
		msg = "\nerror: " + strings.ReplaceAll(msg, "\n", " ") + "\n"
	} else {
		msg = "error: " + strings.ReplaceAll(msg, "\n", " ") + "\n"
	}
	io.WriteString(j.conn, msg)
}

func (j *job) line() (line []byte, whole, nl, long bool) {
	for {
		c, err := j.rd.ReadByte()
		switch {
		case err == io.EOF:
			return line, true, false, len(line) > MaxRequest
		case err != nil:
			return nil, false, false, false
		case c == '\n':
			if k := len(line); k > 0 && line[k-1] == '\r' {
				line = line[:k-1]
			}
			return line, true, true, len(line) > MaxRequest
		case len(line) == MaxRequest && c != '\r', len(line) > MaxRequest:
			return nil, true, false, true
		}
		line = append(line, c)
	}
}

func (j *job) run(ctx context.Context) {
	interrupted := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		j.conn.SetReadDeadline(time.Now())
		close(interrupted)
	})
	line, whole, nl, long := j.line()
	if !stop() {
		<-interrupted
		j.conn.SetReadDeadline(time.Time{})
	}
	if !whole {
		return
	}
	if long {
		j.complain("request too long")
		return
	}
	req, err := Parse(string(line))
	if err != nil {
		j.complain(err.Error())
		return
	}
	op, ok := j.s.Ops[req.Op]
	if !ok {
		var names sort.StringSlice
		for n := range j.s.Ops {
			names = append(names, n)
		}
		names.Sort()
		j.complain(fmt.Sprintf("unknown operation \"%s\" (have: %s)", req.Op, strings.Join(names, ", ")))
		return
	}
	defer j.wg.Wait()
	octx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	if nl {
		j.wg.Add(1)
		go func() {
			defer j.wg.Done()
			for {
				if _, err := j.rd.ReadByte(); err != nil {
					cancel()
					return
				}
			}
		}()
	}
	limit := j.s.Timeout
	if limit == 0 {
		limit = DefaultTimeout
	}
	j.wg.Add(1)
	timer := time.AfterFunc(limit, func() {
		defer j.wg.Done()
		if j.state.CompareAndSwap(stWorking, stLate) {
			cancel()
			j.complain("timed out")
			j.conn.Close()
		}
	})
	failed, msg := true, "internal error"
	defer func() {
		recover()
		defer func() {
			if timer.Stop() {
				j.wg.Done()
			}
		}()
		if j.state.Load() == stWorking {
			if failed {
				j.complain(msg)
			}
			j.conn.Close()
		}
	}()
	if err := op(octx, req.Arg, j); err != nil {
		msg = err.Error()
	} else {
		failed = false
	}
}

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
