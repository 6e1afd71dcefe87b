package coroutines_test

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/stretchr/testify/suite"

	"conclab/internal/contract/coroutines"
	"conclab/internal/labtest"
)

// tolerance is by how much something may come late that must happen at once. The
// wrong answers are late by seconds and minutes.
const tolerance = 100 * time.Millisecond

var errBoom = errors.New("boom")

type key struct{}

// Task 1: wait here, and show me.

type ShowMeSuite struct{ labtest.Suite }

func TestShowMe(t *testing.T) { suite.Run(t, new(ShowMeSuite)) }

func (s *ShowMeSuite) TestWaitHereWaits() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("work-as-a-value", `WaitHere must wait d and then give "Done."`, coroutines.Declared.WaitHere)
		for _, d := range []time.Duration{0, time.Second, 3 * time.Minute, 1500 * time.Microsecond} {
			start := time.Now()
			result, err := coroutines.WaitHere(d)(t.Context())
			took(t, start, d, "WaitHere(%v)", d)
			require.NoError(t, err, "WaitHere(%v) failed", d)
			require.Equal(t, "Done.", result, "WaitHere(%v) gave something else", d)
		}
	})
}

func (s *ShowMeSuite) TestWaitHereEndsWithItsContext() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("work-as-a-value", "WaitHere must end with its context, at once", coroutines.Declared.WaitHere)
		for _, ending := range t.Endings() {
			ctx, end := ending.Start()
			var ended, returned time.Time
			call := t.Go(func() {
				_, err := coroutines.WaitHere(100 * time.Minute)(ctx)
				returned = time.Now()
				assert.ErrorIs(t, err, ending.Err, "its context has ended while it waited, and it returned something else")
			})
			call.Blocks("it does not wait")
			end()
			ended = time.Now()
			call.Returns("its context has ended, and it still waits")
			require.Less(t, returned.Sub(ended), tolerance, "so much later than its context has it ended")

			start := time.Now()
			_, err := coroutines.WaitHere(100 * time.Minute)(ctx)
			took(t, start, 0, "its context had ended before the call: it")
			require.ErrorIs(t, err, ending.Err, "its context had ended before the call, and it returned something else")
		}
	})
}

func (s *ShowMeSuite) TestMakingOneRunsNothing() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("work-as-a-value", "Making a coroutine must run nothing; its time begins with the call", coroutines.Declared.WaitHere, coroutines.Declared.ShowMe)
		var w labtest.Recorder
		work := new(counted)
		start := time.Now()
		wait := coroutines.WaitHere(2 * time.Minute)
		show := coroutines.ShowMe(&w, work.coroutine("hello"))
		took(t, start, 0, "making them")
		time.Sleep(time.Minute)
		require.Zero(t, work.calls.Load(), "nobody has called what ShowMe made, and so often was its coroutine called")
		require.Empty(t, w.Writes(), "nobody has called what ShowMe made, and this was written")

		start = time.Now()
		_, err := wait(t.Context())
		require.NoError(t, err, "WaitHere failed")
		took(t, start, 2*time.Minute, "WaitHere(2m), made a minute before the call,")
		_, err = show(t.Context())
		require.NoError(t, err, "ShowMe failed")
		assert.EqualValues(t, 1, work.calls.Load(), "so often was the coroutine called")
	})
}

func (s *ShowMeSuite) TestCallingItTwiceDoesItTwice() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("work-as-a-value", "Calling a coroutine twice must do its work twice, at the same time too", coroutines.Declared.WaitHere, coroutines.Declared.ShowMe)
		var w labtest.Recorder
		work := new(counted)
		wait, show := coroutines.WaitHere(time.Minute), coroutines.ShowMe(&w, work.coroutine("hello"))
		twice(t, "WaitHere(1m)", time.Minute, func(ctx context.Context) {
			result, err := wait(ctx)
			assert.NoError(t, err, "WaitHere failed")
			assert.Equal(t, "Done.", result, "WaitHere gave something else")
		})
		twice(t, "ShowMe", 0, func(ctx context.Context) {
			result, err := show(ctx)
			assert.NoError(t, err, "ShowMe failed")
			assert.Equal(t, "hello", result, "ShowMe gave something else")
		})
		assert.Equal(t, 4, int(work.calls.Load()), "what ShowMe made was called four times, and its coroutine so often")
		assert.Equal(t, strings.Repeat("hello\n", 4), w.String(), "and this was written")

		slowly := coroutines.ShowMe(&w, after(time.Minute, "hello", nil))
		twice(t, "ShowMe of WaitHere(1m)", time.Minute, func(ctx context.Context) {
			_, err := slowly(ctx)
			assert.NoError(t, err, "ShowMe failed")
		})
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		_, err := wait(ended)
		require.ErrorIs(t, err, context.Canceled, "its context had ended before the call, and WaitHere returned something else")
		_, err = wait(t.Context())
		require.NoError(t, err, "one call of WaitHere ended with its context, and the next failed")
		failsFirst(t, "ShowMe, whose coroutine fails first", coroutines.ShowMe(&w, sometimes()))
		failsFirst(t, "ShowMe, whose writer fails first", coroutines.ShowMe(stumbling(), give("hello", nil)))
	})
}

