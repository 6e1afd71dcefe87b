// Yours is the crew that you wrote in exercises/pipes, at your keyboard: each
// line is work, "quit" or the end of the input ends the shift when all is done,
// Ctrl+C ends it now, and a second Ctrl+C does not even wait for that.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"sync/atomic"

	"conclab/exercises/pipes"
)

func main() {
	defer func() {
		switch r := recover(); {
		case r == nil:
		case strings.HasPrefix(fmt.Sprint(r), "TODO"):
			fmt.Fprintf(os.Stderr, "exercises/pipes/pipes.go still has a %v\n", r)
			os.Exit(1)
		default:
			panic(r)
		}
	}()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	context.AfterFunc(ctx, stop) // from now on Ctrl+C kills

	in := &user{in: os.Stdin, asks: isTerminal(os.Stdin)}
	err := pipes.Crew(ctx, in, os.Stdout)
	switch {
	case err == nil && in.gone.Load():
		fmt.Println("The input has ended, all work is done.")
	case err == nil:
		fmt.Println("You said quit, all work is done.")
	case errors.Is(err, context.Canceled):
		fmt.Println("You pressed Ctrl+C, the crew has dropped everything.")
	default:
		fmt.Fprintln(os.Stderr, "Reading failed, all work before that is done:", err)
		os.Exit(1)
	}
}

// user is what the user types. A user at a terminal is asked for it.
type user struct {
	in   io.Reader
	asks bool
	gone atomic.Bool // has nothing more to say
}

func (u *user) Read(p []byte) (int, error) {
	if u.asks {
		fmt.Print("work? ")
	}
	n, err := u.in.Read(p)
	if err == io.EOF {
		u.gone.Store(true)
	}
	return n, err
}

func isTerminal(f *os.File) bool {
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
