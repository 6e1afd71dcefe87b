// Hangup shows how a server learns that a client has gone: only by reading.
package main

import (
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"time"
)

func main() {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	defer ln.Close()
	client, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		log.Fatal(err)
	}
	server, err := ln.Accept()
	if err != nil {
		log.Fatal(err)
	}
	defer server.Close()

	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		_, _ = io.Copy(io.Discard, server)
		cancel()
	}()

	_, _ = client.Write([]byte("further bytes"))
	time.Sleep(100 * time.Millisecond)
	fmt.Println("it talks:", ctx.Err())
	_ = client.Close()
	<-ctx.Done()
	fmt.Println("it has gone:", ctx.Err())
}
