// One buffered channel is the lock and holds the state: take it out, look, put it back. Every waiter has a channel of its own.

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

type book[T any] struct {
	settled bool
	v       T
	err     error
	waiting map[chan struct{}]bool
	calls   []func(*Future[T])
}

type Future[T any] struct{ book chan book[T] }

func NewFuture[T any]() *Future[T] {
	f := &Future[T]{make(chan book[T], 1)}
	f.book <- book[T]{waiting: map[chan struct{}]bool{}}
	return f
}

func (f *Future[T]) put(v T, err error) error {
	b := <-f.book
	if b.settled {
		f.book <- b
		return ErrDone
	}
	calls := b.calls
	for w := range b.waiting {
		close(w)
	}
	f.book <- book[T]{settled: true, v: v, err: err}
	for _, call := range calls { // somebody else's goroutine will do
		ran := make(chan struct{})
		go func() {
			defer close(ran)
			call(f)
		}()
		<-ran
	}
	return nil
}

func (f *Future[T]) SetResult(v T) error { return f.put(v, nil) }

func (f *Future[T]) SetError(err error) error {
	var zero T
	return f.put(zero, err)
}

func (f *Future[T]) Done() bool {
	b := <-f.book
	defer func() { f.book <- b }()
	return b.settled
}

func (f *Future[T]) Wait(ctx context.Context) (v T, err error) {
	b := <-f.book
	if b.settled {
		f.book <- b
		return b.v, b.err
	}
	w := make(chan struct{})
	b.waiting[w] = true
	f.book <- b

	select {
	case <-w:
	case <-ctx.Done():
	}
	b = <-f.book
	defer func() { f.book <- b }()
	if b.settled {
		return b.v, b.err
	}
	delete(b.waiting, w)
	return v, ctx.Err()
}

func (f *Future[T]) AddDoneCallback(fn func(*Future[T])) {
	b := <-f.book
	late := b.settled
	if !late {
		b.calls = append(b.calls, fn)
	}
	f.book <- b
	if late {
		fn(f)
	}
}

type Task[T any] struct {
	*Future[T]
	context.Context
	cancel context.CancelCauseFunc
}

func (t *Task[T]) Done() bool { return t.Future.Done() }

func Go[T any](ctx context.Context, fn func(context.Context) (T, error)) *Task[T] {
	t := &Task[T]{Future: NewFuture[T]()}
	t.Context, t.cancel = context.WithCancelCause(ctx)
	go func() {
		v, err := func() (v T, err error) {
			defer t.cancel(nil)
			returned := false
			defer func() {
				if !returned {
					err = &PanicError{recover(), debug.Stack()}
				}
			}()
			v, err = fn(t.Context)
			returned = true
			return v, err
		}()
		if err != nil {
			err = errors.Join(err)
		}
		_ = t.put(v, err)
	}()
	return t
}

func (t *Task[T]) Cancel() { t.cancel(errors.New("the task was cancelled")) }

func ShowWhenDone(w io.Writer, t *Task[string]) {
	t.AddDoneCallback(func(f *Future[string]) {
		b := <-f.book
		f.book <- b
		if b.err != nil {
			b.v = "error: " + b.err.Error()
		}
		fmt.Fprint(w, b.v, "\n")
	})
}

func First[T any](ctx context.Context, fns ...func(context.Context) (T, error)) (v T, err error) {
	if len(fns) == 0 {
		return v, errors.New("first of none")
	}
	winner := NewFuture[T]()
	tasks, ended := make([]*Task[T], len(fns)), make(chan struct{}, len(fns))
	cancel := make(chan struct{})
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	winner.AddDoneCallback(func(*Future[T]) { close(cancel); stop() })
	for i, fn := range fns {
		tasks[i] = Go(ctx, fn)
		tasks[i].AddDoneCallback(func(f *Future[T]) {
			if v, err := f.Wait(ctx); err == nil {
				_ = winner.SetResult(v)
			}
			ended <- struct{}{}
		})
	}
	for range tasks {
		<-ended
	}
	for _, t := range tasks {
		_, e := t.Wait(context.Background())
		err = errors.Join(err, e)
	}
	select {
	case <-cancel:
		return winner.Wait(ctx)
	default:
		return v, err
	}
}
