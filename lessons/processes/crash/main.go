// Crash shows that a panic which nobody recovers ends the whole program, in
// whatever goroutine it happens.
package main

import (
	"fmt"
	"sync"
)

func main() {
	defer fmt.Println("main says goodbye") // never
	var wg sync.WaitGroup
	wg.Go(func() { panic("out of shrimps") })
	wg.Wait()
}
