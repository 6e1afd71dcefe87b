//go:build !race

package labtest

const detector = false // whether the race detector watches
