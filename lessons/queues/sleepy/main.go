// Sleepy starts two workers who share a channel: one sleeps a little and sends,
// the other waits for the message.
package main

import (
	"fmt"
	"sync"
	"time"
)

func sleepy(out chan<- string, dozeOff time.Duration) {
	time.Sleep(dozeOff)
	out <- "Worker awake."
}

func work(in <-chan string) {
	msg := <-in
	fmt.Printf("Got '%s' from Queue.\n", msg)
}

func main() {
	queue := make(chan string)

	var workers sync.WaitGroup
	workers.Go(func() { sleepy(queue, 300*time.Millisecond) })
	workers.Go(func() { work(queue) })
	workers.Wait()
}
