// Blocking sleeps in one goroutine while another one works.
package main

import (
	"fmt"
	"sync"
	"time"
)

func main() {
	var both sync.WaitGroup
	both.Go(func() {
		time.Sleep(300 * time.Millisecond)
		fmt.Println("I have slept.")
	})
	both.Go(func() {
		for i := range 3 {
			time.Sleep(50 * time.Millisecond)
			fmt.Println("tick", i+1)
		}
	})
	both.Wait()
}