func (s *ShowMeSuite) TestItShowsTheResultAndGivesItOn() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("work-as-a-value", "ShowMe must write the result and a newline, in one Write, and give the result on", coroutines.Declared.ShowMe)
		for _, want := range []string{"Done.", "", "100 %d of it\t", " two\nlines ", "a line with its newline\n"} {
			var w labtest.Recorder
			result, err := coroutines.ShowMe(&w, give(want, nil))(t.Context())
			require.NoError(t, err, "ShowMe failed")
			require.Equal(t, want, result, "another result was given on")
			require.Equal(t, []string{want + "\n"}, w.Writes(), "these Writes came")
		}

		long := strings.Repeat("so much ", 12_500)
		var w labtest.Recorder
		_, err := coroutines.ShowMe(&w, give(long, nil))(t.Context())
		require.NoError(t, err, "ShowMe failed")
		require.Equal(t, 1, len(w.Writes()), "the result had %d bytes, and so many Writes came", len(long))
		assert.True(t, w.String() == long+"\n", "the result had %d bytes, and something else was written", len(long))
	})
}

func (s *ShowMeSuite) TestItAwaitsTheCoroutine() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("work-as-a-value", "ShowMe must await its coroutine, and pass the context on", coroutines.Declared.ShowMe)
		var w labtest.Recorder
		show := coroutines.ShowMe(&w, func(ctx context.Context) (string, error) {
			assert.True(t, ctx.Value(key{}) == "mine", "the caller's context has a value, and the context that the coroutine got has not")
			return after(time.Minute, "Done.", nil)(ctx)
		})
		start := time.Now()
		_, err := show(context.WithValue(t.Context(), key{}, "mine"))
		require.NoError(t, err, "ShowMe failed")
		took(t, start, time.Minute, "ShowMe of WaitHere(1m)")
		require.Equal(t, "Done.\n", w.String(), "this was written")

		endsWithItsCaller(t, "its coroutine", func(ctx context.Context) error {
			_, err := show(ctx)
			return err
		})
	})
}

func (s *ShowMeSuite) TestOnAnErrorItWritesNothing() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("work-as-a-value", "If its coroutine fails, ShowMe must write nothing and give the error on", coroutines.Declared.ShowMe)
		var w labtest.Recorder
		_, err := coroutines.ShowMe(&w, give("half a result", errBoom))(t.Context())
		assert.ErrorIs(t, err, errBoom, "the coroutine failed, and ShowMe returned something else")
		assert.Empty(t, w.Writes(), "the coroutine failed, and this was written")
	})
}

func (s *ShowMeSuite) TestAWriteErrorIsReturned() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("work-as-a-value", "ShowMe must return the error of its writer", coroutines.Declared.ShowMe)
		_, err := coroutines.ShowMe(broken, give("hello", nil))(t.Context())
		assert.ErrorIs(t, err, errBoom, "writing failed, and ShowMe returned something else")
		_, err = coroutines.ShowMe(halfBroken, give("hello", nil))(t.Context())
		assert.ErrorIs(t, err, errBoom, "writing failed behind the first byte, and ShowMe returned something else")
	})
}

// Task 2: the domain of a URL.

type DomainSuite struct{ labtest.Suite }

func TestDomain(t *testing.T) { suite.Run(t, new(DomainSuite)) }

func (s *DomainSuite) TestTheHostName() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("errors-are-results", "ExtractDomain must give the host name, without port, user or brackets", coroutines.Declared.ExtractDomain)
		for rawURL, want := range map[string]string{
			"https://me@www.example.com:8080/x":       "www.example.com",
			"https://www.example.com":                 "www.example.com",
			"http://example.com/":                     "example.com",
			"http://localhost:8080":                   "localhost",
			"https://example.com?q=http://other.test": "example.com",
			"https://example.com#@other.test":         "example.com",
			"https://me:secret@example.com/a@b:c/d":   "example.com",
			"https://me:p%40ss@example.com:443":       "example.com",
			"ftp://files.example.com/pub":             "files.example.com",
			"ws://chat.example.com/socket":            "chat.example.com",
			"git+ssh://git@code.example.com/lab.git":  "code.example.com",
			"postgres://me@db.example.com:5432/lab":   "db.example.com",
			"HTTPS://example.com/":                    "example.com",
			"//example.com/path":                      "example.com",
			"http://192.0.2.1:80/":                    "192.0.2.1",
			"http://[2001:db8::1]:8080/":              "2001:db8::1",
			"http://[::1]/":                           "::1",
			"http://example.com:/":                    "example.com",
			"http://[fe80::1%25en0]/":                 "fe80::1%en0",
			"https://bücher.example/":                 "bücher.example",
			"http://my_host/":                         "my_host",
		} {
			domain, err := coroutines.ExtractDomain(rawURL)(t.Context())
			require.NoError(t, err, "it failed for %q", rawURL)
			require.Equal(t, want, domain, "it gave another domain for %q", rawURL)
		}
	})
}

