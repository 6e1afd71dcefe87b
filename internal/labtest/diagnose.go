package labtest

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"conclab/internal/funcname"
)

// wait puts one of the runtime's words for a blocked goroutine into a
// sentence: what it does, and why that never ends.
type wait struct{ doing, why string }

var waits = map[string]wait{
	"chan send":               {"sending on a channel", "nobody will ever receive"},
	"chan receive":            {"receiving from a channel", "nobody will ever send or close"},
	"chan send (nil chan)":    {"sending on a nil channel", "it was never made"},
	"chan receive (nil chan)": {"receiving from a nil channel", "it was never made, or is the Done of a context that never ends"},
	"select":                  {"waiting in a select", "none of its cases can ever go on"},
	"select (no cases)":       {"in an empty select", "it never ends"},
	"sync.Cond.Wait":          {"in Cond.Wait", "nobody will ever Signal or Broadcast"},
	"sync.WaitGroup.Wait":     {"in WaitGroup.Wait", "Done is called less often than Add counted"},
	"sync.Mutex.Lock":         {"locking a mutex", "whoever holds it does not let go"},
	"sync.RWMutex.Lock":       {"locking a mutex", "whoever holds it does not let go"},
	"sync.RWMutex.RLock":      {"locking a mutex to read", "whoever holds it does not let go, or another waits in Lock, and then nobody gets an RLock any more"},
	"sleep":                   {"sleeping", ""},
	"IO wait":                 {"waiting for a file or the network", ""},
}

// networkWaits are calls that wait for the other side of a connection. How they
// do so is no business of the learner's.
var networkWaits = map[string]wait{
	"net.(*pipe).read":                  {"reading from a connection", "nobody will ever write to it or close it"},
	"net.(*pipe).write":                 {"writing to a connection", "nobody will ever read from it or close it"},
	"net.(*conn).Read":                  {"reading from a connection", "nobody writes to it or closes it"},
	"net.(*conn).Write":                 {"writing to a connection", "nobody reads from it or closes it"},
	"net.(*TCPListener).Accept":         {"in Accept", "no client comes, and the listener is not closed"},
	labtestPath + ".(*Listener).Accept": {"in Accept", "no client comes, and the listener is not closed"},
}

// describe says in words where a goroutine is and what it does there. If it is
// in the learner's code, or in what that has called, that is the place; otherwise
// it is the suite's line.
func describe(g goroutine) (doing, why string) {
	w, ok := waits[g.waits()]
	network, inNetwork := g.network()
	foreign, inForeign := g.foreign()
	switch {
	case inNetwork && g.state != "running" && g.state != "runnable":
		w = network
	case g.busy():
		w = wait{"busy", "it runs in circles instead of waiting"}
	case inForeign:
		w = foreign
	case !ok:
		w = wait{"waiting (" + g.waits() + ")", ""}
	case g.waitsOutside():
		w.why = "it was made outside of the test, as a variable at package level is: make it where it is used"
	}
	at, inside := g.learner()
	if !inside {
		at, _ = g.suite()
	}
	place := at.String()
	if g.busy() || g.wantsLock() {
		place += g.caller()
	}
	return w.doing + " at " + place, w.why
}

// waitsOutside tells whether a goroutine of a bubble waits for what does not belong to
// the bubble. Then a bubble's clock stands still, however right the rest may be.
func (g goroutine) waitsOutside() bool {
	return g.bubble != "" && !g.durable() && slices.Contains([]string{"sync.WaitGroup.Wait", "chan receive", "chan send", "select"}, g.state)
}

// foreign tells in which call the learner's code is, if that waits for reasons of
// its own: how a library or the test does so is no business of the learner's.
func (g goroutine) foreign() (wait, bool) {
	i := slices.IndexFunc(g.frames, frame.ofLearner)
	if i < 1 {
		return wait{}, false
	}
	called := g.frames[i-1]
	library, _, inFolder := strings.Cut(called.fn, "/")
	switch {
	case ofSuite(called.file), strings.HasPrefix(called.fn, labtestPath+"."):
		return wait{"waiting in a function of the test's, called", ""}, true
	case strings.HasPrefix(called.fn, "sync.(*Once)."):
		return wait{"in Once.Do", "another Do of the same Once does not return"}, true
	case inFolder && strings.Contains(library, "."), strings.HasPrefix(called.fn, "net/http."):
		return wait{"in " + funcname.Short(called.fn) + ", called", ""}, true
	}
	return wait{}, false
}

// network tells which call of the network a goroutine is in, if it is in one.
func (g goroutine) network() (wait, bool) {
	for _, f := range g.frames {
		if w, ok := networkWaits[f.fn]; ok {
			return w, true
		}
	}
	return wait{}, false
}

