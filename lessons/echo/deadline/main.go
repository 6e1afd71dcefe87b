// Deadline wakes a reader without closing anything.
package main

import (
	"errors"
	"fmt"
	"net"
	"os"
	"time"
)

func main() {
	client, server := net.Pipe()
	go func() {
		time.Sleep(100 * time.Millisecond)
		_ = server.SetReadDeadline(time.Unix(1, 0)) // long ago
	}()
	_, err := server.Read(make([]byte, 100))
	fmt.Println("Read gave up:", errors.Is(err, os.ErrDeadlineExceeded))

	go func() { _, _ = server.Write([]byte("but I can still speak")) }()
	buf := make([]byte, 100)
	n, err := client.Read(buf)
	fmt.Printf("%q, %v\n", buf[:n], err)
}