func (s *DomainSuite) TestNoHost() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("errors-are-results", "ExtractDomain must return ErrNoDomain for a URL without a host", coroutines.Declared.ExtractDomain)
		for _, rawURL := range []string{"", "www.example.com", "/path/only", "mailto:me@example.com", "https://", "file:///etc/hosts", "https://:8080/x", "http://me@/", "?q=1", "#part"} {
			_, err := coroutines.ExtractDomain(rawURL)(t.Context())
			require.ErrorIs(t, err, coroutines.ErrNoDomain, "%q has no host, and it returned something else", rawURL)
		}
	})
}

func (s *DomainSuite) TestNoURL() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("errors-are-results", "ExtractDomain must return an error for what does not parse", coroutines.Declared.ExtractDomain)
		for _, rawURL := range []string{"https://www exam ple.com/", "http://[::1", "http://example.com:port/", "https://example.com/%zz", ":", "http://exa\x00mple.com", " https://www.example.com", "https://example.com\n"} {
			_, err := coroutines.ExtractDomain(rawURL)(t.Context())
			require.Error(t, err, "%q does not parse, and it returned no error", rawURL)
		}
	})
}

func (s *DomainSuite) TestItPrintsTheDomainAndGivesIt() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("errors-are-results", "PrintDomain must write the domain and a newline, in one Write, and give it", coroutines.Declared.PrintDomain)
		var w labtest.Recorder
		print := coroutines.PrintDomain(&w, "https://me@www.example.com:8080/x")
		t.Settle()
		require.Empty(t, w.Writes(), "nobody has called what PrintDomain made, and this was written")
		twice(t, "PrintDomain", 0, func(ctx context.Context) {
			domain, err := print(ctx)
			assert.NoError(t, err, "it failed")
			assert.Equal(t, "www.example.com", domain, "it gave something else")
		})
		assert.Equal(t, slices.Repeat([]string{"www.example.com\n"}, 4), w.Writes(), "it was called four times, and these Writes came")
	})
}

func (s *DomainSuite) TestWithoutADomainNothingIsPrinted() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("errors-are-results", "PrintDomain must give on the error of ExtractDomain, and write nothing", coroutines.Declared.PrintDomain)
		var w labtest.Recorder
		_, err := coroutines.PrintDomain(&w, "mailto:me@example.com")(t.Context())
		assert.ErrorIs(t, err, coroutines.ErrNoDomain, "the URL has no host, and it returned something else")
		_, err = coroutines.PrintDomain(&w, "http://[::1")(t.Context())
		assert.Error(t, err, "the URL does not parse, and it returned no error")
		assert.Empty(t, w.Writes(), "this was written")
	})
}

func (s *DomainSuite) TestAWriteErrorIsReturned() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("errors-are-results", "PrintDomain must return the error of its writer", coroutines.Declared.PrintDomain)
		_, err := coroutines.PrintDomain(broken, "https://www.example.com")(t.Context())
		assert.ErrorIs(t, err, errBoom, "writing failed, and it returned something else")
		_, err = coroutines.PrintDomain(halfBroken, "https://www.example.com")(t.Context())
		assert.ErrorIs(t, err, errBoom, "writing failed behind the first byte, and it returned something else")
		failsFirst(t, "PrintDomain, whose writer fails first", coroutines.PrintDomain(stumbling(), "https://hello"))
	})
}

// Task 3: one after the other, and all at the same time.

type GatherSuite struct{ labtest.Suite }

func TestGather(t *testing.T) { suite.Run(t, new(GatherSuite)) }

func (s *GatherSuite) TestThenRunsOneAfterTheOther() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("one-after-the-other", "Then must run c, then what next makes of its result", coroutines.Declared.Then)
		var order labtest.Recorder
		chain := coroutines.Then(
			func(ctx context.Context) (string, error) {
				_, err := after(time.Minute, "Done.", nil)(ctx)
				fmt.Fprint(&order, "c ")
				return "four", err
			},
			func(s string) coroutines.Coroutine[int] {
				fmt.Fprintf(&order, "next(%s) ", s)
				return func(ctx context.Context) (int, error) {
					fmt.Fprint(&order, "its coroutine ")
					_, err := after(time.Minute, "Done.", nil)(ctx)
					return len(s), err
				}
			})
		t.Settle()
		require.Empty(t, order.String(), "nobody has called it, and it ran this")

		start := time.Now()
		n, err := chain(t.Context())
		require.NoError(t, err, "it failed")
		require.Equal(t, 4, n, "it gave something else")
		require.Equal(t, "c next(four) its coroutine ", order.String(), "it ran in another order")
		took(t, start, 2*time.Minute, "two coroutines of a minute each")
		twice(t, "Then", 2*time.Minute, func(ctx context.Context) {
			n, err := chain(ctx)
			assert.NoError(t, err, "it failed")
			assert.Equal(t, 4, n, "it gave something else")
		})

		calls := 0
		tenfold := coroutines.Then(
			func(context.Context) (int, error) { calls++; return calls, nil },
			func(n int) coroutines.Coroutine[int] { return give(10*n, nil) })
		for _, want := range []int{10, 20} {
			n, err := tenfold(t.Context())
			require.NoError(t, err, "it failed")
			require.Equal(t, want, n, "next makes tenfold of what c gives, which is 1, and in the second call 2: it gave something else")
		}
	})
}

