package screen

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"conclab/internal/verify"
)

const (
	// proofEvery is how often [Proof] prints a line where nobody watches.
	proofEvery = 20

	// proofWidth is how wide the line is that Proof rewrites; one column less
	// than a terminal has, because some begin a new line after the last one.
	proofWidth = 79
)

// Proof prints how far package verify is, and each variant that is not as it
// should be. It is for one goroutine at a time.
type Proof struct {
	w       io.Writer
	watched bool
	total   int

	done, good, skipped int
	notes               []string // what this machine lacks
}

// NewProof returns a proof of so many variants that is printed to w. If someone
// watches w, which must be a terminal then, one line is rewritten in place.
func NewProof(w io.Writer, total int, watched bool) *Proof {
	return &Proof{w: w, watched: watched, total: total}
}

// Result takes one result, as [verify.Run] gives it.
func (p *Proof) Result(r verify.Result) {
	p.done++
	for _, note := range []string{r.NoRace, r.Skipped} {
		if note != "" && !slices.Contains(p.notes, note) {
			p.notes = append(p.notes, note)
		}
	}
	switch {
	case r.Err != nil:
		p.clear()
		fmt.Fprintf(p.w, "--- NOT AS IT SHOULD BE: %s (%s)\n%s", r.Variant, r.Variant.File, indent(r.Err.Error()))
	case r.Skipped != "":
		p.skipped++
	default:
		p.good++
	}
	if p.watched {
		p.rewrite(fmt.Sprintf("%d of %d  %s", p.done, p.total, r.Variant))
	} else if p.done%proofEvery == 0 && p.done < p.total {
		fmt.Fprintf(p.w, "%d of %d\n", p.done, p.total)
	}
}

// End prints what came out altogether.
func (p *Proof) End() {
	p.clear()
	for _, note := range p.notes {
		fmt.Fprintf(p.w, "Note: %s.\n", note)
	}
	if p.skipped > 0 {
		fmt.Fprintf(p.w, "%s could not be judged, or not by all tests, on this machine: skipped.\n", count(p.skipped, "variant"))
	}
	all := ""
	if p.done < p.total {
		all = fmt.Sprintf(" of %d", p.total)
	}
	fmt.Fprintf(p.w, "%d%s variants, %d as they should be\n", p.done, all, p.good)
}

// rewrite puts a line in the place of the last one.
func (p *Proof) rewrite(line string) {
	if chars := []rune(line); len(chars) > proofWidth {
		line = string(chars[:proofWidth-1]) + "…"
	}
	fmt.Fprintf(p.w, "\r%-*s", proofWidth, line)
}

// clear takes the rewritten line away.
func (p *Proof) clear() {
	if p.watched {
		fmt.Fprintf(p.w, "\r%s\r", strings.Repeat(" ", proofWidth))
	}
}
