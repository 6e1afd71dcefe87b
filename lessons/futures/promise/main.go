// Promise is a future without any type of its own: a field, and a channel that
// is closed when the field may be read.
package main

import (
	"fmt"
	"time"
)

type promise struct {
	done   chan struct{} // closed when result is final
	result string
}

func waitHere(d time.Duration) string {
	time.Sleep(d)
	return "Done."
}

func main() {
	p := &promise{done: make(chan struct{})}
	go func() {
		p.result = waitHere(50 * time.Millisecond)
		close(p.done)
	}()

	<-p.done
	fmt.Println("first:", p.result)
	<-p.done
	fmt.Println("second:", p.result)
}
