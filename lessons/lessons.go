// Package lessons is the course as data: which lessons there are, in which
// order, what each is called, how long it takes, and what its tasks are worth.
// It is the only place that says so; texts, suites and commands are held
// against it. It also carries the lessons' texts and hints, so that a built
// command can show them.
//
// All functions may be called from any number of goroutines; what they return
// belongs to the caller.
package lessons

import (
	"embed"
	"fmt"
	"slices"
	"strings"

	"github.com/agnivade/levenshtein"
)

// Lesson is one step of the course. Its folder in lessons/, exercises/ and
// solutions/ is called Name, and so is the Go package that the learner writes.
type Lesson struct {
	Name    string
	Title   string
	Summary string // one line
	Minutes int    // to read the text, run the examples and do the tasks
	Tasks   []Task // in the order in which the lesson's text sets them
}

// Task is one part of a lesson's exercise, proved by one test function of the
// lesson's suite.
type Task struct {
	Title  string
	Test   string // the test function, such as TestQueue
	Points int
	Brave  bool // optional for learners
}

var course = []Lesson{
	{
		Name: "processes", Title: "Processes", Minutes: 60,
		Summary: "start work that runs on its own, and wait for it",
		Tasks: []Task{
			{Title: "Run tasks and wait for all of them", Test: "TestRunTasks", Points: 2},
			{Title: "A process: start, join, is alive", Test: "TestProcess", Points: 4},
			{Title: "Spiders that crawl side by side", Test: "TestSpider", Points: 2},
			{Title: "A crash stays inside its process", Test: "TestCrash", Points: 2, Brave: true},
		},
	},
	{
		Name: "queues", Title: "Queues", Minutes: 75,
		Summary: "hand values from one worker to another",
		Tasks: []Task{
			{Title: "A sleepy worker and one that waits", Test: "TestSleepyWork", Points: 2},
			{Title: "A queue that blocks when it is full or empty", Test: "TestQueue", Points: 4},
			{Title: "Closing time", Test: "TestClose", Points: 3},
			{Title: "A queue without a limit", Test: "TestUnbounded", Points: 2, Brave: true},
		},
	},
	{
		Name: "pipes", Title: "Pipes", Minutes: 90,
		Summary: "two ends, one conversation",
		Tasks: []Task{
			{Title: "A pipe with two ends", Test: "TestPipe", Points: 4},
			{Title: "Alice and Bob", Test: "TestConversation", Points: 2},
			{Title: "A manager and its crew", Test: "TestCrew", Points: 3},
			{Title: "Graceful shutdown", Test: "TestShutdown", Points: 3, Brave: true},
		},
	},
	{
		Name: "locks", Title: "Locks", Minutes: 60,
		Summary: "one at a time",
		Tasks: []Task{
			{Title: "Hello from many, one at a time", Test: "TestHello", Points: 2},
			{Title: "A screen that keeps blocks together", Test: "TestScreen", Points: 3},
			{Title: "A tally that loses nothing", Test: "TestTally", Points: 2},
			{Title: "Repair the crew", Test: "TestCrew", Points: 2},
			{Title: "Wait for a lock no longer than you want", Test: "TestPrintContext", Points: 3, Brave: true},
		},
	},
	{
		Name: "eventloop", Title: "Event loop", Minutes: 90,
		Summary: "react to what happens",
		Tasks: []Task{
			{Title: "A loop that runs callbacks", Test: "TestLoop", Points: 4},
			{Title: "Timers", Test: "TestTimers", Points: 3},
			{Title: "An omelette", Test: "TestOmelette", Points: 2},
			{Title: "Watch channels, and close in good order", Test: "TestWatch", Points: 3, Brave: true},
		},
	},
	{
		Name: "coroutines", Title: "Coroutines", Minutes: 60,
		Summary: "chain work that waits",
		Tasks: []Task{
			{Title: "Wait here, and show me", Test: "TestShowMe", Points: 2},
			{Title: "The domain of a URL", Test: "TestDomain", Points: 3},
			{Title: "Then, and all at once", Test: "TestGather", Points: 4},
			{Title: "No longer than that", Test: "TestWithTimeout", Points: 3, Brave: true},
		},
	},
	{
		Name: "futures", Title: "Futures", Minutes: 75,
		Summary: "a result that will be there",
		Tasks: []Task{
			{Title: "A future is settled once", Test: "TestFuture", Points: 3},
			{Title: "Call me when it is done", Test: "TestCallbacks", Points: 3},
			{Title: "A task is a future with work in it", Test: "TestTask", Points: 3},
			{Title: "The first success wins", Test: "TestFirst", Points: 3, Brave: true},
		},
	},
	{
		Name: "echo", Title: "Echo", Minutes: 75,
		Summary: "a server for many clients",
		Tasks: []Task{
			{Title: "One client", Test: "TestHandle", Points: 3},
			{Title: "Many clients", Test: "TestServe", Points: 3},
			{Title: "The orderly end", Test: "TestShutdown", Points: 3},
			{Title: "The silent and the many", Test: "TestLimits", Points: 3, Brave: true},
		},
	},
	{
		Name: "encoding", Title: "Encoding", Minutes: 75,
		Summary: "bytes outside, text inside",
		Tasks: []Task{
			{Title: "Bytes to text", Test: "TestDecode", Points: 3},
			{Title: "Text to bytes", Test: "TestEncode", Points: 2},
			{Title: "The Unicode sandwich", Test: "TestSandwich", Points: 3},
			{Title: "A stream, whatever the size of the reads", Test: "TestTranscode", Points: 3, Brave: true},
		},
	},
	{
		Name: "ping", Title: "Ping", Minutes: 75,
		Summary: "is anybody there?",
		Tasks: []Task{
			{Title: "A ping in a sentence", Test: "TestBoom", Points: 2},
			{Title: "A server that pings", Test: "TestServer", Points: 4},
			{Title: "The real thing", Test: "TestICMP", Points: 3},
			{Title: "Those who leave, and the many", Test: "TestLimits", Points: 3, Brave: true},
		},
	},
	{
		Name: "finals", Title: "Finals", Minutes: 120,
		Summary: "the server that does as it is told",
		Tasks: []Task{
			{Title: "What a client asks for", Test: "TestParse", Points: 2},
			{Title: "A line, an answer", Test: "TestServer", Points: 5},
			{Title: "Two operations: ping and get", Test: "TestOperations", Points: 4},
			{Title: "No longer than that, and no more of them", Test: "TestLimits", Points: 4, Brave: true},
		},
	},
}

