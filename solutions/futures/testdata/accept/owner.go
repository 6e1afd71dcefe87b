// A goroutine owns each future and is asked over channels; it ends when the future is settled. First hears of outcomes over a channel.

package futures

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime/debug"
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

type outcome[T any] struct {
	v   T
	err error
}

type setting[T any] struct {
	outcome[T]
	callbacks chan []func(*Future[T])
}

type Future[T any] struct {
	outcome[T] // to be read when over is closed
	set        chan setting[T]
	add        chan func(*Future[T])
	over       chan struct{}
}

func NewFuture[T any]() *Future[T] {
	f := &Future[T]{
		set:  make(chan setting[T]),
		add:  make(chan func(*Future[T])),
		over: make(chan struct{}),
	}
	go f.own()
	return f
}

func (f *Future[T]) own() {
	var callbacks []func(*Future[T])
	for {
		select {
		case fn := <-f.add:
			callbacks = append(callbacks, fn)
		case s := <-f.set:
			f.outcome = s.outcome
			close(f.over)
			s.callbacks <- callbacks
			return
		}
	}
}

func (f *Future[T]) SetResult(v T) error { return f.settle(outcome[T]{v: v}) }

func (f *Future[T]) SetError(err error) error { return f.settle(outcome[T]{err: err}) }

func (f *Future[T]) settle(o outcome[T]) error {
	s := setting[T]{o, make(chan []func(*Future[T]), 1)}
	select {
	case <-f.over:
		return ErrDone
	case f.set <- s:
	}
	for _, fn := range <-s.callbacks {
		fn(f)
	}
	return nil
}

func (f *Future[T]) Done() bool {
	select {
	case <-f.over:
		return true
	default:
		return false
	}
}

func (f *Future[T]) Wait(ctx context.Context) (T, error) {
	if !f.Done() {
		select {
		case <-f.over:
		case <-ctx.Done():
			var zero T
			return zero, ctx.Err()
		}
	}
	return f.v, f.err
}

func (f *Future[T]) AddDoneCallback(fn func(*Future[T])) {
	select {
	case f.add <- fn:
	case <-f.over:
		fn(f)
	}
}

type Task[T any] struct {
	*Future[T]
	cancelled chan struct{}
}

// Go has the contexts wait for a channel, so that Cancel need not know them.
func Go[T any](parent context.Context, fn func(context.Context) (T, error)) *Task[T] {
	t := &Task[T]{NewFuture[T](), make(chan struct{}, 1)}
	ctx, release := context.WithCancel(parent)
	end := make(chan struct{})
	released := make(chan struct{})
	go func() {
		defer close(released)
		defer release()
		select {
		case <-t.cancelled:
		case <-end:
		}
	}()
	go func() {
		o := run(ctx, fn)
		close(end)
		<-released
		_ = t.settle(o)
	}()
	return t
}

func run[T any](ctx context.Context, fn func(context.Context) (T, error)) (o outcome[T]) {
	defer func() {
		if p := recover(); p != nil {
			o = outcome[T]{err: &PanicError{Value: p, Stack: debug.Stack()}}
		}
	}()
	v, err := fn(ctx)
	return outcome[T]{v, err}
}

func (t *Task[T]) Cancel() {
	select {
	case t.cancelled <- struct{}{}:
	default:
	}
}

func ShowWhenDone(w io.Writer, t *Task[string]) {
	t.AddDoneCallback(func(f *Future[string]) {
		if f.err == nil {
			fmt.Fprintln(w, f.v)
		} else {
			fmt.Fprintln(w, "error:", f.err)
		}
	})
}

func First[T any](ctx context.Context, fns ...func(context.Context) (T, error)) (T, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	outcomes := make(chan outcome[T])
	for _, fn := range fns {
		go func() { outcomes <- run(ctx, fn) }()
	}
	var first *outcome[T]
	var failed error
	for range fns {
		o := <-outcomes
		if o.err != nil {
			failed = errors.Join(failed, o.err)
		} else if first == nil {
			first = &o
			cancel()
		}
	}
	switch {
	case first != nil:
		return first.v, nil
	case failed == nil:
		failed = errors.New("nothing to do")
	}
	var zero T
	return zero, failed
}
