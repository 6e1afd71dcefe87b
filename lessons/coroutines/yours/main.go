// Yours prints the domains of URLs with the coroutines that you wrote in
// exercises/coroutines: all at the same time, each after a short wait, and no
// longer than a second. Without arguments it takes three URLs of its own.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"time"

	"conclab/exercises/coroutines"
)

func main() {
	defer func() {
		switch r := recover(); {
		case r == nil:
		case strings.HasPrefix(fmt.Sprint(r), "TODO"):
			fmt.Fprintf(os.Stderr, "exercises/coroutines/coroutines.go still has a %v\n", r)
			os.Exit(1)
		default:
			panic(r)
		}
	}()

	urls := os.Args[1:]
	if len(urls) == 0 {
		urls = []string{"https://me@www.example.com:8080/x", "https://go.dev/doc/", "http://[2001:db8::1]/"}
	}
	var all []coroutines.Coroutine[string]
	for i, rawURL := range urls {
		wait := coroutines.WaitHere(time.Duration(i+1) * 100 * time.Millisecond)
		all = append(all, coroutines.Then(wait, func(string) coroutines.Coroutine[string] {
			return coroutines.PrintDomain(os.Stdout, rawURL)
		}))
	}
	everything := gather(all)

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	domains, err := everything(ctx)
	if err != nil {
		fmt.Fprintln(os.Stderr, "That did not work:", err)
		os.Exit(1)
	}
	fmt.Println(len(domains), "domains")
}

// gather does all of them in a second. Until the brave task is done, it gives
// them all the time that they take.
func gather(all []coroutines.Coroutine[string]) (c coroutines.Coroutine[[]string]) {
	c = coroutines.Gather(all...)
	defer func() {
		if r := recover(); r != nil && !strings.HasPrefix(fmt.Sprint(r), "TODO") {
			panic(r)
		}
	}()
	return coroutines.WithTimeout(time.Second, c)
}
