package labtest

import (
	"runtime"
	"sync"
)

// procs is how many processors the tests of this process have.
var procs processors

// processors are fewer while somebody steps aside, or racers run, than they were.
type processors struct {
	mu     sync.Mutex
	all    int // as many as there were before the first limit
	asides int // how many step aside: one processor for all
	racers int // how many race each other: one processor for each
}

// limit calls change, which changes one of the counts, and sets what follows.
func (p *processors) limit(change func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.asides == 0 && p.racers == 0 {
		p.all = runtime.GOMAXPROCS(0)
	}
	change()

	n := p.all
	switch spinning := int(spins.Load()); {
	case p.asides > 0:
		n = min(n, 1+spinning)
	case p.racers > 0:
		n = min(n, p.racers+spinning)
	}
	if n != runtime.GOMAXPROCS(0) {
		runtime.GOMAXPROCS(n)
	}
}
