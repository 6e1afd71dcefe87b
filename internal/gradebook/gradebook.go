// Package gradebook is the model of grading: what a submission hands in, and
// what was found out about it. It is plain data, written as JSON, with a
// version; readers of submissions fill in one end, the engine turns it into the
// other, and every report is made of that.
//
// It knows no marks. An [Entry] keeps what each test said, which is the same
// for ever; what that is worth is a policy's, and is applied when a report is
// made.
//
// Values may be shared between goroutines that only read them.
package gradebook

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"time"

	"conclab/internal/runner"
)

// Version is that of the JSON that [Encode] writes. It grows when a field
// changes its meaning or goes; a new field does not make a new version.
const Version = 1

// Submission is what one student, or one group, handed in.
type Submission struct {
	// ID is unique in a class and safe as a file's name; see [ValidID].
	ID string

	// Name is what the submission was called where it comes from, as given. It
	// may hold anything.
	Name string

	// Files holds the one file of each lesson that was submitted, by the
	// lesson's name. A lesson without a file was not submitted.
	Files map[string]File

	// Refused are the files that were not even looked at, in order of Path.
	Refused []Refused
}

// File is one regular file of a submission.
type File struct {
	Path   string // inside of the submission, with slashes; what messages name
	Source []byte
}

// Refused is a file of a submission that was left out, with a word that says
// why: link, climbs, absolute, too big, too many, not regular, unknown, twice.
type Refused struct {
	Path string `json:"path"`
	Word string `json:"word"`
}

