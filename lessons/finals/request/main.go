// Request shows what an HTTP client sends, byte by byte: it listens instead of a
// web server, and points a client to itself.
package main

import (
	"context"
	"fmt"
	"log"
	"net"
	"net/http"
	"strings"
)

func main() {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	defer ln.Close()

	shown := make(chan struct{})
	go func() {
		defer close(shown)
		conn, err := ln.Accept()
		if err != nil {
			log.Fatal(err)
		}
		defer conn.Close()
		buf := make([]byte, 4096)
		n, err := conn.Read(buf)
		if err != nil {
			log.Fatal(err)
		}
		for line := range strings.Lines(string(buf[:n])) {
			fmt.Printf("%q\n", line)
		}
		fmt.Fprint(conn, "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nhello\n")
	}()

	// Whatever the URL says, this client comes to us.
	toUs := func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, ln.Addr().String())
	}
	client := &http.Client{Transport: &http.Transport{DialContext: toUs}}
	resp, err := client.Get("http://example.com/greeting?name=Alice")
	if err != nil {
		log.Fatal(err)
	}
	defer resp.Body.Close()
	<-shown
	fmt.Println(resp.Status)
}
