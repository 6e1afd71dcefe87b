// Package encoding is where you translate bytes to text and back, strictly, in
// one piece or as a stream.
//
// The text is lessons/encoding/README.md, hints are in lessons/encoding/hints.md,
// and encoding_test.go beside this file says what every rule means. Replace each
// panic. Helpers of your own are welcome, package-level variables are not needed.
//
// The encodings are ascii, latin-1, utf-8, utf-16le and utf-16be, in any letter
// case. For any other name the error matches [ErrUnknown]. A byte order mark is
// text like any other (U+FEFF), and so is a real U+FFFD.
package encoding

import (
	"errors"
	"fmt"
	"io"
)

// ErrUnknown is the error for an encoding that the package does not know.
var ErrUnknown = errors.New("unknown encoding")

// Error says where bytes or text cannot be translated.
type Error struct {
	Encoding string // the encoding concerned, in any letter case
	Offset   int64  // where, in bytes
	Reason   string // in your words
}

func (e *Error) Error() string {
	return fmt.Sprintf("%s, offset %d: %s", e.Encoding, e.Offset, e.Reason)
}

// Decode translates data into text. Bytes that are not valid in the encoding (a
// byte of 0x80 or more in ASCII, overlong or surrogate UTF-8, an odd byte or a
// lone surrogate in UTF-16) give an [*Error] whose Offset is that of the first
// bad sequence's first byte; for a high surrogate without its low one, that of
// the high surrogate. A sequence that the end of data cuts off is bad, too.
func Decode(encoding string, data []byte) (string, error) {
	panic("TODO: translate bytes to text, strictly")
}

// Encode translates text into bytes. A rune that the encoding lacks, or invalid
// UTF-8 in text, gives an [*Error] whose Offset is its byte index in text.
func Encode(encoding, text string) ([]byte, error) {
	panic("TODO: translate text to bytes, strictly")
}

// Truncate returns the longest prefix of text, which is valid UTF-8, that has
// at most max bytes and cuts no rune in two. If max is 0 or less it is empty.
func Truncate(text string, max int) string {
	panic("TODO: cut text between two runes")
}

// Sandwich returns a function that decodes its argument, works on the text, and
// encodes the outcome in the same encoding. It hands on the errors of [Decode]
// and [Encode]; so Sandwich itself takes any name. The function may be called
// any number of times, also by several goroutines at the same time, if work may.
func Sandwich(encoding string, work func(string) string) func([]byte) ([]byte, error) {
	panic("TODO: return a function that decodes, works, encodes")
}

// Transcode reads src, in the encoding from, to its end and writes it to dst, in
// the encoding to: [Decode] and [Encode] together, as a stream. Reads may have
// any size; one of no bytes and no error is not the end. Memory does not grow
// with the input, and what has been received is written before another 64 KiB
// are read.
//
// It gives the [*Error] of Decode with Encoding from, of Encode with Encoding
// to; its Offset counts from the start of src, to the first byte of the
// character concerned. A character cut off by the end of src is an [*Error].
// Errors of src and dst come through; src's own error wins over an incomplete
// character before it. What came before an error has been written. An unknown
// encoding is [ErrUnknown], also if src is empty, and then nothing is written.
func Transcode(dst io.Writer, to string, src io.Reader, from string) error {
	panic("TODO: read, decode, encode and write, piece by piece")
}
