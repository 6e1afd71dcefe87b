// Hangup closes the standard library's own pipes and shows the two errors that
// the two ends see: io.EOF, nothing more will come, and io.ErrClosedPipe, do not
// use this any more.
package main

import (
	"fmt"
	"io"
	"net"
)

func main() {
	fmt.Println("io.Pipe, one direction:")
	r, w := io.Pipe()
	go func() {
		fmt.Fprint(w, "bye")
		w.Close()
	}()
	last, err := io.ReadAll(r) // reads up to io.EOF, which it does not count as an error
	fmt.Printf("  the writer hung up, all that was read: %q, %v\n", last, err)
	_, err = r.Read(make([]byte, 1))
	fmt.Println("  the writer hung up, Read:", err)

	r, w = io.Pipe()
	r.Close()
	_, err = fmt.Fprint(w, "anybody there?")
	fmt.Println("  the reader hung up, Write:", err)

	fmt.Println("net.Pipe, both directions:")
	left, right := net.Pipe()
	right.Close()
	_, err = left.Read(make([]byte, 1))
	fmt.Println("  the other end hung up, Read:", err)
	_, err = fmt.Fprint(left, "anybody there?")
	fmt.Println("  the other end hung up, Write:", err)
	_, err = right.Read(make([]byte, 1))
	fmt.Println("  this end hung up, Read:", err)
	fmt.Println("  this end hung up, is that the same as the end?", err == io.EOF)
}
