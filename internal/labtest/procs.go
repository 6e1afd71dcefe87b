package labtest

import (
	"runtime"
	"sync"
)

// procs is how many processors the tests of this process have.
var procs processors

// processors are fewer, now and then, than they were.
type processors struct {
	mu  sync.Mutex
	all int // as many as there were before the first limit

	// bubbles is how many run. With the race detector they have two: that of Go
	// 1.26 dies on more, now and then, where goroutines of a bubble look at timers
	// that are due (go.dev/issue/78156).
	bubbles int

	racers int // how many race each other: one processor for each
	asides int // how many step aside: one processor for all
}

// limit calls change, which changes one of the counts, and sets what follows.
func (p *processors) limit(change func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.limited() {
		p.all = runtime.GOMAXPROCS(0)
	}
	change()
	p.set()
}

func (p *processors) limited() bool { return p.bubbles > 0 || p.racers > 0 || p.asides > 0 }

// oneMore adds a processor, for a loop that keeps one to itself.
func (p *processors) oneMore() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.limited() {
		p.all = runtime.GOMAXPROCS(0)
	}
	p.all++
	p.set()
}

func (p *processors) set() {
	n, spinning := p.all, int(spins.Load())
	if detector && p.bubbles > 0 {
		n = min(n, 2+spinning)
	}
	if p.racers > 0 {
		n = min(n, p.racers+spinning)
	}
	if p.asides > 0 {
		n = min(n, 1+spinning)
	}
	if n != runtime.GOMAXPROCS(0) {
		runtime.GOMAXPROCS(n)
	}
}
