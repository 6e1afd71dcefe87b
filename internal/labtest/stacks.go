package labtest

import (
	"cmp"
	"fmt"
	"path"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"

	"conclab/internal/funcname"
)

// goroutine is one entry of a stack dump.
type goroutine struct {
	id      string
	state   string // such as "chan send (durable)"
	bubble  string // the bubble's number; empty outside of one
	frames  []frame
	created frame
}

type frame struct {
	fn   string // with its package's path
	file string
	line int
}

// buffers are for dumps. Under the race detector a new one costs more than the
// dump.
var buffers = sync.Pool{New: func() any { return new(make([]byte, 1<<16)) }}

// dump returns the goroutines of the process as they are at one moment: the
// world is stopped while it is taken. If bubble is not empty, those of other
// bubbles are left out. They are in the order of their places in the code under
// test, since the runtime's own order changes from run to run, and what a failure
// says must not.
func dump(bubble string) []goroutine {
	buf := buffers.Get().(*[]byte)
	defer buffers.Put(buf)
	// A dump that does not fit takes as long as one that does.
	if room := runtime.NumGoroutine() * 2 << 10; len(*buf) < room {
		*buf = make([]byte, room)
	}
	for {
		n := runtime.Stack(*buf, true)
		if n < len(*buf) {
			all := parse(string((*buf)[:n]), bubble)
			slices.SortStableFunc(all, func(a, b goroutine) int {
				f, _ := a.learner()
				g, _ := b.learner()
				return cmp.Or(cmp.Compare(f.file, g.file), cmp.Compare(f.line, g.line))
			})
			return all
		}
		*buf = make([]byte, 2*len(*buf))
	}
}

// self returns the calling goroutine, without its frames.
func self() goroutine {
	var buf [1 << 7]byte
	header, _, _ := strings.Cut(string(buf[:runtime.Stack(buf[:], false)]), "\n")
	g, _ := parseHeader(header)
	return g
}

// parse reads a dump. What earlier tests have left in other bubbles than the one
// that is asked for can be most of it, and is not looked at.
func parse(text, bubble string) []goroutine {
	var all []goroutine
	for text := range strings.SplitSeq(text, "\n\n") {
		first, rest, _ := strings.Cut(text, "\n")
		g, ok := parseHeader(first)
		if !ok || bubble != "" && g.bubble != "" && g.bubble != bubble {
			continue
		}
		g.parseFrames(rest)
		all = append(all, g)
	}
	return all
}

// parseHeader reads a goroutine's first line, such as
//
//	goroutine 7 [sleep (durable), 2 minutes, synctest bubble 3]:
//
// A regular expression takes more time, with the race detector, than all the rest
// of a dump.
func parseHeader(line string) (g goroutine, ok bool) {
	line, numbered := strings.CutPrefix(line, "goroutine ")
	before, words, bracket := strings.Cut(line, "[")
	words, closed := strings.CutSuffix(words, "]:")
	if !numbered || !bracket || !closed {
		return goroutine{}, false
	}
	g.id, _, _ = strings.Cut(before, " ")
	g.state, words, _ = strings.Cut(words, ", ")
	g.state = strings.Replace(g.state, " (scan)", "", 1)
	if _, n, ok := strings.Cut(words, "synctest bubble "); ok {
		g.bubble, _, _ = strings.Cut(n, ", ")
	}
	return g, true
}

// parseFrames reads what follows a goroutine's first line.
func (g *goroutine) parseFrames(text string) {
	fn, created := "", false
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\n")
		if place, ok := strings.CutPrefix(line, "\t"); ok {
			file, num, _ := cutLast(place, ":")
			num, _, _ = strings.Cut(num, " ")
			n, _ := strconv.Atoi(num)
			f := frame{fn: fn, file: file, line: n}
			if created {
				g.created = f
			} else {
				g.frames = append(g.frames, f)
			}
			continue
		}
		fn, created = strings.CutPrefix(line, "created by ")
		if created {
			fn, _, _ = strings.Cut(fn, " in goroutine ")
		} else {
			fn, _, _ = cutLast(fn, "(")
		}
	}
}

func cutLast(s, sep string) (before, after string, found bool) {
	if i := strings.LastIndex(s, sep); i >= 0 {
		return s[:i], s[i+len(sep):], true
	}
	return s, "", false
}

