// The future is a context that ends when it is settled; Wait wraps every error, ShowWhenDone shows the inner one.
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
	Value any
	Stack []byte
}

func (e *PanicError) Error() string { return fmt.Sprintf("panic: %v", e.Value) }

// Unwrap returns the value of the panic if it is an error.
func (e *PanicError) Unwrap() error {
	err, _ := e.Value.(error)
	return err
}

// value is the cause with which a future's context ends.
type value[T any] struct {
	v   T
	err error
}

func (*value[T]) Error() string { return "settled" }

// Future is a context: it ends when the future is settled, the cause is the outcome.
type Future[T any] struct {
	ctx    context.Context
	cancel context.CancelCauseFunc
	mu     sync.RWMutex
	fns    map[int]func(*Future[T])
}

func NewFuture[T any]() *Future[T] {
	ctx, cancel := context.WithCancelCause(context.Background())
	return &Future[T]{ctx: ctx, cancel: cancel, fns: map[int]func(*Future[T]){}}
}

func (f *Future[T]) settle(o *value[T]) error {
	f.mu.Lock()
	f.cancel(o)
	won := context.Cause(f.ctx) == error(o)
	f.mu.Unlock()
	if !won {
		return fmt.Errorf("future: %w", ErrDone)
	}
	// every callback in a goroutine of its own, but one after the other
	for i := range len(f.fns) {
		over := make(chan struct{})
		go func() {
			defer close(over)
			f.fns[i](f)
		}()
		<-over
	}
	return nil
}

func (f *Future[T]) SetResult(v T) error      { return f.settle(&value[T]{v: v}) }
func (f *Future[T]) SetError(err error) error { return f.settle(&value[T]{err: err}) }

func (f *Future[T]) Done() bool { return f.ctx.Err() != nil }

func (f *Future[T]) outcome() (T, error) {
	var o *value[T]
	errors.As(context.Cause(f.ctx), &o)
	if o.err != nil {
		return o.v, fmt.Errorf("future failed: %w", o.err)
	}
	return o.v, nil
}

func (f *Future[T]) Wait(ctx context.Context) (T, error) {
	both, release := context.WithCancel(ctx)
	defer release()
	defer context.AfterFunc(f.ctx, release)()
	if !f.Done() {
		<-both.Done()
	}
	if f.Done() {
		return f.outcome()
	}
	var zero T
	return zero, fmt.Errorf("%w (cause: %w)", ctx.Err(), context.Cause(ctx))
}

func (f *Future[T]) AddDoneCallback(fn func(*Future[T])) {
	f.mu.Lock()
	done := f.Done()
	if !done {
		f.fns[len(f.fns)] = fn
	}
	f.mu.Unlock()
	if done {
		over := make(chan struct{})
		go func() { defer close(over); fn(f) }()
		<-over
	}
}

type Task[T any] struct {
	*Future[T]
	own context.Context
	end context.CancelFunc
}

func Go[T any](ctx context.Context, fn func(context.Context) (T, error)) *Task[T] {
	t := &Task[T]{Future: NewFuture[T]()}
	t.own, t.end = context.WithCancel(ctx)
	started := make(chan struct{})
	go func() {
		close(started)
		var o value[T]
		defer func() {
			p := recover()
			t.end()
			if p != nil {
				o.err = fmt.Errorf("the task has panicked: %w", &PanicError{Value: p, Stack: debug.Stack()})
			}
			if o.err != nil {
				t.SetError(o.err)
			} else {
				t.SetResult(o.v)
			}
		}()
		o.v, o.err = fn(t.own)
	}()
	<-started
	return t
}

func (t *Task[T]) Cancel() {
	if !t.Done() {
		t.end()
	}
}

func ShowWhenDone(w io.Writer, t *Task[string]) {
	t.AddDoneCallback(func(f *Future[string]) {
		s, err := f.Wait(t.own)
		if err != nil {
			if u := errors.Unwrap(err); u != nil {
				err = u
			}
			s = fmt.Sprintf("error: %s", err)
		}
		io.WriteString(w, s+"\n")
	})
}

func First[T any](ctx context.Context, fns ...func(context.Context) (T, error)) (T, error) {
	var zero T
	if len(fns) == 0 {
		return zero, context.Canceled
	}
	left := len(fns)
	mu := sync.Mutex{}
	idle := sync.NewCond(&mu)
	var tasks []*Task[T]
	var best *T
	err := error(nil)
	mu.Lock()
	defer mu.Unlock()
	for _, fn := range fns {
		tasks = append(tasks, Go(ctx, func(ctx context.Context) (T, error) {
			v, e := fn(ctx)
			mu.Lock()
			defer mu.Unlock()
			if e != nil {
				err = errors.Join(e, err)
			} else if best == nil {
				best = &v
				for _, t := range tasks {
					t.Cancel()
				}
			}
			return v, e
		}))
		tasks[len(tasks)-1].AddDoneCallback(func(*Future[T]) {
			mu.Lock()
			defer mu.Unlock()
			left--
			idle.Signal()
		})
	}
	for left > 0 {
		idle.Wait()
	}
	if best != nil {
		return *best, nil
	}
	return zero, err
}
