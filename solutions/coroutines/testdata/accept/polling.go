// WaitHere sleeps a little again and again and looks at the clock and at its context in between; Gather waits by receiving as often as it has started.
package coroutines

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"
	"sync/atomic"
	"time"
)

var ErrNoDomain = errors.New("no domain in URL")

type Coroutine[T any] func(ctx context.Context) (T, error)

func WaitHere(d time.Duration) Coroutine[string] {
	return func(ctx context.Context) (string, error) {
		until := time.Now().Add(d)
		for {
			if err := ctx.Err(); err != nil {
				return "", err
			}
			left := time.Until(until)
			if left <= 0 {
				return "Done.", nil
			}
			time.Sleep(min(left, 10*time.Millisecond))
		}
	}
}

func ShowMe(w io.Writer, c Coroutine[string]) Coroutine[string] {
	return func(ctx context.Context) (string, error) {
		s, err := c(ctx)
		if err != nil {
			return s, err
		}
		_, err = fmt.Fprintf(w, "%s\n", s)
		return s, err
	}
}

func ExtractDomain(rawURL string) Coroutine[string] {
	return func(ctx context.Context) (string, error) {
		u, err := url.Parse(rawURL)
		if err != nil {
			return "", err
		}
		host := strings.ToLower(u.Hostname())
		if len(host) == 0 {
			return "", ErrNoDomain
		}
		return host, nil
	}
}

func PrintDomain(w io.Writer, rawURL string) Coroutine[string] {
	write := func(domain string) Coroutine[string] {
		return func(ctx context.Context) (string, error) {
			_, err := io.WriteString(w, domain+"\n")
			return domain, err
		}
	}
	return Then(ExtractDomain(rawURL), write)
}

func Then[A, B any](c Coroutine[A], next func(A) Coroutine[B]) Coroutine[B] {
	return func(ctx context.Context) (B, error) {
		var b B
		a, err := c(ctx)
		if err != nil {
			return b, err
		}
		return next(a)(ctx)
	}
}

func Gather[T any](cs ...Coroutine[T]) Coroutine[[]T] {
	return func(ctx context.Context) ([]T, error) {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		var first atomic.Pointer[error]
		results := make([]T, len(cs))
		finished := make(chan struct{}, len(cs))
		for i, c := range cs {
			go func(i int, c Coroutine[T]) {
				defer func() { finished <- struct{}{} }()
				v, err := c(ctx)
				if err != nil {
					first.CompareAndSwap(nil, &err)
					cancel()
				}
				results[i] = v
			}(i, c)
		}
		for range cs {
			<-finished
		}
		if err := first.Load(); err != nil {
			return nil, *err
		}
		return results, nil
	}
}

func WithTimeout[T any](d time.Duration, c Coroutine[T]) Coroutine[T] {
	return func(parent context.Context) (T, error) {
		ctx, cancel := context.WithTimeoutCause(parent, d, errors.New("it took too long"))
		var v T
		var err error
		finished := make(chan struct{})
		go func() {
			defer cancel()
			defer close(finished)
			v, err = c(ctx)
		}()
		select {
		case <-finished:
			return v, err
		case <-ctx.Done():
		}
		select {
		case <-finished: // the cancel above came first
			if e := ctx.Err(); !errors.Is(e, context.DeadlineExceeded) && parent.Err() == nil {
				return v, err
			}
		default:
		}
		var zero T
		return zero, fmt.Errorf("given up: %w", ctx.Err())
	}
}