// blockedIn lists, a line each, what the goroutines of a bubble wait for in the
// learner's code. Many at the same place are one line. Those that keep a bubble's
// clock from moving come first. Where one runs in circles, or some wait for a lock,
// what the others wait for is no riddle any more: whoever is busy, or holds the
// lock, does not let them. Whoever holds it may only wait for time to pass, which
// is no mistake anywhere but in a bubble.
func blockedIn(bubble []goroutine) []string {
	all := slices.DeleteFunc(slices.Clone(bubble), func(g goroutine) bool {
		_, inside := g.learner()
		return !inside
	})
	guilty := func(goroutine) bool { return true }
	for _, suspect := range []func(goroutine) bool{goroutine.busy, goroutine.wantsLock} {
		if slices.ContainsFunc(all, suspect) {
			guilty = suspect
			break
		}
	}
	patient := slices.ContainsFunc(all, goroutine.mayWaitForTime)
	var first, then []string
	for _, g := range all {
		line, why := describe(g)
		if why != "" && guilty(g) {
			line += ": " + why
			if g.wantsLock() && patient {
				line += ", or only after some time (a test's clock stands still while anybody waits for a mutex)"
			}
		}
		if g.busy() || g.wantsLock() || g.waitsOutside() {
			first = append(first, line)
		} else {
			then = append(then, line)
		}
	}
	return limit(counted(slices.Concat(first, then)))
}

// caller says which function of the learner's has called the innermost one. That one
// is often right: the loop, or who holds the lock, is where it is called.
func (g goroutine) caller() string {
	i := slices.IndexFunc(g.frames, frame.ofLearner)
	if i < 0 {
		return ""
	}
	for _, f := range g.frames[i+1:] {
		if f.ofLearner() && f.fn != g.frames[i].fn {
			return ", called at " + f.String()
		}
	}
	return ""
}

// counted makes one line of equal ones, which stand for a goroutine each.
func counted(lines []string) []string {
	var once []string
	count := map[string]int{}
	for _, line := range lines {
		if count[line]++; count[line] == 1 {
			once = append(once, line)
		}
	}
	for i, line := range once {
		if n := count[line]; n > 1 {
			once[i] = fmt.Sprintf("%s (%d goroutines)", line, n)
		}
	}
	return once
}

// startedIn lists those that the learner's code has started, and that are now in
// somebody else's, such as a library's.
func startedIn(all []goroutine) []string {
	var lines []string
	for _, g := range all {
		if _, inside := g.learner(); !inside && g.created.ofLearner() && len(g.frames) > 0 {
			lines = append(lines, "what was started at "+g.created.String()+" is in "+funcname.Short(g.frames[len(g.frames)-1].fn))
		}
	}
	return limit(slices.Compact(lines))
}

// leftIn lists what a library has started that is still there. A context that is
// made of another, and never released, may be such.
func leftIn(bubble []goroutine) []string {
	var lines []string
	for _, g := range bubble {
		_, learner := g.learner()
		_, suite := g.suite()
		if learner || suite || g.created.ofLearner() || len(g.frames) == 0 || !strings.HasPrefix(g.created.fn, "context.") {
			continue
		}
		lines = append(lines, "a goroutine of package context waits for a context to end: release what you make of one (cancel; for AfterFunc, stop), on every way out")
	}
	return limit(slices.Compact(lines))
}

// testWaits says where the suite itself is stuck, if it is stuck by itself and
// not inside the learner's code. The place is the test's own, and not that of a
// function that it shares with others.
func testWaits(bubble []goroutine) []string {
	for _, g := range bubble {
		if _, inside := g.learner(); inside {
			continue
		}
		at, ok := g.step()
		if !ok || g.busy() || g.waits() == "sleep" {
			continue
		}
		place := fmt.Sprintf("%s:%d", path.Base(at.file), at.line)
		if w, ok := g.network(); ok {
			return []string{"the test itself is " + w.doing + ", at " + place + ": " + w.why}
		}
		return []string{"the test itself waits at " + place + " for something that never comes"}
	}
	return nil
}

// inBubble picks the goroutines of one bubble. While a goroutine helps the
// garbage collector the runtime takes it out of its bubble; so one that is busy
// in no bubble belongs here too, unless it is the watchdog's.
func inBubble(all []goroutine, bubble string) []goroutine {
	return slices.DeleteFunc(slices.Clone(all), func(g goroutine) bool {
		return g.bubble != bubble && (g.bubble != "" || !g.busy() || g.watches())
	})
}

// stuck tells whether the goroutines of a bubble can never go on although the
// bubble does not see it: none of them can run by itself, and time stands still
// because one waits for something that does not count as blocked, such as a
// mutex.
func stuck(bubble []goroutine) bool {
	hidden := false
	for _, g := range bubble {
		switch {
		case g.durable():
		case !g.busy() && slices.Contains(hiddenWaits, g.state):
			hidden = true
		default:
			return false
		}
	}
	return hidden
}

// hiddenWaits are the waits that only another goroutine can end, but that do
// not count as blocked in a bubble: locks, and what was not made inside it.
var hiddenWaits = []string{
	"sync.Mutex.Lock", "sync.RWMutex.Lock", "sync.RWMutex.RLock", "semacquire",
	"sync.Cond.Wait", "sync.WaitGroup.Wait", "chan receive", "chan send", "select",
}
