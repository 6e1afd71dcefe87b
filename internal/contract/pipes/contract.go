// Package pipes is the contract of the lesson pipes as its suite sees it. See
// package contract.
package pipes

import (
	"context"
	"io"
	"reflect"
	"time"
)

// What is given.
const (
	Workers = 2
	Nap     = 100 * time.Millisecond
)

// Conn is the learner's *Conn.
type Conn[T any] interface {
	Send(ctx context.Context, v T) error
	Recv(ctx context.Context) (T, error)
	Close() error
}

var (
	// Alice calls the learner's Alice.
	Alice func(ctx context.Context, right Conn[string], w io.Writer) error

	// Bob calls the learner's Bob.
	Bob func(ctx context.Context, left Conn[string], w io.Writer) error

	// Crew is the learner's.
	Crew func(ctx context.Context, in io.Reader, out io.Writer) error
)

// Declared holds the learner's functions and methods that are called through
// others, so that messages can say where they are declared.
var Declared struct{ Pipe, Send, Recv, Close, Alice, Bob any }

var makers = make(map[reflect.Type]any)

// ProvidePipe has Pipe call pipe where it is asked for messages of type T.
func ProvidePipe[T any, C Conn[T]](pipe func(buffer int) (left, right C)) {
	makers[reflect.TypeFor[T]()] = func(buffer int) (left, right Conn[T]) { return pipe(buffer) }
	Declared.Pipe = pipe
}

// ProvideTalkers has Alice and Bob call those of the learner.
func ProvideTalkers[C Conn[string]](alice, bob func(context.Context, C, io.Writer) error) {
	Alice = func(ctx context.Context, right Conn[string], w io.Writer) error { return alice(ctx, right.(C), w) }
	Bob = func(ctx context.Context, left Conn[string], w io.Writer) error { return bob(ctx, left.(C), w) }
	Declared.Alice, Declared.Bob = alice, bob
}

// Pipe calls the learner's Pipe. T must be one of the types that contract_test.go
// provides.
func Pipe[T any](buffer int) (left, right Conn[T]) {
	return makers[reflect.TypeFor[T]()].(func(int) (Conn[T], Conn[T]))(buffer)
}
