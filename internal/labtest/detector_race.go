//go:build race

package labtest

const detector = true
