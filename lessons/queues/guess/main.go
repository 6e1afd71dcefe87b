// Guess is the first try without a queue: one worker leaves its message in a
// variable, the other guesses when it will be there.
package main

import (
	"fmt"
	"time"
)

func main() {
	var msg string
	go func() {
		time.Sleep(300 * time.Millisecond)
		msg = "Worker awake."
	}()

	time.Sleep(100 * time.Millisecond) // that should do
	fmt.Printf("Got '%s'.\n", msg)
}