func (s *GatherSuite) TestAnErrorEndsTheChain() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("one-after-the-other", "An error must end the chain, and next must not be called", coroutines.Declared.Then)
		_, err := coroutines.Then(give("half a result", errBoom), func(string) coroutines.Coroutine[int] {
			t.Errorf("c failed, and next was called")
			return give(1, nil)
		})(t.Context())
		assert.ErrorIs(t, err, errBoom, "c failed, and it returned something else")

		_, err = coroutines.Then(give("fine", nil), func(string) coroutines.Coroutine[int] { return give(0, errBoom) })(t.Context())
		assert.ErrorIs(t, err, errBoom, "the second one failed, and it returned something else")

		failsFirst(t, "Then, whose c fails first", coroutines.Then(sometimes(), func(s string) coroutines.Coroutine[string] { return give(s, nil) }))
		second := sometimes()
		failsFirst(t, "Then, whose second one fails first", coroutines.Then(give("", nil), func(string) coroutines.Coroutine[string] { return second }))
	})
}

func (s *GatherSuite) TestThenPassesTheContextOn() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("one-after-the-other", "Then must pass the caller's context on to both", coroutines.Declared.Then)
		check := func(ctx context.Context, who string) {
			assert.True(t, ctx.Value(key{}) == "mine", "the caller's context has a value, and the context that %s got has not", who)
		}
		waiting := after(100*time.Minute, "Done.", nil)
		chain := coroutines.Then(
			func(ctx context.Context) (string, error) {
				check(ctx, "the first one")
				return "", nil
			},
			func(string) coroutines.Coroutine[string] {
				return func(ctx context.Context) (string, error) {
					check(ctx, "the second one")
					return waiting(ctx)
				}
			})
		endsWithItsCaller(t, "the second one", func(ctx context.Context) error {
			_, err := chain(ctx)
			return err
		})
	})
}

func (s *GatherSuite) TestAllRunAtTheSameTime() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("all-at-the-same-time", "Gather must run all at the same time", coroutines.Declared.Gather)
		const n = 1_200
		meeting := labtest.NewMeeting(n)
		cs := make([]coroutines.Coroutine[int], n)
		for i := range cs {
			cs[i] = func(ctx context.Context) (int, error) {
				if !meeting.Attend() {
					t.Errorf("of %d coroutines %d have not begun, and the others have waited for them for an hour", n, meeting.Missing())
				}
				_, err := after(time.Second, "Done.", nil)(ctx)
				return i, err
			}
		}
		start := time.Now()
		_, err := coroutines.Gather(cs...)(t.Context())
		require.NoError(t, err, "it failed")
		took(t, start, time.Second, "they take a second each, and all %d", n)
	})
}

func (s *GatherSuite) TestResultsComeInTheOrderOfTheArguments() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("all-at-the-same-time", "Gather must give the results in the order of its arguments", coroutines.Declared.Gather)
		cs := make([]coroutines.Coroutine[int], 5)
		for i := range cs {
			cs[i] = coroutines.Then(coroutines.WaitHere(time.Duration((i*2)%5)*time.Second),
				func(string) coroutines.Coroutine[int] { return give(i, nil) })
		}
		results, err := coroutines.Gather(cs...)(t.Context())
		require.NoError(t, err, "it failed")
		assert.Equal(t, []int{0, 1, 2, 3, 4}, results, "other results, or another order")

		failures, err := coroutines.Gather(give[error](nil, nil), give(errBoom, nil))(t.Context())
		require.NoError(t, err, "two succeeded, and their results are errors, one of them nil: it failed")
		assert.Equal(t, []error{nil, errBoom}, failures, "other results, or another order")

		none, err := coroutines.Gather[int]()(t.Context())
		assert.NoError(t, err, "without arguments it failed")
		assert.Empty(t, none, "without arguments it gave results")

		ended, cancel := context.WithCancel(t.Context())
		cancel()
		deaf, err := coroutines.Gather(ignoring(time.Second, nil), ignoring(0, nil))(ended)
		if err == nil {
			assert.Equal(t, []int{1, 1}, deaf, "the caller's context had ended before the call, both coroutines ignore that and give 1, Gather returned no error, and gave something else")
		}
	})
}

func (s *GatherSuite) TestTheFirstErrorCancelsTheOthers() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("all-at-the-same-time", "The first error must cancel the others' context", coroutines.Declared.Gather)
		start := time.Now()
		forEver := func(ctx context.Context) (int, error) {
			<-ctx.Done()
			return 0, ctx.Err()
		}
		call := t.Go(func() {
			_, err := coroutines.Gather(forEver, after(time.Second, 0, errBoom), forEver)(t.Context())
			took(t, start, time.Second, "one fails after a second, and it")
			assert.ErrorIs(t, err, errBoom, "it returned another error than the first")
		})
		time.Sleep(2 * time.Second)
		call.Returns("one has failed, and the others' context has not ended")
	})
}

