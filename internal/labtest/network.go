package labtest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/stretchr/testify/require"
)

// Listener is a [net.Listener] whose connections lie in memory, so that a server
// can be tested in virtual time. Like a kernel it keeps connections that nobody
// has accepted yet, any number of them, and resets them when it is closed. Any
// number of goroutines may call its methods, Accept too. Make it with
// [NewListener], inside the bubble that uses it.
//
// The connections are those of [net.Pipe]: a Write returns when all of it has
// been read, deadlines work, and there is no half-close.
type Listener struct {
	mu      sync.Mutex
	changed *sync.Cond
	waiting []*Conn
	all     []*Conn // the server's ends, also of connections that are gone
	failure error
	once    bool // whether the failure is over when one Accept has returned it
	closed  bool
}

// NewListener returns a listener without connections.
func NewListener() *Listener {
	l := new(Listener)
	l.changed = sync.NewCond(&l.mu)
	return l
}

// Dial connects a client and returns its end, at once, whether somebody accepts
// it or not. If the listener is closed the connection is so, too.
//
// Each wrap, if any is given, is called with the server's end and returns what
// Accept shall return instead, such as a connection that fails.
func (l *Listener) Dial(wrap ...func(net.Conn) net.Conn) *Conn {
	l.mu.Lock()
	defer l.mu.Unlock()
	client, server := connect(len(l.all))
	for _, w := range wrap {
		server.accepted = w(server.accepted)
	}
	if l.closed {
		_ = server.Close()
		return client
	}
	l.all = append(l.all, server)
	l.waiting = append(l.waiting, server)
	l.changed.Signal()
	return client
}

// Accept waits for a connection. It returns what [Listener.Fail] was told, from
// then on, or what [Listener.FailOnce] was told, and an error that matches
// [net.ErrClosed] once the listener is closed.
func (l *Listener) Accept() (net.Conn, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for {
		switch {
		case l.closed:
			return nil, &net.OpError{Op: "accept", Net: network, Addr: l.Addr(), Err: net.ErrClosed}
		case l.failure != nil:
			err := l.failure
			if l.once {
				l.failure = nil
			}
			return nil, err
		case len(l.waiting) > 0:
			server := l.waiting[0]
			l.waiting = slices.Delete(l.waiting, 0, 1)
			return server.accepted, nil
		}
		l.changed.Wait()
	}
}

// Fail makes every Accept return err, those that wait too.
func (l *Listener) Fail(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.failure, l.once = err, false
	l.changed.Broadcast()
}

// FailOnce makes one Accept return err, one that waits or else the next one.
// Those after it are as before.
func (l *Listener) FailOnce(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.failure, l.once = err, true
	l.changed.Broadcast()
}

// Close closes the listener, and the connections that nobody has accepted. A
// second Close returns an error that matches [net.ErrClosed].
func (l *Listener) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return &net.OpError{Op: "close", Net: network, Addr: l.Addr(), Err: net.ErrClosed}
	}
	l.closed = true
	for _, server := range l.waiting {
		_ = server.Close()
	}
	l.waiting = nil
	l.changed.Broadcast()
	return nil
}

// Closed tells whether the listener has been closed.
func (l *Listener) Closed() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.closed
}

// Addr returns the address at which the listener listens.
func (l *Listener) Addr() net.Addr { return serverAddr }

// Open returns how many connections the server has not closed, accepted or not.
func (l *Listener) Open() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	open := 0
	for _, server := range l.all {
		if !server.Closed() {
			open++
		}
	}
	return open
}

// Unaccepted returns how many connections nobody has accepted yet.
func (l *Listener) Unaccepted() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.waiting)
}

const network = "tcp"

// The addresses are of the blocks that RFC 5737 keeps for documentation.
var serverAddr net.Addr = net.TCPAddrFromAddrPort(netip.MustParseAddrPort("192.0.2.1:8888"))

// Conn is one end of a connection in memory. Unlike those of [net.Pipe] it has
// addresses, and tells whether it was closed.
type Conn struct {
	net.Conn
	local, remote net.Addr
	closed        atomic.Bool
	accepted      net.Conn // what Accept returns for it
}

// Connect returns the two ends of a connection.
func Connect() (client, server *Conn) { return connect(0) }

func connect(n int) (client, server *Conn) {
	left, right := net.Pipe()
	clientAddr := net.TCPAddrFromAddrPort(netip.MustParseAddrPort(fmt.Sprintf("198.51.100.7:%d", 40_000+n)))
	client = &Conn{Conn: left, local: clientAddr, remote: serverAddr}
	server = &Conn{Conn: right, local: serverAddr, remote: clientAddr}
	server.accepted = server
	return client, server
}

// LocalAddr returns this end's address.
func (c *Conn) LocalAddr() net.Addr { return c.local }

// RemoteAddr returns the other end's address.
func (c *Conn) RemoteAddr() net.Addr { return c.remote }

// Close closes this end. It may be called any number of times.
func (c *Conn) Close() error {
	c.closed.Store(true)
	return c.Conn.Close()
}

// Closed tells whether this end has been closed, by whoever has it.
func (c *Conn) Closed() bool { return c.closed.Load() }

// Send writes text to a connection. Somebody who reads it byte by byte gets on as
// well: after each piece the watchdog hears of it. It returns the error of the Write
// that failed.
func (t *T) Send(to net.Conn, text string) error {
	const piece = 16 << 10 // more than most buffers take at once
	for len(text) > piece {
		if _, err := to.Write([]byte(text[:piece])); err != nil {
			return err
		}
		text = text[piece:]
		t.Progress()
	}
	_, err := to.Write([]byte(text))
	return err
}

// ClosesAll checks that serve, which serves the clients of a listener and ends with
// its context or with an error of Accept, has closed every connection when it
// returns. Their Close takes a second, so whoever does not wait for it is found
// out. Talk is what a client says and hears.
func (t *T) ClosesAll(serve func(ctx context.Context, ln net.Listener) error, talk func(client *Conn)) {
	t.mustBubble("ClosesAll")
	for _, end := range []struct {
		when string
		come func(ln *Listener, client *Conn, cancel func())
	}{
		{"ctx ended while a client was silent", func(_ *Listener, _ *Conn, cancel func()) { cancel() }},
		{"a silent client left after an Accept error", func(ln *Listener, client *Conn, _ func()) {
			ln.FailOnce(errors.New("boom"))
			t.Settle()
			_ = client.Close()
		}},
		{"ctx ended when a client had its answer", func(_ *Listener, client *Conn, cancel func()) {
			talk(client)
			cancel()
		}},
	} {
		ctx, cancel := context.WithCancel(context.Background())
		ln, open := NewListener(), 0
		call := t.Go(func() {
			_ = serve(ctx, ln)
			open = ln.Open()
		})
		client := ln.Dial(func(c net.Conn) net.Conn { return &slowToClose{c, t} })
		t.Settle()
		end.come(ln, client, cancel)
		call.Join()
		cancel()
		require.Equal(t, 0, open, "%s, closing takes a second, and when Serve returned so many connections were open", end.when)
	}
}

type slowToClose struct {
	net.Conn
	t *T
}

func (c *slowToClose) Close() error {
	c.t.Pass(time.Second)
	return c.Conn.Close()
}
