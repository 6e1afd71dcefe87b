// Memory shows what a goroutine is not: a process of its own. It counts in a
// goroutine, which shares the memory of the program, and then in a real process
// of the operating system, which starts with a memory of its own: this same
// program, called with an argument.
package main

import (
	"fmt"
	"log"
	"os"
	"os/exec"
	"sync"
)

var counter int

func main() {
	if len(os.Args) > 1 { // this is the child
		counter++
		fmt.Println("in the child process:", counter)
		return
	}

	var wg sync.WaitGroup
	wg.Go(func() { counter++ })
	wg.Wait()
	fmt.Println("after the goroutine:", counter)

	self, err := os.Executable()
	if err != nil {
		log.Fatal(err)
	}
	child := exec.Command(self, "child")
	child.Stdout = os.Stdout            // the child writes to our screen
	if err := child.Run(); err != nil { // Run starts the child and waits for it
		log.Fatal(err)
	}
	fmt.Println("after the child process:", counter)
}
