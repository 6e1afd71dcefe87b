// Server echoes what its clients say, until Ctrl+C. Try it with
//
//	nc 127.0.0.1 8888
//
// and a line of your own.
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"net"
	"os"
	"os/signal"
	"sync"
)

func handle(conn net.Conn) {
	defer conn.Close()
	buf := make([]byte, 100)
	n, err := conn.Read(buf)
	if err != nil {
		log.Printf("%v: %v", conn.RemoteAddr(), err)
		return
	}
	log.Printf("Received %q from %v", buf[:n], conn.RemoteAddr())
	if _, err := conn.Write(buf[:n]); err != nil {
		log.Printf("%v: %v", conn.RemoteAddr(), err)
	}
}

func main() {
	addr := flag.String("addr", "127.0.0.1:8888", "where to listen")
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
		clients.Go(func() { handle(conn) })
	}
	clients.Wait()
	fmt.Println("Closed.")
}
