// The timeout is a goroutine that sleeps and then closes a channel, whether anybody still listens or not.
package finals

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/url"
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

func Parse(line string) (Request, error) {
	f := strings.Fields(line)
	if len(f) < 2 {
		return Request{}, errors.New("want: OPERATION ARGUMENT")
	}
	return Request{strings.ToLower(f[0]), strings.TrimSpace(strings.TrimSpace(line)[len(f[0]):])}, nil
}

type Operation func(ctx context.Context, arg string, w io.Writer) error

type Pinger interface {
	Ping(ctx context.Context, host string) (time.Duration, error)
}

func PingOp(p Pinger) Operation {
	return func(ctx context.Context, arg string, w io.Writer) error {
		d, err := p.Ping(ctx, arg)
		if err == nil {
			_, err = fmt.Fprintf(w, "Ping response in %.1f ms.\n", d.Seconds()*1e3)
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
		if u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
			return fmt.Errorf("%q is no http or https URL", arg)
		}
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
		if err != nil {
			return err
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

func (s *Server) Serve(ctx context.Context, ln net.Listener) error {
	defer context.AfterFunc(ctx, func() { ln.Close() })()
	defer ln.Close()
	var wg sync.WaitGroup
	defer wg.Wait()
	var sem chan struct{}
	if s.MaxConns > 0 {
		sem = make(chan struct{}, s.MaxConns)
	}
	for {
		if sem != nil {
			select { // a place before Accept
			case sem <- struct{}{}:
			case <-ctx.Done():
				return nil
			}
		}
		c, err := ln.Accept()
		if err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return err
		}
		wg.Go(func() {
			zombie := s.client(ctx, c)
			if sem != nil {
				<-sem
			}
			zombie()
		})
	}
}

var errTooLong = errors.New("request too long")

// line scans the one line, and notes whether it ended with a newline.
func line(newline *bool) bufio.SplitFunc {
	return func(data []byte, eof bool) (int, []byte, error) {
		i := bytes.IndexByte(data, '\n')
		if *newline = i >= 0; !*newline {
			i = len(data)
		}
		l := data[:i]
		if *newline || eof {
			l = bytes.TrimSuffix(l, []byte("\r"))
		}
		switch {
		case len(l) > MaxRequest+1, len(l) == MaxRequest+1 && (*newline || eof || l[MaxRequest] != '\r'):
			return 0, nil, errTooLong
		case *newline:
			return i + 1, l, nil
		case eof:
			return len(data), append([]byte{}, l...), bufio.ErrFinalToken
		}
		return 0, nil, nil
	}
}

type eofNoter struct {
	io.Reader
	err error
}

func (e *eofNoter) Read(p []byte) (n int, err error) {
	n, err = e.Reader.Read(p)
	e.err = err
	return
}

type output struct {
	mu   sync.Mutex
	buf  bytes.Buffer
	over bool
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.over {
		return 0, io.ErrClosedPipe
	}
	return o.buf.Write(p)
}

var oneLine = strings.NewReplacer("\r\n", " ", "\n", " ", "\r", " ")

func (o *output) finish(err error) []byte {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.over = true
	b := o.buf.Bytes()
	if err != nil {
		if len(b) > 0 && b[len(b)-1] != '\n' {
			b = append(b, '\n')
		}
		b = append(b, "error: "+oneLine.Replace(err.Error())+"\n"...)
	}
	return b
}

// client serves c and returns how to wait for what it leaves behind.
func (s *Server) client(ctx context.Context, c net.Conn) (wait func()) {
	wait = func() {}
	defer c.Close()
	var out output
	fired := make(chan struct{})
	stop := context.AfterFunc(ctx, func() { defer close(fired); c.SetReadDeadline(time.Unix(1, 0)) })
	var newline bool
	in := &eofNoter{Reader: c}
	sc := bufio.NewScanner(in)
	sc.Split(line(&newline))
	got := sc.Scan()
	if !stop() {
		<-fired
		c.SetReadDeadline(time.Time{})
	}
	fail := func(err error) func() { c.Write(out.finish(err)); return wait }
	if errors.Is(sc.Err(), errTooLong) {
		return fail(errTooLong)
	}
	if !newline && in.err != io.EOF {
		return
	}
	if !got && !newline && sc.Err() != nil {
		return
	}
	req, err := Parse(sc.Text())
	if err != nil {
		return fail(err)
	}
	op, ok := s.Ops[req.Op]
	if !ok {
		return fail(fmt.Errorf("unknown operation %q (have: %s)", req.Op, strings.Join(slices.Sorted(maps.Keys(s.Ops)), ", ")))
	}

	octx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	if newline {
		wg.Go(func() { io.Copy(io.Discard, c); cancel() })
	}
	res := make(chan error, 1)
	wg.Go(func() {
		defer func() {
			if recover() != nil {
				res <- errors.New("internal error")
			}
		}()
		res <- op(octx, req.Arg, &out)
	})
	wait = func() { cancel(); wg.Wait() }
	clock := make(chan struct{})
	go func() { time.Sleep(cmp.Or(s.Timeout, DefaultTimeout)); close(clock) }()
	select {
	case err = <-res:
	case <-clock:
		cancel()
		err = errors.New("timed out")
	}
	return fail(err)
}
