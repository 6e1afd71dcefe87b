// Package watch judges the learner's files whenever they are saved. It notices
// saves wherever the files lie and however an editor writes them, and runs one
// suite at a time.
//
// What it promises:
//
//   - A save that changes nothing starts nothing. One that changes something
//     ends a run that it puts out of date, and starts the next.
//   - What does not compile is told within milliseconds, before anything is
//     built.
//   - No event of a run comes after the next one has begun.
//   - When the context ends everything ends within a second, and no process or
//     goroutine stays behind.
//
// The verdicts are those of package runner.
package watch

import (
	"context"
	"errors"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"conclab/internal/progress"
	"conclab/internal/runner"
	"conclab/lessons"
)

// EventKind says what an [Event] tells.
type EventKind string

// The kinds of events. A run begins, may turn out not to compile, steps from
// test to test, and is judged or fails. If any task passes, it is then doubted,
// which is a run of its own, with the race detector and of those tasks only, and
// judged again. A run that is put out of date has no further events.
const (
	Began   EventKind = "began"
	Broken  EventKind = "broken"  // Message says what the compiler will say
	Step    EventKind = "step"    // Step is what the runner tells
	Judged  EventKind = "judged"  // Result is the verdict
	Doubted EventKind = "doubted" // the race detector begins to look
	Failed  EventKind = "failed"  // Err says why no verdict is possible
	Known   EventKind = "known"   // Progress is how far the learner is with a lesson that is not being worked on
)

// Event is something that happened to one lesson.
type Event struct {
	Kind     EventKind
	Lesson   lessons.Lesson
	Saved    bool // of Began: because the file was saved
	Message  string
	Step     runner.Event
	Result   *runner.Result // belongs to the receiver
	Progress progress.Lesson
	Err      error
}

// Loop watches the files of lessons and judges them. Its methods may be called
// from any number of goroutines.
type Loop struct {
	root   string
	course []lessons.Lesson
	files  *Files
	check  *runner.Checker
	on     func(Event)
	noRace string // why the race detector cannot be used; for one goroutine

	mu     sync.Mutex
	urgent []job // to judge, in order
	idle   []job // to look at, when nothing is urgent
	now    job
	stop   context.CancelFunc // ends the job that runs now; nil if none does
	wake   chan struct{}
}

// job is a lesson to do something about.
type job struct {
	lesson lessons.Lesson
	saved  bool
	look   bool // only look how far it is
}

// New returns a loop for the learner's files of the lessons, under the module's
// root. A change counts from now on. On is called for each event, from one
// goroutine at a time; it must not block for long, and must not call the loop's
// methods.
func New(root string, course []lessons.Lesson, on func(Event)) (*Loop, error) {
	root, err := filepath.Abs(root)
	if err != nil {
		return nil, err
	}
	l := &Loop{root: root, course: course, check: runner.NewChecker(root), wake: make(chan struct{}, 1)}
	var mu sync.Mutex
	l.on = func(e Event) {
		mu.Lock()
		defer mu.Unlock()
		on(e)
	}
	names := make([]string, len(course))
	for i, lesson := range course {
		names[i] = l.file(lesson)
	}
	l.files = NewFiles(names)
	return l, nil
}

func (l *Loop) file(lesson lessons.Lesson) string {
	return filepath.Join(l.root, filepath.FromSlash(progress.File(lesson)))
}

// Judge has the lesson judged as if it had been saved.
func (l *Loop) Judge(lesson lessons.Lesson) { l.add(job{lesson: lesson}) }

// Look has it found out how far the learner is with the lessons, whenever
// nothing else is to do.
func (l *Loop) Look(course ...lessons.Lesson) {
	for _, lesson := range course {
		l.add(job{lesson: lesson, look: true})
	}
}

