package labtest

import (
	"context"
	"fmt"
	"path"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"conclab/internal/funcname"
)

// Verdict is the word for a way to fail. A test hands it on as the attribute
// [VerdictAttr], so that what reads the test's output need not guess.
type Verdict string

// The verdicts that a test finds out by itself.
const (
	Fail      Verdict = "fail"
	Panic     Verdict = "panic"
	Deadlock  Verdict = "deadlock"
	Leak      Verdict = "leak"
	Timeout   Verdict = "timeout"
	DidNotRun Verdict = "did not run"
)

// VerdictAttr is the key of the test attribute (see [testing.T.Attr]) that
// holds the [Verdict] of a failed test.
const VerdictAttr = "conclab.verdict"

// RuleAttr is the key of the test attribute that names the rule which the test is
// about to prove. Where the program crashes, its words are the only ones.
const RuleAttr = "conclab.rule"

// moment is the virtual time that [T.Settle] lets pass: long against any
// sensible polling interval, short enough for a poll every millisecond.
const moment = 10 * time.Second

// T is one running test. It satisfies the interfaces of testify's assert and
// require, so that their findings come out in the lab's voice. All methods may
// be called from any goroutine of the test.
type T struct {
	outer    *testing.T
	lesson   string
	bubbled  bool
	ctx      context.Context // ends when the test function has returned
	progress atomic.Int64    // grows while the test gets on; the watchdog looks at it
	looks    atomic.Int64    // of the watchdog, one every interval of real time
	noLeak   atomic.Bool

	ask    chan struct{}  // from rest to clock
	rested chan time.Time // from clock to rest

	sightings int // of a standstill, in a row; the watchdog's own

	mu        sync.Mutex
	rule      string
	section   string
	funcs     []any
	failed    bool
	abandoned bool
	skip      string
}

// Rule states what the test is about to prove: the first words of any failure
// from here on, a deadlock's too. Section is the heading of the lesson's text
// that explains it (its anchor), funcs are the functions of the learner's file
// that it is about. If one of them is nil the test ends: go test was given files
// instead of a folder, and knows nothing of the learner's.
func (t *T) Rule(section, rule string, funcs ...any) {
	t.tick()
	for _, f := range funcs {
		if v := reflect.ValueOf(f); !v.IsValid() || v.IsNil() {
			t.Fatalf("the test has nothing to test: call go test with the folder, as in `go test ./exercises/%s`, and not with files", t.lesson)
		}
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.rule, t.section, t.funcs = rule, section, funcs
	t.outer.Attr(RuleAttr, rule)
}

// NothingStays makes it a failure if a goroutine of the test is still blocked,
// or still at it, a day (of virtual time) after the test function returned. A
// goroutine that is merely asleep may end in peace. On the real clock it must have
// ended after some seconds, and only those count that the learner's code started.
// It is for where a rule of the lesson asks for it.
func (t *T) NothingStays() { t.noLeak.Store(true) }

// Context returns a context that ends when the test function has returned.
func (t *T) Context() context.Context { return t.ctx }

// Name returns the name of the test.
func (t *T) Name() string { return t.outer.Name() }

// Helper does nothing: a failure names the line in the suite by itself. It is
// there for testify.
func (t *T) Helper() {}

// Errorf fails the test. The message says what happened instead of the rule;
// one that comes from testify is cut down to what a learner needs. Only the
// test's first failure is shown.
func (t *T) Errorf(format string, args ...any) {
	what, details := condense(fmt.Sprintf(format, args...))
	t.report(Fail, what, details...)
}

// Fatalf is [T.Errorf], and ends the calling goroutine.
func (t *T) Fatalf(format string, args ...any) {
	t.Errorf(format, args...)
	t.FailNow()
}

// FailNow fails the test and ends the calling goroutine.
func (t *T) FailNow() {
	t.report(Fail, "the test was stopped")
	runtime.Goexit()
}

// Skip ends the calling goroutine, and the test, if that has not failed, is
// skipped: "skipped, because" and why. It is for what a machine does not have.
func (t *T) Skip(why string) {
	t.mu.Lock()
	t.skip = why
	t.mu.Unlock()
	runtime.Goexit()
}

// skipped says why the test is skipped, if it is.
func (t *T) skipped() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.skip
}

// Failed tells whether the test has failed so far.
func (t *T) Failed() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.failed
}

// Wait blocks until every other goroutine of the bubble is blocked. What the
// learner's goroutines wrote may be read after it. No virtual time passes.
func (t *T) Wait() {
	t.mustBubble("Wait")
	synctest.Wait()
	t.tick()
}

// Settle lets a moment of virtual time pass, so that whatever can happen has
// happened, even in code that polls. Then it waits as [T.Wait] does.
func (t *T) Settle() {
	t.mustBubble("Settle")
	time.Sleep(moment)
	t.Wait()
}

