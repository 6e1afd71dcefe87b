// Package contract says why its subpackages are there, one for each lesson.
//
// A suite is compiled against its lesson's contract and not against the
// learner's file: what the learner writes is behind interfaces and variables of
// functions. So a suite, which is fifteen times as long as an exercise, is
// compiled once and not after each change of the exercise, and not for each
// submission of a class. docs/decisions/contract.md has the figures.
//
// contract_test.go in the exercise's folder puts the learner's code behind the
// contract, in an init function, before any test runs; nothing changes it later,
// so everything here may be read by any number of goroutines. A suite does not copy
// it into variables of its own package, which may be initialized first. If the
// learner's file does not keep the contract, contract_test.go does not compile, and
// the compiler says what it has and what it wants.
//
// The packages have the names, and what they hold the signatures, of what a
// learner writes: a suite reads as if it called the exercise. What belongs to the
// learner passes through unchanged, errors too.
package contract
