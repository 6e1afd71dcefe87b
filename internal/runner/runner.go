// Package runner is the only door to a verdict: it runs one lesson's suite on
// one candidate file and gives back one result. Whoever judges, be it for a
// learner, for an instructor or for the lab's own proofs, comes through here.
//
// What it promises:
//
//   - The module's tree is only read. A candidate is laid over the exercise
//     with the go command's -overlay.
//   - Every test that the lesson's tasks name gets a verdict, and a message
//     that fits on a screen. A crash, a hang or a flood of output costs the
//     test that it happens in; the others run apart.
//   - Time, memory and output are bounded, whatever the candidate does. When
//     the context ends, Run is back within a second.
//   - Nothing is left behind: no process, no temporary file.
//
// What it does not promise: that a candidate is harmless or honest. It runs as
// the user does, in the same process as the tests that judge it. Rules and
// sandboxes for files that nobody trusts are their caller's.
package runner

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"conclab/lessons"
)

// Candidate is one file that stands in for exercises/<lesson>/<lesson>.go.
type Candidate struct {
	Lesson lessons.Lesson

	// File is the path that messages name. Empty means the learner's own file,
	// exercises/<lesson>/<lesson>.go under the root. A relative path is taken
	// from the working directory.
	File string

	// Source is what is laid over the exercise. If it is nil, File is read; the
	// learner's own file is then tested where it is.
	Source []byte
}

// Options say how the tests run. Only Root is required.
type Options struct {
	Root string   // the module's root, where go.mod is
	Race RaceMode // whether to build with -race

	// Limit is the wall time that the tests of one candidate may take in all
	// their processes together; zero means nine seconds, so that a verdict is
	// there within ten. One test may take three fifths of it. Building is not
	// counted. Where Count and CPU ask for several passes, each adds its own.
	Limit time.Duration

	// Tests is a pattern as for go test -run, of one or two elements: the task's
	// function and the test's name. Empty means all. See [Exactly].
	Tests string

	// NoVet leaves go vet out, where only the tests' verdicts are wanted.
	NoVet bool

	Count   int    // passes of each test; zero means one
	CPU     string // values of GOMAXPROCS to run each pass with, such as "1,2,4"
	Shuffle string // "on", or the seed to shuffle with; empty means no shuffling
}

// defaultLimit leaves a second of the ten to the machine.
const defaultLimit = 9 * time.Second

// EventKind says what an [Event] tells.
type EventKind string

// The kinds of events. The first is EventBuilt or EventNotBuilt. After
// EventBuilt each test is started and done; tests that run apart may overlap.
const (
	EventBuilt    EventKind = "built"
	EventNotBuilt EventKind = "not built"
	EventStarted  EventKind = "started"
	EventDone     EventKind = "done"
)

// Event is something that happened while [Run] was at it.
type Event struct {
	Kind EventKind
	Task lessons.Task // of EventStarted and EventDone
	Test Test         // of EventDone as it stands in the result, of EventStarted the name alone
}

// Run judges one candidate. It blocks until all tests have their verdict or ctx
// has ended. A candidate that fails, or does not even build, is a result, not
// an error; an error means that no verdict was possible, and says in words what
// to do. If ctx has ended, the error wraps ctx.Err().
//
// On, if not nil, is called for each event as it happens, from one goroutine at
// a time; it must not block for long. Where tests run in several passes, each
// pass starts and ends them once more.
//
// Run may be called from any number of goroutines.
func Run(ctx context.Context, o Options, c Candidate, on func(Event)) (*Result, error) {
	r, err := newRun(o, c, on)
	if err != nil {
		return nil, err
	}
	if err := r.makeRoom(); err != nil {
		return nil, err
	}
	defer r.clear()

	result, err := r.judge(ctx)
	if ctx.Err() != nil {
		return nil, fmt.Errorf("%s was not judged to the end: %w", r.file, ctx.Err())
	}
	return result, err
}

// Vet returns what go vet finds in a candidate, and runs nothing. It blocks until
// that is known or ctx has ended. Of the options, only Root counts.
func Vet(ctx context.Context, o Options, c Candidate) ([]Finding, error) {
	r, err := newCandidate(o, c)
	if err != nil {
		return nil, err
	}
	if err := r.makeRoom(); err != nil {
		return nil, err
	}
	defer r.clear()
	t := &tools{}
	if err := r.layOver(t); err != nil {
		return nil, err
	}
	return r.vet(ctx, t)
}

// run is what the parts of one [Run] share. Nothing in it changes once the
// tests run, but for the log and onOne.
type run struct {
	Options
	lesson   lessons.Lesson
	exercise string   // the learner's file, as an absolute path
	file     string   // what messages call it
	source   []byte   // what to lay over it; nil if nothing
	dir      string   // for temporary files
	trees    []string // beginnings of paths that nobody wants to read
	expected []Expected
	log      *log
	graded   *graded      // nil if the candidate is trusted
	output   int          // what one process may print; zero means maxOutput
	onOne    *atomic.Bool // whether the tests run on one processor, since the race detector has died on more
}

