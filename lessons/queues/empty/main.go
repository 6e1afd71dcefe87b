// Empty receives from a channel on which nobody will ever send.
package main

import "fmt"

func main() {
	queue := make(chan string, 3)
	fmt.Println("waiting for a message")
	fmt.Println("got", <-queue)
}
