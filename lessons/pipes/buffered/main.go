// Buffered is the standoff again, over a pipe that holds one unread message in
// each direction: both speak first, and both are heard.
package main

import (
	"fmt"
	"sync"
)

type conn struct {
	in  <-chan string
	out chan<- string
}

func talk(name string, end conn) {
	end.out <- "This is " + name + "."
	fmt.Printf("%s heard: %s\n", name, <-end.in)
}

func main() {
	toLeft, toRight := make(chan string, 1), make(chan string, 1)
	var both sync.WaitGroup
	both.Go(func() { talk("Bob", conn{in: toLeft, out: toRight}) })
	both.Go(func() { talk("Alice", conn{in: toRight, out: toLeft}) })
	both.Wait()
}
