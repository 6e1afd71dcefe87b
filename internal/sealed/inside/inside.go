// Package inside is the part of a graded binary that runs the tests and writes
// the record. A generated main function calls [Main]; nothing else does.
package inside

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/suite"

	"conclab/internal/labtest"
	"conclab/internal/sealed"
)

// Start returns package testing's runner of tests. The generated main function
// knows it, because only what the go command generates may name its types.
type Start func(tests []testing.InternalTest) interface{ Run() int }

// Main runs the tests that the order asks for and ends the process. The order is
// what was read from standard input before anything else, race tells whether
// the race detector is on.
func Main(order []byte, race bool, suites map[string][]testing.InternalTest, start Start) {
	var o sealed.Order
	if err := json.Unmarshal(order, &o); err != nil {
		fmt.Fprintln(os.Stderr, "no order from the grader:", err)
		os.Exit(2)
	}
	w := sealed.NewWriter(os.NewFile(o.FD, "record"), o.Key)
	write(w, sealed.Line{Kind: sealed.Begun})

	tests := slices.Clone(suites[o.Lesson])
	for i, test := range tests {
		tests[i].F = func(t *testing.T) {
			follow(w, t)
			test.F(t)
		}
	}
	// A suite's tests have exactly one slash in their names.
	labtest.Observe(func(t *testing.T) {
		if strings.Count(t.Name(), "/") == 1 {
			follow(w, t)
		}
	})

	m := start(tests)
	// Whatever the candidate has made of the arguments and flags is undone.
	os.Args = append([]string{os.Args[0]}, o.Args...)
	if err := flag.CommandLine.Parse(o.Args); err != nil {
		os.Exit(2)
	}
	code := m.Run()

	labtest.Observe(nil)
	write(w, sealed.Line{Kind: sealed.Canaries, Dead: canaries(race)})
	write(w, sealed.Line{Kind: sealed.Whole})
	os.Exit(code)
}

// follow writes down how a test ends.
func follow(w *sealed.Writer, t *testing.T) {
	t.Cleanup(func() {
		write(w, sealed.Line{Kind: sealed.Ended, Test: t.Name(), Failed: t.Failed(), Skip: t.Skipped()})
	})
}

func write(w *sealed.Writer, l sealed.Line) {
	if err := w.Write(l); err != nil {
		fmt.Fprintln(os.Stderr, "the grader's record cannot be written:", err)
		os.Exit(2)
	}
}

// collisions is how many races may go unseen until the detector counts as
// switched off.
const collisions = 20

// canaries runs what must fail, as the suites run, and returns what did.
func canaries(race bool) (dead []string) {
	// Nobody wants to read about them.
	if null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0); err == nil {
		os.Stdout = null
		os.Stderr = null
	}
	if fails(testing.InternalTest{Name: "Canary", F: func(t *testing.T) { suite.Run(t, new(canary)) }}) {
		dead = append(dead, sealed.CanaryAssertion)
	}
	// The race detector forgets now and then what it has seen, and does so often
	// where a wrong answer has left goroutines behind that spin.
	for n := 0; race && n < collisions; n++ {
		if fails(testing.InternalTest{Name: "Canary", F: collide}) {
			return append(dead, sealed.CanaryRace)
		}
	}
	return dead
}

func fails(test testing.InternalTest) bool {
	return !testing.RunTests(func(string, string) (bool, error) { return true, nil }, []testing.InternalTest{test})
}

type canary struct{ labtest.Suite }

func (c *canary) TestWhatDoesNotHold() {
	c.Bubble(func(t *labtest.T) {
		t.Rule("", "One is not two", canaries)
		assert.Equal(t, 1, two, "it must fail")
	})
}

var two = 2

var shared int

// collide changes shared in two goroutines that nothing orders.
func collide(t *testing.T) {
	done := make(chan struct{})
	go func() {
		shared++
		close(done)
	}()
	shared++
	<-done
	t.Log(shared)
}
