// Yours is the omelette that you wrote in exercises/eventloop, on your own loop,
// at 60 times its speed: a minute takes a second. Ctrl+C ends the cooking.
//
// Your code does not know. It runs in a bubble of virtual time, as in the tests
// (see package testing/synctest), whose clock here is not allowed to jump: it
// waits every second until a sixtieth of a real one has passed.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"conclab/exercises/eventloop"
)

const (
	speed = 60
	limit = 5 * time.Minute // then something is wrong with the loop
)

func main() {
	interrupted, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	real := &pace{ask: make(chan time.Duration), answer: make(chan bool)}
	go real.keep(interrupted)

	// A bubble belongs to a test, so this is one.
	anything := func(_, _ string) (bool, error) { return true, nil }
	testing.Main(anything, []testing.InternalTest{{Name: "omelette", F: func(t *testing.T) {
		synctest.Test(t, func(*testing.T) {
			os.Exit(cook(real)) // whatever your loop leaves behind
		})
	}}}, nil, nil)
}

// cook runs the omelette, and returns the program's exit status.
func cook(real *pace) (status int) {
	defer func() {
		switch r := recover(); {
		case r == nil:
		case strings.HasPrefix(fmt.Sprint(r), "TODO"):
			fmt.Fprintf(os.Stderr, "exercises/eventloop/eventloop.go still has a %v\n", r)
			status = 1
		default:
			panic(r)
		}
	}()

	begun := time.Now()
	clock := func() string {
		s := time.Since(begun) / time.Second
		return fmt.Sprintf("%02d:%02d", s/60, s%60)
	}
	ctx, cancel := context.WithCancelCause(context.Background())
	defer cancel(nil)
	show := isTerminal(os.Stdout)
	go func() {
		for now := time.Duration(0); ctx.Err() == nil; now += time.Second {
			time.Sleep(time.Until(begun.Add(now)))
			switch {
			case !real.wait(now):
				cancel(fmt.Errorf("you pressed Ctrl+C at %s", clock()))
			case now > limit:
				cancel(fmt.Errorf("it is %s, and nobody has stopped the loop", clock()))
			case show:
				fmt.Printf("\r%s  ", clock())
			}
		}
	}()

	loop := eventloop.New()
	eventloop.Omelette(loop, writer(func(p []byte) (int, error) {
		if show {
			fmt.Print("\r")
		}
		fmt.Printf("%s  %s", clock(), p)
		return len(p), nil
	}))
	if err := loop.Run(ctx); err != nil {
		why := err
		if ctx.Err() != nil {
			why = context.Cause(ctx)
		}
		fmt.Fprintf(os.Stderr, "\nThere is no omelette: %v\n", why)
		return 1
	}
	return 0
}

// pace holds a bubble's time against the real one, from outside.
type pace struct {
	ask    chan time.Duration
	answer chan bool
}

// keep answers each question when its time has come, and with false as soon as
// ctx has ended.
func (p *pace) keep(ctx context.Context) {
	begun := time.Now()
	for now := range p.ask {
		select {
		case <-time.After(time.Until(begun.Add(now / speed))):
			p.answer <- true
		case <-ctx.Done():
			p.answer <- false
		}
	}
}

// wait blocks until so much virtual time may have passed. It returns false if the
// user wants to leave.
func (p *pace) wait(now time.Duration) bool {
	p.ask <- now
	return <-p.answer
}

type writer func(p []byte) (int, error)

func (w writer) Write(p []byte) (int, error) { return w(p) }

func isTerminal(f *os.File) bool {
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
