// Package futures is the reference solution of the lesson "futures": a result
// that will be there, a task that produces one, and the first success of many.
package futures

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime/debug"
	"sync"
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
// is made by [NewFuture], and safe for concurrent use.
type Future[T any] struct {
	done chan struct{} // closed when result and err are final

	mu        sync.Mutex // held by whoever settles, and by whoever must not miss that
	result    T
	err       error
	callbacks []func(*Future[T]) // nil once the future is settled
}

// NewFuture returns a future that is not settled.
func NewFuture[T any]() *Future[T] {
	return &Future[T]{done: make(chan struct{})}
}

// SetResult settles the future with v. When it returns nil, all callbacks that
// had been added before have returned. It returns [ErrDone], and changes
// nothing, if the future is settled already.
func (f *Future[T]) SetResult(v T) error {
	return f.settle(v, nil)
}

// SetError settles the future with err, which must not be nil. Apart from that
// it is like [Future.SetResult].
func (f *Future[T]) SetError(err error) error {
	var zero T
	return f.settle(zero, err)
}

func (f *Future[T]) settle(v T, err error) error {
	f.mu.Lock()
	if f.Done() {
		f.mu.Unlock()
		return ErrDone
	}
	f.result, f.err = v, err
	callbacks := f.callbacks
	f.callbacks = nil
	close(f.done)
	f.mu.Unlock() // a callback may call any method

	for _, fn := range callbacks {
		fn(f)
	}
	return nil
}

// Done tells whether the future is settled.
func (f *Future[T]) Done() bool {
	select {
	case <-f.done:
		return true
	default:
		return false
	}
}

// Wait blocks until the future is settled and returns its outcome. If ctx ends
// first, it returns an error that matches ctx.Err(). The outcome of a settled
// future is there for everyone, any number of times, ended contexts or not.
// Callbacks may still be running when Wait returns.
func (f *Future[T]) Wait(ctx context.Context) (T, error) {
	select {
	case <-f.done:
	case <-ctx.Done():
		if !f.Done() { // select may have had the choice
			var zero T
			return zero, ctx.Err()
		}
	}
	return f.result, f.err
}

// AddDoneCallback has fn called once, with the future, when it is settled: by
// the settling call, after the callbacks that were added earlier. If the future
// is settled already, AddDoneCallback calls fn itself, even while earlier
// callbacks still run. A callback may call any method of the future.
func (f *Future[T]) AddDoneCallback(fn func(*Future[T])) {
	f.mu.Lock()
	if !f.Done() {
		f.callbacks = append(f.callbacks, fn)
		f.mu.Unlock()
		return
	}
	f.mu.Unlock()
	fn(f)
}

// Task is a future whose outcome is that of a function. It is made by [Go].
type Task[T any] struct {
	*Future[T]
	cancel context.CancelFunc
}

// Go calls fn in a goroutine of its own, whether or not anybody waits for the
// task, and returns at once. What fn returns is the task's outcome; if it
// panics, that is a [*PanicError]. The context that fn gets ends with ctx, by
// [Task.Cancel], and at the latest just before the task is done.
func Go[T any](ctx context.Context, fn func(context.Context) (T, error)) *Task[T] {
	ctx, cancel := context.WithCancel(ctx)
	t := &Task[T]{Future: NewFuture[T](), cancel: cancel}
	go func() {
		v, err := call(ctx, fn)
		cancel()
		_ = t.settle(v, err) // ErrDone: somebody else has settled it
	}()
	return t
}

// call calls fn and makes an error of a panic.
func call[T any](ctx context.Context, fn func(context.Context) (T, error)) (v T, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = &PanicError{Value: r, Stack: debug.Stack()}
		}
	}()
	return fn(ctx)
}

// Cancel ends the context of the task's function and does not wait. What comes
// of it is up to the function: the outcome is still what it returns. When the
// task is done, Cancel has no effect.
func (t *Task[T]) Cancel() {
	t.cancel()
}

// ShowWhenDone adds a callback to t that writes the result and a newline to w,
// or "error: ERR" and a newline. A line is one Write.
func ShowWhenDone(w io.Writer, t *Task[string]) {
	t.AddDoneCallback(func(f *Future[string]) {
		result, err := f.Wait(context.Background()) // does not block: f is done
		if err != nil {
			fmt.Fprintf(w, "error: %v\n", err)
			return
		}
		fmt.Fprintln(w, result)
	})
}

var errNothingToRun = errors.New("futures: First was given no functions")

// First calls all functions at the same time, each in a goroutine of its own,
// and returns the first success. Then it cancels the contexts of the others; it
// returns when all functions have returned. If all fail, its error matches the
// error of every one of them. The end of ctx ends the contexts of all.
func First[T any](ctx context.Context, fns ...func(context.Context) (T, error)) (T, error) {
	var zero T
	if len(fns) == 0 {
		return zero, errNothingToRun // errors.Join of nothing is nil
	}

	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	first := NewFuture[T]()
	tasks := make([]*Task[T], len(fns))
	for i, fn := range fns {
		tasks[i] = Go(ctx, func(ctx context.Context) (T, error) {
			v, err := fn(ctx)
			if err == nil && first.SetResult(v) == nil {
				cancel()
			}
			return v, err
		})
	}

	// The end of ctx must not end the waiting, only the work.
	errs := make([]error, len(tasks))
	for i, t := range tasks {
		_, errs[i] = t.Wait(context.WithoutCancel(ctx))
	}
	if first.Done() {
		return first.Wait(ctx)
	}
	return zero, errors.Join(errs...)
}
