// Package coroutines is where you build what asyncio has and Go does not need:
// work as a value, that has not begun yet and can be put together before it does.
//
// The text is lessons/coroutines/README.md, hints are in
// lessons/coroutines/hints.md, and coroutines_test.go beside this file says what
// every rule means. Replace each panic. Helpers of your own are welcome,
// package-level variables are not needed.
//
// For every coroutine here: making it runs nothing. Nothing is read, written,
// started or waited for before it is called. And calling it twice does its work
// twice, also at the same time.
package coroutines

import (
	"context"
	"errors"
	"io"
	"time"
)

// ErrNoDomain says that a URL has no host.
var ErrNoDomain = errors.New("no domain in URL")

// A Coroutine is work that has not begun: calling it begins it and waits for the
// result.
type Coroutine[T any] func(ctx context.Context) (T, error)

// WaitHere returns a coroutine that waits for d and then gives "Done.". If its
// context ends before that, or had ended before the call, it returns at once, with
// an error that matches ctx.Err() (see errors.Is).
func WaitHere(d time.Duration) Coroutine[string] {
	panic("TODO: return a coroutine that waits for d or for the end of its context")
}

// ShowMe returns a coroutine that awaits c, writes its result and a newline to w
// in one Write, and gives the result on. If c returns an error it writes nothing
// and gives the error on. If writing fails it returns that error.
func ShowMe(w io.Writer, c Coroutine[string]) Coroutine[string] {
	panic("TODO: return a coroutine that awaits c and shows its result")
}

// ExtractDomain returns a coroutine that gives the URL's host name, without port,
// user or brackets: "www.example.com" for https://me@www.example.com:8080/x. If
// the URL has no host it returns an error that matches ErrNoDomain; if it does not
// parse, an error.
func ExtractDomain(rawURL string) Coroutine[string] {
	panic("TODO: return a coroutine that gives the URL's host name")
}

// PrintDomain chains ExtractDomain with a coroutine that writes the domain and a
// newline to w, in one Write. It gives the domain, the error of ExtractDomain, or
// the error of w.
func PrintDomain(w io.Writer, rawURL string) Coroutine[string] {
	panic("TODO: chain ExtractDomain with a coroutine that prints")
}

// Then returns a coroutine that does c, and then the coroutine that next makes of
// its result, whose result it gives. If c returns an error that ends the chain:
// the error is given on, and next is not called. Both get the caller's context.
func Then[A, B any](c Coroutine[A], next func(A) Coroutine[B]) Coroutine[B] {
	panic("TODO: return a coroutine that does c, then what next makes of its result")
}

// Gather returns a coroutine that does all of cs at the same time and gives their
// results in the order of the arguments. The first of them (in time) that returns
// an error cancels the context of the others; Gather waits until they have all
// returned, and returns that first error. Without arguments the result has length
// 0. The contexts that cs get are made from the caller's.
func Gather[T any](cs ...Coroutine[T]) Coroutine[[]T] {
	panic("TODO: return a coroutine that does all of cs at the same time")
}

// WithTimeout returns a coroutine that does c, but not for longer than d. In time,
// it gives what c gives, result or error. If c is not finished after d, it ends
// with context.DeadlineExceeded there and then, even if c ignores its context; and
// c's context ends then. If the caller's own context ends before that, the
// coroutine ends with it (its error matches ctx.Err()), at once, even if c ignores
// it.
//
// No goroutine stays behind once c has returned.
func WithTimeout[T any](d time.Duration, c Coroutine[T]) Coroutine[T] {
	panic("TODO: return a coroutine that does c for d at most")
}