// patience is how long one test may take.
func (r *run) patience() time.Duration {
	if r.graded != nil {
		return min(r.Limit*3/5, gradedPatience)
	}
	return r.Limit * 3 / 5
}

func newRun(o Options, c Candidate, on func(Event)) (*run, error) {
	r, err := newCandidate(o, c)
	if err != nil {
		return nil, err
	}
	if r.expected, err = Tests(r.Root, c.Lesson); err != nil {
		return nil, err
	}
	if r.expected, err = matching(r.expected, o.Tests); err != nil {
		return nil, err
	}
	r.log = newLog(r.expected, on)
	return r, nil
}

// newCandidate prepares what can be built, without any tests.
func newCandidate(o Options, c Candidate) (*run, error) {
	root, err := filepath.Abs(o.Root)
	if err != nil {
		return nil, fmt.Errorf("root %s: %w", o.Root, err)
	}
	o.Root = root
	if o.Limit <= 0 {
		o.Limit = defaultLimit
	}
	r := &run{Options: o, lesson: c.Lesson, file: c.File, source: c.Source, onOne: new(atomic.Bool)}
	r.exercise = filepath.Join(root, filepath.FromSlash(exerciseFile(c.Lesson)))
	return r, r.read()
}

// makeRoom makes the folder for the run's temporary files; clear removes it.
func (r *run) makeRoom() (err error) {
	if r.dir, err = os.MkdirTemp(os.Getenv("GOTMPDIR"), "conclab-"); err != nil {
		return fmt.Errorf("no room for temporary files: %w", err)
	}
	return nil
}

func (r *run) clear() { _ = os.RemoveAll(r.dir) }

// exerciseFile names the learner's file relative to the root, with slashes.
func exerciseFile(l lessons.Lesson) string {
	return path.Join("exercises", l.Name, l.Name+".go")
}

// read settles what is tested and under which name.
func (r *run) read() error {
	own := exerciseFile(r.lesson)
	if _, err := os.Stat(filepath.Dir(r.exercise)); err != nil {
		return fmt.Errorf("there is no folder exercises/%s under %s: call the lab from the course's folder, or get it back with `git checkout -- exercises/%[1]s`",
			r.lesson.Name, r.Root)
	}
	if r.file == "" {
		r.file = own
		if r.source != nil {
			return nil
		}
		if _, err := os.ReadFile(r.exercise); errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("%s is missing: get it back with `git checkout -- %[1]s`", own)
		} else if err != nil {
			return fmt.Errorf("%s cannot be read (%w): make it a file that you may read, or remove it and get it back with `git checkout -- %[1]s`", own, reason(err))
		}
		return nil
	}
	if r.source != nil {
		return nil
	}
	// Whoever opens a pipe or a device may wait for ever, or read for ever.
	if info, err := os.Stat(r.file); err == nil && !info.Mode().IsRegular() && !info.IsDir() {
		return fmt.Errorf("%s cannot be tested: it is no regular file", r.file)
	}
	source, err := os.ReadFile(r.file)
	if err != nil {
		return fmt.Errorf("%s cannot be read: %w", r.file, reason(err))
	}
	// An empty file is a candidate too.
	r.source = append([]byte{}, source...)
	return nil
}

// reason is the error without the path, which the sentence around it names.
func reason(err error) error {
	if path, ok := errors.AsType[*fs.PathError](err); ok {
		return path.Err
	}
	return err
}

func (r *run) judge(ctx context.Context) (*Result, error) {
	tools, err := findTools(ctx, r.Root)
	if err != nil {
		return nil, err
	}
	race, whyNot, err := tools.race(r.Race)
	if err != nil {
		return nil, err
	}
	result := &Result{Lesson: r.lesson.Name, File: r.file, Race: race, NoRace: whyNot}
	if race {
		tools.flags = append(tools.flags, "-race")
	}

	start := time.Now()
	var converter string
	var group errgroup.Group
	group.Go(func() (err error) { result.Build, err = r.build(ctx, tools); return err })
	group.Go(func() (err error) { converter, err = r.converter(ctx); return err })
	if err := group.Wait(); err != nil {
		return nil, err
	}
	result.BuildTime = time.Since(start)
	if result.Build != "" {
		r.log.notBuilt()
		result.Tasks = r.log.tasks()
		return result, nil
	}
	r.log.event(Event{Kind: EventBuilt})

	// Vet needs no processor to speak of while tests wait for one another, and
	// its findings must not keep the tests from running.
	var vetErr error
	vetted := make(chan struct{})
	go func() {
		defer close(vetted)
		if !r.NoVet {
			result.Vet, vetErr = r.vet(ctx, tools)
		}
	}()
	start = time.Now()
	err = r.test(ctx, converter)
	result.TestTime = time.Since(start)
	<-vetted
	if err := errors.Join(err, vetErr); err != nil {
		return nil, err
	}
	result.Tasks, result.Seed = r.log.tasks(), r.log.seed
	return result, nil
}
