// Package encoding is the contract of the lesson encoding as its suite sees it.
// See package contract.
package encoding

import "io"

// ErrUnknown is the learner's.
var ErrUnknown error

// Decode, Encode, Truncate and Transcode are the learner's.
var (
	Decode    func(encoding string, data []byte) (string, error)
	Encode    func(encoding, text string) ([]byte, error)
	Truncate  func(text string, max int) string
	Transcode func(dst io.Writer, to string, src io.Reader, from string) error
)

// An Error is a variable for the learner's *Error.
type Error interface {
	Target() any // for errors.As
	Encoding() string
	Offset() int64
}

// NewError makes a variable that holds nothing.
var NewError func() Error

// Declared holds the learner's function that is called through another, so that
// messages can say where it is declared.
var Declared struct {
	Sandwich func(encoding string, work func(string) string) func([]byte) ([]byte, error)
}

// Sandwich calls the learner's Sandwich. It may be stored before that is there.
func Sandwich(encoding string, work func(string) string) func([]byte) ([]byte, error) {
	return Declared.Sandwich(encoding, work)
}

// ProvideError says how the learner's *Errors are read.
func ProvideError[E error](encoding func(E) string, offset func(E) int64) {
	NewError = func() Error { return &errorOf[E]{encoding: encoding, offset: offset} }
}

type errorOf[E error] struct {
	err      E
	encoding func(E) string
	offset   func(E) int64
}

func (e *errorOf[E]) Target() any      { return &e.err }
func (e *errorOf[E]) Encoding() string { return e.encoding(e.err) }
func (e *errorOf[E]) Offset() int64    { return e.offset(e.err) }
