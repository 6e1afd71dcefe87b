// Package finals is the reference solution of the lesson "finals": a server that
// does as it is told, with operations that are functions in a map.
package finals

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"maps"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode"
)

const (
	// MaxRequest is how many bytes the line of a request may have, without its
	// ending.
	MaxRequest = 1024
	// MaxBody is how many bytes of a response's body GetOp writes.
	MaxBody = 1 << 20
	// DefaultTimeout is how long an operation may run on a Server without
	// Timeout.
	DefaultTimeout = 5 * time.Second
)

var (
	errTooLong  = errors.New("request too long")
	errTimedOut = errors.New("timed out")
	errInternal = errors.New("internal error")
)

// Request is what a client asks for: an operation and its argument.
type Request struct{ Op, Arg string }

// Parse reads a line such as "ping example.com". The operation comes in lower
// case, the argument is the rest of the line without the white space around it;
// if one of them is missing the error says what a request looks like.
func Parse(line string) (Request, error) {
	line = strings.TrimSpace(line)
	end := strings.IndexFunc(line, unicode.IsSpace)
	if end < 0 {
		return Request{}, errors.New("a request is an operation and its argument, such as ping localhost")
	}
	return Request{Op: strings.ToLower(line[:end]), Arg: strings.TrimSpace(line[end:])}, nil
}

// Operation does what its name in [Server] Ops promises with arg, and writes the
// answer to w. It gives up when ctx ends.
type Operation func(ctx context.Context, arg string, w io.Writer) error

// Pinger asks a host for a sign of life.
type Pinger interface {
	Ping(ctx context.Context, host string) (time.Duration, error)
}

// PingOp returns the operation that pings its argument and writes how long that
// took, in milliseconds.
func PingOp(p Pinger) Operation {
	return func(ctx context.Context, arg string, w io.Writer) error {
		took, err := p.Ping(ctx, arg)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(w, "Ping response in %.1f ms.\n", float64(took)/float64(time.Millisecond))
		return err
	}
}

