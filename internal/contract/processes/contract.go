// Package processes is the contract of the lesson processes as its suite sees it.
// See package contract.
package processes

import "io"

// ErrStarted and ErrNotStarted are the learner's.
var ErrStarted, ErrNotStarted error

// PrintTask and RunTasks are the learner's.
var (
	PrintTask func(w io.Writer, name string)
	RunTasks  func(w io.Writer, names ...string)
)

// Process is the learner's *Process.
type Process interface {
	Start() error
	Join() error
	IsAlive() bool
}

// Runner is the learner's.
type Runner interface{ Run() }

// Writer is here for those that cannot import package io.
type Writer = io.Writer

var (
	// NewProcess calls the learner's NewProcess.
	NewProcess func(target func()) Process

	// Spawn calls the learner's Spawn.
	Spawn func(r Runner) Process

	// NewSpider makes one of the learner's spiders.
	NewSpider func(addr string, out Writer) Runner
)

// A Crash is a variable for the learner's *CrashError.
type Crash interface {
	Target() any // for errors.As
	Value() any
	Stack() []byte
}

var (
	// NewCrash makes a variable that holds nothing.
	NewCrash func() Crash

	// CrashWith makes one of the learner's *CrashErrors.
	CrashWith func(value any) error
)

// Declared holds the learner's functions and methods that are called through
// others, so that messages can say where they are declared.
var Declared struct{ NewProcess, Start, Join, IsAlive, Spawn, Run any }

// ProvideProcess puts the learner's NewProcess and Spawn behind those in here.
func ProvideProcess[P Process, R Runner](newProcess func(target func()) P, spawn func(R) P, runner func(Runner) R) {
	NewProcess = func(target func()) Process { return newProcess(target) }
	Spawn = func(r Runner) Process { return spawn(runner(r)) }
	Declared.NewProcess, Declared.Spawn = newProcess, spawn
}

// ProvideSpider has NewSpider call newSpider.
func ProvideSpider[S Runner](newSpider func(addr string, out Writer) S) {
	NewSpider = func(addr string, out Writer) Runner { return newSpider(addr, out) }
}

// ProvideCrash says how the learner's *CrashErrors are read and made.
func ProvideCrash[E error](value func(E) any, stack func(E) []byte, with func(value any) E) {
	NewCrash = func() Crash { return &crash[E]{value: value, stack: stack} }
	CrashWith = func(value any) error { return with(value) }
}

type crash[E error] struct {
	err   E
	value func(E) any
	stack func(E) []byte
}

func (c *crash[E]) Target() any   { return &c.err }
func (c *crash[E]) Value() any    { return c.value(c.err) }
func (c *crash[E]) Stack() []byte { return c.stack(c.err) }
