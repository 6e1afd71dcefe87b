// Half shows what a Scanner makes of a line that never ends.
package main

import (
	"bufio"
	"fmt"
	"net"
	"time"
)

func main() {
	client, server := net.Pipe()
	go func() { _, _ = client.Write([]byte("delete /home/alice/tm")) }() // "p" is on its way

	_ = server.SetReadDeadline(time.Now().Add(100 * time.Millisecond)) // but the server ends
	lines := bufio.NewScanner(server)
	fmt.Println(lines.Scan())
	fmt.Printf("%q\n", lines.Text())
	fmt.Println(lines.Scan(), lines.Err())
}
