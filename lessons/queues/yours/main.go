// Yours runs what you wrote in exercises/queues as one program: the two
// workers, a factory with a small queue, and its closing time.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"

	"conclab/exercises/queues"
)

func main() {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	defer todo()

	sleepyAndWork()
	factory(ctx)
	impatience(ctx)
}

// sleepyAndWork lets one worker wake up and tell the other.
func sleepyAndWork() {
	queue := make(chan string)
	var workers sync.WaitGroup
	workers.Go(func() {
		defer todo()
		queues.Sleepy(queue, 300*time.Millisecond)
	})
	workers.Go(func() {
		defer todo()
		queues.Work(queue, os.Stdout)
	})
	workers.Wait()
}

// factory has three producers, two consumers, and room for two items between
// them. The last producer turns off the light.
func factory(ctx context.Context) {
	belt := queues.New[int](2)

	var producers, consumers sync.WaitGroup
	for p := range 3 {
		producers.Go(func() {
			defer todo()
			for n := range 100 {
				if err := belt.Put(ctx, 100*p+n); err != nil {
					fmt.Println("producer:", err)
					return
				}
			}
		})
	}
	counts, sums := make([]int, 2), make([]int, 2)
	for c := range counts {
		consumers.Go(func() {
			defer todo()
			for {
				n, err := belt.Get(ctx)
				if errors.Is(err, queues.ErrClosed) {
					return
				}
				if err != nil {
					fmt.Println("consumer:", err)
					return
				}
				counts[c]++
				sums[c] += n
			}
		})
	}
	producers.Wait()
	belt.Close()
	consumers.Wait()

	fmt.Printf("made 300 items, used %d, sum %d\n", counts[0]+counts[1], sums[0]+sums[1])
}

// impatience waits for a tenth of a second where nothing will come.
func impatience(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, 100*time.Millisecond)
	defer cancel()
	_, err := queues.New[string](1).Get(ctx)
	fmt.Println("nobody came:", err)
}

// saying is held by who says that something is still to do.
var saying sync.Mutex

// todo ends the program with one line if what is still to write was called.
// Deferred in every goroutine that calls it: a panic can only be recovered
// where it happens.
func todo() {
	r := recover()
	if r == nil {
		return
	}
	if text := fmt.Sprint(r); strings.HasPrefix(text, "TODO") {
		saying.Lock() // for ever: one line is enough
		fmt.Fprintln(os.Stderr, "exercises/queues/queues.go is not finished yet:", text)
		os.Exit(1)
	}
	panic(r)
}
