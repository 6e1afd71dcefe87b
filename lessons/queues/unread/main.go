// Unread sends on a channel that nobody reads: while there is room that goes
// well.
package main

import "fmt"

func main() {
	queue := make(chan int, 2)
	for n := 1; n <= 3; n++ {
		fmt.Println("sending", n)
		queue <- n
	}
}
