package runner

import "bytes"

// clip keeps the beginning and the end of what is written to it, half of the
// limit each, so that neither a test's first words nor a crash at its end are
// lost.
type clip struct {
	limit      int // bytes
	head, tail []byte
	cut        bool // whether something is missing between head and tail
}

// Write never fails.
func (c *clip) Write(p []byte) (int, error) {
	n := len(p)
	half := c.limit / 2
	if room := half - len(c.head); room > 0 {
		room = min(room, len(p))
		c.head = append(c.head, p[:room]...)
		p = p[room:]
	}
	if over := len(p) - half; over > 0 {
		p, c.cut = p[over:], true
	}
	c.tail = append(c.tail, p...)
	// Cutting only at twice the size keeps the copying cheap.
	if len(c.tail) > 2*half {
		c.tail = append(c.tail[:0], c.tail[len(c.tail)-half:]...)
		c.cut = true
	}
	return n, nil
}

func (c *clip) String() string {
	if !c.cut {
		return string(c.head) + string(c.tail)
	}
	// Half a line would be taken for a whole one.
	head, tail := c.head, c.tail[bytes.IndexByte(c.tail, '\n')+1:]
	if i := bytes.LastIndexByte(head, '\n'); i >= 0 {
		head = head[:i]
	}
	return string(head) + "\n…\n" + string(tail)
}
