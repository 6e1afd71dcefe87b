// Kitchen is the omelette as one writes it in Go: who waits, waits, and somebody
// else cuts meanwhile. A minute takes a quarter of a second.
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
	cut := make(chan struct{})
	go func() {
		time.Sleep(1 * minute)
		say("vegetables: cut")
		close(cut)
	}()

	say("eggs: in the pan")
	time.Sleep(2 * minute) // half done
	<-cut
	say("vegetables: in the pan")
	time.Sleep(2 * minute)
	say("omelette: done")
}
