// Package labtest is what the lessons' suites stand on. It runs a test in
// virtual time or on the real clock, never lets it hang, and says in words
// what went wrong and on which line of the learner's file.
//
// What it promises to a suite:
//
//   - A test in a [Suite.Bubble] waits hours in microseconds, and durations are
//     exact.
//   - A failure prints once, in a dozen lines at most: the rule, what happened
//     instead, the learner's line, where to read on.
//   - A deadlock, a leaked goroutine, a mutex that is never released and a loop
//     that spins fail the one test that they happen in; the next tests run.
//   - A panic in the test's own goroutines is a failure like any other. A panic
//     in a goroutine that the learner's code started ends the test binary: no
//     test can prevent that, package runner makes up for it.
//
// A suite and its exercise need nothing else of the lab.
package labtest

import (
	"runtime/debug"
	"testing"

	"github.com/stretchr/testify/suite"
)

// A suite runs for a fifth of a second and holds a few megabytes: collecting them as
// often as a server would takes a tenth of its time.
func init() { debug.SetGCPercent(400) }

// Suite is embedded by every lesson's suites; run it with testify's suite.Run.
//
// It has testify's suite inside instead of embedding it: the assertions of the
// outer test have no place in a bubble, and a suite that promotes them all, a
// hundred and sixty methods, takes three times as long to compile.
type Suite struct{ testify suite.Suite }

// T returns the suite's current test.
func (s *Suite) T() *testing.T { return s.testify.T() }

// SetT is called by suite.Run, before each test and after it.
func (s *Suite) SetT(t *testing.T) {
	s.testify.SetT(t)
	if observer != nil {
		observer(t)
	}
}

// SetS is called by suite.Run.
func (s *Suite) SetS(outer suite.TestingSuite) { s.testify.SetS(outer) }

var observer func(*testing.T)

// Observe lets f see every test of every suite before it runs, and the suite's
// own function before and after each; nil ends that. It is for who runs suites
// and keeps a record of them, and must not be called while any runs.
func Observe(f func(*testing.T)) { observer = f }
