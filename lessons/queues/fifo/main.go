// Fifo shows that a buffered channel is a queue: first in, first out.
package main

import "fmt"

func main() {
	shop := make(chan string, 3) // room for three to wait

	for _, customer := range []string{"Ada", "Barbara", "Carl"} {
		shop <- customer
	}
	fmt.Println("waiting:", len(shop), "of", cap(shop))

	for range 3 {
		fmt.Println("next:", <-shop)
	}
}
