// Chance asks a select a thousand times, with both cases ready. It takes either,
// whichever is written first.
package main

import (
	"context"
	"fmt"
)

func main() {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()

	sent, gaveUp := 0, 0
	for range 1000 {
		queue := make(chan int, 1)
		select {
		case <-ctx.Done():
			gaveUp++
		case queue <- 1:
			sent++
		}
	}
	fmt.Println("gave up at least 400 times:", gaveUp >= 400)
	fmt.Println("sent at least 400 times:", sent >= 400)
}
