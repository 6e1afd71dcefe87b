// Deaf cancels two goroutines. One of them listens to its context, the other one
// finishes what it has begun.
package main

import (
	"context"
	"fmt"
	"time"
)

func listens(ctx context.Context) (string, error) {
	select {
	case <-time.After(time.Hour):
		return "one hour later", nil
	case <-ctx.Done():
		return "", ctx.Err()
	}
}

func deaf(context.Context) (string, error) {
	time.Sleep(50 * time.Millisecond)
	return "finished all the same", nil
}

func main() {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	for _, work := range []func(context.Context) (string, error){listens, deaf} {
		result, err := work(ctx)
		fmt.Printf("%q, %v\n", result, err)
	}
}
