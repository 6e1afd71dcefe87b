// Atomics only: the state is one immutable record behind a pointer, swapped by compare-and-swap; who waits sleeps a little and looks again.

package futures

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime/debug"
	"slices"
	"sync/atomic"
	"time"
)

const tick = 5 * time.Millisecond

var ErrDone = errors.New("future already done")

type PanicError struct {
	Value any
	Stack []byte
}

func (e *PanicError) Error() string { return fmt.Sprintf("panic: %v", e.Value) }

func (e *PanicError) Unwrap() error {
	err, _ := e.Value.(error)
	return err
}

type state[T any] struct {
	done bool
	v    T
	err  error
	next *state[T] // the callback added before, as a list
	fn   func(*Future[T])
}

type Future[T any] struct{ state atomic.Pointer[state[T]] }

func NewFuture[T any]() *Future[T] { return new(Future[T]) }

func (f *Future[T]) SetResult(v T) error { return f.swap(&state[T]{done: true, v: v}) }

func (f *Future[T]) SetError(err error) error { return f.swap(&state[T]{done: true, err: err}) }

func (f *Future[T]) swap(end *state[T]) error {
	for {
		old := f.state.Load()
		if old != nil && old.done {
			return ErrDone
		}
		if !f.state.CompareAndSwap(old, end) {
			continue
		}
		var fns []func(*Future[T])
		for ; old != nil; old = old.next {
			fns = append(fns, old.fn)
		}
		for _, fn := range slices.Backward(fns) {
			fn(f)
		}
		return nil
	}
}

func (f *Future[T]) Done() bool {
	s := f.state.Load()
	return s != nil && s.done
}

func (f *Future[T]) Wait(ctx context.Context) (T, error) {
	for {
		if s := f.state.Load(); s != nil && s.done {
			return s.v, s.err
		}
		if ctx.Err() != nil {
			var zero T
			return zero, ctx.Err()
		}
		time.Sleep(tick)
	}
}

func (f *Future[T]) AddDoneCallback(fn func(*Future[T])) {
	for {
		old := f.state.Load()
		if old != nil && old.done {
			fn(f)
			return
		}
		if f.state.CompareAndSwap(old, &state[T]{next: old, fn: fn}) {
			return
		}
	}
}

type Task[T any] struct {
	*Future[T]
	stop func()
}

func Go[T any](ctx context.Context, fn func(context.Context) (T, error)) *Task[T] {
	ctx, stop := context.WithCancel(ctx)
	t := &Task[T]{NewFuture[T](), stop}
	go func() {
		var end state[T]
		func() {
			defer stop()
			defer func() {
				if r := recover(); r != nil {
					end.err = &PanicError{Value: r, Stack: debug.Stack()}
				}
			}()
			end.v, end.err = fn(ctx)
		}()
		end.done = true
		_ = t.swap(&end)
	}()
	return t
}

func (t *Task[T]) Cancel() { t.stop() }

func ShowWhenDone(w io.Writer, t *Task[string]) {
	t.AddDoneCallback(func(f *Future[string]) {
		line := f.state.Load().v
		if err := f.state.Load().err; err != nil {
			line = "error: " + err.Error()
		}
		_, _ = io.WriteString(w, line+"\n")
	})
}

func First[T any](ctx context.Context, fns ...func(context.Context) (T, error)) (T, error) {
	var winner atomic.Pointer[T]
	tasks := make([]*Task[T], 0, len(fns))
	for _, fn := range fns {
		tasks = append(tasks, Go(ctx, func(ctx context.Context) (T, error) {
			v, err := fn(ctx)
			if err == nil {
				winner.CompareAndSwap(nil, &v)
			}
			return v, err
		}))
	}
	errs := []error{errors.New("no winner")}
	for busy := true; busy; time.Sleep(tick) {
		busy = false
		for _, t := range tasks {
			if winner.Load() != nil {
				t.Cancel()
			}
			busy = busy || !t.Done()
		}
	}
	if v := winner.Load(); v != nil {
		return *v, nil
	}
	for _, t := range tasks {
		errs = append(errs, t.state.Load().err)
	}
	var zero T
	return zero, errors.Join(errs...)
}
