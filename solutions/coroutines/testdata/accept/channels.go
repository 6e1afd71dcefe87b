// Everything by channels and time.After; the clock and the cancelling are two things.
package coroutines

import (
	"context"
	"errors"
	"io"
	"net/url"
	"time"
)

var ErrNoDomain = errors.New("no domain in URL")

type Coroutine[T any] func(ctx context.Context) (T, error)

func WaitHere(d time.Duration) Coroutine[string] {
	return func(ctx context.Context) (string, error) {
		if ctx.Err() != nil {
			return "", ctx.Err()
		}
		select {
		case <-ctx.Done():
			return "", ctx.Err()
		case <-time.After(d):
			return "Done.", nil
		}
	}
}

func ShowMe(w io.Writer, c Coroutine[string]) Coroutine[string] {
	return Then(c, func(s string) Coroutine[string] { return show(w, s) })
}

func show(w io.Writer, s string) Coroutine[string] {
	return func(context.Context) (string, error) {
		_, err := w.Write([]byte(s + "\n"))
		return s, err
	}
}

func ExtractDomain(rawURL string) Coroutine[string] {
	return func(ctx context.Context) (string, error) {
		u, err := url.Parse(rawURL)
		switch {
		case err != nil:
			return "", errors.Join(errors.New("that is no URL"), err)
		case u.Hostname() == "":
			return "", ErrNoDomain
		}
		return u.Hostname(), nil
	}
}

func PrintDomain(w io.Writer, rawURL string) Coroutine[string] {
	return ShowMe(w, ExtractDomain(rawURL))
}

func Then[A, B any](c Coroutine[A], next func(A) Coroutine[B]) Coroutine[B] {
	return func(ctx context.Context) (b B, err error) {
		a, err := c(ctx)
		if err == nil {
			b, err = next(a)(ctx)
		}
		return b, err
	}
}

type done[T any] struct {
	i   int
	v   T
	err error
}

func Gather[T any](cs ...Coroutine[T]) Coroutine[[]T] {
	return func(ctx context.Context) ([]T, error) {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		all := make(chan done[T])
		for i, c := range cs {
			go func() {
				v, err := c(ctx)
				all <- done[T]{i, v, err}
			}()
		}
		var first error
		results := make([]T, len(cs))
		for range cs {
			d := <-all
			results[d.i] = d.v
			if d.err != nil && first == nil {
				first = d.err
				cancel()
			}
		}
		return results, first
	}
}

func WithTimeout[T any](d time.Duration, c Coroutine[T]) Coroutine[T] {
	return func(ctx context.Context) (zero T, err error) {
		inner, cancel := context.WithCancel(ctx)
		defer cancel()
		result := make(chan done[T], 1)
		go func() {
			v, err := c(inner)
			result <- done[T]{v: v, err: err}
		}()
		timer := time.NewTimer(d)
		defer timer.Stop()
		select {
		case r := <-result:
			return r.v, r.err
		case <-timer.C:
			return zero, context.DeadlineExceeded
		case <-ctx.Done():
			return zero, ctx.Err()
		}
	}
}
