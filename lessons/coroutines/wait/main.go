// Wait waits, and shows what it was given for that: a call is all it takes.
package main

import (
	"fmt"
	"time"
)

func waitHere(d time.Duration) string {
	time.Sleep(d)
	return "Done."
}

func showMe() {
	result := waitHere(200 * time.Millisecond)
	fmt.Println(result)
}

func main() {
	showMe()
}
