//go:build race

package labtest

// As in turn.go. A look takes forty times as long with the race detector, and the
// longer the more look, so here a racer looks less often in the same time.
const (
	counts    = 256
	spinTurns = 1 << 9
)
