// A list of callbacks that grows by compare-and-swap, a context made by hand for each task, and errors in a chain; First's functions begin when all tasks are there.
package futures

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime/debug"
	"sync/atomic"
)

var ErrDone = errors.New("future already done")

type PanicError struct {
	Value any    // what recover returned
	Stack []byte // where it happened, as debug.Stack writes it
}

func (e *PanicError) Error() string { return fmt.Sprintf("panic: %v", e.Value) }

func (e *PanicError) Unwrap() error {
	err, _ := e.Value.(error)
	return err
}

type node[T any] struct {
	fn   func(*Future[T])
	next *node[T]
}

type outcome[T any] struct {
	v   T
	err error
}

type link[T any] struct {
	node *node[T]
	out  *outcome[T] // not nil: settled
}

type Future[T any] struct {
	head atomic.Pointer[link[T]]
	bell chan struct{}
}

func NewFuture[T any]() *Future[T] {
	f := new(Future[T])
	f.bell = make(chan struct{})
	f.head.Store(&link[T]{})
	return f
}

func (f *Future[T]) settle(o *outcome[T]) error {
	for {
		old := f.head.Load()
		if old.out != nil {
			return ErrDone
		}
		if f.head.CompareAndSwap(old, &link[T]{out: o}) {
			close(f.bell)
			var rev *node[T]
			for n := old.node; n != nil; {
				next := n.next
				n.next = rev
				rev, n = n, next
			}
			for n := rev; n != nil; n = n.next {
				n.fn(f)
			}
			return nil
		}
	}
}

func (f *Future[T]) SetResult(v T) error      { return f.settle(&outcome[T]{v: v}) }
func (f *Future[T]) SetError(err error) error { return f.settle(&outcome[T]{err: err}) }
func (f *Future[T]) Done() bool               { return f.head.Load().out != nil }

// register pushes fn, or tells that it is too late.
func (f *Future[T]) register(fn func(*Future[T])) bool {
	n := &node[T]{fn: fn}
	for {
		old := f.head.Load()
		if old.out != nil {
			return false
		}
		n.next = old.node
		if f.head.CompareAndSwap(old, &link[T]{node: n}) {
			return true
		}
	}
}

func (f *Future[T]) AddDoneCallback(fn func(*Future[T])) {
	if !f.register(fn) {
		fn(f)
	}
}

type Task[T any] struct {
	*Future[T]
	own *ownCtx
}

// ownCtx is a context made by hand: it ends with its parent or by end.
type ownCtx struct {
	context.Context // parent
	done            chan struct{}
	err             atomic.Pointer[error]
	detach          func() bool
}

func newOwn(parent context.Context) *ownCtx {
	c := &ownCtx{Context: parent, done: make(chan struct{})}
	if err := parent.Err(); err != nil {
		c.end(err)
		return c
	}
	c.detach = context.AfterFunc(parent, func() { c.end(parent.Err()) })
	return c
}

func (c *ownCtx) end(err error) {
	if c.err.CompareAndSwap(nil, &err) {
		close(c.done)
	}
}

func (c *ownCtx) Done() <-chan struct{} { return c.done }

func (c *ownCtx) Err() error {
	if e := c.err.Load(); e != nil {
		return *e
	}
	return nil
}

func (f *Future[T]) Wait(ctx context.Context) (T, error) {
	select {
	case <-f.bell:
	default:
		select {
		case <-f.bell:
		case <-ctx.Done():
			if !f.Done() {
				var none T
				return none, fmt.Errorf("waited in vain: %w", ctx.Err())
			}
		}
	}
	o := f.head.Load().out
	return o.v, o.err
}

func Go[T any](ctx context.Context, fn func(context.Context) (T, error)) *Task[T] {
	t := &Task[T]{Future: NewFuture[T](), own: newOwn(ctx)}
	go t.run(fn)
	return t
}

func (t *Task[T]) run(fn func(context.Context) (T, error)) {
	o := new(outcome[T])
	defer func() {
		if v := recover(); v != nil {
			*o = outcome[T]{err: &PanicError{Value: v, Stack: debug.Stack()}}
		}
		if t.own.detach != nil {
			t.own.detach()
		}
		t.own.end(context.Canceled)
		t.settle(o)
	}()
	o.v, o.err = fn(t.own)
}

func (t *Task[T]) Cancel() { t.own.end(context.Canceled) }

type shower struct{ w io.Writer }

func (s shower) show(f *Future[string]) {
	switch o := f.head.Load().out; {
	case o.err == nil:
		fmt.Fprintln(s.w, o.v)
	default:
		fmt.Fprintf(s.w, "error: %v\n", o.err)
	}
}

func ShowWhenDone(w io.Writer, t *Task[string]) { t.AddDoneCallback(shower{w}.show) }

// All fail: a chain of errors.
type both struct{ a, b error }

func (b both) Error() string   { return b.a.Error() + "; " + b.b.Error() }
func (b both) Unwrap() []error { return []error{b.a, b.b} }

func First[T any](ctx context.Context, fns ...func(context.Context) (T, error)) (T, error) {
	winner := NewFuture[T]()
	left := make(chan error)
	var tasks []*Task[T]
	gate := make(chan struct{})
	for _, fn := range fns {
		tasks = append(tasks, Go(ctx, func(own context.Context) (T, error) {
			<-gate
			v, err := fn(own)
			if err == nil && winner.SetResult(v) == nil {
				for _, t := range tasks {
					t.Cancel()
				}
			}
			return v, err
		}))
	}
	close(gate)
	for _, t := range tasks {
		t.AddDoneCallback(func(f *Future[T]) {
			go func() { left <- f.head.Load().out.err }()
		})
	}
	err := errors.New("no success")
	for range tasks {
		if e := <-left; e != nil {
			err = both{err, e}
		}
	}
	if winner.Done() {
		return winner.Wait(ctx)
	}
	var none T
	return none, err
}
