// Package pipes is where you write a pipe with two ends, Alice and Bob who talk
// over it, and a crew, a manager and two workers, that is told over a pipe what
// to do.
//
// The text is lessons/pipes/README.md, hints are in lessons/pipes/hints.md, and
// pipes_test.go beside this file says what every rule means. Fill in the fields
// and replace each panic. Helpers of your own are welcome, package-level
// variables are not needed.
package pipes

import (
	"context"
	"io"
	"time"
)

const (
	// Workers is how many workers a crew has.
	Workers = 2

	// Nap is how long a worker rests after every line.
	Nap = 100 * time.Millisecond
)

// Conn is one end of a pipe. It is made by [Pipe]. One goroutine may send while
// another receives, and any may close.
type Conn[T any] struct {
	// your fields
}

// Pipe returns the two ends of a new pipe. What is sent on one end is received
// on the other, in order, and the two directions have nothing to do with each
// other. In each of them up to buffer messages (0 or more) may wait to be
// received.
func Pipe[T any](buffer int) (left, right *Conn[T]) {
	panic("TODO: make two ends, each sending to the other")
}

// Send sends v to the other end. It blocks while as many messages as the
// pipe's buffer holds are unread; without a buffer, until v has been received.
//
// It returns [io.ErrClosedPipe] if either end is closed, or gets closed while
// it blocks, and an error that matches ctx.Err() (see errors.Is) if ctx ends
// first or had ended before the call, room or no room. If both happen at once,
// either error is right. If it returns an error, v is never received.
func (c *Conn[T]) Send(ctx context.Context, v T) error {
	panic("TODO: hand v to the other end, or say why not")
}

// Recv receives the next message of the other end. It blocks until there is
// one.
//
// When the other end is closed and all that it had sent has been received, it
// returns [io.EOF]. It returns [io.ErrClosedPipe] if this end is closed, or
// gets closed while it blocks, and an error that matches ctx.Err() if ctx ends
// first or had ended before the call, message or no message. If both happen at
// once, either error is right. If it returns an error, it has taken no message.
func (c *Conn[T]) Recv(ctx context.Context) (T, error) {
	panic("TODO: wait for a message of the other end")
}

// Close closes this end. The other end still receives what has been sent.
// Calls that are blocked, on either end, return; what they return then, and
// ever after, [Conn.Send] and [Conn.Recv] say. Close returns nil and may be
// called any number of times, from any goroutine.
func (c *Conn[T]) Close() error {
	panic("TODO: close this end and wake everyone who is blocked")
}

// Alice receives a message, writes "I heard Bob say 'MESSAGE'." and a newline
// to w, and only then sends "Roger roger. Over and out.". A line is one Write.
// She ends with her context and hands on the error of her end.
func Alice(ctx context.Context, right *Conn[string], w io.Writer) error {
	panic("TODO: listen, write down what Bob said, answer")
}

// Bob sends "Hello, Alice!", receives the answer, then writes "I heard Alice
// say 'ANSWER'." and a newline to w. A line is one Write. He ends with his
// context and hands on the error of his end.
func Bob(ctx context.Context, left *Conn[string], w io.Writer) error {
	panic("TODO: greet, listen, write down what Alice said")
}

// Crew has [Workers] workers do what the lines of in tell them.
//
// Each non-empty line of in is one piece of work. A line goes up to a newline
// or the end of in and has at most 64 KiB. A final "\r" may stay or go, nothing
// else is trimmed. The parent sends it over a [Pipe] to a manager, who puts it
// on a queue that the workers share; how you wire that is up to you. For each
// line one of the workers writes "worker N: LINE" and a newline to out, in one
// Write, N being its number (1 or 2), then naps for [Nap]. The workers work at
// the same time; out may be used by both at once. Crew returns nil after the
// end of in, when all work is done, naps included.
//
// The brave task: a line "quit" ends the input as its end does. What came
// before it is still done, what follows is not, even if it has been read. So
// does a read error, which Crew then returns (an unfinished line before it may
// be dropped). When ctx ends, the workers finish the line that they are
// writing, do not sit out the nap and drop the rest; Crew returns an error that
// matches ctx.Err(), even if there was a read error, and even while a Read of
// in blocks. The one goroutine that is in that Read may stay until Read
// returns, no other stays behind. At most 16 pieces of work are read ahead:
// lines taken from in, less lines written.
func Crew(ctx context.Context, in io.Reader, out io.Writer) error {
	panic("TODO: read lines, have two workers do them")
}
