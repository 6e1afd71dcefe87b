// What an operation writes goes through a pipe of the io package to the one who answers the client.
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

var errUsage = errors.New("usage: OPERATION ARGUMENT")

func Parse(line string) (Request, error) {
	sc := bufio.NewScanner(strings.NewReader(line))
	sc.Split(bufio.ScanWords)
	sc.Buffer(nil, len(line)+1)
	if !sc.Scan() {
		return Request{}, errUsage
	}
	op := sc.Text()
	_, arg, _ := strings.Cut(line, op)
	if arg = strings.TrimSpace(arg); arg == "" {
		return Request{}, errUsage
	}
	return Request{strings.ToLower(op), arg}, nil
}

type Operation func(ctx context.Context, arg string, w io.Writer) error

type Pinger interface {
	Ping(ctx context.Context, host string) (time.Duration, error)
}

type pingOp struct{ Pinger }

func (p pingOp) run(ctx context.Context, arg string, w io.Writer) error {
	if d, err := p.Ping(ctx, arg); err != nil {
		return err
	} else if _, err := fmt.Fprintf(w, "Ping response in %.1f ms.\n", 1000*d.Seconds()); err != nil {
		return err
	}
	return nil
}

func PingOp(p Pinger) Operation { return pingOp{p}.run }

func GetOp(client *http.Client) Operation {
	return func(ctx context.Context, arg string, w io.Writer) error {
		low := strings.ToLower(arg)
		if !strings.HasPrefix(low, "http://") && !strings.HasPrefix(low, "https://") {
			return errors.New("not a web address: " + arg)
		}
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, arg, nil)
		if err != nil {
			return err
		}
		resp, err := client.Do(req)
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		body := make([]byte, MaxBody)
		n := 0
		for n < MaxBody && err == nil {
			var k int
			k, err = resp.Body.Read(body[n:])
			n += k
		}
		if err == io.EOF {
			err = nil
		}
		var all bytes.Buffer
		all.WriteString(resp.Status + "\n\n")
		all.Write(body[:n])
		_, werr := all.WriteTo(w)
		return errors.Join(err, werr)
	}
}

type Server struct {
	Ops      map[string]Operation
	Timeout  time.Duration
	MaxConns int
}

type serving struct {
	*Server
	ctx   context.Context
	wg    sync.WaitGroup
	mu    sync.Mutex
	free  int
	queue []net.Conn
	down  bool
}

func (s *Server) Serve(ctx context.Context, ln net.Listener) error {
	v := &serving{Server: s, ctx: ctx, free: s.MaxConns}
	if s.MaxConns == 0 {
		v.free = 1 << 30
	}
	shut := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(shut)
		ln.Close()
		v.mu.Lock()
		defer v.mu.Unlock()
		v.down = true
		for _, c := range v.queue {
			c.Close()
			v.wg.Done()
		}
		v.queue = nil
	})
	var err error
	for {
		var c net.Conn
		if c, err = ln.Accept(); err != nil {
			break
		}
		v.arrive(c)
	}
	if ctx.Err() != nil {
		err = nil
	}
	ln.Close()
	v.wg.Wait()
	if !stop() {
		<-shut
	}
	return err
}

func (v *serving) arrive(c net.Conn) {
	v.mu.Lock()
	defer v.mu.Unlock()
	switch {
	case v.down:
		c.Close()
	case v.free > 0:
		v.free--
		v.wg.Add(1)
		go v.client(c)
	default:
		v.wg.Add(1)
		v.queue = append(v.queue, c)
	}
}

// leave gives the place to the next one.
func (v *serving) leave() {
	v.mu.Lock()
	defer v.mu.Unlock()
	if len(v.queue) == 0 {
		v.free++
		return
	}
	go v.client(v.queue[0])
	v.queue = v.queue[1:]
}

var errTooLong = errors.New("request too long")

func readLine(r io.Reader) (line string, newline bool, err error) {
	var buf []byte
	var one [1]byte
	for {
		n, err := r.Read(one[:])
		if n == 1 {
			if one[0] == '\n' {
				newline = true
				break
			}
			buf = append(buf, one[0])
			if len(buf) > MaxRequest && !(len(buf) == MaxRequest+1 && one[0] == '\r') {
				return "", false, errTooLong
			}
		}
		if err == io.EOF {
			break
		}
		if err != nil {
			return "", false, err
		}
	}
	if newline {
		buf = bytes.TrimSuffix(buf, []byte("\r"))
	}
	if len(buf) > MaxRequest {
		return "", false, errTooLong
	}
	return string(buf), newline, nil
}

func (v *serving) client(c net.Conn) {
	defer v.wg.Done()
	defer v.leave()
	defer c.Close()
	late := make(chan struct{})
	stop := context.AfterFunc(v.ctx, func() { defer close(late); c.SetReadDeadline(time.Unix(1, 0)) })
	line, newline, err := readLine(c)
	if !stop() {
		<-late
		c.SetReadDeadline(time.Time{})
	}
	var req Request
	if err == nil {
		req, err = Parse(line)
	} else if err != errTooLong {
		return
	}
	if err != nil {
		say(c, err)
		return
	}
	op, ok := v.Ops[req.Op]
	if !ok {
		have := []string{}
		for k := range v.Ops {
			have = append(have, k)
		}
		slices.Sort(have)
		say(c, fmt.Errorf("unknown operation %q (have: %s)", req.Op, strings.Join(have, ", ")))
		return
	}
	v.run(c, newline, op, req.Arg)
}

func say(w io.Writer, err error) {
	text := strings.NewReplacer("\r\n", " ", "\r", " ", "\n", " ").Replace(err.Error())
	io.WriteString(w, "error: "+text+"\n")
}

type endNoter struct {
	io.Writer
	last []byte
}

func (e *endNoter) Write(p []byte) (int, error) {
	n, err := e.Writer.Write(p)
	if n > 0 {
		e.last = []byte{p[n-1]}
	}
	return n, err
}

func (v *serving) run(c net.Conn, newline bool, op Operation, arg string) {
	d := v.Timeout
	if d == 0 {
		d = DefaultTimeout
	}
	ctx, cancel := context.WithTimeout(context.Background(), d)
	if newline {
		watch := make(chan struct{})
		go func() {
			defer close(watch)
			io.Copy(io.Discard, c)
			cancel()
		}()
		defer func() { c.Close(); <-watch }()
	}
	pr, pw := io.Pipe()
	copied := make(chan struct{})
	out := &endNoter{Writer: c}
	go func() {
		defer close(copied)
		buf := make([]byte, 8)
		for {
			n, err := pr.Read(buf)
			if n > 0 {
				if _, err := out.Write(buf[:n]); err != nil {
					pr.CloseWithError(err)
					return
				}
			}
			if err != nil {
				return
			}
		}
	}()
	result := make(chan error, 1)
	v.wg.Go(func() {
		defer cancel()
		defer func() {
			if p := recover(); p != nil {
				result <- errors.New("internal error")
			}
		}()
		result <- op(ctx, arg, pw)
	})
	var err error
	clock := time.NewTimer(d)
	defer clock.Stop()
	select {
	case err = <-result:
		pw.Close()
		if errors.Is(ctx.Err(), context.DeadlineExceeded) {
			err = errors.New("timed out")
		}
		<-copied
	case <-clock.C:
		err = errors.New("timed out")
		pr.Close()
		c.SetWriteDeadline(time.Now())
		<-copied
		c.SetWriteDeadline(time.Time{})
	}
	if err != nil {
		if len(out.last) > 0 && out.last[0] != '\n' {
			c.Write([]byte("\n"))
		}
		say(c, err)
	}
}