// GetOp returns the operation that gets its argument, an http or https URL, and
// writes the response: status, empty line, and at most [MaxBody] bytes of the
// body. Which addresses it may talk to is the client's business, since only who
// dials knows where a name or a redirect leads.
func GetOp(client *http.Client) Operation {
	return func(ctx context.Context, arg string, w io.Writer) error {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, arg, nil)
		if err != nil {
			return err
		}
		if scheme := req.URL.Scheme; scheme != "http" && scheme != "https" {
			return fmt.Errorf("%q is no http or https URL", arg)
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

// Server runs one operation for each client. Its operations may run at the same
// time.
type Server struct {
	Ops      map[string]Operation // by their names, in lower case
	Timeout  time.Duration        // of one operation; 0: DefaultTimeout
	MaxConns int                  // at the same time; 0: no limit
}

// Serve accepts clients from ln. It reads one line from each, at most
// [MaxRequest] bytes, runs the operation that it names, writes the answer when
// that has ended or its time is over, and closes the connection. At most MaxConns
// clients are there at the same time; one whose operation does not end keeps its
// place.
//
// When ctx ends, Serve stops accepting, closes the connections whose line has not
// come, lets the others have their answer, and returns nil. If Accept fails
// before that, Serve waits until all clients have ended by themselves, or ctx
// ends, and returns the error. In both cases ln is closed, and so are all
// connections.
func (s *Server) Serve(ctx context.Context, ln net.Listener) error {
	defer context.AfterFunc(ctx, func() { _ = ln.Close() })()
	var clients sync.WaitGroup
	defer clients.Wait()
	defer func() { _ = ln.Close() }()

	var places chan struct{}
	if s.MaxConns > 0 {
		places = make(chan struct{}, s.MaxConns)
	}
	for {
		if places != nil {
			select {
			case places <- struct{}{}:
			case <-ctx.Done():
				return nil
			}
		}
		conn, err := ln.Accept()
		if ctx.Err() != nil {
			if err == nil {
				_ = conn.Close()
			}
			return nil
		}
		if err != nil {
			return err
		}
		clients.Go(func() {
			s.handle(ctx, conn)
			if places != nil {
				<-places
			}
		})
	}
}

// handle serves one client, and returns when nothing of it is left.
func (s *Server) handle(ctx context.Context, conn net.Conn) {
	var started sync.WaitGroup
	defer started.Wait()
	defer func() { _ = conn.Close() }()

	// A deadline that has passed ends the waiting for the line and nothing else.
	defer context.AfterFunc(ctx, func() { _ = conn.SetReadDeadline(time.Unix(1, 0)) })()
	in := bufio.NewReader(conn)
	line, open, err := readLine(in)
	if err != nil && !errors.Is(err, errTooLong) {
		return // the connection has failed, or ctx has ended
	}

	// What has been asked for is done, whatever becomes of ctx.
	request, hungUp := context.WithCancel(context.WithoutCancel(ctx))
	defer hungUp()
	if open {
		started.Go(func() {
			awaitEnd(conn, in)
			hungUp()
		})
	}
	answer := withError(nil, err)
	if err == nil {
		answer = s.answer(request, line, &started)
	}
	_, _ = conn.Write(answer)
}

// readLine reads a line and returns it without its ending; open is false if it
// was the end of the stream that ended it. It reads no further than it must to
// know that a line is too long.
func readLine(r *bufio.Reader) (line string, open bool, err error) {
	var read []byte
	for {
		b, err := r.ReadByte()
		switch {
		case errors.Is(err, io.EOF):
			return string(read), false, nil
		case err != nil:
			return "", false, err
		case b == '\n':
			return string(bytes.TrimSuffix(read, []byte("\r"))), true, nil
		}
		read = append(read, b)
		if len(bytes.TrimSuffix(read, []byte("\r"))) > MaxRequest {
			return "", true, errTooLong
		}
	}
}

// awaitEnd reads on until the client has hung up or conn is closed.
func awaitEnd(conn net.Conn, r *bufio.Reader) {
	_, err := io.Copy(io.Discard, r)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		// It is the shutdown that does not wait for lines. This one has come.
		_ = conn.SetReadDeadline(time.Time{})
		_, _ = io.Copy(io.Discard, r)
	}
}

// answer runs the operation that a line asks for, and returns what its client must
// be told when it has ended, or when its time is over; then started knows of what
// goes on.
func (s *Server) answer(ctx context.Context, line string, started *sync.WaitGroup) []byte {
	req, err := Parse(line)
	if err != nil {
		return withError(nil, err)
	}
	op, ok := s.Ops[req.Op]
	if !ok {
		have := strings.Join(slices.Sorted(maps.Keys(s.Ops)), ", ")
		return withError(nil, fmt.Errorf("unknown operation %q (have: %s)", req.Op, have))
	}

	timeout := s.Timeout
	if timeout == 0 {
		timeout = DefaultTimeout
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	out := &output{until: ctx}
	done := make(chan error, 1)
	started.Go(func() {
		defer cancel()
		err := errInternal // that of a panic, and of runtime.Goexit
		defer func() {
			if r := recover(); r != nil {
				log.Printf("finals: the operation %s panicked: %v", req.Op, r)
			}
			if isOver(ctx) {
				err = errTimedOut
			}
			done <- err
		}()
		err = op(ctx, req.Arg, out)
	})
	select {
	case err = <-done:
	case <-ctx.Done():
		if isOver(ctx) {
			err = errTimedOut
		} else { // the client has hung up, and the operation knows
			err = <-done
		}
	}
	return withError(out.take(), err)
}

func isOver(ctx context.Context) bool { return errors.Is(ctx.Err(), context.DeadlineExceeded) }

// withError returns what an operation has written, and behind it the line for err,
// if there is one.
func withError(written []byte, err error) []byte {
	if err == nil {
		return written
	}
	if len(written) > 0 && !bytes.HasSuffix(written, []byte("\n")) {
		written = append(written, '\n')
	}
	breaks := strings.NewReplacer("\r\n", " ", "\n", " ", "\r", " ")
	return fmt.Appendf(written, "error: %s\n", breaks.Replace(err.Error()))
}

// output collects what an operation writes until the time of its context is over.
type output struct {
	until   context.Context
	mu      sync.Mutex
	written []byte
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if isOver(o.until) {
		return 0, errTimedOut
	}
	o.written = append(o.written, p...)
	return len(p), nil
}

// take returns what has been written. It belongs to the caller.
func (o *output) take() []byte {
	o.mu.Lock()
	defer o.mu.Unlock()
	written := o.written
	o.written = nil
	return written
}
