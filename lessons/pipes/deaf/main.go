// Deaf shows that nobody can call a goroutine back from Read, and what to do
// about it: let it sit there alone, and have it hand on what it reads.
package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"time"
)

// read hands on the lines of in. It looks at ctx wherever it waits, except in
// Read, which knows no context.
func read(ctx context.Context, in io.Reader, lines chan<- string) {
	defer close(lines)
	for s := bufio.NewScanner(in); s.Scan(); {
		select {
		case lines <- s.Text():
		case <-ctx.Done():
			return
		}
	}
}

func main() {
	ctx, cancel := context.WithTimeout(context.Background(), 300*time.Millisecond)
	defer cancel()
	keyboard, typist := io.Pipe()
	go fmt.Fprintln(typist, "dig") // and then nothing, for ever

	lines := make(chan string)
	go read(ctx, keyboard, lines)
	for {
		select {
		case line, ok := <-lines:
			if !ok {
				return
			}
			fmt.Println("work:", line)
		case <-ctx.Done():
			fmt.Println("home:", ctx.Err())
			return
		}
	}
}
