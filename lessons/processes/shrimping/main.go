// Shrimping hands arguments to what runs on its own. Three tasks, three
// goroutines: the lines of one task stay in order, those of different tasks mix
// as they like.
package main

import (
	"fmt"
	"sync"
)

func work(name string, catches int) {
	for i := range catches {
		fmt.Println(name, i+1)
	}
}

func main() {
	var wg sync.WaitGroup
	for _, name := range []string{"shrimping", "trawling", "sorting"} {
		wg.Go(func() { work(name, 3) })
	}
	wg.Wait()
}