var validID = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{0,99}$`)

// ValidID tells whether an ID may be used: lower-case letters, digits, and after
// the first also dots, dashes and underscores, at most a hundred. So it is safe
// as a file's name on every system, and nowhere the same as another.
func ValidID(id string) bool { return validID.MatchString(id) }

// Entry is what was found out about one submission.
type Entry struct {
	Version int    `json:"version"`
	ID      string `json:"id"`
	Name    string `json:"name"` // as given

	// Key is a hash of everything that the tests' verdicts depend on: the
	// submission, the suites, the toolchain and how they ran. As long as it
	// stays the same, nothing needs to be graded again.
	Key string `json:"key"`

	Made    Made      `json:"made"`
	Refused []Refused `json:"refused,omitempty"`

	// Lessons holds every lesson that was asked for, in the course's order.
	Lessons []Lesson `json:"lessons"`

	// When it was graded and how long that took, in seconds of wall time. Two
	// runs that agree in all else differ here.
	Graded  time.Time `json:"graded"`
	Seconds float64   `json:"seconds"`
}

// Made says what an entry was made under.
type Made struct {
	Submission string `json:"submission"` // hash of the files that were graded
	Suites     string `json:"suites"`     // hash of the suites and what they stand on
	Go         string `json:"go"`         // such as go1.26.8
	Platform   string `json:"platform"`   // such as linux/amd64
	Isolation  string `json:"isolation"`  // the sandbox's name; none if there was none
	Gate       string `json:"gate"`       // the version of the gate's rules; off if there was no gate
	Race       bool   `json:"race"`       // whether the race detector was on
	NoRace     string `json:"noRace,omitempty"`
	Limits     Limits `json:"limits"`
	Repeats    []Run  `json:"repeats"` // each test ran once under each of these
}

// Limits are what one submission may use. Zero means no limit of that kind.
type Limits struct {
	BuildSeconds float64 `json:"buildSeconds"` // wall time of the build; half as much again of processor time for each processor
	TestSeconds  float64 `json:"testSeconds"`  // wall time of one lesson's tests in all their processes together, once a repeat
	MemoryBytes  int64   `json:"memoryBytes"`  // resident, of all processes together
	Processes    int     `json:"processes"`    // and threads
	FileBytes    int64   `json:"fileBytes"`    // of one file, and of all together in the sandbox
	OutputBytes  int64   `json:"outputBytes"`  // that one process may print
}

// Run is how tests ran once.
type Run struct {
	Procs int   `json:"procs"` // GOMAXPROCS
	Seed  int64 `json:"seed"`  // of the order of the tests; zero means the suite's own order
}

// Status is the word for what became of one lesson of a submission.
type Status string

// The statuses. Only a lesson that was graded has tests with a verdict of their
// own; a tampered one keeps what was claimed, for the person who looks at it.
const (
	Graded          Status = "graded"
	NotSubmitted    Status = "not submitted"
	AgainstTheRules Status = "against the rules" // see Findings
	NotBuilt        Status = "not built"         // see Build
	Tampered        Status = "tampered"          // see Why; a person looks
	GraderError     Status = "grader error"      // see Why; never a zero, grade it again
)

// Settled tells whether a mark can be given for a lesson of that status. It is false
// for whatever is no status, too: what nobody understands is not a zero.
func (s Status) Settled() bool {
	return slices.Contains([]Status{Graded, NotSubmitted, AgainstTheRules, NotBuilt}, s)
}

// known tells whether it is one of the statuses.
func (s Status) known() bool { return s.Settled() || s == Tampered || s == GraderError }

// Lesson is what was found out about one lesson of a submission.
type Lesson struct {
	Lesson   string    `json:"lesson"`
	Status   Status    `json:"status"`
	File     string    `json:"file,omitempty"`     // its path in the submission
	Findings []Finding `json:"findings,omitempty"` // the gate's
	Build    string    `json:"build,omitempty"`    // the compiler's message
	Why      string    `json:"why,omitempty"`      // a sentence, where the status needs one
	Tasks    []Task    `json:"tasks"`              // all of them, whatever the status
}

// Finding is something in a file that the rules forbid.
type Finding struct {
	File    string `json:"file"`
	Line    int    `json:"line,omitempty"`   // from 1; 0 if it concerns the file as a whole
	Column  int    `json:"column,omitempty"` // from 1, in bytes
	Rule    string `json:"rule"`             // a word, such as import
	Message string `json:"message"`          // a sentence for the student, which says what to do
}

// Task is one task of a lesson, with the tests that prove it.
type Task struct {
	Title  string `json:"title"`
	Test   string `json:"test"` // the test function, such as TestQueue
	Points int    `json:"points"`
	Brave  bool   `json:"brave,omitempty"`
	Tests  []Test `json:"tests"` // in the order of the suite's source
}

// Test is one test of a task. Where the lesson was not graded, Runs is zero.
type Test struct {
	Name    string         `json:"name"` // such as TestQueue/TestPutBlocksWhileFull
	Verdict runner.Verdict `json:"verdict,omitempty"`
	Message string         `json:"message,omitempty"` // what the student should read, at most 15 lines
	Runs    int            `json:"runs"`              // how often it ran; skipped runs do not count
	Passes  int            `json:"passes"`            // how many of the runs it passed

	// Failing is the first run that was no pass; nil if there is none.
	Failing *Run `json:"failing,omitempty"`
}

// Passed tells whether the test passed every time that it ran. A skipped test
// has neither passed nor failed; see [Test.Counts].
func (t Test) Passed() bool { return t.Verdict == runner.Pass }

// Counts tells whether the test says anything about the submission. One that was
// skipped, because this machine cannot run it, does not.
func (t Test) Counts() bool { return t.Verdict != runner.Skip }

// Resolved tells whether every lesson has an outcome that a mark can be given
// for. One that met a grader error has none, and one that was tampered with is
// for a person to judge.
func (e *Entry) Resolved() bool {
	return !slices.ContainsFunc(e.Lessons, func(l Lesson) bool { return !l.Status.Settled() })
}

// Lesson returns what is known of the lesson of that name; ok tells whether it
// was asked for.
func (e *Entry) Lesson(name string) (l Lesson, ok bool) {
	i := slices.IndexFunc(e.Lessons, func(l Lesson) bool { return l.Lesson == name })
	if i < 0 {
		return Lesson{}, false
	}
	return e.Lessons[i], true
}

// Outcome is the entry without what differs between two runs that agree: the
// times, and the key, which says how it was made and not what came out.
func (e Entry) Outcome() Entry {
	e.Graded, e.Seconds, e.Key, e.Made = time.Time{}, 0, "", Made{}
	return e
}

// Sort puts entries into the order in which reports show them: by ID.
func Sort(all []*Entry) {
	slices.SortFunc(all, func(a, b *Entry) int { return cmp.Compare(a.ID, b.ID) })
}

// Encode writes an entry as JSON for people and programs.
func Encode(w io.Writer, e *Entry) error {
	out := json.NewEncoder(w)
	out.SetIndent("", " ")
	out.SetEscapeHTML(false)
	return out.Encode(e)
}

// ErrNewer is why what a later version has written cannot be read.
var ErrNewer = errors.New("a newer lab wrote it")

// Decode reads one entry and nothing after it. An entry of a newer version
// ([ErrNewer]), one that is cut off, and one without a valid ID or with an unknown
// status are errors that say what to do.
func Decode(r io.Reader) (*Entry, error) {
	in := json.NewDecoder(r)
	e := &Entry{}
	if err := in.Decode(e); err != nil {
		return nil, fmt.Errorf("not a whole entry (%w): grade it again, and it is made anew", err)
	}
	strange := slices.IndexFunc(e.Lessons, func(l Lesson) bool { return !l.Status.known() })
	switch _, err := in.Token(); {
	case !errors.Is(err, io.EOF):
		return nil, errors.New("something follows the entry: grade it again, and it is made anew")
	case e.Version > Version:
		return nil, fmt.Errorf("%w: version %d, and this lab knows versions up to %d: use the newer one", ErrNewer, e.Version, Version)
	case e.Version < 1:
		return nil, errors.New("the entry has no version: grade it again, and it is made anew")
	case !ValidID(e.ID):
		return nil, fmt.Errorf("the entry's id %q is none: grade it again, and it is made anew", e.ID)
	case strange >= 0:
		l := e.Lessons[strange]
		return nil, fmt.Errorf("the entry says %q of %s, which is none of the words that this lab knows: grade it again, and it is made anew", l.Status, l.Lesson)
	}
	return e, nil
}
