// Closing ends a queue: range stops when the channel is closed and empty. The
// channel has several senders, so none of them may close it: who knows that all
// are done does.
package main

import (
	"fmt"
	"sync"
)

func main() {
	queue := make(chan int)

	var senders sync.WaitGroup
	for worker := range 3 {
		senders.Go(func() {
			for n := range 4 {
				queue <- 10*worker + n
			}
		})
	}
	go func() {
		senders.Wait()
		close(queue)
	}()

	count, sum := 0, 0
	for n := range queue {
		count++
		sum += n
	}
	fmt.Println(count, "items, sum", sum)

	n, ok := <-queue
	fmt.Println("after that:", n, ok)
}
