// Tea does what a callback on a task is for in the most usual way: the goroutine
// that does the work does afterwards what is to be done afterwards.
package main

import (
	"fmt"
	"sync"
	"time"
)

func makeTea() string {
	time.Sleep(50 * time.Millisecond)
	return "Done."
}

func main() {
	var tea sync.WaitGroup
	tea.Go(func() {
		result := makeTea()
		fmt.Println(result) // the callback
	})
	fmt.Println("main waits")
	tea.Wait()
}
