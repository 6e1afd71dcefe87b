// Reactor is a select loop that is right: one goroutine owns the stock, and
// everything that happens to it comes by a channel.
package main

import (
	"fmt"
	"sync"
)

type order struct {
	eggs   int
	answer chan<- bool
}

// pantry owns the stock: no lock, because nobody else can touch it.
func pantry(eggs int, deliveries <-chan int, orders <-chan order, quit <-chan struct{}) {
	for {
		select {
		case n := <-deliveries:
			eggs += n
		case o := <-orders:
			ok := eggs >= o.eggs
			if ok {
				eggs -= o.eggs
			}
			o.answer <- ok
		case <-quit:
			fmt.Println("eggs that are left:", eggs)
			return
		}
	}
}

func main() {
	deliveries, orders, quit := make(chan int), make(chan order), make(chan struct{})
	var open sync.WaitGroup
	open.Go(func() { pantry(3, deliveries, orders, quit) })

	ask := func(eggs int) bool {
		answer := make(chan bool, 1)
		orders <- order{eggs, answer}
		return <-answer
	}
	fmt.Println("three eggs:", ask(3))
	fmt.Println("two more:", ask(2))
	deliveries <- 12
	fmt.Println("and now:", ask(2))
	close(quit)
	open.Wait()
}
