// Spin asks again and again whether something has happened.
package main

import (
	"fmt"
	"time"
)

func main() {
	done := time.After(100 * time.Millisecond)
	looks := 0
	for cooking := true; cooking; {
		select {
		case <-done:
			cooking = false
		default:
			looks++ // nothing has happened, and that is all that we have done
		}
	}
	fmt.Println("looked more than 10000 times in a tenth of a second:", looks > 10000)
}
