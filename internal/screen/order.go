package screen

import (
	"bytes"
	"io"
	"sync"
)

// order lets several writers write at the same time, and passes on what they
// write as if they had written one after the other: the first one's text at
// once, the others' as soon as all before them are closed.
type order struct {
	mu    sync.Mutex
	to    io.Writer
	turn  int // the part that writes at once
	parts []*part
}

func newOrder(to io.Writer, parts int) *order {
	o := &order{to: to}
	for i := range parts {
		o.parts = append(o.parts, &part{order: o, number: i})
	}
	return o
}

// part is one of the writers. Its methods may be called from any goroutine.
type part struct {
	*order
	number int
	kept   bytes.Buffer
	closed bool
}

// Write never fails: a text that nobody can see any more is no reason to stop.
func (p *part) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.number == p.turn {
		_, _ = p.to.Write(b)
		return len(b), nil
	}
	return p.kept.Write(b)
}

// Close ends the part.
func (p *part) Close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	for p.turn < len(p.parts) && p.parts[p.turn].closed {
		if p.turn++; p.turn < len(p.parts) {
			_, _ = p.parts[p.turn].kept.WriteTo(p.to)
		}
	}
}
