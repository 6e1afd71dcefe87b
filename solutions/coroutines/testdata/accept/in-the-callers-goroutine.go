// Gather does the last one itself, WaitHere is a context with a timeout, and a result travels as a function that returns it; the timeout's error is a type of its own.
package coroutines

import (
	"bufio"
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

func WaitHere(d time.Duration) Coroutine[string] {
	return func(parent context.Context) (string, error) {
		if err := parent.Err(); err != nil {
			return "", err
		}
		ctx, cancel := context.WithTimeout(parent, d)
		defer cancel()
		<-ctx.Done()
		if err := parent.Err(); err != nil {
			return "", err
		}
		return "Done.", nil
	}
}

func ShowMe(w io.Writer, c Coroutine[string]) Coroutine[string] {
	return func(ctx context.Context) (string, error) {
		s, err := c(ctx)
		if err != nil {
			return "", err
		}
		b := bufio.NewWriterSize(w, len(s)+1)
		b.WriteString(s)
		b.WriteByte('\n')
		if err := b.Flush(); err != nil {
			return s, err
		}
		return s, nil
	}
}

func ExtractDomain(rawURL string) Coroutine[string] {
	return Then(
		func(context.Context) (*url.URL, error) { return url.Parse(rawURL) },
		func(u *url.URL) Coroutine[string] {
			return func(context.Context) (string, error) {
				if u.Hostname() == "" {
					return "", ErrNoDomain
				}
				return u.Hostname(), nil
			}
		})
}

func PrintDomain(w io.Writer, rawURL string) Coroutine[string] {
	return func(ctx context.Context) (string, error) {
		d, err := ExtractDomain(rawURL)(ctx)
		if err != nil {
			return d, err
		}
		if _, err = io.WriteString(w, d+"\n"); err != nil {
			return "", fmt.Errorf("printing %s: %w", d, err)
		}
		return d, nil
	}
}

func Then[A, B any](c Coroutine[A], next func(A) Coroutine[B]) Coroutine[B] {
	return func(ctx context.Context) (b B, err error) {
		var a A
		if a, err = c(ctx); err != nil {
			return
		}
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		return next(a)(ctx)
	}
}

// Gather does the last one itself, in the caller's goroutine.
func Gather[T any](cs ...Coroutine[T]) Coroutine[[]T] {
	return func(ctx context.Context) ([]T, error) {
		results := make([]T, len(cs))
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		var once sync.Once
		var first error
		do := func(i int) {
			r, err := cs[i](ctx)
			if err != nil {
				once.Do(func() { first = err; cancel() })
				return
			}
			results[i] = r
		}
		var wg sync.WaitGroup
		for i := range cs {
			if i < len(cs)-1 {
				wg.Go(func() { do(i) })
			} else {
				do(i)
			}
		}
		wg.Wait()
		return results, first
	}
}

type timeoutError struct{ d time.Duration }

func (e timeoutError) Error() string        { return "not finished after " + e.d.String() }
func (e timeoutError) Is(target error) bool { return target == context.DeadlineExceeded }

func WithTimeout[T any](d time.Duration, c Coroutine[T]) Coroutine[T] {
	return func(parent context.Context) (T, error) {
		ctx, cancel := context.WithTimeoutCause(parent, d, timeoutError{d})
		defer cancel()
		result := make(chan func() (T, error), 1)
		go func() {
			v, err := c(ctx)
			result <- func() (T, error) { return v, err }
		}()
		select {
		case f := <-result:
			return f()
		case <-ctx.Done():
			if parent.Err() != nil {
				return *new(T), parent.Err()
			}
			return *new(T), context.Cause(ctx)
		}
	}
}