func (s *GatherSuite) TestItReturnsTheFirstError() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("all-at-the-same-time", "Gather must return the error that came first, in time", coroutines.Declared.Gather)
		other := errors.New("a later error")
		late := func(ctx context.Context) (int, error) {
			<-ctx.Done()
			return 0, other
		}
		for _, cs := range [][]coroutines.Coroutine[int]{
			{late, after(time.Second, 0, errBoom), late},
			{after(time.Second, 0, errBoom), late},
			{late, late, after(time.Second, 0, errBoom)},
			{ignoring(2*time.Second, other), after(time.Second, 0, errBoom), ignoring(3*time.Second, other)},
			{give(0, errBoom), late, late},
		} {
			for _, ctx := range []context.Context{t.Context(), slow{t.Context(), make(chan struct{})}} {
				var err error
				t.Go(func() { _, err = coroutines.Gather(cs...)(ctx) }).
					Returns("one has failed, the others end with their contexts or after some seconds, and Gather does not return")
				require.ErrorIs(t, err, errBoom, "it returned another error than the first")
			}
		}
		for _, own := range []error{context.Canceled, context.DeadlineExceeded} {
			_, err := coroutines.Gather(give(1, nil), give(0, own))(t.Context())
			require.ErrorIs(t, err, own, "one failed, though the caller's context had not ended, and it returned something else")
			_, err = coroutines.Gather(ignoring(2*time.Second, other), ignoring(time.Second, own))(t.Context())
			require.ErrorIs(t, err, own, "it returned another error than the first")
		}
		_, err := coroutines.Gather(ignoring(3*time.Second, &url.Error{Err: other}), ignoring(time.Second, uncomparable{"first"}), ignoring(2*time.Second, uncomparable{"second"}))(t.Context())
		var first uncomparable
		require.ErrorAs(t, err, &first, "three failed with errors of two types, and it returned another than the first")
		require.Equal(t, uncomparable{"first"}, first, "it returned another error than the first")
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(2*time.Second, cancel)
		_, err = coroutines.Gather(after(time.Second, 0, errBoom), ignoring(3*time.Second, nil))(ctx)
		assert.ErrorIs(t, err, errBoom, "the caller's context ended after the first error, and it returned something else")

		ended, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		_, err = coroutines.Gather(ignoring(2*time.Second, errBoom), ignoring(3*time.Second, other))(ended)
		assert.ErrorIs(t, err, errBoom, "the caller's context ended, then one failed with an error of its own, and it returned something else")
	})
}

func (s *GatherSuite) TestItWaitsForTheOthers() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("all-at-the-same-time", "After an error Gather must wait until all have returned", coroutines.Declared.Gather)
		var cleaned atomic.Int64
		tidy := func(ctx context.Context) (int, error) {
			<-ctx.Done()
			time.Sleep(time.Minute)
			cleaned.Add(1)
			return 0, ctx.Err()
		}
		start := time.Now()
		_, err := coroutines.Gather(tidy, after(time.Second, 0, errBoom), tidy)(t.Context())
		assert.ErrorIs(t, err, errBoom, "it returned another error than the first")
		assert.EqualValues(t, 2, cleaned.Load(), "it has returned, and of the two others so many had")
		took(t, start, time.Minute+time.Second, "one fails after a second, the others tidy up for a minute, and it")

		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		start = time.Now()
		_, err = coroutines.Gather(tidy, tidy)(ctx)
		assert.ErrorIs(t, err, context.Canceled, "both have ended with their context, and it returned something else")
		assert.EqualValues(t, 4, cleaned.Load(), "the caller's context has ended and it has returned, and of four so many had by then")
		took(t, start, time.Minute+time.Second, "the caller's context ends after a second, both tidy up for a minute, and it")
	})
}

func (s *GatherSuite) TestASuccessCancelsNobody() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("all-at-the-same-time", "One that succeeds must not disturb the others", coroutines.Declared.Gather)
		alone, err := coroutines.Gather(after(2*time.Minute, "Done.", nil))(t.Context())
		require.NoError(t, err, "its only coroutine takes two minutes, the caller's context has no deadline, and Gather failed")
		require.Equal(t, []string{"Done."}, alone, "its only coroutine takes two minutes, and Gather gave something else")
		results, err := coroutines.Gather(give("at once", nil), after(2*time.Minute, "Done.", nil), after(time.Second, "Done.", nil))(t.Context())
		assert.NoError(t, err, "one succeeded at once, the others took longer, nobody failed, and Gather did")
		assert.Equal(t, []string{"at once", "Done.", "Done."}, results, "it gave something else")
	})
}

func (s *GatherSuite) TestGatherPassesTheContextOn() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("all-at-the-same-time", "Gather must make the others' contexts from the caller's", coroutines.Declared.Gather)
		one := func(ctx context.Context) (string, error) {
			assert.True(t, ctx.Value(key{}) == "mine", "the caller's context has a value, and the context that a coroutine got has not")
			return after(100*time.Minute, "Done.", nil)(ctx)
		}
		endsWithItsCaller(t, "them", func(ctx context.Context) error {
			_, err := coroutines.Gather(one, one)(ctx)
			return err
		})
	})
}

