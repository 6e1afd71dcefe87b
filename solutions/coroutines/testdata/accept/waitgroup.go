// The oldest tools: wait groups, indexes, named functions; a chain is a loop over a slice of one.
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

var ErrNoDomain = errors.New("no domain in URL")

type Coroutine[T any] func(ctx context.Context) (T, error)

func WaitHere(d time.Duration) Coroutine[string] { return waiter(d).wait }

type waiter time.Duration

func (d waiter) wait(ctx context.Context) (string, error) {
	inner, cancel := context.WithTimeout(ctx, time.Duration(d))
	defer cancel()
	<-inner.Done()
	if err := ctx.Err(); err != nil {
		return "", err
	}
	return "Done.", nil
}

type shower struct {
	w io.Writer
	c Coroutine[string]
}

func (s shower) run(ctx context.Context) (string, error) {
	result, err := s.c(ctx)
	if err != nil {
		return "", fmt.Errorf("nothing to show: %w", err)
	}
	if _, err = fmt.Fprint(s.w, result+"\n"); err != nil {
		return "", err
	}
	return result, nil
}

func ShowMe(w io.Writer, c Coroutine[string]) Coroutine[string] { return shower{w, c}.run }

func domain(rawURL string) (string, error) {
	u, err := url.Parse(rawURL)
	if err != nil {
		return "", err
	}
	if u.Hostname() == "" {
		return "", ErrNoDomain
	}
	return u.Hostname(), nil
}

func ExtractDomain(rawURL string) Coroutine[string] {
	return func(ctx context.Context) (string, error) { return domain(rawURL) }
}

func PrintDomain(w io.Writer, rawURL string) Coroutine[string] {
	return shower{w, ExtractDomain(rawURL)}.run
}

func Then[A, B any](c Coroutine[A], next func(A) Coroutine[B]) Coroutine[B] {
	return func(ctx context.Context) (B, error) {
		a, err := c(ctx)
		if err != nil {
			var none B
			return none, err
		}
		second := next(a)
		return second(ctx)
	}
}

func Gather[T any](cs ...Coroutine[T]) Coroutine[[]T] {
	return func(ctx context.Context) ([]T, error) {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		results := make([]T, len(cs))
		failures := make(chan error, len(cs))
		var wg sync.WaitGroup
		for i := range cs {
			wg.Add(1)
			go func(i int) {
				defer wg.Done()
				var err error
				results[i], err = cs[i](ctx)
				if err != nil {
					failures <- err
					cancel()
				}
			}(i)
		}
		wg.Wait()
		select {
		case err := <-failures:
			return nil, err
		default:
			return results, nil
		}
	}
}

func WithTimeout[T any](d time.Duration, c Coroutine[T]) Coroutine[T] {
	return func(ctx context.Context) (T, error) {
		ctx, cancel := context.WithTimeout(ctx, d)
		var mu sync.Mutex
		var v T
		var err error
		finished := false
		over := make(chan struct{})
		go func() {
			defer cancel()
			result, e := c(ctx)
			mu.Lock()
			defer mu.Unlock()
			if ctx.Err() == nil {
				v, err, finished = result, e, true
			}
			close(over)
		}()
		select {
		case <-over:
		case <-ctx.Done():
		}
		mu.Lock()
		defer mu.Unlock()
		if finished {
			return v, err
		}
		var zero T
		return zero, ctx.Err()
	}
}
