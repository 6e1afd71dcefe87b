// Hello has ten goroutines greet, one at a time.
package main

import (
	"fmt"
	"sync"
)

func main() {
	var screen sync.Mutex
	var greeters sync.WaitGroup
	for num := range 10 {
		greeters.Go(func() {
			screen.Lock()
			defer screen.Unlock()
			fmt.Println("Hello, world", num)
		})
	}
	greeters.Wait()
}
