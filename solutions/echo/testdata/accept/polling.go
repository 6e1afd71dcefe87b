// Each client has a goroutine that reads with a deadline of a second and looks at its context in between.
package echo

import (
	"context"
	"errors"
	"io"
	stdlog "log"
	"net"
	"os"
	"sync"
	"time"
)

const MaxMessage = 100

// tick is how often everybody looks whether it is time to go.
const tick = 1000 * time.Millisecond

type Server struct {
	Log         io.Writer
	IdleTimeout time.Duration
	MaxConns    int
}

func newLogger(w io.Writer) *stdlog.Logger {
	if w == nil {
		w = io.Discard
	}
	return stdlog.New(w, "", 0)
}

func Handle(conn net.Conn, log io.Writer) error {
	return process(newLogger(log), conn, func(b []byte) (int, error) { return conn.Read(b) })
}

func process(logger *stdlog.Logger, conn net.Conn, read func([]byte) (int, error)) (err error) {
	who := conn.RemoteAddr().String()
	defer func() {
		e := conn.Close()
		if err == nil {
			err = e
		}
		logger.Printf("Close %s", who)
	}()
	msg := make([]byte, MaxMessage)
	n, rerr := read(msg)
	msg = msg[:n]
	if rerr == io.EOF {
		rerr = nil
	}
	if n == 0 {
		return rerr
	}
	logger.Printf("Received %q from %s", msg, who)
	for i := range msg { // byte for byte, why not
		if _, werr := conn.Write(msg[i : i+1]); werr != nil {
			return errors.Join(rerr, werr)
		}
	}
	logger.Printf("Send: %q", msg)
	return rerr
}

func (s *Server) Serve(ctx context.Context, ln net.Listener) error {
	logger := newLogger(s.Log)
	var wg sync.WaitGroup
	var mu sync.Mutex
	n := 0
	results := make(chan error, 1)
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				results <- err
				return
			}
			wg.Go(func() {
				for {
					if ctx.Err() != nil {
						c.Close()
						return
					}
					mu.Lock()
					if s.MaxConns == 0 || n < s.MaxConns {
						n++
						mu.Unlock()
						break
					}
					mu.Unlock()
					time.Sleep(tick)
				}
				start := time.Now()
				err := process(logger, c, func(b []byte) (int, error) {
					for {
						wait := time.Now().Add(tick)
						if s.IdleTimeout > 0 && start.Add(s.IdleTimeout).Before(wait) {
							wait = start.Add(s.IdleTimeout)
						}
						c.SetDeadline(wait)
						n, err := c.Read(b)
						c.SetDeadline(time.Time{})
						switch {
						case !errors.Is(err, os.ErrDeadlineExceeded), n > 0:
							return n, err
						case ctx.Err() != nil:
							return 0, ctx.Err()
						case s.IdleTimeout > 0 && time.Since(start) >= s.IdleTimeout:
							return 0, err
						}
					}
				})
				if err != nil {
					logger.Print("error: ", err)
				}
				mu.Lock()
				n--
				mu.Unlock()
			})
		}
	}()
	select {
	case <-ctx.Done():
		ln.Close()
		<-results
		wg.Wait()
		return nil
	case err := <-results:
		ln.Close()
		wg.Wait()
		if ctx.Err() != nil && errors.Is(err, net.ErrClosed) {
			return nil
		}
		return err
	}
}
