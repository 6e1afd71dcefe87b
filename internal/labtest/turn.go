//go:build !race

package labtest

const (
	// counts is how far a racer counts between two looks at who has arrived.
	counts = 32

	// spinTurns is how often a racer counts and looks before it rests, some 0.1 ms.
	spinTurns = 1 << 13
)
