// Omelette is the same without asyncio: the smallest event loop there is. A
// minute takes a quarter of a second.
package main

import (
	"fmt"
	"time"
)

const minute = 250 * time.Millisecond

func main() {
	begun := time.Now()
	say := func(line string) {
		fmt.Printf("minute %d: %s\n", time.Since(begun)/minute, line)
	}
	cut, half, done := time.After(1*minute), time.After(2*minute), time.After(4*minute)

	say("eggs: in the pan")
	for cooking := true; cooking; {
		select {
		case <-cut:
			say("vegetables: cut")
		case <-half:
			say("vegetables: in the pan")
		case <-done:
			say("omelette: done")
			cooking = false
		}
	}
}
