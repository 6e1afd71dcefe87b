// Counts a client from when it is handled, so after an Accept error nobody waits
// for those who wait for their turn.
//
// test: TestLimits/TestTheNextWaitForTheirTurn
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
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode"
)

const (
	MaxRequest     = 1024
	MaxBody        = 1 << 20
	DefaultTimeout = 5 * time.Second
)

type Request struct{ Op, Arg string }

func Parse(line string) (Request, error) {
	line = strings.TrimSpace(line)
	i := strings.IndexFunc(line, unicode.IsSpace)
	if i < 0 {
		return Request{}, errors.New("a request is an operation and its argument")
	}
	return Request{Op: strings.ToLower(line[:i]), Arg: strings.TrimSpace(line[i:])}, nil
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
		_, err = fmt.Fprintf(w, "Ping response in %.1f ms.\n", took.Seconds()*1000)
		return err
	}
}

func GetOp(client *http.Client) Operation {
	return func(ctx context.Context, arg string, w io.Writer) error {
		u, err := url.Parse(arg)
		if err != nil {
			return err
		}
		if (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" {
			return fmt.Errorf("not a URL of the web: %q", arg)
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

var (
	errTooLong  = errors.New("request too long")
	errInternal = errors.New("internal error")
	errTimedOut = errors.New("timed out")
)

func (s *Server) Serve(ctx context.Context, ln net.Listener) error {
	var places chan struct{}
	if s.MaxConns > 0 {
		places = make(chan struct{}, s.MaxConns)
	}
	defer context.AfterFunc(ctx, func() { ln.Close() })()

	var clients sync.WaitGroup
	var failure error
	for {
		conn, err := ln.Accept()
		if err != nil {
			if ctx.Err() == nil {
				failure = err
			}
			break
		}
		handle := func() {
			defer clients.Done()
			if places != nil {
				defer func() { <-places }()
			}
			s.attend(ctx, conn)
		}
		if places == nil {
			clients.Add(1)
			go handle()
			continue
		}
		select {
		case places <- struct{}{}:
			clients.Add(1)
			go handle()
		default:
			go func() {
				select {
				case places <- struct{}{}:
					clients.Add(1)
					handle()
				case <-ctx.Done():
					conn.Close()
				}
			}()
		}
	}
	ln.Close()
	clients.Wait()
	return failure
}

func (s *Server) attend(ctx context.Context, conn net.Conn) {
	defer conn.Close()
	br := bufio.NewReader(conn)
	line, whole, err := s.line(ctx, conn, br)
	if errors.Is(err, errTooLong) {
		fmt.Fprintf(conn, "error: %v\n", err)
		return
	}
	if err != nil {
		return
	}
	req, err := Parse(line)
	if err != nil {
		complain(conn, err)
		return
	}
	op, ok := s.Ops[req.Op]
	if !ok {
		names := slices.Sorted(maps.Keys(s.Ops))
		complain(conn, fmt.Errorf("unknown operation %q (have: %s)", req.Op, strings.Join(names, ", ")))
		return
	}

	here, gone := context.WithCancel(context.WithoutCancel(ctx))
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		if !whole {
			return
		}
		defer gone()
		io.Copy(io.Discard, br)
	}()
	defer func() {
		conn.Close()
		<-watched
		gone()
	}()

	timeout := s.Timeout
	if timeout == 0 {
		timeout = DefaultTimeout
	}
	limited, cancel := context.WithTimeoutCause(here, timeout, errTimedOut)
	out := new(output)
	done := make(chan error, 1)
	go func() {
		defer func() {
			if recover() != nil {
				done <- errInternal
			}
		}()
		done <- op(limited, req.Arg, out)
	}()

	var answer []byte
	over := make(chan struct{})
	stop := context.AfterFunc(limited, func() {
		defer close(over)
		if context.Cause(limited) == errTimedOut {
			answer = out.seal(errTimedOut)
		}
	})
	select {
	case err = <-done:
		if !stop() {
			<-over
		}
		cancel()
		if answer == nil {
			answer = out.seal(err)
		}
		conn.Write(answer)
	case <-over:
		cancel()
		if answer != nil {
			conn.Write(answer)
			conn.Close()
		}
		err := <-done
		if answer == nil {
			conn.Write(out.seal(err))
		}
	}
}

// line reads a line without its ending, and says whether it had one.
func (s *Server) line(ctx context.Context, conn net.Conn, br *bufio.Reader) (line string, whole bool, err error) {
	woken := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(woken)
		conn.SetReadDeadline(time.Unix(1, 0))
	})
	defer func() {
		if !stop() {
			<-woken
			conn.SetReadDeadline(time.Time{})
		}
	}()
	var sb []byte
	for {
		b, err := br.ReadByte()
		if err == io.EOF {
			if len(sb) > MaxRequest && sb[MaxRequest] != '\r' {
				return "", false, errTooLong
			}
			return string(sb), false, nil
		}
		if err != nil {
			return "", false, err
		}
		if b == '\n' {
			if n := len(sb); n > 0 && sb[n-1] == '\r' {
				sb = sb[:n-1]
			}
			return string(sb), true, nil
		}
		sb = append(sb, b)
		if len(sb) > MaxRequest+1 || len(sb) == MaxRequest+1 && b != '\r' {
			return "", false, errTooLong
		}
	}
}

var breaks = strings.NewReplacer("\r\n", " ", "\n", " ", "\r", " ")

func complain(w io.Writer, err error) {
	fmt.Fprintf(w, "error: %s\n", breaks.Replace(err.Error()))
}

// output is what an operation has written, until it is sealed.
type output struct {
	mu     sync.Mutex
	bytes  []byte
	sealed bool
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.sealed {
		return 0, errTimedOut
	}
	o.bytes = append(o.bytes, p...)
	return len(p), nil
}

func (o *output) seal(err error) []byte {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.sealed = true
	if err != nil {
		if n := len(o.bytes); n > 0 && o.bytes[n-1] != '\n' {
			o.bytes = append(o.bytes, '\n')
		}
		o.bytes = fmt.Appendf(o.bytes, "error: %s\n", breaks.Replace(err.Error()))
	}
	if o.bytes == nil {
		o.bytes = []byte{}
	}
	return o.bytes
}
