// Server pings the hosts that its clients name, until Ctrl+C. Try it with
//
//	nc 127.0.0.1 8888
//
// and a host of your own. It works, and has most of the mistakes of the lesson.
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"net"
	"os"
	"os/signal"
	"strings"
	"sync"
	"time"

	//lint:ignore SA1019 it stays, docs/decisions/go-ping.md says why
	"github.com/go-ping/ping"
)

func boom(host string, raw bool) string {
	pinger, err := ping.NewPinger(host)
	if err != nil {
		return fmt.Sprintf("Pinging %s failed. %v", host, err)
	}
	pinger.SetPrivileged(raw)
	pinger.Count = 1
	pinger.Timeout = 5 * time.Second
	if err := pinger.Run(); err != nil {
		return fmt.Sprintf("Pinging %s failed. %v", host, err)
	}
	delay := pinger.Statistics().AvgRtt
	return fmt.Sprintf("Ping response in %.1f ms.", delay.Seconds()*1000)
}

func handle(conn net.Conn, raw bool) {
	defer conn.Close()
	buf := make([]byte, 100)
	n, err := conn.Read(buf)
	if err != nil {
		log.Printf("%v: %v", conn.RemoteAddr(), err)
		return
	}
	fmt.Fprintln(conn, boom(strings.TrimSpace(string(buf[:n])), raw))
}

func main() {
	addr := flag.String("addr", "127.0.0.1:8888", "where to listen")
	raw := flag.Bool("raw", os.Geteuid() <= 0, "use raw sockets, which not everybody may")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()

	ln, err := net.Listen("tcp", *addr)
	if err != nil {
		log.Fatalf("cannot listen, try another -addr: %v", err)
	}
	fmt.Printf("Serving on %v.\n", ln.Addr())
	context.AfterFunc(ctx, func() { _ = ln.Close() })

	var clients sync.WaitGroup
	for {
		conn, err := ln.Accept()
		if err != nil {
			break
		}
		clients.Go(func() { handle(conn, *raw) })
	}
	clients.Wait()
	fmt.Println("Closed.")
}