const (
	labtestPath = "conclab/internal/labtest"
	sealedPath  = "conclab/internal/sealed" // runs the tests of graded binaries

	// What lies between a suite and the code under test. Where it is generic, the
	// compiler may have put it into the learner's package.
	contractFolder = "/internal/contract/"
)

// ofLearner tells whether a frame belongs to the code under test: it lies in
// this module, but neither in a suite nor in what runs suites or lies between.
func (f frame) ofLearner() bool {
	return strings.HasPrefix(f.fn, "conclab/") &&
		!strings.HasPrefix(f.fn, labtestPath+".") &&
		!strings.HasPrefix(f.fn, sealedPath+"/") &&
		!strings.Contains(f.file, contractFolder) &&
		!strings.HasSuffix(f.file, "_test.go")
}

// ofSuite tells whether a file holds tests; contract_test.go does not.
func ofSuite(file string) bool {
	return strings.HasSuffix(file, "_test.go") && path.Base(file) != "contract_test.go"
}

func (f frame) String() string {
	if f.line <= 1 { // an empty loop has no line of its own
		return fmt.Sprintf("%s (%s)", path.Base(f.file), funcname.Short(f.fn))
	}
	return fmt.Sprintf("%s:%d (%s)", path.Base(f.file), f.line, funcname.Short(f.fn))
}

// learner returns the innermost frame of the code under test.
func (g goroutine) learner() (frame, bool) {
	if i := slices.IndexFunc(g.frames, frame.ofLearner); i >= 0 {
		return g.frames[i], true
	}
	return frame{}, false
}

// suite returns the innermost frame of the suite.
func (g goroutine) suite() (frame, bool) {
	i := slices.IndexFunc(g.frames, func(f frame) bool { return ofSuite(f.file) })
	if i < 0 {
		return frame{}, false
	}
	return g.frames[i], true
}

// step returns the outermost frame of the suite.
func (g goroutine) step() (frame, bool) {
	for _, f := range slices.Backward(g.frames) {
		if ofSuite(f.file) {
			return f, true
		}
	}
	return frame{}, false
}

// waits says what the goroutine waits for, as the runtime names it, without
// the remark that it counts as blocked in virtual time.
func (g goroutine) waits() string { return strings.TrimSuffix(g.state, " (durable)") }

// durable tells whether only another goroutine of its bubble, or the bubble's
// clock, can wake the goroutine.
func (g goroutine) durable() bool { return strings.HasSuffix(g.state, " (durable)") }

// busy tells whether the goroutine can go on by itself. Whoever waits for the
// runtime can, be it for the garbage collector or to take a dump; such a wait has
// no function of package sync around it. And so can a test that only rests.
func (g goroutine) busy() bool {
	if len(g.frames) > 0 && g.frames[0].fn == labtestPath+".(*T).rest" {
		return true
	}
	switch g.state {
	case "running", "runnable", "syscall", "preempted", "GC assist marking", "GC assist wait", "copystack":
		return true
	case "semacquire":
		return len(g.frames) == 0 || !strings.HasPrefix(g.frames[0].fn, "sync.") && !strings.HasPrefix(g.frames[0].fn, "internal/")
	}
	return false
}

// passes tells whether the goroutine is in [T.Pass].
func (g goroutine) passes() bool {
	return slices.ContainsFunc(g.frames, func(f frame) bool { return f.fn == labtestPath+".(*T).Pass" })
}

// watches tells whether the goroutine is one of those that look after a test from
// outside of its bubble, or has nothing to do with the lab.
func (g goroutine) watches() bool {
	in := func(prefix string) bool {
		return slices.ContainsFunc(g.frames, func(f frame) bool { return strings.HasPrefix(f.fn, prefix) })
	}
	return in(labtestPath+".(*T).watch") || in(labtestPath+".(*T).clock") || in(sealedPath+"/") || !in("conclab/")
}

// sleeps tells whether a goroutine waits, in the learner's code, for time to pass.
func (g goroutine) sleeps() bool {
	_, inside := g.learner()
	return inside && g.waits() == "sleep"
}

// mayWaitForTime tells whether the goroutine waits for what only time might bring.
func (g goroutine) mayWaitForTime() bool {
	return slices.Contains([]string{"sleep", "select", "chan receive"}, g.waits())
}

// wantsLock tells whether the goroutine waits for a mutex.
func (g goroutine) wantsLock() bool {
	return strings.HasPrefix(g.state, "sync.Mutex.") || strings.HasPrefix(g.state, "sync.RWMutex.")
}
