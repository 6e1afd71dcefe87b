// Pull runs a function a step at a time: iter.Pull is the coroutine that Go has.
package main

import (
	"fmt"
	"iter"
)

func recipe(yield func(string) bool) {
	for _, step := range []string{"break the eggs", "cut the vegetables", "stir"} {
		fmt.Println("  cook:", step)
		if !yield(step) {
			fmt.Println("  cook: I am sent home")
			return
		}
	}
}

func main() {
	next, stop := iter.Pull(recipe)
	fmt.Println("nothing has happened yet")
	step, _ := next()
	fmt.Println("done:", step)
	step, _ = next()
	fmt.Println("done:", step)
	stop()
}
