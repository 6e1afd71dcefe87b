// Alone cooks one thing after the other. A minute takes a quarter of a second.
package main

import (
	"fmt"
	"time"
)

const minute = 250 * time.Millisecond

var begun = time.Now()

func say(line string) {
	fmt.Printf("minute %d: %s\n", time.Since(begun)/minute, line)
}

func main() {
	say("eggs: in the pan")
	time.Sleep(4 * minute)
	say("eggs: done")
	time.Sleep(1 * minute)
	say("vegetables: cut, and cold")
}
