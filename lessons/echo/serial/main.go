// Serial handles one client after the other, and the first one is silent.
package main

import (
	"errors"
	"fmt"
	"log"
	"net"
	"os"
	"time"
)

func serve(ln net.Listener) {
	for {
		conn, err := ln.Accept()
		if err != nil {
			return
		}
		buf := make([]byte, 100)
		n, _ := conn.Read(buf) // everybody waits here
		_, _ = conn.Write(buf[:n])
		_ = conn.Close()
	}
}

func main() {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	defer ln.Close()
	go serve(ln)

	silent, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		log.Fatal(err)
	}
	defer silent.Close()
	client, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()
	fmt.Fprint(client, "hello")
	_ = client.SetReadDeadline(time.Now().Add(500 * time.Millisecond))
	_, err = client.Read(make([]byte, 100))
	fmt.Println("connected, sent, and no echo:", errors.Is(err, os.ErrDeadlineExceeded))
}
