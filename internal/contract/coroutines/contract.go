// Package coroutines is the contract of the lesson coroutines as its suite sees
// it. See package contract.
package coroutines

import (
	"context"
	"io"
	"reflect"
	"time"
)

// ErrNoDomain is the learner's.
var ErrNoDomain error

// A Coroutine is work that has not begun, as it is given.
type Coroutine[T any] func(ctx context.Context) (T, error)

// Declared holds the functions, so that messages can say where they are declared.
var Declared struct{ WaitHere, ShowMe, ExtractDomain, PrintDomain, Then, Gather, WithTimeout any }

var (
	waitHere      func(d time.Duration) Coroutine[string]
	showMe        func(w io.Writer, c Coroutine[string]) Coroutine[string]
	extractDomain func(rawURL string) Coroutine[string]
	printDomain   func(w io.Writer, rawURL string) Coroutine[string]
)

// generic holds the generic functions by their types, which are all different.
var generic = make(map[reflect.Type]any)

func provide[F any](f F) { generic[reflect.TypeFor[F]()] = f }
func provided[F any]() F { return generic[reflect.TypeFor[F]()].(F) }

// In what follows C is the learner's Coroutine of strings, CT that of T, and so on.

// Provide has the functions of the first two tasks call these.
func Provide[C ~func(context.Context) (string, error)](
	learnersWaitHere func(d time.Duration) C,
	learnersShowMe func(w io.Writer, c C) C,
	learnersExtractDomain func(rawURL string) C,
	learnersPrintDomain func(w io.Writer, rawURL string) C,
) {
	waitHere = func(d time.Duration) Coroutine[string] { return Coroutine[string](learnersWaitHere(d)) }
	showMe = func(w io.Writer, c Coroutine[string]) Coroutine[string] {
		return Coroutine[string](learnersShowMe(w, C(c)))
	}
	extractDomain = func(rawURL string) Coroutine[string] { return Coroutine[string](learnersExtractDomain(rawURL)) }
	printDomain = func(w io.Writer, rawURL string) Coroutine[string] {
		return Coroutine[string](learnersPrintDomain(w, rawURL))
	}
}

// ProvideThen has Then call then for coroutines of A and B.
func ProvideThen[CA ~func(context.Context) (A, error), CB ~func(context.Context) (B, error), A, B any](then func(c CA, next func(A) CB) CB) {
	provide(func(c Coroutine[A], next func(A) Coroutine[B]) Coroutine[B] {
		return Coroutine[B](then(CA(c), func(a A) CB { return CB(next(a)) }))
	})
}

// ProvideGather has Gather call gather for coroutines of T.
func ProvideGather[CT ~func(context.Context) (T, error), CTs ~func(context.Context) ([]T, error), T any](gather func(cs ...CT) CTs) {
	provide(func(cs ...Coroutine[T]) Coroutine[[]T] {
		var own []CT
		if cs != nil {
			own = make([]CT, len(cs))
		}
		for i, c := range cs {
			own[i] = CT(c)
		}
		return Coroutine[[]T](gather(own...))
	})
}

// ProvideWithTimeout has WithTimeout call withTimeout for coroutines of T.
func ProvideWithTimeout[CT ~func(context.Context) (T, error), T any](withTimeout func(d time.Duration, c CT) CT) {
	provide(func(d time.Duration, c Coroutine[T]) Coroutine[T] {
		return Coroutine[T](withTimeout(d, CT(c)))
	})
}

// WaitHere calls the learner's.
func WaitHere(d time.Duration) Coroutine[string] { return waitHere(d) }

// ShowMe calls the learner's.
func ShowMe(w io.Writer, c Coroutine[string]) Coroutine[string] { return showMe(w, c) }

// ExtractDomain calls the learner's.
func ExtractDomain(rawURL string) Coroutine[string] { return extractDomain(rawURL) }

// PrintDomain calls the learner's.
func PrintDomain(w io.Writer, rawURL string) Coroutine[string] { return printDomain(w, rawURL) }

// Then calls the learner's. A and B must be types that contract_test.go provides,
// as T must be below.
func Then[A, B any](c Coroutine[A], next func(A) Coroutine[B]) Coroutine[B] {
	return provided[func(Coroutine[A], func(A) Coroutine[B]) Coroutine[B]]()(c, next)
}

// Gather calls the learner's.
func Gather[T any](cs ...Coroutine[T]) Coroutine[[]T] {
	return provided[func(...Coroutine[T]) Coroutine[[]T]]()(cs...)
}

// WithTimeout calls the learner's.
func WithTimeout[T any](d time.Duration, c Coroutine[T]) Coroutine[T] {
	return provided[func(time.Duration, Coroutine[T]) Coroutine[T]]()(d, c)
}
