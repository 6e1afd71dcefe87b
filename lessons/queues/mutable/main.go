// Mutable passes a map to a goroutine, first by sharing it, then by handing it
// over.
package main

import "fmt"

func main() {
	// Shared: the goroutine writes into the very map that main holds. It goes
	// well here only because main waits before it looks.
	shared := map[string]int{}
	done := make(chan struct{})
	go func() {
		shared["child"] = 1
		close(done)
	}()
	<-done
	fmt.Println("shared:", shared)

	// Handed over: who receives the map owns it, who sent it lets go.
	work, results := make(chan map[string]int), make(chan map[string]int)
	go func() {
		m := <-work
		m["child"]++
		results <- m
	}()
	mine := map[string]int{"parent": 1}
	work <- mine
	mine = nil // not mine any more
	mine = <-results
	fmt.Println("handed over and back:", mine)
}
