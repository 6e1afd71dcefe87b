// Lost is a crew that nobody waits for: when the parent has handed out all the
// work, the program ends, and what was accepted is never done.
package main

import (
	"fmt"
	"time"
)

func main() {
	queue := make(chan string, 8)
	for range 2 {
		go func() {
			for w := range queue {
				time.Sleep(time.Second) // the work
				fmt.Println("done:", w)
			}
		}()
	}
	for _, w := range []string{"dig", "carry", "rake", "sow"} {
		queue <- w
		fmt.Println("accepted:", w)
	}
	fmt.Println("bye")
}
