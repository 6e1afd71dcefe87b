// Tangle has two workers write two lines each, and every line by itself is whole.
package main

import (
	"fmt"
	"sync"
	"time"
)

var lines = [2][2]string{{"worker 1:", "  dig"}, {"worker 2:", "  rake"}}

func main() {
	var screen sync.Mutex
	var workers sync.WaitGroup
	for n := range lines {
		workers.Go(func() {
			time.Sleep(time.Duration(n) * 20 * time.Millisecond)
			for _, line := range lines[n] {
				screen.Lock()
				fmt.Println(line)
				screen.Unlock()
				time.Sleep(30 * time.Millisecond)
			}
		})
	}
	workers.Wait()
}
