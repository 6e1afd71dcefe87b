// Package sealed is the record of a graded test binary: what it says about its
// tests, on a pipe of its own, in a form that the code under test cannot write.
// Each line carries a code that depends on a key, on the line and on all lines
// before it.
//
// The key reaches the binary on its standard input, which is read to the end
// and closed before any package of the candidate's is initialized. It promises
// nothing against code that reads the memory of its own process; keeping such
// code out is a gate's work, and finding out that somebody changed what the
// tests do is the canaries'.
package sealed

import (
	"bufio"
	"bytes"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync"
)

// Order is what one process of a graded binary is to do. It is written to the
// process's standard input as JSON.
type Order struct {
	Key    []byte  // of the record; see [NewKey]
	FD     uintptr // where the record goes
	Lesson string
	Args   []string // for package testing, as on the command line
}

// NewKey returns a key that nobody can guess.
func NewKey() []byte {
	key := make([]byte, 32)
	_, _ = rand.Read(key) // never fails
	return key
}

// Kind says what a line of the record tells.
type Kind string

// The kinds of lines, in the order in which they come. Only a record that has
// them all is whole.
const (
	Begun    Kind = "begun"    // all packages are initialized
	Ended    Kind = "ended"    // one test has ended
	Canaries Kind = "canaries" // Failed are the names of the canaries that did what they must: fail
	Whole    Kind = "whole"    // all is said
)

// Line is one line of the record.
type Line struct {
	Kind   Kind
	Test   string   `json:",omitempty"` // of Ended
	Failed bool     `json:",omitempty"` // of Ended
	Skip   bool     `json:",omitempty"` // of Ended
	Dead   []string `json:",omitempty"` // of Canaries: those that failed, as they must
}

// The canaries.
const (
	CanaryAssertion = "assertion" // an assertion that does not hold, in a suite of the lab
	CanaryRace      = "race"      // a data race; only where the race detector is on
)

// Writer writes a record. Its method may be called from any goroutine.
type Writer struct {
	mu   sync.Mutex
	to   io.Writer
	key  []byte
	last []byte
}

// NewWriter returns a Writer of a new record.
func NewWriter(to io.Writer, key []byte) *Writer { return &Writer{to: to, key: key} }

// Write adds a line. It blocks until the line is in the pipe.
func (w *Writer) Write(l Line) error {
	text, err := json.Marshal(l)
	if err != nil {
		return err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.last = code(w.key, w.last, text)
	_, err = fmt.Fprintf(w.to, "%s %s\n", hex.EncodeToString(w.last), text)
	return err
}

func code(key, last, text []byte) []byte {
	h := hmac.New(sha256.New, key)
	h.Write(last)
	h.Write(text)
	return h.Sum(nil)
}

// Record is what was read of one process's record.
type Record struct {
	Begun bool
	Whole bool     // whether it has come to its end
	Dead  []string // the canaries that failed, as they must
	Ended map[string]Line

	// Forged is a sentence, if something is in the record that the binary's own
	// code did not write.
	Forged string
}

// maxLine bounds a line of the record, in bytes.
const maxLine = 64 << 10

// Read reads a record to its end. It blocks until the pipe is closed by all who
// can write to it; what follows a line that is not genuine is thrown away.
func Read(from io.Reader, key []byte) *Record {
	r := &Record{Ended: map[string]Line{}}
	defer func() { _, _ = io.Copy(io.Discard, from) }()
	var last []byte
	lines := bufio.NewScanner(from)
	lines.Buffer(nil, maxLine)
	for lines.Scan() {
		sum, text, _ := bytes.Cut(lines.Bytes(), []byte{' '})
		given, err := hex.DecodeString(string(sum))
		last = code(key, last, text)
		if err != nil || !hmac.Equal(given, last) {
			r.Forged = "something was written to the grader's record that is not the record's own"
			return r
		}
		var l Line
		if err := json.Unmarshal(text, &l); err != nil {
			r.Forged = "the grader's record cannot be read"
			return r
		}
		if err := r.add(l); err != nil {
			r.Forged = err.Error()
			return r
		}
	}
	if errors.Is(lines.Err(), bufio.ErrTooLong) {
		r.Forged = "something was written to the grader's record that is not the record's own"
	}
	return r
}

func (r *Record) add(l Line) error {
	if r.Whole {
		return errors.New("the grader's record goes on after its end")
	}
	switch l.Kind {
	case Begun:
		r.Begun = true
	case Ended:
		// A test that was run several times has passed if it always did.
		if before, ok := r.Ended[l.Test]; ok {
			l.Failed = l.Failed || before.Failed
			l.Skip = l.Skip && before.Skip
		}
		r.Ended[l.Test] = l
	case Canaries:
		r.Dead = l.Dead
	case Whole:
		r.Whole = true
	}
	return nil
}
