// Yours is what you wrote in exercises/futures at work: three cooks, one after
// the other, each shown when it is done (one has sour milk, one drops the pan),
// and then some at the same time: the first that succeeds makes dinner.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"time"

	"conclab/exercises/futures"
)

func main() {
	defer func() {
		switch r := recover(); {
		case r == nil:
		case strings.HasPrefix(fmt.Sprint(r), "TODO"):
			fmt.Fprintf(os.Stderr, "exercises/futures/futures.go still has a %v\n", r)
			os.Exit(1)
		default:
			panic(r)
		}
	}()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()

	cooks := []func(context.Context) (string, error){
		cook(300*time.Millisecond, "soup", nil),
		cook(100*time.Millisecond, "", errors.New("the milk is sour")),
		func(ctx context.Context) (string, error) {
			_, _ = cook(200*time.Millisecond, "", nil)(ctx)
			panic("the pan!")
		},
	}
	for _, c := range cooks {
		task := futures.Go(ctx, c)
		futures.ShowWhenDone(os.Stdout, task)
		defer task.Cancel()
		if _, err := task.Wait(ctx); ctx.Err() != nil {
			fmt.Println("You pressed Ctrl+C:", err)
			return
		}
	}

	dinner, err := futures.First(ctx, cooks[0], cooks[1], cook(time.Hour, "stew", nil))
	if err != nil {
		fmt.Println("There is no dinner:", err)
		return
	}
	fmt.Println("For dinner there is", dinner)
}

// cook returns a cook who needs some time, unless it is sent home before.
func cook(needs time.Duration, meal string, err error) func(context.Context) (string, error) {
	return func(ctx context.Context) (string, error) {
		select {
		case <-time.After(needs):
			return meal, err
		case <-ctx.Done():
			return "", ctx.Err()
		}
	}
}
