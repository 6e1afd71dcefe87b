// Package verify holds the lab against itself: every untouched starter must
// fail, every reference and every other right answer must pass, and every known
// wrong answer must be caught by the test that it names.
//
// It promises that each variant of the bank is judged by the same rules here,
// whoever asks, and that no more of a suite is run than the verdict needs. It
// judges nothing itself: package runner does, and [bank.Variant.Check] says what
// must come out.
package verify

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"conclab/internal/bank"
	"conclab/internal/runner"
	"conclab/lessons"
)

// AtATime is how many variants [Run] judges at the same time: one more than two
// processors compile, since a test of a wrong answer mostly waits. Many more
// would make the suites' watchdogs see slowness where there is none.
const AtATime = 3

// patience is how long the tests of a variant that must pass may take: a slow
// machine is no mistake.
const patience = time.Minute

// Options say how variants are judged. Only Root is required.
type Options struct {
	Root  string // the module's root
	Count int    // how often each test of a variant runs; zero means once

	// Race has every wrong answer judged with the race detector, as a grader does;
	// otherwise only those that need it. The detector changes the order in which
	// goroutines run.
	Race bool
}

// Result is what came out for one variant.
type Result struct {
	Variant bank.Variant

	// Err says in which way the variant is not as it should be, or why there is
	// no verdict on it; nil if all is well.
	Err error

	// Skipped says why the variant could not be judged on this machine, or not by
	// all tests; empty if it was.
	Skipped string

	// NoRace says why the tests ran without the race detector although they
	// should have run with it; empty if nothing is missing.
	NoRace string

	// Message is how the test that a Reject names told of it; empty for all else.
	Message string

	Elapsed time.Duration // wall time
}

// OK tells whether the variant was judged and is as it should be.
func (r Result) OK() bool { return r.Err == nil && r.Skipped == "" }

// Load reads all variants of the lessons, in the order of the lessons and of
// [bank.Load]. A variant that is not written as it should be is an error that
// names its file.
func Load(root string, course []lessons.Lesson) ([]bank.Variant, error) {
	var all []bank.Variant
	for _, lesson := range course {
		variants, err := bank.Load(root, lesson)
		if err != nil {
			return nil, err
		}
		all = append(all, variants...)
	}
	return all, nil
}

// Run judges the variants, a few at a time, and returns their results in the
// order of the variants. It blocks until all are judged or ctx has ended; then
// the results have those that were finished, and the error wraps ctx.Err().
//
// On, if not nil, is called with each result as it comes, from one goroutine at
// a time.
func Run(ctx context.Context, o Options, variants []bank.Variant, on func(Result)) ([]Result, error) {
	results := make([]*Result, len(variants))
	var mu sync.Mutex
	done := func(i int, r Result) {
		if ctx.Err() != nil {
			return // an interrupted verdict is none
		}
		mu.Lock()
		defer mu.Unlock()
		results[i] = &r
		if on != nil {
			on(r)
		}
	}

	if o.Race {
		variants = slices.Clone(variants)
		for i, v := range variants {
			variants[i].Race = v.Race || v.Kind == bank.Reject && v.Test != bank.Vet
		}
	}
	plain, race, alone := share(variants)
	var group errgroup.Group
	group.SetLimit(AtATime)
	for _, kind := range []struct {
		mode    runner.RaceMode
		batches []batch
	}{{runner.RaceOff, plain}, {runner.RaceAuto, race}} {
		if len(kind.batches) == 0 {
			continue
		}
		j, err := newJoint(ctx, o, kind.mode, variants)
		if err != nil && ctx.Err() != nil {
			break // what was finished is still told
		} else if err != nil {
			return nil, errors.Join(err, group.Wait())
		}
		defer j.close()
		for _, b := range kind.batches {
			group.Go(func() error {
				j.judge(ctx, pick(variants, b), func(i int, r Result) { done(b[i], r) })
				return nil
			})
		}
	}
	for _, i := range alone {
		group.Go(func() error {
			if ctx.Err() == nil {
				done(i, Judge(ctx, o, variants[i]))
			}
			return nil
		})
	}
	_ = group.Wait()

	finished := make([]Result, 0, len(results))
	for _, r := range results {
		if r != nil {
			finished = append(finished, *r)
		}
	}
	if len(finished) < len(variants) {
		return finished, fmt.Errorf("%d of %d variants were judged: %w", len(finished), len(variants), ctx.Err())
	}
	return finished, nil
}

