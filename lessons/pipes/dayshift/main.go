// Dayshift wires up a crew: a parent tells a manager over a pipe what to do, the
// manager puts it on a queue, two workers share the queue. It ends from the
// front to the back: each stage closes what it sends on, and the next one reads
// on until it is empty.
package main

import (
	"fmt"
	"sync"
	"time"
)

const nap = 100 * time.Millisecond

func parent(manager chan<- string, work ...string) {
	defer close(manager)
	for _, w := range work {
		manager <- w
	}
}

func manage(parent <-chan string, queue chan<- string) {
	defer close(queue)
	for w := range parent {
		queue <- w
	}
}

func worker(queue <-chan string) {
	for w := range queue {
		fmt.Println(w)
		time.Sleep(nap)
	}
}

func main() {
	pipe, queue := make(chan string), make(chan string, 2)
	var crew sync.WaitGroup
	crew.Go(func() { parent(pipe, "dig", "carry", "rake", "sow") })
	crew.Go(func() { manage(pipe, queue) })
	for range 2 {
		crew.Go(func() { worker(queue) })
	}
	crew.Wait()
}
