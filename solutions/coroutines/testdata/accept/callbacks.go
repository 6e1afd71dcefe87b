// Whoever waits is woken by callbacks: time.AfterFunc and context.AfterFunc settle a future, the first of them wins.
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

// settled is a result that is there once.
type settled[T any] struct {
	once sync.Once
	done chan struct{}
	v    T
	err  error
}

func newSettled[T any]() *settled[T] { return &settled[T]{done: make(chan struct{})} }

func (s *settled[T]) set(v T, err error) {
	s.once.Do(func() {
		s.v, s.err = v, err
		close(s.done)
	})
}

func (s *settled[T]) get() (T, error) {
	<-s.done
	return s.v, s.err
}

func WaitHere(d time.Duration) Coroutine[string] {
	return func(ctx context.Context) (string, error) {
		s := newSettled[string]()
		timer := time.AfterFunc(d, func() { s.set("Done.", nil) })
		defer timer.Stop()
		stop := context.AfterFunc(ctx, func() { s.set("", fmt.Errorf("waiting: %w", ctx.Err())) })
		defer stop()
		return s.get()
	}
}

func ShowMe(w io.Writer, c Coroutine[string]) Coroutine[string] {
	return func(ctx context.Context) (string, error) {
		s, err := c(ctx)
		if err == nil {
			_, err = io.WriteString(w, s+"\n")
		}
		return s, err
	}
}

func ExtractDomain(rawURL string) Coroutine[string] {
	return func(ctx context.Context) (string, error) {
		u, err := url.Parse(rawURL)
		if err != nil {
			return "", fmt.Errorf("extracting the domain: %w", err)
		}
		if host := u.Hostname(); host != "" {
			return host, nil
		}
		return "", fmt.Errorf("extracting the domain of %s: %w", rawURL, ErrNoDomain)
	}
}

func PrintDomain(w io.Writer, rawURL string) Coroutine[string] {
	return func(ctx context.Context) (string, error) { return ShowMe(w, ExtractDomain(rawURL))(ctx) }
}

func Then[A, B any](c Coroutine[A], next func(A) Coroutine[B]) Coroutine[B] {
	return func(ctx context.Context) (B, error) {
		if a, err := c(ctx); err != nil {
			return *new(B), err
		} else {
			return next(a)(ctx)
		}
	}
}

func Gather[T any](cs ...Coroutine[T]) Coroutine[[]T] {
	return func(ctx context.Context) ([]T, error) {
		ctx, cancel := context.WithCancelCause(ctx)
		defer cancel(nil)
		var mu sync.Mutex
		var failed error
		results := make([]T, len(cs))
		var wg sync.WaitGroup
		wg.Add(len(cs))
		for i := range cs {
			go func() {
				defer wg.Done()
				v, err := cs[i](ctx)
				mu.Lock()
				defer mu.Unlock()
				results[i] = v
				if err != nil && failed == nil {
					failed = err
					cancel(err)
				}
			}()
		}
		wg.Wait()
		return results, failed
	}
}

func WithTimeout[T any](d time.Duration, c Coroutine[T]) Coroutine[T] {
	return func(ctx context.Context) (T, error) {
		inner, cancel := context.WithCancel(ctx)
		defer cancel()
		s := newSettled[T]()
		timer := time.AfterFunc(d, func() {
			var zero T
			s.set(zero, context.DeadlineExceeded)
			cancel()
		})
		defer timer.Stop()
		stop := context.AfterFunc(ctx, func() {
			var zero T
			s.set(zero, ctx.Err())
		})
		defer stop()
		go func() {
			v, err := c(inner)
			if ctx.Err() == nil {
				s.set(v, err)
			}
		}()
		return s.get()
	}
}