func (s *GatherSuite) TestCallingItTwiceDoesItTwice() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("all-at-the-same-time", "Making a Gather must run nothing, and calling it twice must do its work twice", coroutines.Declared.Gather)
		var calls atomic.Int64
		count := func(ctx context.Context) (int, error) {
			n := int(calls.Add(1))
			_, err := after(time.Second, "Done.", nil)(ctx)
			return n, err
		}
		both := coroutines.Gather(count, count)
		t.Settle()
		require.Zero(t, calls.Load(), "nobody has called it, and so often was one of its coroutines called")

		all := make(chan []int, 4)
		twice(t, "Gather", time.Second, func(ctx context.Context) {
			results, err := both(ctx)
			assert.NoError(t, err, "it failed")
			all <- results
		})
		seen := map[int]bool{}
		for range 4 {
			for _, n := range <-all {
				seen[n] = true
			}
		}
		assert.Equal(t, 8, len(seen), "Gather of two coroutines was called four times, each call of a coroutine gives another number, and so many different ones came")

		// Nor does the first error of one call concern the next.
		failing := true
		both = coroutines.Gather(func(ctx context.Context) (int, error) {
			if failing {
				return 0, errBoom
			}
			return 1, ctx.Err()
		})
		_, err := both(t.Context())
		require.ErrorIs(t, err, errBoom, "it returned something else")
		failing = false
		results, err := both(t.Context())
		require.NoError(t, err, "the first call failed, and the second fails too")
		assert.Equal(t, []int{1}, results, "the second call gave something else")
	})
}

// Task 4, for the brave: no longer than that.

type WithTimeoutSuite struct{ labtest.Suite }

func TestWithTimeout(t *testing.T) { suite.Run(t, new(WithTimeoutSuite)) }

func (s *WithTimeoutSuite) TestInTimeItGivesWhatCGives() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("no-longer-than-that", "In time WithTimeout must give c's own result or error", coroutines.Declared.WithTimeout)
		start := time.Now()
		result, err := coroutines.WithTimeout(time.Minute, after(time.Second, "Done.", nil))(t.Context())
		took(t, start, time.Second, "c takes a second, and it")
		assert.NoError(t, err, "c succeeded in time, and it failed")
		assert.Equal(t, "Done.", result, "it gave something else")
		nothing, err := coroutines.WithTimeout(time.Minute, give[error](nil, nil))(t.Context())
		assert.NoError(t, err, "c gave a nil result in time, and it failed")
		assert.Nil(t, nothing, "c gave nil, and it gave something else")
		for _, own := range []error{errBoom, context.Canceled, context.DeadlineExceeded} {
			_, err = coroutines.WithTimeout(time.Minute, ignoring(time.Second, own))(t.Context())
			assert.ErrorIs(t, err, own, "c failed in time, and it returned something else")
		}
	})
}

func (s *WithTimeoutSuite) TestAfterDItEnds() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("no-longer-than-that", "If c is not finished after d, it must end with context.DeadlineExceeded", coroutines.Declared.WithTimeout)
		for _, c := range []struct {
			what string
			do   coroutines.Coroutine[int]
		}{
			{"c ignores its context", ignoring(time.Minute, nil)},
			{"c ignores its context and fails", ignoring(time.Minute, errBoom)},
			{"c returns its context's error when that ends", func(ctx context.Context) (int, error) { <-ctx.Done(); return 0, ctx.Err() }},
			{"c fails with boom when its context ends", func(ctx context.Context) (int, error) { <-ctx.Done(); return 0, errBoom }},
			{"c gives a result when its context ends", func(ctx context.Context) (int, error) { <-ctx.Done(); return 1, nil }},
		} {
			for _, d := range []time.Duration{time.Second, 1500 * time.Microsecond} {
				start := time.Now()
				_, err := coroutines.WithTimeout(d, c.do)(t.Context())
				took(t, start, d, "d is %v, %s: it", d, c.what)
				require.ErrorIs(t, err, context.DeadlineExceeded, "d is %v, %s, and it returned something else", d, c.what)
			}
		}
		for _, d := range []time.Duration{0, -time.Second} {
			start := time.Now()
			_, err := coroutines.WithTimeout(d, ignoring(time.Minute, nil))(t.Context())
			took(t, start, 0, "c takes a minute and d is %v: it", d)
			require.ErrorIs(t, err, context.DeadlineExceeded, "c takes a minute and d is %v, and it returned something else", d)
		}
	})
}

func (s *WithTimeoutSuite) TestCsContextEndsThen() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("no-longer-than-that", "After d c's context must end", coroutines.Declared.WithTimeout)
		start := time.Now()
		ended := make(chan time.Time, 1)
		_, err := coroutines.WithTimeout(time.Second, func(ctx context.Context) (int, error) {
			assert.NoError(t, ctx.Err(), "c's context had ended before c began")
			select {
			case <-ctx.Done():
			case <-time.After(24 * time.Minute):
			}
			ended <- time.Now()
			return 0, nil
		})(t.Context())
		require.ErrorIs(t, err, context.DeadlineExceeded, "c ends with its context, or later, and WithTimeout(1s) returned something else")
		assert.Less(t, (<-ended).Sub(start), time.Second+tolerance, "WithTimeout(1s): so long after the call c's context ended, or c gave up waiting for that")
	})
}