func pick(variants []bank.Variant, which batch) []bank.Variant {
	picked := make([]bank.Variant, len(which))
	for i, n := range which {
		picked[i] = variants[n]
	}
	return picked
}

// Judge judges one variant. It blocks until there is a verdict or ctx has ended,
// which the result's Err then wraps. It may be called from any number of
// goroutines.
func Judge(ctx context.Context, o Options, v bank.Variant) Result {
	start := time.Now()
	r := Result{Variant: v}
	r.Err = r.judge(ctx, o)
	r.Elapsed = time.Since(start)
	return r
}

func (r *Result) judge(ctx context.Context, o Options) error {
	v := r.Variant
	how, err := options(o, v)
	if err != nil {
		return err
	}
	// A variant that takes its whole process down is counted once, however many
	// passes were asked for; what is missing then is asked for again.
	for left := max(o.Count, 1); left > 0; {
		how.Count = left
		if v.Race {
			how.Count = 1 // the race detector reports a race once a process
		}
		result, err := runner.Run(ctx, how, v.Candidate(), nil)
		if err != nil {
			return err
		}
		if r.NoRace = result.NoRace; v.Race && !result.Race {
			r.Skipped = result.NoRace
			return nil
		}
		if r.Skipped = bank.Skipped(result); r.Skipped != "" && v.Kind == bank.Reject {
			return nil
		}
		if err := v.Check(result); err != nil {
			return err
		}
		r.Message = told(v, result)
		if result.Build != "" || v.Test == bank.Vet {
			return nil // the same every time
		}
		ran, err := passes(v, result)
		if err != nil {
			return err
		}
		left -= ran
	}
	return nil
}

// told returns the message of the test that a reject names.
func told(v bank.Variant, r *runner.Result) string {
	for _, task := range r.Tasks {
		for _, test := range task.Tests {
			if v.Kind == bank.Reject && test.Name == v.Test {
				return test.Message
			}
		}
	}
	return ""
}

// options chooses how much of the suite a variant needs. Most mistakes show
// without the race detector, and running without it is several times quicker;
// what must pass has to pass with it too.
func options(o Options, v bank.Variant) (runner.Options, error) {
	how := runner.Options{Root: o.Root, Race: runner.RaceOff}
	switch {
	case v.Kind == bank.Reference, v.Kind == bank.Accept, v.Race:
		how.Race = runner.RaceAuto
	}
	if v.Kind != bank.Reject {
		how.Limit = patience
		return how, nil
	}
	how.NoVet = v.Test != bank.Vet
	test := v.Test
	if test == bank.Vet {
		// The runner vets whatever it runs. Any one test will do.
		expected, err := runner.Tests(o.Root, v.Lesson)
		if err != nil {
			return how, err
		}
		test = expected[0].Names[0]
	}
	how.Tests = runner.Exactly(test)
	return how, nil
}

// passes returns how many passes of all tests have come to a verdict. It is an
// error if the test that a reject names let it through in any of them.
func passes(v bank.Variant, r *runner.Result) (int, error) {
	least := 0
	for _, task := range r.Tasks {
		for _, test := range task.Tests {
			if v.Kind == bank.Reject && test.Passes > 0 {
				return 0, fmt.Errorf("must fail in %s every time, and passed in %d of %d", test.Name, test.Passes, test.Runs)
			}
			if least == 0 || test.Runs < least {
				least = test.Runs
			}
		}
	}
	return max(least, 1), nil
}
