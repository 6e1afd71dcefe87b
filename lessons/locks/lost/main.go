// Lost has two workers count their work in one variable, and one of them is
// forgotten.
package main

import (
	"fmt"
	"sync"
	"time"
)

func main() {
	total := 0
	var workers sync.WaitGroup
	for range 2 {
		workers.Go(func() {
			seen := total
			time.Sleep(10 * time.Millisecond) // anything may happen here
			total = seen + 1
		})
	}
	workers.Wait()
	fmt.Println("jobs done: 2, counted:", total)
}
