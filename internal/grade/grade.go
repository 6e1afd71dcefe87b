// Package grade grades a class: it takes submissions, one after the other, lets
// the gate look at each file, has the rest built and judged by package runner in
// a sandbox, and puts an entry for each submission into a ledger.
//
// What it promises:
//
//   - The same submission gets the same entry, whoever else is graded beside it
//     and in whatever order: nothing is shared but what nobody can write to.
//   - An entry that is in the ledger already, of the same submission and made
//     under the same conditions, is not made again. So a grading that was killed
//     goes on where it was.
//   - What goes wrong with the grader itself is a grader error of that one
//     lesson, never a failed test, and is graded again the next time. So is a
//     submission that cannot be read; it keeps nobody else from being graded.
//   - Memory is that of the submissions that are being graded at the moment.
//
// It gives no marks; see package gradebook.
package grade

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"conclab/internal/gradebook"
	"conclab/internal/intake"
	"conclab/internal/ledger"
	"conclab/internal/runner"
	"conclab/internal/sandbox"
	"conclab/lessons"
)

// Item is a submission that has not been read yet.
type Item struct {
	ID string

	// Read reads it. An error that wraps [intake.ErrUnreadable] concerns this
	// submission alone, of which ID and Name are known; any other ends the
	// grading.
	Read func(ctx context.Context) (gradebook.Submission, error)
}

// Gate says what a file has in it that the rules forbid.
type Gate interface {
	// Check returns the findings, or a message of the compiler if the file is no
	// Go. An error says that the gate could not look.
	Check(ctx context.Context, lesson string, f gradebook.File) (findings []gradebook.Finding, build string, err error)

	// Version changes whenever a file may be judged otherwise than before.
	Version() string
}

// Options say how to grade. Root and Lessons are required.
type Options struct {
	Root      string // the module's root
	Lessons   []lessons.Lesson
	Isolation sandbox.Isolation
	Race      runner.RaceMode
	Jobs      int              // submissions at a time; zero means one for every processor
	Repeats   int              // how often each test runs; zero means once
	Limits    gradebook.Limits // a zero in it means the default
	Gate      Gate             // nil: every file is built
	Imports   []string         // what submissions may import, as far as the gate lets them

	// Temp is where temporary files go; empty means the system's folder for
	// them. What an earlier grading left there is removed, so it must be this
	// grading's own.
	Temp string
}

// Event tells that one more submission is done.
type Event struct {
	ID      string
	Entry   *gradebook.Entry
	Known   bool   // whether it was in the ledger already
	Was     string // the name that had this ID when it was graded before; empty if it is the same
	Done    int    // submissions, this one included
	Total   int
	Elapsed time.Duration // since the beginning
	Left    time.Duration // an estimate; zero while nothing is known
}

// Summary is what came of a grading.
type Summary struct {
	Total, Known, Open int // all, those that were in the ledger before, and those that have no outcome yet
	Errors             int // of Open those at which the grader itself failed
	Elapsed            time.Duration
}

// defaults are limits that no honest submission comes near to.
var defaults = gradebook.Limits{
	BuildSeconds: 30,
	TestSeconds:  180,
	MemoryBytes:  1 << 30,
	Processes:    512,
	FileBytes:    64 << 20,
	OutputBytes:  4 << 20,
}

// Limits returns the limits, with the defaults in the place of zeros.
func Limits(l gradebook.Limits) gradebook.Limits {
	return gradebook.Limits{
		BuildSeconds: cmp.Or(l.BuildSeconds, defaults.BuildSeconds),
		TestSeconds:  cmp.Or(l.TestSeconds, defaults.TestSeconds),
		MemoryBytes:  cmp.Or(l.MemoryBytes, defaults.MemoryBytes),
		Processes:    cmp.Or(l.Processes, defaults.Processes),
		FileBytes:    cmp.Or(l.FileBytes, defaults.FileBytes),
		OutputBytes:  cmp.Or(l.OutputBytes, defaults.OutputBytes),
	}
}

// Engine grades submissions. Its methods may be called from any number of
// goroutines.
type Engine struct {
	o    Options
	kit  *runner.Kit
	temp string
	gate string // its version
}

