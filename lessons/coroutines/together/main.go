// Together does three things at the same time, and stops the others when one of
// them fails.
package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

func fetch(ctx context.Context, name string, d time.Duration) error {
	select {
	case <-time.After(d):
	case <-ctx.Done():
		return fmt.Errorf("%s: %w", name, ctx.Err())
	}
	if name == "weather" {
		return errors.New("weather: no forecast today")
	}
	return nil
}

func main() {
	ctx, cancel := context.WithCancelCause(context.Background())
	defer cancel(nil)
	start := time.Now()
	var all sync.WaitGroup
	for name, d := range map[string]time.Duration{"news": 5 * time.Second, "weather": 100 * time.Millisecond, "sports": time.Minute} {
		all.Go(func() {
			if err := fetch(ctx, name, d); err != nil {
				cancel(err) // only the first cause is kept
			}
		})
	}
	all.Wait()
	fmt.Printf("%v, after %v\n", context.Cause(ctx), time.Since(start).Round(100*time.Millisecond))
}
