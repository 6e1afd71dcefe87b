// Package futures is the contract of the lesson futures as its suite sees it. See
// package contract.
package futures

import (
	"context"
	"io"
	"reflect"
)

// ErrDone is the learner's.
var ErrDone error

// Future is the learner's *Future. Two of them are equal if the learner's are.
type Future[T any] interface {
	SetResult(v T) error
	SetError(err error) error
	Done() bool
	Wait(ctx context.Context) (T, error)
	AddDoneCallback(fn func(Future[T]))
}

// Task is the learner's *Task. It is nil if the learner's is.
type Task[T any] struct {
	Future Future[T] // the one that the learner's embeds

	learner task[T]
}

// Cancel calls the learner's, even if t is nil.
func (t *Task[T]) Cancel() {
	if t == nil {
		goers[reflect.TypeFor[T]()].(goer[T]).none.Cancel()
		return
	}
	t.learner.Cancel()
}

// Done calls the learner's.
func (t *Task[T]) Done() bool { return t.learner.Done() }

// Wait calls the learner's.
func (t *Task[T]) Wait(ctx context.Context) (T, error) { return t.learner.Wait(ctx) }

// AddDoneCallback calls the learner's.
func (t *Task[T]) AddDoneCallback(fn func(Future[T])) { t.learner.AddDoneCallback(fn) }

// A Panic is a variable for the learner's *PanicError.
type Panic interface {
	Target() any // for errors.As
	Err() error
	Value() any
	Stack() []byte
}

var (
	// NewPanic makes a variable that holds nothing.
	NewPanic func() Panic

	// PanicWith makes one of the learner's *PanicErrors.
	PanicWith func(value any) error
)

// Declared holds the learner's functions and the methods of Future and Task, so
// that messages can say where they are declared.
var Declared struct {
	SetResult, SetError, Done, Wait, AddDoneCallback any
	Go, Cancel, ShowWhenDone                         any
	First                                            any
}

// What contract_test.go provides, where it depends on a type for each one.
var (
	makers       = make(map[reflect.Type]any)
	goers        = make(map[reflect.Type]any)
	firsts       = make(map[reflect.Type]any)
	showWhenDone func(w io.Writer, t *Task[string])
)

// ProvideNewFuture has NewFuture call newFuture where it is asked for futures of
// T.
func ProvideNewFuture[T any, F learnersFuture[T, F]](newFuture func() F) {
	makers[reflect.TypeFor[T]()] = func() Future[T] { return future[T, F]{newFuture()} }
}

// NewFuture calls the learner's NewFuture. T must be one of the types that
// contract_test.go provides, for Go and First too.
func NewFuture[T any]() Future[T] {
	return makers[reflect.TypeFor[T]()].(func() Future[T])()
}

// ProvideGo has Go call run where it is asked for tasks of T. What a task embeds
// is its embedded.
func ProvideGo[T any, K learnersTask[T, F], F learnersFuture[T, F]](run func(context.Context, func(context.Context) (T, error)) K, embedded func(K) F) {
	var none K
	goers[reflect.TypeFor[T]()] = goer[T]{
		run: func(ctx context.Context, fn func(context.Context) (T, error)) *Task[T] {
			t := run(ctx, fn)
			if t == none {
				return nil
			}
			return &Task[T]{future[T, F]{embedded(t)}, ownTask[T, K, F]{t}}
		},
		none: ownTask[T, K, F]{none},
	}
}

// Go calls the learner's Go.
func Go[T any](ctx context.Context, fn func(context.Context) (T, error)) *Task[T] {
	return goers[reflect.TypeFor[T]()].(goer[T]).run(ctx, fn)
}

// ProvideShowWhenDone has ShowWhenDone call show, which gets the learner's task.
func ProvideShowWhenDone[K learnersTask[string, F], F learnersFuture[string, F]](show func(w io.Writer, t K)) {
	showWhenDone = func(w io.Writer, t *Task[string]) {
		var task K
		if t != nil {
			task = t.learner.(ownTask[string, K, F]).learner
		}
		show(w, task)
	}
}

// ShowWhenDone calls the learner's ShowWhenDone.
func ShowWhenDone(w io.Writer, t *Task[string]) { showWhenDone(w, t) }

// ProvidePanic says how the learner's *PanicErrors are read and made.
func ProvidePanic[E error](value func(E) any, stack func(E) []byte, with func(value any) E) {
	NewPanic = func() Panic { return &panicError[E]{value: value, stack: stack} }
	PanicWith = func(value any) error { return with(value) }
}

// ProvideFirst has First call first where it is asked for results of T.
func ProvideFirst[T any](first func(context.Context, ...func(context.Context) (T, error)) (T, error)) {
	firsts[reflect.TypeFor[T]()] = first
}

// First calls the learner's First.
func First[T any](ctx context.Context, fns ...func(context.Context) (T, error)) (T, error) {
	first := firsts[reflect.TypeFor[T]()].(func(context.Context, ...func(context.Context) (T, error)) (T, error))
	return first(ctx, fns...)
}

// learnersFuture is what the learner's *Future has; it is F itself.
type learnersFuture[T, F any] interface {
	SetResult(v T) error
	SetError(err error) error
	Done() bool
	Wait(ctx context.Context) (T, error)
	AddDoneCallback(fn func(F))
}

// future is a Future.
type future[T any, F learnersFuture[T, F]] struct{ learner F }

func (f future[T, F]) SetResult(v T) error                 { return f.learner.SetResult(v) }
func (f future[T, F]) SetError(err error) error            { return f.learner.SetError(err) }
func (f future[T, F]) Done() bool                          { return f.learner.Done() }
func (f future[T, F]) Wait(ctx context.Context) (T, error) { return f.learner.Wait(ctx) }
func (f future[T, F]) AddDoneCallback(fn func(Future[T])) {
	f.learner.AddDoneCallback(func(f F) { fn(future[T, F]{f}) })
}

// goer runs tasks. Its none is one without a learner's task: a nil pointer.
type goer[T any] struct {
	run  func(context.Context, func(context.Context) (T, error)) *Task[T]
	none task[T]
}

// learnersTask is what the learner's *Task has; F is the learner's *Future.
type learnersTask[T, F any] interface {
	comparable
	Cancel()
	Done() bool
	Wait(ctx context.Context) (T, error)
	AddDoneCallback(fn func(F))
}

// task is what a Task calls.
type task[T any] interface {
	Cancel()
	Done() bool
	Wait(ctx context.Context) (T, error)
	AddDoneCallback(fn func(Future[T]))
}

// ownTask is a task.
type ownTask[T any, K learnersTask[T, F], F learnersFuture[T, F]] struct{ learner K }

func (t ownTask[T, K, F]) Cancel()                             { t.learner.Cancel() }
func (t ownTask[T, K, F]) Done() bool                          { return t.learner.Done() }
func (t ownTask[T, K, F]) Wait(ctx context.Context) (T, error) { return t.learner.Wait(ctx) }
func (t ownTask[T, K, F]) AddDoneCallback(fn func(Future[T])) {
	t.learner.AddDoneCallback(func(f F) { fn(future[T, F]{f}) })
}

// panicError is a Panic.
type panicError[E error] struct {
	err   E
	value func(E) any
	stack func(E) []byte
}

func (p *panicError[E]) Target() any   { return &p.err }
func (p *panicError[E]) Err() error    { return p.err }
func (p *panicError[E]) Value() any    { return p.value(p.err) }
func (p *panicError[E]) Stack() []byte { return p.stack(p.err) }
