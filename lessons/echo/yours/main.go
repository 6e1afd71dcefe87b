// Yours is the server that you wrote in exercises/echo. It serves until Ctrl+C,
// and then ends in the way that you gave it; a second Ctrl+C kills it.
package main

import (
	"context"
	"flag"
	"fmt"
	"net"
	"os"
	"os/signal"
	"strings"

	"conclab/exercises/echo"
)

func main() {
	defer func() {
		switch r := recover(); {
		case r == nil:
		case strings.HasPrefix(fmt.Sprint(r), "TODO"):
			fmt.Fprintf(os.Stderr, "exercises/echo/echo.go still has a %v\n", r)
			os.Exit(1)
		default:
			panic(r)
		}
	}()

	addr := flag.String("addr", "127.0.0.1:8888", "where to listen")
	idle := flag.Duration("idle", 0, "close clients that are silent for so long")
	conns := flag.Int("conns", 0, "handle at most so many clients at the same time")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	context.AfterFunc(ctx, stop) // from now on Ctrl+C kills

	ln, err := net.Listen("tcp", *addr)
	if err != nil {
		fmt.Fprintf(os.Stderr, "Cannot listen on %s, try another one with -addr: %v\n", *addr, err)
		os.Exit(1)
	}
	host, port, _ := net.SplitHostPort(ln.Addr().String())
	fmt.Printf("Serving on %v. Try it in another terminal: nc %s %s\n", ln.Addr(), host, port)
	server := &echo.Server{Log: os.Stdout, IdleTimeout: *idle, MaxConns: *conns}
	if err := server.Serve(ctx, ln); err != nil {
		fmt.Fprintln(os.Stderr, "The server has ended:", err)
		os.Exit(1)
	}
	fmt.Println("Closed in good order.")
}
