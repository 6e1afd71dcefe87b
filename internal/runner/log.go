package runner

import (
	"cmp"
	"sync"
	"time"

	"conclab/lessons"
)

// log holds what is known of every expected test, and tells it on. Its methods
// may be called from any goroutine.
type log struct {
	expected []Expected
	on       func(Event)

	mu     sync.Mutex
	tests  map[string]*Test // without a verdict as long as it is unsettled
	of     map[string]lessons.Task
	reason map[string]string // why a test did not run, if anything is known
	seed   string
}

func newLog(expected []Expected, on func(Event)) *log {
	if on == nil {
		on = func(Event) {}
	}
	l := &log{
		expected: expected, on: on,
		tests: map[string]*Test{}, of: map[string]lessons.Task{}, reason: map[string]string{},
	}
	for _, e := range expected {
		for _, name := range e.Names {
			l.tests[name], l.of[name] = &Test{Name: name}, e.Task
		}
	}
	return l
}

func (l *log) event(e Event) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.on(e)
}

func (l *log) notBuilt() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, t := range l.tests {
		t.Verdict = NotBuilt
	}
	l.on(Event{Kind: EventNotBuilt})
}

func (l *log) started(name string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.on(Event{Kind: EventStarted, Task: l.of[name], Test: Test{Name: name}})
}

// settle adds how one run of a test ended. Of several runs, the first that was
// no pass says what the test's verdict is.
func (l *log) settle(name string, o outcome, elapsed time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	t := l.tests[name]
	t.Runs++
	t.Elapsed += elapsed
	if o.verdict == Pass {
		t.Passes++
	}
	if t.Verdict == "" || t.Verdict == Pass || t.Verdict == Skip && o.verdict != Pass {
		t.Verdict, t.Message = o.verdict, o.message
	}
	l.on(Event{Kind: EventDone, Task: l.of[name], Test: *t})
}

// excused keeps what a process said about a test that it did not run.
func (l *log) excused(name, reason string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if reason != "" {
		l.reason[name] = reason
	}
}

func (l *log) excuse(name string) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return cmp.Or(l.reason[name], "did not run: the suite ended without it")
}

// shuffled keeps the first seed: the one of the process that ran all tests.
func (l *log) shuffled(seed string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.seed = cmp.Or(l.seed, seed)
}

// unsettled names the tests that have no verdict, in order.
func (l *log) unsettled() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	var names []string
	for _, e := range l.expected {
		for _, name := range e.Names {
			if l.tests[name].Verdict == "" {
				names = append(names, name)
			}
		}
	}
	return names
}

func (l *log) tasks() []TaskResult {
	l.mu.Lock()
	defer l.mu.Unlock()
	tasks := make([]TaskResult, len(l.expected))
	for i, e := range l.expected {
		tasks[i].Task = e.Task
		for _, name := range e.Names {
			tasks[i].Tests = append(tasks[i].Tests, *l.tests[name])
		}
	}
	return tasks
}
