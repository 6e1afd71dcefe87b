// Package locks is the contract of the lesson locks as its suite sees it. See
// package contract.
package locks

import (
	"context"
	"io"
	"time"
)

// How many work in a crew, and how long a job takes, as it is given.
const (
	Workers = 2
	Nap     = 100 * time.Millisecond
)

// Hello, NewScreen, NewTally and Crew are the learner's.
var (
	Hello     func(w io.Writer, n int)
	NewScreen func(w io.Writer) Screen
	NewTally  func(c Cell) Tally
	Crew      func(jobs []string, screen Screen, tally Tally)
)

// Screen is the learner's *Screen.
type Screen interface {
	Print(lines ...string) error
	PrintContext(ctx context.Context, lines ...string) error
}

// Cell is a place in memory for one number, as it is given.
type Cell interface {
	Load() int
	Store(v int)
}

// Tally is the learner's *Tally.
type Tally interface {
	Add(n int)
	Total() int
}

// Declared holds the functions and methods, so that messages can say where they
// are declared.
var Declared struct{ Print, PrintContext, NewTally, Add, Total, Crew any }

// Provide has NewScreen, NewTally and Crew call these. A cell becomes one of the
// learner's by means of toCell.
func Provide[S Screen, T Tally, C any](newScreen func(w io.Writer) S, newTally func(c C) T, crew func(jobs []string, screen S, tally T), toCell func(c Cell) C) {
	NewScreen = func(w io.Writer) Screen { return newScreen(w) }
	NewTally = func(c Cell) Tally { return newTally(toCell(c)) }
	Crew = func(jobs []string, screen Screen, tally Tally) { crew(jobs, screen.(S), tally.(T)) }
}
