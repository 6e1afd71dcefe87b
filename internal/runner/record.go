package runner

import (
	"strings"
	"time"

	"gotest.tools/gotestsum/testjson"
)

// verdictAttr is the attribute by which a failing test names its verdict
// itself, ruleAttr the one by which any test names what it is about to prove;
// package labtest sets them.
const (
	verdictAttr = "conclab.verdict"
	ruleAttr    = "conclab.rule"
)

// record follows the events of one process. It is used by one goroutine.
type record struct {
	*run
	moved     func() // called whenever a test begins or ends
	names     []string
	tests     map[string]*progress
	functions map[string]*progress // the suites' functions, which run tests of this process
	ended     string               // the test that ended last, if nothing has begun since
	begun     bool                 // whether any test or suite has
	failed    bool                 // whether any test has failed
	final     testjson.Action      // the process's own last word
}

// progress is where one test is.
type progress struct {
	running bool
	output  clip
	attr    string
	rule    string
	failed  bool // a suite's function: one of its tests has failed

	// How the test ended is held back until something else begins: a crash
	// right behind it is still its own.
	outcome outcome
	spoke   bool // whether the failure has words of its own
	elapsed time.Duration
}

// outcome is a verdict and what the learner should read about it.
type outcome struct {
	verdict Verdict
	message string
}

// ending is how a process ended.
type ending struct {
	end
	stopped  error         // why it was stopped; nil if it ended by itself
	patience time.Duration // what one test may take
	outOfAll bool          // whether the time of all tests is over
	output   string        // the beginning and the end of all that it printed

	// notItsOwn says that the race detector died, and nothing can be said about
	// the tests that were running.
	notItsOwn bool
}

// ofDetector tells whether the race detector has died. That of Go 1.26 does, now
// and then, when goroutines of a bubble look on two processors at timers that are
// due (go.dev/issue/78156). On one it does not.
func (e ending) ofDetector() bool {
	return e.stopped == nil && (strings.Contains(e.output, "ThreadSanitizer: CHECK failed: ") ||
		strings.Contains(e.output, "SIGSEGV: ") && strings.Contains(e.output, "\nruntime.(*timer).maybeRunChan("))
}

func newRecord(r *run, names []string, moved func()) *record {
	p := &record{run: r, moved: moved, names: names, tests: map[string]*progress{}, functions: map[string]*progress{}}
	for _, name := range names {
		p.tests[name] = newProgress()
		if function, _, ok := strings.Cut(name, "/"); ok {
			p.functions[function] = newProgress()
		}
	}
	return p
}

func newProgress() *progress { return &progress{output: clip{limit: maxTestOutput}} }

// Err takes what is no event. Nothing is: test2json makes an event of every
// line.
func (p *record) Err(string) error { return nil }

// Event takes one event of test2json.
func (p *record) Event(e testjson.TestEvent, _ *testjson.Execution) error {
	if e.Elapsed < 0 {
		return nil // made up at the end of the stream for tests that did not end
	}
	if e.Test == "" {
		p.process(e)
		return nil
	}
	elements := strings.SplitN(e.Test, "/", 3)
	function := elements[0]
	if test, ok := p.tests[function]; ok {
		p.test(e, function, test, e.Test != function)
	} else if suite := p.functions[function]; suite != nil {
		name := strings.Join(elements[:min(2, len(elements))], "/")
		if test, ok := p.tests[name]; ok {
			p.test(e, name, test, e.Test != name)
		} else if e.Test == function {
			p.suite(e, function, suite)
		}
	}
	return nil
}

func (p *record) process(e testjson.TestEvent) {
	switch e.Action {
	case testjson.ActionOutput:
		if seed, ok := strings.CutPrefix(e.Output, "-test.shuffle "); ok && !p.begun {
			p.log.shuffled(strings.TrimSpace(seed))
		}
	case testjson.ActionPass, testjson.ActionFail:
		p.final = e.Action
	}
}

