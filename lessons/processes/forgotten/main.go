// Forgotten starts a worker and does not wait for it. When main returns, the
// program ends, and every goroutine with it.
package main

import (
	"fmt"
	"time"
)

func gump() {
	time.Sleep(100 * time.Millisecond) // tie the shoes
	fmt.Println("Running and")
}

func main() {
	go gump()
	fmt.Println("Nobody waits for Forrest.")
}
