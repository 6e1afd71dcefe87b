package runner

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"conclab/internal/sandbox"
	"conclab/internal/sealed"
)

// Way is how the tests of an assembly are run.
type Way struct {
	Procs int           // GOMAXPROCS
	Seed  int64         // of the order of the tasks; zero means the suite's own
	Limit time.Duration // wall time for the tests of a lesson in all their processes together; one test may take three fifths, and at most a minute. Zero means as in [Options]
	Tests string        // a pattern as in [Options]; empty means all

	// Output is how much one process may print, in bytes; zero means as much as
	// for a candidate that is trusted.
	Output int
}

// Verdicts are what the tests of one lesson of an assembly said.
type Verdicts struct {
	Tasks []TaskResult

	// Tampered is a sentence if something was found that no honest candidate
	// does. Then the Tasks hold what was claimed, and a person has to look.
	Tampered string
}

// gradedPatience is how long one test of a graded binary may take. The suites
// themselves find a hang within seconds; this is for what they cannot see, and
// must not cost an honest answer a test on a machine that is very busy.
const gradedPatience = time.Minute

// rounds is how many processes run all tests that are still open, before each
// open test gets a process of its own.
const rounds = 3

// Judge runs the suite of one lesson of the assembly in the sandbox. It blocks
// until all tests have their verdict or ctx has ended, which the error then
// wraps. Any other error says that the tests could not be run: it is not the
// candidate's.
//
// A test has passed only if the binary's own record says so, that record is
// whole, and both canaries have died in the same process. What is printed
// serves for words.
func (a *Assembly) Judge(ctx context.Context, lesson string, w Way) (*Verdicts, error) {
	i := slices.IndexFunc(a.parts, func(p part) bool { return p.lesson.Name == lesson })
	if i < 0 {
		return nil, fmt.Errorf("the lesson %s is not in the binary", lesson)
	}
	r := a.run(a.parts[i].lesson, a.parts[i].file)
	w.Limit = cmp.Or(w.Limit, defaultLimit)
	r.Limit, r.output = w.Limit, w.Output
	if w.Seed != 0 {
		r.Shuffle = strconv.FormatInt(w.Seed, 10)
	}
	var err error
	if r.expected, err = matching(a.kit.suites[lesson].expected, w.Tests); err != nil {
		return nil, err
	}
	g := &graded{assembly: a, way: w, main: newLog(r.expected, nil), pings: a.parts[i].pings}
	r.graded = g
	err = g.test(ctx, r)
	if ctx.Err() != nil {
		return nil, fmt.Errorf("%s was not judged to the end: %w", r.file, ctx.Err())
	}
	if err != nil {
		return nil, err
	}
	return &Verdicts{Tasks: g.main.tasks(), Tampered: g.tampered}, nil
}

// graded is what one call of [Assembly.Judge] knows.
type graded struct {
	assembly *Assembly
	way      Way
	main     *log
	pings    bool // whether the lesson is about ICMP
	tampered string
	record   *sealed.Record // of the last process
}

// test runs all tests in one process, and those again that this process could
// not speak for. A process that dies costs the one test that it died in.
func (g *graded) test(ctx context.Context, r *run) error {
	deadline := time.Now().Add(g.way.Limit)
	for range rounds {
		open := g.main.unsettled()
		if len(open) == 0 {
			return nil
		}
		if err := g.process(ctx, r, open, deadline); err != nil {
			return err
		}
		if left := len(g.main.unsettled()); left == len(open) || left == 1 && len(open) == 1 {
			break
		}
	}
	for _, name := range g.main.unsettled() {
		if time.Until(deadline) < g.way.Limit/20 {
			g.main.settle(name, outcome{DidNotRun, fmt.Sprintf(
				"did not run: the tests before it took all of the %v that the tests of a lesson may take together", g.way.Limit)}, 0)
			continue
		}
		if err := g.process(ctx, r, []string{name}, deadline); err != nil {
			return err
		}
	}
	for _, name := range g.main.unsettled() {
		g.main.settle(name, outcome{EndedEarly, "the program ended before the grader's record of this test was complete; its result does not count"}, 0)
	}
	return nil
}

// process runs the named tests in one process, and settles those that it can
// speak for.
func (g *graded) process(ctx context.Context, r *run, names []string, deadline time.Time) error {
	said, err := g.once(ctx, r, names, deadline)
	if err != nil {
		return err
	}
	if a := g.assembly; !g.record.Begun && a.joint {
		// One lesson's package that cannot even be initialized must not cost
		// the others their tests: each gets a binary of its own.
		for _, p := range a.parts {
			if err := a.link(ctx, "only-"+p.lesson.Name, []part{p}); err != nil {
				return err
			}
		}
		a.joint = false
		if said, err = g.once(ctx, r, names, deadline); err != nil {
			return err
		}
	}
	g.confirm(names, said)
	return nil
}

