package labtest

import (
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
)

// Call is a function that runs in a goroutine of the test's own. Its methods
// may be called from any goroutine of the test.
type Call struct {
	t    *T
	done chan struct{}
	id   atomic.Value // string; the goroutine's, to find it in a stack dump
}

// Go calls f in a goroutine of its own. A panic in f, or a call of
// runtime.Goexit by the code under test, fails the test.
func (t *T) Go(f func()) *Call {
	c := &Call{t: t, done: make(chan struct{})}
	go func() {
		defer close(c.done)
		returned := false
		defer func() {
			switch r := recover(); {
			case r != nil:
				t.panicked(r)
			case !returned && !t.Failed() && t.skipped() == "":
				t.report(Fail, "the goroutine that called your code was ended by it (runtime.Goexit)")
			}
		}()
		c.id.Store(self().id)
		f()
		returned = true
	}()
	return c
}

// Beside calls f in a goroutine of its own and returns when f has, or has come to
// where it must wait: who calls Beside may hold a lock that f wants. It is for
// what comes from elsewhere in the middle of something.
func (t *T) Beside(f func()) {
	t.mustBubble("Beside")
	t.Go(f)
	StepAside()
}

// Returned tells whether the function has returned. If so, what it wrote may be
// read.
func (c *Call) Returned() bool {
	select {
	case <-c.done:
		return true
	default:
		return false
	}
}

// Join blocks until the function has returned. If the test has failed by then,
// it ends the calling goroutine.
func (c *Call) Join() {
	c.join()
	if c.t.Failed() {
		runtime.Goexit()
	}
}

func (c *Call) join() {
	<-c.done
	c.t.tick()
}

// Returns lets a moment of virtual time pass and stops the test, with the given
// words, if the function has not returned by then. Only in a bubble.
func (c *Call) Returns(instead string, args ...any) {
	c.t.Settle()
	if !c.Returned() {
		c.t.report(Fail, fmt.Sprintf(instead, args...), c.where()...)
		runtime.Goexit()
	}
	c.Join()
}

// Blocks lets a moment of virtual time pass and stops the test, with the given
// words, if the function has returned by then. Only in a bubble.
func (c *Call) Blocks(instead string, args ...any) {
	c.t.Settle()
	if c.Returned() {
		c.t.report(Fail, fmt.Sprintf(instead, args...))
		runtime.Goexit()
	}
}

// where says at which line of the learner's the function is, and if it waits for
// others there, where those are.
func (c *Call) where() []string {
	own := self().bubble
	all := inBubble(dump(own), own)
	i := slices.IndexFunc(all, func(g goroutine) bool { return g.id == c.id.Load() })
	if i < 0 {
		return nil
	}
	if _, inside := all[i].learner(); !inside {
		return nil
	}
	doing, _ := describe(all[i])
	lines := []string{"it is " + doing}
	if all[i].waits() == "sync.WaitGroup.Wait" {
		for _, g := range slices.Delete(all, i, i+1) {
			if _, inside := g.learner(); inside {
				doing, _ = describe(g)
				lines = append(lines, "meanwhile another is "+doing)
			}
		}
	}
	return limit(counted(lines))
}

// panicked reports a panic that was recovered in the goroutine that it ended.
func (t *T) panicked(value any) {
	at := panickedAt()
	text := fmt.Sprint(value)
	if isTODO(text) {
		if at.fn != "" {
			text += fmt.Sprintf(" (%s:%d)", inModule(at.file), at.line)
		}
		t.report(Fail, text)
		return
	}
	lines := strings.Split(text, "\n")
	details := limit(lines[1:])
	if at.fn != "" {
		details = append(details, "at "+at.String())
	}
	t.report(Panic, "panic: "+cut(lines[0]), details...)
}

// panickedAt returns the innermost frame of the code under test below the
// panic that is being recovered.
func panickedAt() frame {
	pcs := make([]uintptr, 64)
	frames := runtime.CallersFrames(pcs[:runtime.Callers(1, pcs)])
	below := false
	for {
		f, more := frames.Next()
		below = below || f.Function == "runtime.gopanic"
		if own := (frame{f.Function, f.File, f.Line}); below && own.ofLearner() {
			return own
		}
		if !more {
			return frame{}
		}
	}
}
