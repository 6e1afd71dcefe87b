// Talk has Alice and Bob speak over a pipe: two channels, crossed, so that each
// of them sends on the one that the other receives from.
package main

import (
	"fmt"
	"sync"
)

// conn is one end of a pipe.
type conn struct {
	in  <-chan string
	out chan<- string
}

func pipe() (left, right conn) {
	toLeft, toRight := make(chan string), make(chan string)
	return conn{in: toLeft, out: toRight}, conn{in: toRight, out: toLeft}
}

func alice(right conn) {
	bobSaid := <-right.in
	fmt.Printf("I heard Bob say '%s'.\n", bobSaid)
	right.out <- "Roger roger. Over and out."
}

func bob(left conn) {
	left.out <- "Hello, Alice!"
	aliceSaid := <-left.in
	fmt.Printf("I heard Alice say '%s'.\n", aliceSaid)
}

func main() {
	left, right := pipe()
	var both sync.WaitGroup
	both.Go(func() { bob(left) })
	both.Go(func() { alice(right) })
	both.Wait()
}
