// Leak takes the first of three answers from a channel without buffer. The two
// others stand there with theirs for ever.
package main

import (
	"fmt"
	"runtime"
	"time"
)

func ask(answers chan<- int, n int) {
	time.Sleep(time.Duration(n) * 20 * time.Millisecond)
	answers <- n
}

func main() {
	answers := make(chan int)
	for n := range 3 {
		go ask(answers, n+1)
	}
	fmt.Println("the first answer:", <-answers)

	time.Sleep(200 * time.Millisecond)
	fmt.Println("goroutines that stay behind:", runtime.NumGoroutine()-1)
}
