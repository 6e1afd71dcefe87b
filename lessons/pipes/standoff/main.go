// Standoff has both ends of a pipe without buffer speak before they listen. Each
// waits until the other receives: a deadlock, and the runtime says so.
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
	toLeft, toRight := make(chan string), make(chan string)
	var both sync.WaitGroup
	both.Go(func() { talk("Bob", conn{in: toLeft, out: toRight}) })
	both.Go(func() { talk("Alice", conn{in: toRight, out: toLeft}) })
	both.Wait()
}
