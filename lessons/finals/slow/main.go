// Slow sends a byte now and then, to keep a connection for ever.
package main

import (
	"bufio"
	"fmt"
	"net"
	"time"
)

// each grants every Read some time.
type each struct {
	net.Conn
	d time.Duration
}

func (e each) Read(p []byte) (int, error) {
	_ = e.SetReadDeadline(time.Now().Add(e.d))
	return e.Conn.Read(p)
}

func drip(conn net.Conn) {
	for {
		if _, err := conn.Write([]byte("x")); err != nil {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func main() {
	const patience = 500 * time.Millisecond

	client, server := net.Pipe()
	go drip(client)
	over := time.AfterFunc(3*patience, func() { _ = server.Close() })
	_, err := bufio.NewReader(each{server, patience}).ReadString('\n')
	fmt.Println("patience for each Read:  given up before three times that:", over.Stop(), err)

	client, server = net.Pipe()
	go drip(client)
	over = time.AfterFunc(3*patience, func() { _ = server.Close() })
	_ = server.SetReadDeadline(time.Now().Add(patience))
	_, err = bufio.NewReader(server).ReadString('\n')
	fmt.Println("patience for the line:   given up before three times that:", over.Stop(), err)
}
