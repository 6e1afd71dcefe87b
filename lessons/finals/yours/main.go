// Yours is the server that you wrote in exercises/finals, with real pings and real
// GETs. It serves until Ctrl+C, and then ends in the way that you gave it; a second
// Ctrl+C kills it.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"time"

	//lint:ignore SA1019 it stays, docs/decisions/go-ping.md says why
	"github.com/go-ping/ping"

	"conclab/exercises/finals"
)

// icmp pings with github.com/go-ping/ping, which knows no contexts: it is stopped
// when one ends.
type icmp struct{ raw bool }

func (p icmp) Ping(ctx context.Context, host string) (time.Duration, error) {
	addrs, err := net.DefaultResolver.LookupIPAddr(ctx, host)
	if err != nil {
		return 0, err
	}
	pinger := ping.New(host)
	pinger.SetIPAddr(&addrs[0])
	pinger.SetPrivileged(p.raw)
	pinger.Count = 1
	defer context.AfterFunc(ctx, pinger.Stop)()
	if err := pinger.Run(); err != nil {
		return 0, fmt.Errorf("%w (see lessons/ping/README.md)", err)
	}
	if stats := pinger.Statistics(); stats.PacketsRecv > 0 {
		return stats.AvgRtt, nil
	}
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	return 0, errors.New("no reply")
}

// pretender is a Pinger that asks nobody.
type pretender time.Duration

func (p pretender) Ping(ctx context.Context, _ string) (time.Duration, error) {
	select {
	case <-time.After(time.Duration(p)):
		return time.Duration(p), nil
	case <-ctx.Done():
		return 0, ctx.Err()
	}
}

func main() {
	defer func() {
		switch r := recover(); {
		case r == nil:
		case strings.HasPrefix(fmt.Sprint(r), "TODO"):
			fmt.Fprintf(os.Stderr, "exercises/finals/finals.go still has a %v\n", r)
			os.Exit(1)
		default:
			panic(r)
		}
	}()

	addr := flag.String("addr", "127.0.0.1:8888", "where to listen")
	timeout := flag.Duration("timeout", 0, "give a request so long (default 5s)")
	conns := flag.Int("conns", 0, "serve at most so many clients at the same time")
	raw := flag.Bool("raw", os.Geteuid() <= 0, "ping by raw sockets, which not everybody may open")
	pretend := flag.Duration("pretend", 0, "do not ping at all, and pretend that every host answers after so long")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	context.AfterFunc(ctx, stop) // from now on Ctrl+C kills

	var pinger finals.Pinger = icmp{*raw}
	if *pretend > 0 {
		pinger = pretender(*pretend)
	}
	// No connection is kept for a client who may never come again.
	way := http.DefaultTransport.(*http.Transport).Clone()
	way.DisableKeepAlives = true
	server := &finals.Server{
		Ops: map[string]finals.Operation{
			"ping": finals.PingOp(pinger),
			"get":  finals.GetOp(&http.Client{Transport: way}),
		},
		Timeout:  *timeout,
		MaxConns: *conns,
	}
	ln, err := net.Listen("tcp", *addr)
	if err != nil {
		fmt.Fprintf(os.Stderr, "Cannot listen on %s, try another one with -addr: %v\n", *addr, err)
		os.Exit(1)
	}
	host, port, _ := net.SplitHostPort(ln.Addr().String())
	fmt.Printf("Serving on %v. Try it in another terminal: nc %s %s\n", ln.Addr(), host, port)
	fmt.Println("and a line, ping localhost or get http://example.com/.")
	if ip := net.ParseIP(host); ip != nil && !ip.IsLoopback() {
		fmt.Println("Everybody who can reach this address can now make this machine ping and GET, see the text.")
	}
	if err := server.Serve(ctx, ln); err != nil {
		fmt.Fprintln(os.Stderr, "The server has ended:", err)
		os.Exit(1)
	}
	fmt.Println("Closed in good order.")
}