// add queues a job, and ends what must not go on beside it.
func (l *Loop) add(j job) {
	l.mu.Lock()
	defer l.mu.Unlock()
	same := func(other job) bool { return other.lesson.Name == j.lesson.Name }
	if j.look {
		if !slices.ContainsFunc(l.idle, same) {
			l.idle = append(l.idle, j)
		}
	} else {
		l.urgent = append(slices.DeleteFunc(l.urgent, same), j)
		l.idle = slices.DeleteFunc(l.idle, same)
		if l.stop != nil && (l.now.look || same(l.now)) {
			if l.now.look && !same(l.now) {
				l.idle = slices.Insert(l.idle, 0, l.now)
			}
			l.stop()
		}
	}
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// next takes the most urgent job and the context that it is for.
func (l *Loop) next(ctx context.Context) (context.Context, job, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.stop = nil
	for _, queue := range []*[]job{&l.urgent, &l.idle} {
		if len(*queue) > 0 {
			l.now, *queue = (*queue)[0], (*queue)[1:]
			ctx, l.stop = context.WithCancel(ctx)
			return ctx, l.now, true
		}
	}
	return ctx, job{}, false
}

// Run watches and judges. It blocks until ctx has ended, and then for as long
// as it takes to end what runs. It may be called once.
func (l *Loop) Run(ctx context.Context) {
	var group sync.WaitGroup
	defer group.Wait()
	group.Go(func() {
		l.files.Watch(ctx, func(name string) {
			for _, lesson := range l.course {
				if l.file(lesson) == name {
					l.add(job{lesson: lesson, saved: true})
				}
			}
		})
	})
	for ctx.Err() == nil {
		alive, j, ok := l.next(ctx)
		if !ok {
			select {
			case <-ctx.Done():
			case <-l.wake:
			}
			continue
		}
		if j.look {
			l.look(alive, j.lesson)
		} else {
			l.judge(alive, j)
		}
		l.finish()
	}
}

// finish gives back what the job's context holds.
func (l *Loop) finish() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.stop()
	l.stop = nil
}

// tell passes an event on, unless its run is out of date.
func (l *Loop) tell(ctx context.Context, e Event) {
	if ctx.Err() == nil {
		l.on(e)
	}
}

func (l *Loop) look(ctx context.Context, lesson lessons.Lesson) {
	l.tell(ctx, Event{Kind: Known, Lesson: lesson, Progress: progress.Look(ctx, l.root, lesson)})
}

func (l *Loop) judge(ctx context.Context, j job) {
	l.tell(ctx, Event{Kind: Began, Lesson: j.lesson, Saved: j.saved})
	var group sync.WaitGroup
	var late atomic.Bool // whether the check comes after the build
	group.Go(func() {
		l.check.Prepare(ctx, j.lesson)
		if message := l.check.Check(j.lesson); message != "" && !late.Load() {
			l.tell(ctx, Event{Kind: Broken, Lesson: j.lesson, Message: message})
		}
	})
	step := func(e runner.Event) {
		late.Store(true)
		l.tell(ctx, Event{Kind: Step, Lesson: j.lesson, Step: e})
	}
	result, err := progress.Judge(ctx, l.root, j.lesson, step)
	group.Wait()
	if err != nil {
		l.tell(ctx, Event{Kind: Failed, Lesson: j.lesson, Err: err})
		return
	}
	l.tell(ctx, Event{Kind: Judged, Lesson: j.lesson, Result: result})
	if ctx.Err() == nil {
		l.doubt(ctx, j.lesson, result)
	}
}

// doubt runs what passes once more, with the race detector.
func (l *Loop) doubt(ctx context.Context, lesson lessons.Lesson, first *runner.Result) {
	var functions []string
	for _, task := range first.Tasks {
		if task.Passed() {
			functions = append(functions, regexp.QuoteMeta(task.Task.Test))
		}
	}
	if len(functions) == 0 || first.Build != "" {
		return
	}
	second := *first
	if l.noRace == "" {
		l.tell(ctx, Event{Kind: Doubted, Lesson: lesson})
		result, err := runner.Run(ctx, runner.Options{
			Root: l.root, Race: runner.RaceOn, NoVet: true, Tests: "^(" + strings.Join(functions, "|") + ")$",
		}, runner.Candidate{Lesson: lesson}, nil)
		if errors.Is(err, runner.ErrNoRace) {
			l.noRace = err.Error()
		} else if err != nil {
			l.tell(ctx, Event{Kind: Failed, Lesson: lesson, Err: err})
			return
		} else {
			second.Race = true
			second.Tasks = merge(first.Tasks, result.Tasks)
		}
	}
	second.NoRace = l.noRace
	l.tell(ctx, Event{Kind: Judged, Lesson: lesson, Result: &second})
}

// merge puts the tasks of a later run in the place of an earlier one's.
func merge(earlier, later []runner.TaskResult) []runner.TaskResult {
	merged := slices.Clone(earlier)
	for i, task := range merged {
		for _, again := range later {
			if again.Task.Test == task.Task.Test {
				merged[i] = again
			}
		}
	}
	return merged
}
