// Bounded shows back-pressure: a producer that is faster than its consumer is
// stopped by a full queue and goes on at the consumer's pace.
package main

import (
	"fmt"
	"sync/atomic"
	"time"
)

func main() {
	queue := make(chan int, 2)
	var sent atomic.Int64

	go func() { // as fast as it can
		for n := range 100 {
			queue <- n
			sent.Add(1)
		}
	}()

	for read := range 4 { // taking its time
		time.Sleep(100 * time.Millisecond)
		fmt.Printf("%d read, %d sent\n", read, sent.Load())
		<-queue
	}
}
