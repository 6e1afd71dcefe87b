// Package eventloop is the contract of the lesson eventloop as its suite sees
// it. See package contract.
package eventloop

import (
	"context"
	"io"
	"reflect"
	"time"
)

// ErrRunning and ErrClosed are the learner's.
var ErrRunning, ErrClosed error

// When something happens to the omelette, as it is given.
const (
	Cut      = 1 * time.Minute
	HalfDone = 2 * time.Minute
	Done     = 4 * time.Minute
)

// Loop is the learner's *Loop.
type Loop interface {
	CallSoon(fn func())
	Run(ctx context.Context) error
	Stop()
	CallLater(d time.Duration, fn func()) Timer
	Close() error

	learner() any
}

// Timer is the learner's *Timer.
type Timer interface {
	Cancel() bool
}

// Declared holds the functions and methods, so that messages can say where they
// are declared.
var Declared struct{ CallSoon, Run, Stop, CallLater, Cancel, Omelette, Watch, Close any }

var (
	newLoop  func() Loop
	omelette func(l Loop, w io.Writer)
	watches  = make(map[reflect.Type]any)
)

// learnersLoop is what a *Loop of the learner's has.
type learnersLoop[T Timer] interface {
	CallSoon(fn func())
	Run(ctx context.Context) error
	Stop()
	CallLater(d time.Duration, fn func()) T
	Close() error
}

// loop is a Loop that hands all on to the learner's.
type loop[L learnersLoop[T], T Timer] struct{ own L }

func (l loop[L, T]) CallSoon(fn func())            { l.own.CallSoon(fn) }
func (l loop[L, T]) Run(ctx context.Context) error { return l.own.Run(ctx) }
func (l loop[L, T]) Stop()                         { l.own.Stop() }
func (l loop[L, T]) Close() error                  { return l.own.Close() }
func (l loop[L, T]) learner() any                  { return l.own }

func (l loop[L, T]) CallLater(d time.Duration, fn func()) Timer {
	return l.own.CallLater(d, fn)
}

// Provide has New and Omelette call these.
func Provide[L learnersLoop[T], T Timer](learnersNew func() L, learnersOmelette func(l L, w io.Writer)) {
	newLoop = func() Loop { return loop[L, T]{learnersNew()} }
	omelette = func(l Loop, w io.Writer) { learnersOmelette(l.learner().(L), w) }
}

// ProvideWatch has Watch call watch where the channel is one of T.
func ProvideWatch[L, T any](watch func(l L, events <-chan T, react func(v T, ok bool))) {
	watches[reflect.TypeFor[T]()] = func(l Loop, events <-chan T, react func(v T, ok bool)) {
		watch(l.learner().(L), events, react)
	}
}

// New calls the learner's New.
func New() Loop { return newLoop() }

// Omelette calls the learner's Omelette.
func Omelette(l Loop, w io.Writer) { omelette(l, w) }

// Watch calls the learner's Watch. T must be one of the types that
// contract_test.go provides.
func Watch[T any](l Loop, events <-chan T, react func(v T, ok bool)) {
	watches[reflect.TypeFor[T]()].(func(Loop, <-chan T, func(T, bool)))(l, events, react)
}
