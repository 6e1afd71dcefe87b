// Slow has a case that takes its time, and everything else waits for it. A minute
// takes a quarter of a second.
package main

import (
	"fmt"
	"time"
)

const minute = 250 * time.Millisecond

func main() {
	begun := time.Now()
	phone, eggs := time.After(1*minute), time.After(2*minute)
	for range 2 {
		select {
		case <-phone:
			fmt.Println("the phone, for five minutes")
			time.Sleep(5 * minute)
		case <-eggs:
			fmt.Printf("minute %d: the eggs, which were half done in minute 2\n", time.Since(begun)/minute)
		}
	}
}
