// Yours is the server that you wrote in exercises/ping. It pings until Ctrl+C, and
// then ends in the way that you gave it; a second Ctrl+C kills it.
package main

import (
	"context"
	"flag"
	"fmt"
	"net"
	"os"
	"os/signal"
	"runtime"
	"strings"
	"time"

	"conclab/exercises/ping"
)

func main() {
	defer func() {
		switch r := recover(); {
		case r == nil:
		case strings.HasPrefix(fmt.Sprint(r), "TODO"):
			fmt.Fprintf(os.Stderr, "exercises/ping/ping.go still has a %v\n", r)
			os.Exit(1)
		default:
			panic(r)
		}
	}()

	addr := flag.String("addr", "127.0.0.1:8888", "where to listen")
	raw := flag.Bool("raw", os.Geteuid() <= 0, "ping by raw sockets, which not everybody may open")
	pretend := flag.Duration("pretend", 0, "do not ping at all, and pretend that every host answers after so long")
	timeout := flag.Duration("timeout", 0, "give a ping so long (default 5s)")
	pings := flag.Int("pings", 0, "run at most so many pings at the same time")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	context.AfterFunc(ctx, stop) // from now on Ctrl+C kills

	var pinger ping.Pinger = ping.ICMP{Privileged: *raw}
	if *pretend > 0 {
		pinger = pretender(*pretend)
	}
	first, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	if said := ping.Boom(first, pinger, "127.0.0.1"); !strings.HasPrefix(said, "Ping response") {
		fmt.Fprintf(os.Stderr, "This machine does not let you ping: %s\n%s\nOr see the server without it: -pretend 2s\n", said, allow())
	}

	ln, err := net.Listen("tcp", *addr)
	if err != nil {
		fmt.Fprintf(os.Stderr, "Cannot listen on %s, try another one with -addr: %v\n", *addr, err)
		os.Exit(1)
	}
	host, port, _ := net.SplitHostPort(ln.Addr().String())
	fmt.Printf("Serving on %v. Try it in another terminal, and name a host: nc %s %s\n", ln.Addr(), host, port)
	server := &ping.Server{Pinger: pinger, Timeout: *timeout, MaxPings: *pings}
	if err := server.Serve(ctx, ln); err != nil {
		fmt.Fprintln(os.Stderr, "The server has ended:", err)
		os.Exit(1)
	}
	fmt.Println("Closed in good order.")
}

// allow says how pinging is allowed.
func allow() string {
	switch runtime.GOOS {
	case "windows":
		return "Try -raw, which needs no administrator there, and let the firewall pass ICMP:\n" +
			"  netsh advfirewall firewall add rule name=\"ICMPv4\" protocol=icmpv4:any,any dir=in action=allow"
	case "darwin":
		return "Unprivileged sockets (-raw=false) are for everybody there; raw ones need sudo."
	default:
		return "Allow unprivileged sockets, and use them (-raw=false):\n" +
			"  sudo sysctl -w net.ipv4.ping_group_range=\"0 2147483647\""
	}
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
