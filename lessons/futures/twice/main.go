// Twice asks for a result that came over a channel a second time. Whoever
// receives a value takes it along.
package main

import "fmt"

func main() {
	result := make(chan string, 1)
	go func() { result <- "Done." }()
	fmt.Println("first:", <-result)
	fmt.Println("second:", <-result)
}
