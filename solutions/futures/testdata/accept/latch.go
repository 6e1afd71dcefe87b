// The lock that decides who settles is taken once and never given back; waiters use a WaitGroup behind a goroutine of their own; First is a chain of futures.

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
	settler   sync.Mutex // whoever gets it settles
	list      sync.RWMutex
	callbacks []func(*Future[T])
	listed    bool // the callbacks have been taken
	pending   sync.WaitGroup
	v         T
	err       error
}

func NewFuture[T any]() *Future[T] {
	f := &Future[T]{}
	f.pending.Add(1)
	return f
}

func (f *Future[T]) SetResult(v T) error {
	if !f.settler.TryLock() {
		return ErrDone
	}
	f.v = v
	f.tell()
	return nil
}

func (f *Future[T]) SetError(err error) error {
	if !f.settler.TryLock() {
		return ErrDone
	}
	f.err = err
	f.tell()
	return nil
}

func (f *Future[T]) tell() {
	f.list.Lock()
	f.listed = true
	f.pending.Done()
	f.list.Unlock()

	ran := make(chan struct{})
	go func() {
		defer close(ran)
		for _, fn := range f.callbacks {
			fn(f)
		}
	}()
	<-ran
}

func (f *Future[T]) Done() bool {
	f.list.RLock()
	defer f.list.RUnlock()
	return f.listed
}

func (f *Future[T]) Wait(ctx context.Context) (T, error) {
	if f.Done() {
		return f.v, f.err
	}
	settled := make(chan struct{})
	go func() { // stays until the future is settled
		defer close(settled)
		f.pending.Wait()
	}()
	select {
	case <-settled:
		return f.v, f.err
	case <-ctx.Done():
		var zero T
		return zero, errors.Join(ctx.Err(), context.Cause(ctx))
	}
}

func (f *Future[T]) AddDoneCallback(fn func(*Future[T])) {
	if !f.keep(fn) {
		fn(f)
	}
}

func (f *Future[T]) keep(fn func(*Future[T])) bool {
	f.list.Lock()
	defer f.list.Unlock()
	if f.listed {
		return false
	}
	f.callbacks = append(f.callbacks, fn)
	return true
}

type Task[T any] struct {
	*Future[T]
	cancel sync.Once
	end    context.CancelFunc
}

func Go[T any](parent context.Context, fn func(context.Context) (T, error)) *Task[T] {
	t := &Task[T]{Future: NewFuture[T]()}
	// Neither values nor a deadline, only the end.
	ctx, end := context.WithCancel(context.Background())
	stop := context.AfterFunc(parent, end)
	t.end = end
	go func() {
		defer func() {
			p := recover()
			stop()
			end()
			if p != nil {
				_ = t.SetError(&PanicError{p, debug.Stack()})
			}
		}()
		v, err := fn(ctx)
		stop()
		end()
		if err != nil {
			_ = t.SetError(err)
		} else {
			_ = t.SetResult(v)
		}
	}()
	return t
}

func (t *Task[T]) Cancel() {
	if !t.Done() {
		t.cancel.Do(t.end)
	}
}

func ShowWhenDone(w io.Writer, t *Task[string]) {
	t.AddDoneCallback(func(f *Future[string]) {
		if f.err != nil {
			fmt.Fprintf(w, "error: %v\n", f.err)
			return
		}
		fmt.Fprintln(w, f.v)
	})
}

func First[T any](ctx context.Context, fns ...func(context.Context) (T, error)) (T, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	first, over := NewFuture[T](), make(chan struct{})
	var (
		mu   sync.Mutex
		left = len(fns)
		all  = make([]error, len(fns))
	)
	if left == 0 {
		return *new(T), errors.New("none")
	}
	for i, fn := range fns {
		Go(ctx, fn).AddDoneCallback(func(f *Future[T]) {
			mu.Lock()
			defer mu.Unlock()
			left--
			if all[i] = f.err; f.err == nil {
				_ = first.SetResult(f.v)
				cancel()
			}
			if left == 0 {
				_ = first.SetError(errors.Join(all...))
				close(over)
			}
		})
	}
	<-over
	return first.Wait(context.Background())
}
