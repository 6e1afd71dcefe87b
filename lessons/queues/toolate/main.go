// Toolate sends on a channel that has been closed: what was sent before can
// still be received, sending panics.
package main

import "fmt"

func main() {
	queue := make(chan string, 3)
	queue <- "in time"
	close(queue)
	fmt.Println("got:", <-queue)
	queue <- "too late"
}
