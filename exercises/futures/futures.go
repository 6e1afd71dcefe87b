// Package futures is where you write a future, a result that will be there; a
// task, which is a future with work in it; and the first success of many.
//
// The text is lessons/futures/README.md, hints are in lessons/futures/hints.md,
// and futures_test.go beside this file says what every rule means. Fill in the
// fields and replace each panic. Helpers of your own are welcome, package-level
// variables are not needed.
package futures

import (
	"context"
	"errors"
	"fmt"
	"io"
)

// ErrDone is returned to whoever settles a future that is settled already.
var ErrDone = errors.New("future already done")

// PanicError is the outcome of a task whose function has panicked.
type PanicError struct {
	Value any    // what recover returned
	Stack []byte // where it happened, as debug.Stack writes it
}

func (e *PanicError) Error() string { return fmt.Sprintf("panic: %v", e.Value) }

// Unwrap returns the value of the panic if it is an error.
func (e *PanicError) Unwrap() error {
	err, _ := e.Value.(error)
	return err
}

// Future is a result that will be there: a value or an error, settled once. It
// is made by [NewFuture]. Any goroutine may call any method at any time.
type Future[T any] struct {
	// your fields
}

// NewFuture returns a future that is not settled.
func NewFuture[T any]() *Future[T] {
	panic("TODO: make a future that is not settled")
}

// SetResult settles the future with v. Any value is a result, a zero value too.
//
// A future is settled once. SetResult returns [ErrDone] and changes nothing if
// that has happened before; of several calls that race, exactly one returns nil.
func (f *Future[T]) SetResult(v T) error {
	panic("TODO: settle the future with a result, unless it is settled")
}

// SetError settles the future with err, which is not nil. Apart from that it is
// like [Future.SetResult]: only the first of all calls of both settles.
func (f *Future[T]) SetError(err error) error {
	panic("TODO: settle the future with an error, unless it is settled")
}

// Done tells whether the future is settled.
func (f *Future[T]) Done() bool {
	panic("TODO: tell whether the future is settled")
}

// Wait blocks until the future is settled, and no longer, and returns its
// outcome: the result and nil, or the error. Any number of goroutines may wait,
// any number of times.
//
// It returns an error that matches ctx.Err() (see errors.Is) if ctx ends first,
// or had ended before the call; that settles nothing. But a future that is
// settled gives its outcome even if ctx has ended. If both happen while Wait
// blocks, at the same time, either is right.
func (f *Future[T]) Wait(ctx context.Context) (T, error) {
	panic("TODO: wait for the outcome, or for the end of ctx")
}

// AddDoneCallback has fn called exactly once, with the future, after it is
// settled.
//
// If the future is not settled yet, the call that settles it runs fn, after the
// callbacks that were added earlier: one after the other, in the order in which
// they were added, and the settling call returns when all have returned. If the
// future is settled, fn runs at once, before AddDoneCallback returns, even while
// earlier callbacks still run.
//
// A callback may call any method of the future, AddDoneCallback too. A Wait may
// return while callbacks are still running.
func (f *Future[T]) AddDoneCallback(fn func(*Future[T])) {
	panic("TODO: call fn when the future is settled")
}

// Task is a future whose outcome is that of a function. It is made by [Go].
type Task[T any] struct {
	*Future[T]
	// your fields
}

// Go starts fn at once in a goroutine of its own, whether or not anybody will
// wait for the task, and returns. It does so even if ctx has ended.
//
// The task's outcome is what fn returns, whatever has become of ctx by then. If
// fn panics, with whatever value, the outcome is a [*PanicError] with that
// value.
//
// fn gets a context of its own, which ends when ctx ends, or by [Task.Cancel];
// and when fn has returned or panicked, it is released (it ends) before the task
// is done.
func Go[T any](ctx context.Context, fn func(context.Context) (T, error)) *Task[T] {
	panic("TODO: start fn in a goroutine of its own")
}

// Cancel ends the context that the task's function has got, and nobody else's.
// It does not settle the task: the outcome is still what the function returns,
// whenever it does. When the task is done, Cancel has no effect. It may be
// called any number of times, from any goroutine.
func (t *Task[T]) Cancel() {
	panic("TODO: end the context of the task's function")
}

// ShowWhenDone adds a callback to t itself, which writes the result and a
// newline to w, or "error: ERR" and a newline if there is no result, ERR being
// the text of the error. A line is one Write, and nothing in it is changed.
func ShowWhenDone(w io.Writer, t *Task[string]) {
	panic("TODO: add a callback that writes the outcome")
}

// First calls all functions at the same time, each once, and returns the first
// success, a result with a nil error, whatever the others return earlier or
// later. When it has one, it cancels the others: it ends their contexts. A
// failure cancels nobody. First returns when all functions have returned, and
// leaves no goroutine behind. This is the brave task.
//
// If all fail, its error matches every one of theirs (see errors.Is). If no
// functions are given, it returns an error. When ctx ends, so do the contexts
// of all functions; First still waits for them.
func First[T any](ctx context.Context, fns ...func(context.Context) (T, error)) (T, error) {
	panic("TODO: run all, return the first success")
}
