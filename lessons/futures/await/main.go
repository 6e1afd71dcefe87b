// Await shows what a coroutine that awaits another one becomes in Go: a function
// that calls another one. Only who wants to do something else meanwhile needs a
// goroutine, and a channel on which the result comes back.
package main

import (
	"fmt"
	"time"
)

// boil is a slow job.
func boil(what string) string {
	time.Sleep(50 * time.Millisecond)
	return "hot " + what
}

func main() {
	fmt.Println(boil("water")) // await boil("water")

	result := make(chan string, 1)
	go func() { result <- boil("milk") }()
	fmt.Println("meanwhile: cups")
	fmt.Println(<-result)
}
