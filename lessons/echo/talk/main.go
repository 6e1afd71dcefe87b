// Talk starts an echo server, is three clients of it, and ends both.
package main

import (
	"fmt"
	"io"
	"log"
	"net"
	"sync"
)

func handle(conn net.Conn) {
	defer conn.Close()
	buf := make([]byte, 100)
	n, err := conn.Read(buf)
	if err != nil {
		return
	}
	_, _ = conn.Write(buf[:n])
}

func serve(ln net.Listener) {
	var clients sync.WaitGroup
	for {
		conn, err := ln.Accept()
		if err != nil {
			break
		}
		clients.Go(func() { handle(conn) })
	}
	clients.Wait()
}

func talk(addr net.Addr, message string) {
	conn, err := net.Dial(addr.Network(), addr.String())
	if err != nil {
		log.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprint(conn, message)
	echo, err := io.ReadAll(conn)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("said %q, heard %q\n", message, echo)
}

func main() {
	ln, err := net.Listen("tcp", "127.0.0.1:0") // any port that is free
	if err != nil {
		log.Fatal(err)
	}
	var server sync.WaitGroup
	server.Go(func() { serve(ln) })
	for _, message := range []string{"hello", "Grüße", "\x00\xff"} {
		talk(ln.Addr(), message)
	}
	_ = ln.Close()
	server.Wait()
	fmt.Println("closed")
}
