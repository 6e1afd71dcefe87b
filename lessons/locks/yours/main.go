// Yours is the crew that you repaired in exercises/locks, on a screen and with a
// tally that you wrote: it does the jobs that you name, or six of its own.
package main

import (
	"fmt"
	"os"
	"strings"
	"time"

	"conclab/exercises/locks"
)

func main() {
	defer func() {
		switch r := recover(); {
		case r == nil:
		case strings.HasPrefix(fmt.Sprint(r), "TODO"):
			fmt.Fprintf(os.Stderr, "exercises/locks/locks.go still has a %v\n", r)
			os.Exit(1)
		default:
			panic(r)
		}
	}()

	jobs := os.Args[1:]
	if len(jobs) == 0 {
		jobs = []string{"dig", "carry", "rake", "sow", "water", "weed"}
	}
	screen, tally := locks.NewScreen(os.Stdout), locks.NewTally(new(cell))
	start := time.Now()
	locks.Crew(jobs, screen, tally)
	naps := time.Since(start).Round(locks.Nap) / locks.Nap
	fmt.Printf("%d jobs, %d counted, time in naps: %d\n", len(jobs), tally.Total(), naps)
}

// cell is a variable.
type cell int

func (c *cell) Load() int   { return int(*c) }
func (c *cell) Store(v int) { *c = cell(v) }
