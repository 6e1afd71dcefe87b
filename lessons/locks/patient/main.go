// Patient waits for a lock, but no longer than it wants: a channel with one place
// is a lock that can stand in a select.
package main

import (
	"context"
	"fmt"
	"time"
)

// lock is taken by a send and given back by a receive.
type lock chan struct{}

func (l lock) take(ctx context.Context) error {
	select {
	case l <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (l lock) give() { <-l }

func main() {
	screen := make(lock, 1)
	_ = screen.take(context.Background())
	go func() {
		time.Sleep(100 * time.Millisecond) // a long story
		screen.give()
	}()

	for _, patience := range []time.Duration{20 * time.Millisecond, 5 * time.Second} {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		fmt.Printf("waiting for %v at most: %v\n", patience, screen.take(ctx))
		cancel()
	}
}