// Pass lets d of virtual time pass, in steps, once nobody else can go on. If
// anybody waits for a mutex then, a bubble's clock stands still; Pass has only let
// the others run, and returns. It is for what others wait for. Code that spins is
// given up before it looks to the watchdog as if the test got on.
func (t *T) Pass(d time.Duration) {
	t.mustBubble("Pass")
	bubble := self().bubble
	for look, last := 0, t.looks.Load()+maxLooks; t.looks.Load() < last; look++ {
		if look == 0 { // mostly the last, without the time that it takes to rest
			giveTurns(5)
		} else {
			t.rest()
		}
		t.tick()
		// Those who pass time as well are as ready as this one: waiting for one
		// another's looks, none would ever see all the others at rest.
		others := slices.DeleteFunc(inBubble(dump(bubble), bubble), goroutine.passes)
		t.tick()
		if slices.ContainsFunc(others, goroutine.busy) {
			continue
		}
		if slices.ContainsFunc(others, goroutine.wantsLock) {
			return
		}
		break
	}
	// Many steps, since code that polls wakes up thousands of times in each.
	for step := max(d/100, 1); d > 0; d -= step {
		time.Sleep(step)
		t.tick()
	}
}

// rest gives the processor away for a little real time, and returns what time it
// is outside of the bubble. Whoever only calls Gosched again and again finds
// itself the next one to run, while others wait for the operating system to give
// them a thread.
func (t *T) rest() time.Time {
	t.ask <- struct{}{}
	return <-t.rested
}

// Linger stays for some two milliseconds of real time, in which the clock of the
// bubble stands still. A sync.Mutex is not handed to those who wait until one of
// them has waited for a millisecond: whoever unlocks and locks again is first
// otherwise. It may be called where a lock is held.
func (t *T) Linger() {
	t.mustBubble("Linger")
	for start := t.rest(); t.rest().Sub(start) < 1500*time.Microsecond; {
	}
}

// clock serves rest, outside of the bubble, where time is real. Who comes while
// another rests is woken with it, so that those who wait for each other are back
// at the same time. It returns when the test is over.
func (t *T) clock(over <-chan struct{}) {
	for {
		select {
		case <-t.ask:
		case <-over:
			return
		}
		resting := 1
		for timer := time.After(100 * time.Microsecond); timer != nil; {
			select {
			case <-t.ask:
				resting++
			case <-timer:
				timer = nil
			}
		}
		for range resting {
			select {
			case t.rested <- time.Now():
			case <-over:
				return
			}
		}
	}
}

func (t *T) mustBubble(method string) {
	if !t.bubbled {
		panic("labtest: " + method + " outside of a bubble")
	}
}

// Progress tells the watchdog that the test gets on. A loop of many rounds
// calls it once a round.
func (t *T) Progress() { t.tick() }

func (t *T) tick() { t.progress.Add(1) }

// report prints the test's first failure; later ones only count.
func (t *T) report(v Verdict, what string, details ...string) {
	at := checkedAt()
	t.tick()
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.failed || t.abandoned {
		return
	}
	t.failed = true
	t.outer.Fail()
	t.outer.Attr(VerdictAttr, string(v))

	var b strings.Builder
	if isTODO(what) {
		fmt.Fprintln(&b, cut(what))
	} else {
		first := what
		if t.rule != "" {
			first = t.rule + ": " + what
		}
		fmt.Fprintln(&b, cut(first))
		for _, d := range details {
			fmt.Fprintln(&b, "    "+cut(d))
		}
		if see := t.see(at); see != "" {
			fmt.Fprintln(&b, "    "+see)
		}
	}
	// A test that is over, because the watchdog gave it up, refuses output.
	_, _ = t.outer.Output().Write([]byte(b.String()))
}

// see says where to look: the learner's functions, the lesson's text, the line
// of the suite.
func (t *T) see(at string) string {
	var places []string
	for _, f := range t.funcs {
		if p := declared(f); p != "" {
			places = append(places, p)
		}
	}
	if t.section != "" {
		places = append(places, path.Join("lessons", t.lesson, "README.md")+"#"+t.section)
	}
	if at != "" {
		places = append(places, "the check at "+at)
	}
	if len(places) == 0 {
		return ""
	}
	return "see " + strings.Join(places, ", ")
}

// declared names the place where a function of the learner's is declared.
func declared(f any) string {
	fn := runtime.FuncForPC(reflect.ValueOf(f).Pointer())
	if fn == nil {
		return ""
	}
	file, line := fn.FileLine(fn.Entry())
	if !strings.HasSuffix(file, ".go") { // a wrapper that the compiler made
		return ""
	}
	return fmt.Sprintf("%s:%d (%s)", inModule(file), line, funcname.Short(fn.Name()))
}

// checkedAt names the line of the suite that is running, if any is.
func checkedAt() string {
	pcs := make([]uintptr, 64)
	frames := runtime.CallersFrames(pcs[:runtime.Callers(2, pcs)])
	for {
		f, more := frames.Next()
		if ofSuite(f.File) {
			return fmt.Sprintf("%s:%d", path.Base(f.File), f.Line)
		}
		if !more {
			return ""
		}
	}
}

// inModule cuts the part of a file's path off that depends on the machine.
func inModule(file string) string {
	for _, tree := range []string{"/exercises/", "/internal/"} {
		if i := strings.LastIndex(file, tree); i >= 0 {
			return file[i+1:]
		}
	}
	return path.Base(file)
}

func isTODO(what string) bool { return strings.HasPrefix(what, "TODO") }
