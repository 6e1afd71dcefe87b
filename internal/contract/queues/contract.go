// Package queues is the contract of the lesson queues as its suite sees it. See
// package contract.
package queues

import (
	"context"
	"io"
	"reflect"
	"time"
)

// ErrClosed is the learner's.
var ErrClosed error

// Sleepy and Work are the learner's.
var (
	Sleepy func(out chan<- string, dozeOff time.Duration)
	Work   func(in <-chan string, w io.Writer)
)

// Queue is the learner's *Queue.
type Queue[T any] interface {
	Put(ctx context.Context, v T) error
	Get(ctx context.Context) (T, error)
	Len() int
	Close()
}

// Declared holds the methods of Queue, so that messages can say where they are
// declared.
var Declared struct{ Put, Get, Len, Close any }

var makers = make(map[reflect.Type]any)

// ProvideNew has New call newQueue where it is asked for queues of T.
func ProvideNew[T any, Q Queue[T]](newQueue func(maxsize int) Q) {
	makers[reflect.TypeFor[T]()] = func(maxsize int) Queue[T] { return newQueue(maxsize) }
}

// New calls the learner's New. T must be one of the types that contract_test.go
// provides.
func New[T any](maxsize int) Queue[T] {
	return makers[reflect.TypeFor[T]()].(func(int) Queue[T])(maxsize)
}
