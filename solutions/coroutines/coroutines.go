// Package coroutines is the reference solution of the lesson "coroutines": work
// that has not begun yet, and the ways to put it together: one after the other,
// all at the same time, and no longer than that.
package coroutines

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"sync"
	"time"
)

// ErrNoDomain says that a URL has no host.
var ErrNoDomain = errors.New("no domain in URL")

// A Coroutine is work that has not begun: calling it begins it and waits for the
// result. Every call does the work anew, and any number of goroutines may call
// it at the same time.
type Coroutine[T any] func(ctx context.Context) (T, error)

// WaitHere waits for d and then gives "Done.". It ends with its context, at once.
func WaitHere(d time.Duration) Coroutine[string] {
	return func(ctx context.Context) (string, error) {
		if err := ctx.Err(); err != nil {
			return "", err // select would have the choice if d is 0
		}
		timer := time.NewTimer(d)
		defer timer.Stop()
		select {
		case <-timer.C:
			return "Done.", nil
		case <-ctx.Done():
			return "", ctx.Err()
		}
	}
}

// ShowMe awaits c, writes its result and a newline to w, and gives the result on.
// If c fails it writes nothing and gives the error on; an error of w is returned.
func ShowMe(w io.Writer, c Coroutine[string]) Coroutine[string] {
	return func(ctx context.Context) (string, error) {
		result, err := c(ctx)
		if err != nil {
			return "", err
		}
		if _, err := fmt.Fprintln(w, result); err != nil {
			return "", fmt.Errorf("showing the result: %w", err)
		}
		return result, nil
	}
}

// ExtractDomain gives the host name of the URL, without port, user and brackets.
// A URL without a host is [ErrNoDomain], one that does not parse another error.
func ExtractDomain(rawURL string) Coroutine[string] {
	return func(context.Context) (string, error) {
		u, err := url.Parse(rawURL)
		if err != nil {
			return "", err
		}
		if u.Hostname() == "" {
			return "", fmt.Errorf("%q: %w", rawURL, ErrNoDomain)
		}
		return u.Hostname(), nil
	}
}

// PrintDomain extracts the domain of the URL, writes it and a newline to w, and
// gives it. An error of w is returned.
func PrintDomain(w io.Writer, rawURL string) Coroutine[string] {
	return Then(ExtractDomain(rawURL), func(domain string) Coroutine[string] {
		return func(context.Context) (string, error) {
			if _, err := fmt.Fprintln(w, domain); err != nil {
				return "", fmt.Errorf("printing the domain: %w", err)
			}
			return domain, nil
		}
	})
}

// Then does c and, with its result, what next makes of it. An error of c ends the
// chain, and next is not called.
func Then[A, B any](c Coroutine[A], next func(A) Coroutine[B]) Coroutine[B] {
	return func(ctx context.Context) (B, error) {
		a, err := c(ctx)
		if err != nil {
			var zero B
			return zero, err
		}
		return next(a)(ctx)
	}
}

// Gather does all of cs at the same time and gives their results in the order of
// cs. The first error cancels the context of the others; Gather waits for them
// and returns that error.
func Gather[T any](cs ...Coroutine[T]) Coroutine[[]T] {
	return func(ctx context.Context) ([]T, error) {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		results := make([]T, len(cs))
		var first error
		var failed sync.Once
		var group sync.WaitGroup
		for i, c := range cs {
			group.Go(func() {
				var err error
				if results[i], err = c(ctx); err != nil {
					failed.Do(func() {
						first = err
						cancel()
					})
				}
			})
		}
		group.Wait()
		if first != nil {
			return nil, first
		}
		return results, nil
	}
}

// WithTimeout does c, but not for longer than d: if it has not finished by then,
// its context ends, and WithTimeout with [context.DeadlineExceeded], whether c
// heeds its context or not. The end of the caller's own context comes through as
// such, likewise. What c gives in time is given on. No goroutine stays behind
// once c returns.
func WithTimeout[T any](d time.Duration, c Coroutine[T]) Coroutine[T] {
	type outcome struct {
		result T
		err    error
	}
	return func(ctx context.Context) (T, error) {
		ctx, cancel := context.WithTimeout(ctx, d)
		defer cancel()
		finished := make(chan outcome, 1) // c must not wait for somebody who has left
		go func() {
			result, err := c(ctx)
			if ctx.Err() != nil {
				return // too late: what it gives is not wanted any more
			}
			finished <- outcome{result, err}
		}()
		select {
		case o := <-finished:
			return o.result, o.err
		case <-ctx.Done():
			var zero T
			return zero, ctx.Err()
		}
	}
}