// once runs the named tests in one process and returns what it printed about
// them.
func (g *graded) once(ctx context.Context, r *run, names []string, deadline time.Time) (*log, error) {
	process := *r
	process.log = newLog(r.expected, nil)
	g.record = nil
	if err := process.execute(ctx, g.assembly.kit.converter, names, deadline); err != nil {
		return nil, err
	}
	return process.log, nil
}

// confirm holds what a process printed against its record. What adds up is
// settled; a test of which nothing certain is known stays open.
func (g *graded) confirm(names []string, said *log) {
	suspect := g.record.Forged
	if suspect == "" && g.record.Whole {
		for canary, live := range map[string]bool{sealed.CanaryAssertion: true, sealed.CanaryRace: g.assembly.kit.Race} {
			if live && !slices.Contains(g.record.Dead, canary) {
				suspect = fmt.Sprintf("the %s that has to fail in every graded program has passed: the program changed what its tests do", canary)
			}
		}
	}
	for _, name := range names {
		test := *said.tests[name]
		line, recorded := g.record.Ended[name]
		switch {
		case test.Verdict == Pass && (!recorded || line.Failed || line.Skip),
			test.Verdict == Skip && (!recorded || line.Failed || !line.Skip):
			suspect = firstOf(suspect, fmt.Sprintf("the program printed of %s: %s, and the grader's record does not say so", name, test.Verdict))
		case test.Verdict == "" && g.record.Whole && recorded && said.reason[name] == "":
			suspect = firstOf(suspect, fmt.Sprintf("the grader's record holds %s, and the program printed nothing about it", name))
		case test.Verdict == "", test.Verdict == DidNotRun && len(names) > 1:
			if reason, ok := said.reason[name]; ok {
				g.main.excused(name, reason)
			}
			continue
		case (test.Verdict == Pass || test.Verdict == Skip) && !g.record.Whole:
			continue
		}
		g.main.settle(name, outcome{test.Verdict, test.Message}, test.Elapsed)
	}
	g.tampered = firstOf(g.tampered, suspect)
}

func firstOf(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// launch runs the named tests in a process of the graded binary and reads its
// record.
func (g *graded) launch(ctx context.Context, r *run, names []string, deadline time.Time, onOne bool, out io.Writer) (end, error) {
	a, key, procs := g.assembly, sealed.NewKey(), max(g.way.Procs, 1)
	if onOne {
		procs = 1
	}
	from, to, err := os.Pipe()
	if err != nil {
		return end{}, err
	}
	read := make(chan *sealed.Record, 1)
	go func() {
		read <- sealed.Read(from, key)
		_ = from.Close()
	}()
	binary := a.bins[r.lesson.Name]
	c := sandbox.Command{
		Isolation: a.kit.o.Isolation,
		Path:      binary, Dir: filepath.Join(a.kit.o.Dir, "exercises", r.lesson.Name),
		Env: []string{
			"GORACE=atexit_sleep_ms=0 log_path=stderr", "GOTRACEBACK=single",
			"GOMAXPROCS=" + strconv.Itoa(procs),
		},
		Stdout: out, Stderr: out, Record: to,
		Show:       []string{filepath.Dir(binary), filepath.Join(a.kit.o.Dir, "exercises", r.lesson.Name)},
		RawNetwork: a.kit.ping && g.pings,
		Limits:     a.kit.o.Run,
	}
	c.Stdin, err = json.Marshal(sealed.Order{Key: key, FD: c.RecordFD(), Lesson: r.lesson.Name, Args: r.testArgs(names, deadline, onOne)})
	if err != nil {
		return end{}, errors.Join(err, to.Close())
	}
	ended, err := sandbox.Run(ctx, c)
	select {
	case g.record = <-read:
	case <-time.After(2 * time.Second):
		// Somebody outside of any sandbox has kept the pipe open.
		_ = from.Close()
		g.record = <-read
	}
	e := end{code: ended.Code}
	if ended.Code > 128 {
		e = end{code: -1, how: "signal " + strconv.Itoa(ended.Code-128)}
	}
	switch ended.Stopped {
	case sandbox.TooMuchMemory:
		e.stopped = errTooBig
	case sandbox.TooManyProcesses:
		e.stopped = errTooMany
	case sandbox.TooMuchOutput:
		e.stopped = errTooLoud
	}
	return e, err
}