// test takes an event of a test or, if inner, of a subtest that it started.
func (p *record) test(e testjson.TestEvent, name string, t *progress, inner bool) {
	switch {
	case e.Action == testjson.ActionOutput:
		_, _ = t.output.Write([]byte(e.Output))
	case e.Action == testjson.ActionAttr && e.Key == verdictAttr:
		t.attr = e.Value
	case e.Action == testjson.ActionAttr && e.Key == ruleAttr:
		t.rule = e.Value
	case inner:
	case e.Action == testjson.ActionRun:
		p.flush()
		*t = *newProgress()
		t.running, p.begun = true, true
		p.log.started(name)
		p.moved()
	case e.Action.IsTerminal():
		p.flush()
		t.running, p.ended = false, name
		t.outcome, t.spoke = p.judgeTest(e.Action, t)
		t.elapsed = time.Duration(e.Elapsed * float64(time.Second))
		if e.Action == testjson.ActionFail {
			p.fails(name)
		}
		p.moved()
	}
}

func (p *record) fails(name string) {
	p.failed = true
	function, _, _ := strings.Cut(name, "/")
	if suite := p.functions[function]; suite != nil {
		suite.failed = true
	}
}

// suite takes an event of a function that runs a suite.
func (p *record) suite(e testjson.TestEvent, function string, s *progress) {
	switch e.Action {
	case testjson.ActionOutput:
		_, _ = s.output.Write([]byte(e.Output))
	case testjson.ActionRun:
		p.flush()
		*s = *newProgress()
		p.begun = true
	case testjson.ActionFail:
		if !s.failed {
			p.suiteFailed(function, s)
		}
	case testjson.ActionSkip:
		_, message := p.explain(s.output.String())
		for _, name := range p.names {
			t := p.tests[name]
			if strings.HasPrefix(name, function+"/") && !t.running && t.outcome.verdict == "" {
				p.log.settle(name, outcome{Skip, message}, 0)
			}
		}
	}
}

// suiteFailed finds a place for a failure outside of the suite's tests: the test
// before it, or, if there was none, those that could not run.
func (p *record) suiteFailed(function string, s *progress) {
	found, message := p.explain(s.output.String())
	p.failed = true
	if strings.HasPrefix(p.ended, function+"/") {
		p.tests[p.ended].outcome = outcome{found.verdict(), after(message)}
		return
	}
	for _, name := range p.names {
		if strings.HasPrefix(name, function+"/") {
			p.log.excused(name, "did not run, because the suite failed before it: "+message)
		}
	}
}

// flush makes the outcome of the last test known.
func (p *record) flush() {
	if p.ended == "" {
		return
	}
	name := p.ended
	p.ended = ""
	t := p.tests[name]
	if t.outcome.verdict == DidNotRun {
		p.log.excused(name, t.outcome.message)
		return
	}
	p.log.settle(name, t.outcome, t.elapsed)
}

// finish settles what the process's end says about the tests.
func (p *record) finish(e ending) {
	defer p.flush()
	if p.final != "" {
		if p.final == testjson.ActionFail && !p.failed && p.ended != "" {
			found, message := p.explain(e.output)
			p.tests[p.ended].outcome = outcome{found.verdict(), after(message)}
		}
		return
	}

	if e.notItsOwn {
		return
	}
	var running []string
	for _, name := range p.names {
		if p.tests[name].running {
			running = append(running, name)
		}
	}
	end := p.explainEnd(e, len(running) > 0)
	switch {
	case len(running) == 1:
		p.flush()
		p.log.settle(running[0], p.tests[running[0]].crashed(end), 0)
	case len(running) > 1:
		// Each of them alone will show whose fault it was.
	case p.ended != "":
		t := p.tests[p.ended]
		switch {
		case t.outcome.verdict == Pass || t.outcome.verdict == Skip:
			t.outcome = outcome{end.verdict, after(end.message)}
		case !t.spoke:
			// A test that crashes in its own goroutine is reported as failed
			// first, and without a word.
			t.outcome = t.crashed(p.explainEnd(e, true))
		}
	case !p.begun:
		for _, name := range p.names {
			p.log.settle(name, outcome{end.verdict, before(end.message)}, 0)
		}
	default:
		for _, name := range p.names {
			p.log.excused(name, "did not run: "+before(end.message))
		}
	}
}

// broke puts the rule that the test was about to prove before words that are not
// the test's own.
func (t *progress) broke(message string) string {
	if t.rule == "" {
		return message
	}
	return t.rule + ": " + message
}

// crashed is the outcome of a test that the end of its program has ended. A TODO
// breaks no rule.
func (t *progress) crashed(o outcome) outcome {
	if o.verdict != Fail {
		o.message = t.broke(o.message)
	}
	return o
}

func before(message string) string { return "before this test began: " + message }

func after(message string) string { return "right after this test: " + message }
