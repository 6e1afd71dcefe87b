// Package tiny is an exercise whose suite does whatever the candidate does.
package tiny

import "testing"

// Spoiled makes the tests after Act say that they could not run.
var Spoiled bool

// Add adds.
func Add(a, b int) int { return a + b }

// Act is called in the middle of a suite.
func Act(t *testing.T) {}
