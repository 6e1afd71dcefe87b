// A mutex, a condition variable, and context.AfterFunc to wake those whose context ends; First counts under a lock of its own.

package futures

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime/debug"
	"sync"
)

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

type Future[T any] struct {
	mu      sync.Mutex
	changed *sync.Cond
	done    bool
	value   T
	err     error
	todo    []func(*Future[T])
}

func NewFuture[T any]() *Future[T] {
	f := new(Future[T])
	f.changed = sync.NewCond(&f.mu)
	return f
}

func (f *Future[T]) SetResult(v T) error { return f.set(v, nil) }

func (f *Future[T]) SetError(err error) error { return f.set(*new(T), err) }

func (f *Future[T]) set(v T, err error) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.done {
		return ErrDone
	}
	f.value, f.err, f.done = v, err, true
	f.changed.Broadcast()
	for i := 0; i < len(f.todo); i++ {
		fn := f.todo[i]
		f.mu.Unlock()
		fn(f)
		f.mu.Lock()
	}
	return nil
}

func (f *Future[T]) Done() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.done
}

func (f *Future[T]) Wait(ctx context.Context) (T, error) {
	stop := context.AfterFunc(ctx, func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.changed.Broadcast()
	})
	defer stop()
	f.mu.Lock()
	defer f.mu.Unlock()
	for !f.done {
		if err := ctx.Err(); err != nil {
			return *new(T), fmt.Errorf("waiting for a future: %w", err)
		}
		f.changed.Wait()
	}
	return f.value, f.err
}

func (f *Future[T]) AddDoneCallback(fn func(*Future[T])) {
	f.mu.Lock()
	if f.done {
		f.mu.Unlock()
		fn(f)
		return
	}
	defer f.mu.Unlock()
	f.todo = append(f.todo, fn)
}

type Task[T any] struct {
	*Future[T]
	mu     sync.Mutex
	cancel func()
}

func Go[T any](ctx context.Context, fn func(context.Context) (T, error)) *Task[T] {
	ctx, cancel := context.WithCancel(ctx)
	t := &Task[T]{Future: NewFuture[T](), cancel: cancel}
	go t.run(ctx, fn)
	return t
}

func (t *Task[T]) run(ctx context.Context, fn func(context.Context) (T, error)) {
	var v T
	var err error
	defer func() {
		if p := recover(); p != nil {
			err = &PanicError{p, debug.Stack()}
		}
		t.Cancel()
		if err != nil {
			_ = t.SetError(err)
		} else {
			_ = t.SetResult(v)
		}
	}()
	v, err = fn(ctx)
}

func (t *Task[T]) Cancel() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.cancel()
}

func ShowWhenDone(w io.Writer, t *Task[string]) {
	t.AddDoneCallback(func(*Future[string]) {
		if s, err := t.Wait(context.TODO()); err != nil {
			fmt.Fprintf(w, "error: %s\n", err)
		} else {
			fmt.Fprintf(w, "%s\n", s)
		}
	})
}

func First[T any](ctx context.Context, fns ...func(context.Context) (T, error)) (T, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var (
		mu    sync.Mutex
		wg    sync.WaitGroup
		found bool
		first T
		errs  = []error{errors.New("no function has succeeded")}
	)
	for _, fn := range fns {
		wg.Go(func() {
			v, err := fn(ctx)
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err != nil:
				errs = append(errs, err)
			case !found:
				found, first = true, v
				cancel()
			}
		})
	}
	wg.Wait()
	if found {
		return first, nil
	}
	return first, errors.Join(errs...)
}
