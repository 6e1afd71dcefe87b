// Stream shows that a connection carries bytes, and no messages.
package main

import (
	"bytes"
	"fmt"
	"net"
)

func main() {
	client, server := net.Pipe()
	go func() {
		_, _ = client.Write(bytes.Repeat([]byte("x"), 150))
		_, _ = client.Write([]byte("hel"))
		_, _ = client.Write([]byte("lo"))
		_ = client.Close()
	}()
	buf := make([]byte, 100)
	for {
		n, err := server.Read(buf)
		fmt.Println("Read:", n, "bytes,", err)
		if err != nil {
			return
		}
	}
}