func (s *WithTimeoutSuite) TestTheCallersEndComesThrough() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("no-longer-than-that", "The caller's own end must come through as such, at once, even if c ignores it", coroutines.Declared.WithTimeout)
		for _, c := range []struct {
			what string
			do   coroutines.Coroutine[int]
		}{
			{"c ignores its context", ignoring(50*time.Minute, nil)},
			{"c returns its context's error when that ends", func(ctx context.Context) (int, error) { <-ctx.Done(); return 0, ctx.Err() }},
			{"c fails with boom when its context ends", func(ctx context.Context) (int, error) { <-ctx.Done(); return 0, errBoom }},
			{"c gives a result when its context ends", func(ctx context.Context) (int, error) { <-ctx.Done(); return 1, nil }},
		} {
			for _, ending := range t.Endings() {
				ctx, end := ending.Start()
				var ended, returned time.Time
				call := t.Go(func() {
					_, err := coroutines.WithTimeout(100*time.Minute, c.do)(ctx)
					returned = time.Now()
					assert.ErrorIs(t, err, ending.Err, "%s: the caller's context ended long before d, and it returned something else", c.what)
				})
				call.Blocks("it does not wait for c")
				end()
				ended = time.Now()
				call.Returns("%s: the caller's context has ended, and it still waits", c.what)
				require.Less(t, returned.Sub(ended), tolerance, "so much later than the caller's context has it ended")
			}
		}

		// Who ends the context goes on before those who wait for that.
		for range 20 {
			ctx, cancel := context.WithCancel(t.Context())
			_, err := coroutines.WithTimeout(100*time.Minute, func(context.Context) (int, error) {
				time.Sleep(time.Second)
				cancel()
				return 1, nil
			})(ctx)
			require.ErrorIs(t, err, context.Canceled, "c itself ended the caller's context and then gave a result: it returned something else")
		}

		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		start := time.Now()
		_, err := coroutines.WithTimeout(100*time.Minute, ignoring(50*time.Minute, nil))(ctx)
		took(t, start, 0, "the caller's context had ended before the call: it")
		assert.ErrorIs(t, err, context.Canceled, "the caller's context had ended before the call, and it returned something else")
	})
}

func (s *WithTimeoutSuite) TestCsContextIsMadeFromTheCallers() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("no-longer-than-that", "c's context must be made from the caller's", coroutines.Declared.WithTimeout)
		ctx, cancel := context.WithCancel(context.WithValue(t.Context(), key{}, "mine"))
		ended := make(chan bool, 1)
		call := t.Go(func() {
			_, _ = coroutines.WithTimeout(100*time.Minute, func(ctx context.Context) (int, error) {
				assert.True(t, ctx.Value(key{}) == "mine", "the caller's context has a value, and the context that c got has not")
				select {
				case <-ctx.Done():
					ended <- true
				case <-time.After(50 * time.Minute):
					ended <- false
				}
				return 0, nil
			})(ctx)
		})
		call.Blocks("it does not wait for c")
		cancel()
		call.Returns("the caller's context has ended, and it still waits")
		assert.True(t, <-ended, "the caller's context has ended, and c's has not")
	})
}

func (s *WithTimeoutSuite) TestTheClockStartsWithTheCall() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("no-longer-than-that", "Making it must run nothing, its clock must start with the call, and calling it twice do its work twice", coroutines.Declared.WithTimeout)
		work := new(counted)
		c := coroutines.WithTimeout(2*time.Minute, coroutines.Then(work.coroutine(""), func(string) coroutines.Coroutine[string] {
			return after(90*time.Second, "Done.", nil)
		}))
		time.Sleep(time.Minute)
		require.Zero(t, work.calls.Load(), "nobody has called it, and so often was c called")
		twice(t, "WithTimeout(2m)", 90*time.Second, func(ctx context.Context) {
			result, err := c(ctx)
			assert.NoError(t, err, "it was made a minute or more before this call, c took 90 seconds of the two minutes, and it failed")
			assert.Equal(t, "Done.", result, "it gave something else")
		})
		assert.EqualValues(t, 4, work.calls.Load(), "it was called four times, and c so often")

		failsFirst(t, "WithTimeout, whose c fails first", coroutines.WithTimeout(time.Second, sometimes()))
		var calls atomic.Int64
		limited := coroutines.WithTimeout(10*time.Second, func(ctx context.Context) (string, error) {
			if calls.Add(1) == 1 {
				return after(time.Minute, "Done.", nil)(ctx)
			}
			return give("Done.", nil)(ctx)
		})
		_, err := limited(t.Context())
		require.ErrorIs(t, err, context.DeadlineExceeded, "c took a minute of ten seconds, and it returned something else")
		_, err = limited(t.Context())
		require.NoError(t, err, "one call took too long, and the next, which did not, failed")
	})
}

