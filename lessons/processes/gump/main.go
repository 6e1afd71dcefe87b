// Gump starts two workers that run on their own, and waits for both.
package main

import (
	"fmt"
	"sync"
)

// gump says that it is time to take off.
func gump() {
	for range 5 {
		fmt.Println("Running and")
	}
}

func main() {
	var wg sync.WaitGroup
	wg.Go(gump)
	wg.Go(gump)
	wg.Wait()
}
