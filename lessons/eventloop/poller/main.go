// Poller lets two hundred goroutines wait for the network, and counts the threads
// that it takes.
package main

import (
	"fmt"
	"log"
	"net"
	"runtime/pprof"
	"sync"
	"time"
)

func main() {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	defer ln.Close()

	const clients = 200
	var waiting, ended sync.WaitGroup
	var conns []net.Conn
	for range clients {
		client, err := net.Dial("tcp", ln.Addr().String())
		if err != nil {
			log.Fatal(err)
		}
		conn, err := ln.Accept()
		if err != nil {
			log.Fatal(err)
		}
		conns = append(conns, client)
		waiting.Add(1)
		ended.Go(func() {
			defer conn.Close()
			waiting.Done()
			_, _ = conn.Read(make([]byte, 100)) // nothing comes
		})
	}
	waiting.Wait()
	time.Sleep(100 * time.Millisecond)
	fmt.Println("goroutines that wait in Read:", clients)
	fmt.Println("fewer than 50 threads:", pprof.Lookup("threadcreate").Count() < 50)
	for _, c := range conns {
		_ = c.Close()
	}
	ended.Wait()
}