func (s *WithTimeoutSuite) TestNobodyStaysBehind() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("no-longer-than-that", "No goroutine may stay behind once c has returned", coroutines.Declared.WithTimeout)
		t.NothingStays()
		ctx := context.WithoutCancel(t.Context()) // ends nobody
		for _, c := range []coroutines.Coroutine[int]{
			ignoring(time.Minute, nil), ignoring(time.Minute, errBoom), ignoring(time.Second, nil), give(1, nil),
			func(ctx context.Context) (int, error) { <-ctx.Done(); return 0, nil },
		} {
			_, _ = coroutines.WithTimeout(time.Second, c)(ctx)
			ended, cancel := context.WithCancel(ctx)
			call := t.Go(func() { _, _ = coroutines.WithTimeout(100*time.Minute, c)(ended) })
			t.Wait()
			cancel()
			call.Returns("the caller's context has ended, and it still waits")
		}
	})
}

// counted counts how often its coroutine is called.
type counted struct{ calls atomic.Int64 }

func (c *counted) coroutine(result string) coroutines.Coroutine[string] {
	return func(context.Context) (string, error) {
		c.calls.Add(1)
		return result, nil
	}
}

// give returns a coroutine that gives these at once.
func give[T any](result T, err error) coroutines.Coroutine[T] {
	return func(context.Context) (T, error) { return result, err }
}

// after returns a coroutine that gives these after d, and ends with its context.
func after[T any](d time.Duration, result T, err error) coroutines.Coroutine[T] {
	return func(ctx context.Context) (T, error) {
		select {
		case <-time.After(d):
			return result, err
		case <-ctx.Done():
			return result, ctx.Err()
		}
	}
}

// ignoring returns a coroutine that takes d, whatever happens to its context.
func ignoring(d time.Duration, err error) coroutines.Coroutine[int] {
	return func(context.Context) (int, error) {
		time.Sleep(d)
		return 1, err
	}
}

// slow is a context that does not end. The others run for a while whenever one is
// made from it, and while one such ends.
type slow struct {
	context.Context
	done chan struct{}
}

func (c slow) Done() <-chan struct{} { return c.done }
func (slow) Err() error              { return nil }
func (slow) AfterFunc(func()) func() bool {
	labtest.StepAside()
	return func() bool { labtest.StepAside(); return true }
}

// sometimes returns a coroutine of which the first call fails, the second does
// not, and so on.
func sometimes() coroutines.Coroutine[string] {
	calls := 0
	return func(context.Context) (string, error) {
		if calls++; calls%2 == 1 {
			return "", errBoom
		}
		return "hello", nil
	}
}

// stumbling returns a writer that fails as a coroutine of sometimes does.
func stumbling() labtest.WriterFunc {
	next := sometimes()
	return func(p []byte) (int, error) {
		if _, err := next(context.Background()); err != nil {
			return 0, err
		}
		return len(p), nil
	}
}

// failsFirst checks that what became of one call is nothing to the next.
func failsFirst(t *labtest.T, what string, c coroutines.Coroutine[string]) {
	for range 2 {
		_, err := c(t.Context())
		require.ErrorIs(t, err, errBoom, "%s: it returned something else", what)
		result, err := c(t.Context())
		require.NoError(t, err, "%s: the call after that failed too", what)
		require.Equal(t, "hello", result, "%s: the call after that gave something else", what)
	}
}

// uncomparable is an error that cannot be compared with ==.
type uncomparable []string

func (e uncomparable) Error() string { return e[0] }

// endsWithItsCaller checks that a call waits for whom, and that whom waits no longer
// when the caller's context has ended, in whichever way. The context has a value.
func endsWithItsCaller(t *labtest.T, whom string, call func(ctx context.Context) error) {
	for _, ending := range t.Endings() {
		ctx, end := ending.Start()
		waits := t.Go(func() {
			err := call(context.WithValue(ctx, key{}, "mine"))
			assert.ErrorIs(t, err, ending.Err, "the caller's context has ended, and it returned something else")
		})
		waits.Blocks("it does not wait for %s", whom)
		end()
		waits.Returns("the caller's context has ended, and it still waits for %s", whom)
	}
}

// twice calls f twice, one after the other and at the same time, which is four
// times, and checks that each time it takes d.
func twice(t *labtest.T, what string, d time.Duration, f func(ctx context.Context)) {
	for _, call := range []string{"the first call", "a second call, after the first had returned,"} {
		start := time.Now()
		f(t.Context())
		took(t, start, d, "%s: %s", what, call)
	}
	start := time.Now()
	one, other := t.Go(func() { f(t.Context()) }), t.Go(func() { f(t.Context()) })
	one.Join()
	other.Join()
	took(t, start, d, "%s: two calls at the same time", what)
}

// took checks that as much time has passed as should have.
func took(t *labtest.T, start time.Time, want time.Duration, what string, args ...any) {
	got := time.Since(start)
	if got < want || got >= want+tolerance {
		t.Fatalf("%s took %v instead of %v", fmt.Sprintf(what, args...), got, want)
	}
}

// broken is a writer that fails, halfBroken one that writes a byte first.
var (
	broken     = labtest.WriterFunc(func([]byte) (int, error) { return 0, errBoom })
	halfBroken = labtest.WriterFunc(func([]byte) (int, error) { return 1, errBoom })
)