// New prepares an engine. It blocks while it compiles what all submissions need.
// Close it.
func New(ctx context.Context, o Options) (*Engine, error) {
	if err := sandbox.Check(ctx, o.Isolation); err != nil {
		return nil, err
	}
	if o.Temp == "" {
		temp, err := os.MkdirTemp("", "conclab-grade-")
		if err != nil {
			return nil, fmt.Errorf("no room for temporary files: %w", err)
		}
		o.Temp = temp
	}
	o.Limits = Limits(o.Limits)
	o.Repeats = max(o.Repeats, 1)
	if o.Jobs <= 0 {
		// Tests want two processors, and mostly wait. Callers that race for
		// something find each other on a busy machine too.
		o.Jobs = runtime.NumCPU()
	}
	e := &Engine{o: o, temp: o.Temp, gate: "off"}
	if o.Gate != nil {
		e.gate = o.Gate.Version()
	}
	kitDir := filepath.Join(e.temp, "kit")
	if err := cmp.Or(os.RemoveAll(e.temp), os.Mkdir(e.temp, 0o700), os.Mkdir(kitDir, 0o700)); err != nil {
		return nil, fmt.Errorf("no room for temporary files: %w", err)
	}
	l := o.Limits
	var err error
	e.kit, err = runner.NewKit(ctx, runner.KitOptions{
		Root: o.Root, Dir: kitDir, Lessons: o.Lessons, Race: o.Race, Isolation: o.Isolation, Imports: o.Imports,
		Compilers: max(runtime.NumCPU()/o.Jobs, 1),
		Build: sandbox.Limits{
			Memory: l.MemoryBytes, Processes: l.Processes, File: max(l.FileBytes, 256<<20), Output: l.OutputBytes,
			CPU: seconds(l.BuildSeconds),
		},
		Run: sandbox.Limits{Memory: l.MemoryBytes, Processes: l.Processes, File: l.FileBytes},
	})
	if err != nil {
		e.Close()
		return nil, err
	}
	return e, nil
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

// Notes says, a sentence each, what the tests cannot see on this machine. Marks
// that are made here may be better than those of another.
func (e *Engine) Notes() []string {
	var notes []string
	if e.kit.NoRace != "" {
		notes = append(notes, e.kit.NoRace)
	}
	if runtime.NumCPU() < 2 {
		notes = append(notes, "the tests have one processor here, on which two callers never meet: wrong answers that only fail then will pass; grade on a machine with two")
	}
	return notes
}

// Close removes the engine's temporary files.
func (e *Engine) Close() { _ = os.RemoveAll(e.temp) }

// Run grades the items, several at a time, and puts their entries into the
// ledger. It blocks until all are there or ctx has ended; then the error wraps
// ctx.Err(), and what was done is in the ledger. It stops at once if the ledger
// cannot be written. On, if not nil, is called from one goroutine at a time.
func (e *Engine) Run(ctx context.Context, l *ledger.Ledger, items []Item, on func(Event)) (Summary, error) {
	start := time.Now()
	s := Summary{Total: len(items)}
	if on == nil {
		on = func(Event) {}
	}
	var mu sync.Mutex
	done, made := 0, 0
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(e.o.Jobs)
	for _, item := range items {
		if ctx.Err() != nil {
			break
		}
		group.Go(func() error {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			old, err := l.Get(item.ID)
			if err != nil {
				return err
			}
			entry, known, err := e.item(ctx, l, item, old)
			if err != nil {
				return err
			}
			mu.Lock()
			defer mu.Unlock()
			done++
			if known {
				s.Known++
			} else {
				made++
			}
			if !entry.Resolved() {
				s.Open++
			}
			if failedToGrade(entry) {
				s.Errors++
			}
			event := Event{ID: item.ID, Entry: entry, Known: known, Done: done, Total: len(items), Elapsed: time.Since(start)}
			if old != nil && !intake.Same(old.Name, entry.Name) {
				event.Was = old.Name
			}
			if made > 0 {
				event.Left = time.Since(start) / time.Duration(made) * time.Duration(len(items)-done)
			}
			on(event)
			return nil
		})
	}
	err := group.Wait()
	if err == nil && done < len(items) {
		err = ctx.Err()
	}
	s.Elapsed = time.Since(start)
	if err != nil {
		return s, fmt.Errorf("%d of %d submissions are graded, and kept: %w", done, len(items), err)
	}
	return s, nil
}

// item grades a submission, unless the entry that the ledger has, if any, says what
// would come out.
func (e *Engine) item(ctx context.Context, l *ledger.Ledger, item Item, old *gradebook.Entry) (entry *gradebook.Entry, known bool, err error) {
	if old != nil {
		if lost := e.notGraded(old); len(lost) > 0 {
			return nil, false, fmt.Errorf("the results of %s in %s would be lost, which is not graded this time: name another folder with --out",
				item.ID, strings.Join(lost, ", "))
		}
	}
	sub, err := item.Read(ctx)
	if errors.Is(err, intake.ErrUnreadable) {
		entry := e.unreadable(sub, err)
		return entry, false, l.Put(entry)
	}
	if err != nil {
		return nil, false, err
	}
	made := e.made(sub)
	key := keyOf(made)
	if old != nil && old.Key == key && !failedToGrade(old) {
		fresh := *old
		fresh.Name, fresh.Refused = sub.Name, sub.Refused
		if !same(*old, fresh) {
			if err := l.Put(&fresh); err != nil {
				return nil, false, err
			}
		}
		return &fresh, true, nil
	}
	entry, err = e.Grade(ctx, sub)
	if err != nil {
		return nil, false, err
	}
	return entry, false, l.Put(entry)
}

// notGraded returns the lessons of an entry that this engine does not grade, and
// that something was handed in for.
func (e *Engine) notGraded(old *gradebook.Entry) []string {
	var names []string
	for _, l := range old.Lessons {
		if l.Status != gradebook.NotSubmitted && !slices.ContainsFunc(e.o.Lessons, func(o lessons.Lesson) bool { return o.Name == l.Lesson }) {
			names = append(names, l.Lesson)
		}
	}
	return names
}

func same(a, b gradebook.Entry) bool {
	x, err1 := json.Marshal(a)
	y, err2 := json.Marshal(b)
	return err1 == nil && err2 == nil && string(x) == string(y)
}

func failedToGrade(e *gradebook.Entry) bool {
	return slices.ContainsFunc(e.Lessons, func(l gradebook.Lesson) bool { return l.Status == gradebook.GraderError })
}

// Outdated tells whether the submission is another one than the entry is of.
func Outdated(e *gradebook.Entry, sub gradebook.Submission) bool {
	names := make([]string, len(e.Lessons))
	for i, l := range e.Lessons {
		names[i] = l.Lesson
	}
	return e.Made.Submission != hex.EncodeToString(submitted(sub, names))
}

// submitted is the hash of what was submitted for the lessons.
func submitted(sub gradebook.Submission, lessons []string) []byte {
	hash := sha256.New()
	for _, name := range lessons {
		if f, ok := sub.Files[name]; ok {
			fmt.Fprintf(hash, "%s %q %x\n", name, f.Path, sha256.Sum256(f.Source))
		} else {
			fmt.Fprintf(hash, "%s not submitted\n", name)
		}
	}
	return hash.Sum(nil)
}

// made says what an entry for the submission is made under.
func (e *Engine) made(sub gradebook.Submission) gradebook.Made {
	names := make([]string, len(e.o.Lessons))
	for i, l := range e.o.Lessons {
		names[i] = l.Name
	}
	sum := submitted(sub, names)
	made := gradebook.Made{
		Submission: hex.EncodeToString(sum),
		Suites:     e.kit.ID,
		Go:         e.kit.Go, Platform: e.kit.Platform,
		Isolation: string(e.o.Isolation), Gate: e.gate,
		Race: e.kit.Race, NoRace: e.kit.NoRace,
		Limits: e.o.Limits,
	}
	for i := range e.o.Repeats {
		made.Repeats = append(made.Repeats, way(sum, i))
	}
	return made
}

// processors are the values of GOMAXPROCS that repeats take turns with. They do
// not depend on the machine, so that all of a cluster's agree.
var processors = []int{2, 4, 1}

// way returns how tests run for the i-th time. The order of the tasks is the
// suite's own at first; then it depends on the submission alone.
func way(submission []byte, i int) gradebook.Run {
	w := gradebook.Run{Procs: processors[i%len(processors)]}
	if i > 0 {
		sum := sha256.Sum256(fmt.Appendf(slices.Clone(submission), " %d", i))
		w.Seed = int64(sum[0])<<24 | int64(sum[1])<<16 | int64(sum[2])<<8 | int64(sum[3]) | 1
	}
	return w
}

func keyOf(m gradebook.Made) string {
	text, _ := json.Marshal(m) // plain data
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

// Grade grades one submission. It blocks until that is done or ctx has ended,
// which the error then wraps. There is no other error: what goes wrong is in
// the entry.
func (e *Engine) Grade(ctx context.Context, sub gradebook.Submission) (*gradebook.Entry, error) {
	start := time.Now()
	entry := e.begin(sub, start)
	err := e.grade(ctx, sub, entry)
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if err != nil {
		// Once more: a machine may have had a bad moment.
		again := e.grade(ctx, sub, entry)
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if again != nil {
			leaveOpen(entry, again)
		}
	}
	entry.Seconds = float64(time.Since(start).Milliseconds()) / 1000
	return entry, nil
}

// begin makes an entry of which nothing is known yet.
func (e *Engine) begin(sub gradebook.Submission, now time.Time) *gradebook.Entry {
	made := e.made(sub)
	entry := &gradebook.Entry{
		Version: gradebook.Version, ID: sub.ID, Name: sub.Name,
		Key: keyOf(made), Made: made, Refused: sub.Refused, Graded: now.UTC().Truncate(time.Second),
	}
	for _, l := range e.o.Lessons {
		entry.Lessons = append(entry.Lessons, e.untouched(l))
	}
	return entry
}

// leaveOpen makes a grader error of every lesson that has no status yet.
func leaveOpen(entry *gradebook.Entry, why error) {
	for i := range entry.Lessons {
		if l := &entry.Lessons[i]; l.Status == "" {
			l.Status, l.Why = gradebook.GraderError, why.Error()
		}
	}
}

// unreadable makes the entry of a submission that could not be read. It stays
// open, whatever the reason: nobody knows what was handed in.
func (e *Engine) unreadable(sub gradebook.Submission, why error) *gradebook.Entry {
	entry := e.begin(sub, time.Now())
	leaveOpen(entry, why)
	return entry
}

// untouched returns a lesson of which nothing is known yet but its tests.
func (e *Engine) untouched(l lessons.Lesson) gradebook.Lesson {
	lesson := gradebook.Lesson{Lesson: l.Name}
	for _, expected := range e.kit.Expected(l.Name) {
		t := expected.Task
		task := gradebook.Task{Title: t.Title, Test: t.Test, Points: t.Points, Brave: t.Brave}
		for _, name := range expected.Names {
			task.Tests = append(task.Tests, gradebook.Test{Name: name})
		}
		lesson.Tasks = append(lesson.Tasks, task)
	}
	return lesson
}

// grade fills in all lessons that have no status yet. An error says that some
// could not be graded.
func (e *Engine) grade(ctx context.Context, sub gradebook.Submission, entry *gradebook.Entry) error {
	var candidates []runner.Candidate
	var trouble error
	for i, l := range e.o.Lessons {
		lesson := &entry.Lessons[i]
		f, ok := sub.Files[l.Name]
		switch {
		case lesson.Status != "":
			continue
		case !ok:
			lesson.Status = gradebook.NotSubmitted
			continue
		}
		lesson.File = f.Path
		if e.o.Gate != nil {
			findings, build, err := e.o.Gate.Check(ctx, l.Name, f)
			switch {
			case err != nil:
				trouble = errors.Join(trouble, err)
				continue
			case len(findings) > 0:
				lesson.Status, lesson.Findings = gradebook.AgainstTheRules, findings
				continue
			case build != "":
				lesson.Status, lesson.Build = gradebook.NotBuilt, build
				continue
			}
		}
		candidates = append(candidates, runner.Candidate{Lesson: l, File: f.Path, Source: append([]byte{}, f.Source...)})
	}
	if len(candidates) == 0 || ctx.Err() != nil {
		return trouble
	}
	a, err := e.kit.Assemble(ctx, e.temp, candidates)
	if err != nil {
		return errors.Join(trouble, err)
	}
	defer func() { _ = a.Remove() }()
	for i := range entry.Lessons {
		lesson := &entry.Lessons[i]
		if lesson.Status != "" || !slices.ContainsFunc(candidates, func(c runner.Candidate) bool { return c.Lesson.Name == lesson.Lesson }) {
			continue
		}
		if message, ok := a.NotBuilt[lesson.Lesson]; ok {
			lesson.Status, lesson.Build = gradebook.NotBuilt, message
			continue
		}
		trouble = errors.Join(trouble, e.judge(ctx, a, lesson, entry.Made.Repeats))
	}
	return trouble
}

// judge runs a lesson's tests as often as asked for.
func (e *Engine) judge(ctx context.Context, a *runner.Assembly, lesson *gradebook.Lesson, repeats []gradebook.Run) error {
	tasks, tampered := cloneTasks(lesson.Tasks), ""
	for _, run := range repeats {
		v, err := a.Judge(ctx, lesson.Lesson, e.way(run, ""))
		if err != nil {
			return err
		}
		tampered = cmp.Or(tampered, v.Tampered)
		for i, task := range v.Tasks {
			for j, test := range task.Tests {
				add(&tasks[i].Tests[j], test, run)
			}
		}
	}
	lesson.Tasks, lesson.Status, lesson.Why = tasks, gradebook.Graded, tampered
	if tampered != "" {
		lesson.Status = gradebook.Tampered
	}
	return nil
}

func (e *Engine) way(run gradebook.Run, tests string) runner.Way {
	return runner.Way{
		Procs: run.Procs, Seed: run.Seed, Limit: seconds(e.o.Limits.TestSeconds), Tests: tests, Output: int(e.o.Limits.OutputBytes),
	}
}

func cloneTasks(tasks []gradebook.Task) []gradebook.Task {
	tasks = slices.Clone(tasks)
	for i := range tasks {
		tasks[i].Tests = slices.Clone(tasks[i].Tests)
	}
	return tasks
}

// add adds one run of a test. Of several, the first that was no pass says what
// the verdict is; it is never the best of them.
func add(t *gradebook.Test, test runner.Test, run gradebook.Run) {
	if test.Verdict == runner.Skip {
		if t.Verdict == "" {
			t.Verdict, t.Message = test.Verdict, test.Message
		}
		return
	}
	t.Runs++
	if test.Verdict == runner.Pass {
		t.Passes++
	}
	if t.Verdict == "" || t.Verdict == runner.Skip || t.Verdict == runner.Pass {
		t.Verdict, t.Message = test.Verdict, test.Message
	}
	if t.Failing == nil && test.Verdict != runner.Pass {
		t.Failing = &gradebook.Run{Procs: run.Procs, Seed: run.Seed}
	}
}

// Replay runs one test of a submission once, as it ran then, and returns what it
// says. The gate is not asked. A submission that cannot be built is an error.
func (e *Engine) Replay(ctx context.Context, sub gradebook.Submission, lesson lessons.Lesson, test string, run gradebook.Run) (*runner.Verdicts, error) {
	f, ok := sub.Files[lesson.Name]
	if !ok {
		return nil, fmt.Errorf("%s has not submitted %s", sub.ID, lesson.Name)
	}
	a, err := e.kit.Assemble(ctx, e.temp, []runner.Candidate{{Lesson: lesson, File: f.Path, Source: append([]byte{}, f.Source...)}})
	if err != nil {
		return nil, err
	}
	defer func() { _ = a.Remove() }()
	if message, ok := a.NotBuilt[lesson.Name]; ok {
		return nil, fmt.Errorf("%s of %s cannot be built:\n%s", lesson.Name, sub.ID, message)
	}
	return a.Judge(ctx, lesson.Name, e.way(run, runner.Exactly(test)))
}
