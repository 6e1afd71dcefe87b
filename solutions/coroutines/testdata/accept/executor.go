// In the manner of Java: everything is submitted to an executor, both halves of a chain too, and outcomes are taken as they are completed, each with its index.
package coroutines

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"time"
)

var ErrNoDomain = errors.New("no domain in URL")

type Coroutine[T any] func(ctx context.Context) (T, error)

// Outcome is a pair, since channels carry one thing.
type Outcome[T any] struct {
	Index int
	Value T
	Error error
}

// Callable is something that can be submitted.
type Callable[T any] interface {
	Call(ctx context.Context) Outcome[T]
}

type coroutineCallable[T any] struct {
	index int
	c     Coroutine[T]
}

func (cc coroutineCallable[T]) Call(ctx context.Context) Outcome[T] {
	v, err := cc.c(ctx)
	return Outcome[T]{cc.index, v, err}
}

// ExecutorService runs Callables.
type ExecutorService[T any] struct {
	completed chan Outcome[T]
	submitted int
}

func NewExecutorService[T any](capacity int) *ExecutorService[T] {
	return &ExecutorService[T]{completed: make(chan Outcome[T], capacity)}
}

func (e *ExecutorService[T]) Submit(ctx context.Context, c Callable[T]) {
	e.submitted++
	go func() { e.completed <- c.Call(ctx) }()
}

func (e *ExecutorService[T]) Take() Outcome[T] { return <-e.completed }

func WaitHere(d time.Duration) Coroutine[string] {
	return func(ctx context.Context) (string, error) {
		if err := ctx.Err(); err != nil {
			return "", err
		}
		own, cancel := context.WithTimeout(context.Background(), d)
		defer cancel()
		select {
		case <-own.Done():
			return "Done.", nil
		case <-ctx.Done():
			return "", ctx.Err()
		}
	}
}

func ShowMe(w io.Writer, c Coroutine[string]) Coroutine[string] {
	return func(ctx context.Context) (string, error) {
		result, err := c(ctx)
		if err != nil {
			return "", fmt.Errorf("could not show: %w", err)
		}
		if _, err := fmt.Fprintln(w, result); err != nil {
			return "", fmt.Errorf("could not write: %w", err)
		}
		return result, nil
	}
}

func ExtractDomain(rawURL string) Coroutine[string] {
	return func(context.Context) (string, error) {
		parsed, err := url.Parse(rawURL)
		switch {
		case err != nil:
			return "", fmt.Errorf("extract domain: %w", err)
		case parsed.Hostname() == "":
			return "", fmt.Errorf("extract domain of %q: %w", rawURL, ErrNoDomain)
		}
		return parsed.Hostname(), nil
	}
}

func PrintDomain(w io.Writer, rawURL string) Coroutine[string] {
	return Then(ExtractDomain(rawURL), func(domain string) Coroutine[string] {
		return ShowMe(w, func(context.Context) (string, error) { return domain, nil })
	})
}

func Then[A, B any](c Coroutine[A], next func(A) Coroutine[B]) Coroutine[B] {
	return func(ctx context.Context) (B, error) {
		var nothing B
		first := NewExecutorService[A](1)
		first.Submit(ctx, coroutineCallable[A]{0, c})
		a := first.Take()
		if a.Error != nil {
			return nothing, a.Error
		}
		second := NewExecutorService[B](1)
		second.Submit(ctx, coroutineCallable[B]{1, next(a.Value)})
		b := second.Take()
		return b.Value, b.Error
	}
}

func Gather[T any](cs ...Coroutine[T]) Coroutine[[]T] {
	return func(ctx context.Context) ([]T, error) {
		shared, shutdownNow := context.WithCancel(ctx)
		defer shutdownNow()
		executor := NewExecutorService[T](0)
		for i, c := range cs {
			executor.Submit(shared, coroutineCallable[T]{i, c})
		}
		values := make(map[int]T)
		var firstError error
		for executor.submitted > 0 {
			outcome := executor.Take()
			executor.submitted--
			if outcome.Error != nil && firstError == nil {
				firstError = outcome.Error
				shutdownNow()
			}
			values[outcome.Index] = outcome.Value
		}
		if firstError != nil {
			return nil, firstError
		}
		var list []T
		for i := range cs {
			list = append(list, values[i])
		}
		return list, nil
	}
}

func WithTimeout[T any](d time.Duration, c Coroutine[T]) Coroutine[T] {
	return func(ctx context.Context) (T, error) {
		var nothing T
		if err := ctx.Err(); err != nil {
			return nothing, err
		}
		own, cancel := context.WithCancel(ctx)
		defer cancel()
		executor := NewExecutorService[T](1)
		executor.Submit(own, coroutineCallable[T]{0, c})
		alarm := time.NewTimer(d)
		defer alarm.Stop()
		select {
		case <-alarm.C:
			return nothing, context.DeadlineExceeded
		case <-ctx.Done():
			return nothing, ctx.Err()
		case outcome := <-executor.completed:
			if err := ctx.Err(); err != nil {
				return nothing, err
			}
			return outcome.Value, outcome.Error
		}
	}
}