//go:embed */README.md */hints.md
var texts embed.FS

// All returns the lessons in the order in which they are taught.
func All() []Lesson {
	all := slices.Clone(course)
	for i := range all {
		all[i].Tasks = slices.Clone(all[i].Tasks)
	}
	return all
}

// Names returns the lessons' names in the order in which they are taught.
func Names() []string {
	names := make([]string, len(course))
	for i, l := range course {
		names[i] = l.Name
	}
	return names
}

// Find returns the lesson called name. For any other name the error is an
// [*UnknownError].
func Find(name string) (Lesson, error) {
	for _, l := range All() {
		if l.Name == name {
			return l, nil
		}
	}
	return Lesson{}, &UnknownError{Name: name, Nearest: nearest(name)}
}

// UnknownError says that there is no lesson called Name, and which name is
// nearest to it. Its text ends with the list of all lessons.
type UnknownError struct{ Name, Nearest string }

func (e *UnknownError) Error() string {
	return fmt.Sprintf("no lesson is called %q; did you mean %q? The lessons are %s",
		e.Name, e.Nearest, strings.Join(Names(), ", "))
}

func nearest(name string) string {
	return slices.MinFunc(Names(), func(a, b string) int {
		return levenshtein.ComputeDistance(name, a) - levenshtein.ComputeDistance(name, b)
	})
}

// Text returns the lesson's text, in Markdown.
func (l Lesson) Text() string { return l.read("README.md") }

// Hints returns the lesson's hints, in Markdown: a section a task, four rungs
// in each.
func (l Lesson) Hints() string { return l.read("hints.md") }

func (l Lesson) read(file string) string {
	text, err := texts.ReadFile(l.Name + "/" + file)
	if err != nil {
		// The files are embedded when the package is built, and a test holds
		// the folders against the course.
		panic(err)
	}
	return string(text)
}

// Points returns what the lesson's tasks are worth together; tasks marked
// brave count only if brave is true.
func (l Lesson) Points(brave bool) int {
	sum := 0
	for _, t := range l.Tasks {
		if brave || !t.Brave {
			sum += t.Points
		}
	}
	return sum
}
