package queues_test

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/stretchr/testify/suite"

	"conclab/internal/contract/queues"
	"conclab/internal/labtest"
)

// SleepyWorkSuite is task 1: one worker sends, another waits.
type SleepyWorkSuite struct{ labtest.Suite }

func TestSleepyWork(t *testing.T) { suite.Run(t, new(SleepyWorkSuite)) }

func (s *SleepyWorkSuite) TestSleepySleepsThenSends() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("sleepy-and-work", "Sleepy must sleep for dozeOff, then send", queues.Sleepy)
		for _, dozeOff := range []time.Duration{0, 1500 * time.Microsecond, 3141 * time.Millisecond, 90 * time.Second} {
			out := make(chan string, 1) // room, so that it is no matter who comes first
			start := time.Now()
			t.Go(func() { queues.Sleepy(out, dozeOff) })

			msg := <-out
			slept := time.Since(start)

			assert.Equal(t, "Worker awake.", msg, "another message came")
			assert.GreaterOrEqual(t, slept, dozeOff, "told to sleep for %v, it sent after %v", dozeOff, slept)
			assert.Less(t, slept, dozeOff+time.Second, "told to sleep for %v, it sent after %v", dozeOff, slept)
			t.Progress()
		}
	})
}

func (s *SleepyWorkSuite) TestSleepyWaitsForItsReceiver() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("sleepy-and-work", "Sleepy must send its message, also to someone who comes later", queues.Sleepy)
		out := make(chan string)
		sleepy := t.Go(func() { queues.Sleepy(out, time.Second) })
		t.Pass(6 * time.Minute)
		sleepy.Blocks("nobody received its message for six minutes, and it returned")

		t.Go(func() {
			assert.Equal(t, "Worker awake.", <-out, "another message came")
		}).Returns("nobody received for six minutes, and now it sends nothing any more")
		sleepy.Returns("its message has been received, and it did not return")
	})
}

func (s *SleepyWorkSuite) TestSleepySendsOnce() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("sleepy-and-work", "Sleepy must send one message", queues.Sleepy)
		out := make(chan string, 10)

		t.Go(func() { queues.Sleepy(out, time.Second) }).Returns("there is room for ten messages, but it did not return")

		assert.Equal(t, 1, len(out), "it sent another number")
	})
}

func (s *SleepyWorkSuite) TestSleepyDoesNotClose() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("sleepy-and-work", "Sleepy must not close out: others may still send", queues.Sleepy)
		out := make(chan string, 2)

		t.Go(func() { queues.Sleepy(out, time.Second) }).Returns("there is room for two messages, but it did not return")

		<-out
		select {
		case _, open := <-out:
			assert.True(t, open, "out is closed")
		default:
		}
	})
}

func (s *SleepyWorkSuite) TestWorkWaitsForItsMessage() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("sleepy-and-work", "Work must wait as long as it takes, then write one line with one Write", queues.Work)
		for _, msg := range []string{"100%d \"it's\" done\\n\n", "not UTF-8: \xff", strings.Repeat("long", 2500)} {
			in, out := make(chan string), new(labtest.Recorder)
			work := t.Go(func() { queues.Work(in, out) })
			t.Pass(6 * time.Minute)
			work.Blocks("nothing was sent for six minutes, and it gave up")

			in <- msg

			work.Returns("it got its message and did not return")
			writes := out.Writes()
			require.True(t, len(writes) == 1, "for a message of %d bytes that begins with %.30q it called Write %d times", len(msg), msg, len(writes))
			require.True(t, writes[0] == "Got '"+msg+"' from Queue.\n", "for the message %.30q it wrote %.50q", msg, writes[0])
		}
	})
}

func (s *SleepyWorkSuite) TestWorkTakesOneMessage() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("sleepy-and-work", "Work must take one message and leave the rest to others", queues.Work)
		in, out := make(chan string, 2), new(labtest.Recorder)
		in <- "one"
		in <- "two"

		t.Go(func() { queues.Work(in, out) }).Returns("two messages were waiting, and it did not return")

		assert.Equal(t, "Got 'one' from Queue.\n", out.String(), "it wrote something else")
		assert.Equal(t, 1, len(in), "it took %d of two", 2-len(in))
	})
}

func (s *SleepyWorkSuite) TestWorkWritesAnEmptyMessage() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("sleepy-and-work", "Work must take an empty message for a message", queues.Work)
		in, out := make(chan string, 1), new(labtest.Recorder)
		in <- ""

		t.Go(func() { queues.Work(in, out) }).Returns("it got the message and did not return")

		assert.Equal(t, "Got '' from Queue.\n", out.String(), "it wrote something else")
	})
}

func (s *SleepyWorkSuite) TestWorkWritesTheLastMessage() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("sleepy-and-work", "Work must write a message that was sent before in was closed", queues.Work)
		in, out := make(chan string, 1), new(labtest.Recorder)
		in <- "the last"
		close(in)

		t.Go(func() { queues.Work(in, out) }).Returns("it got the message and did not return")

		assert.Equal(t, "Got 'the last' from Queue.\n", out.String(), "it wrote something else")
	})
}

func (s *SleepyWorkSuite) TestWorkWritesNothingIfClosed() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("sleepy-and-work", "Work must write nothing if in is closed without a message", queues.Work)
		in, out := make(chan string), new(labtest.Recorder)
		work := t.Go(func() { queues.Work(in, out) })
		t.Wait()

		close(in)

		work.Returns("in was closed and it still waits")
		assert.True(t, len(out.Writes()) == 0, "it called Write with %q", out.Writes())
	})
}

// QueueSuite is task 2: a queue with a limit.
type QueueSuite struct{ labtest.Suite }

func TestQueue(t *testing.T) { suite.Run(t, new(QueueSuite)) }

func (s *QueueSuite) TestFirstInFirstOut() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("first-in-first-out", "What was put first must be got first", queues.Declared.Put, queues.Declared.Get)
		q := newQueue[int](t, 5)

		put(t, q, 1, 2, 3, 4, 5)

		assert.Equal(t, []int{1, 2, 3, 4, 5}, get(t, q, 5), "another order")
	})
}

func (s *QueueSuite) TestOrderHoldsForLong() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("first-in-first-out", "What was put first must be got first, however long the queue has been in use", queues.Declared.Put, queues.Declared.Get)
		q := newQueue[int](t, 3)
		put(t, q, 0, 1)

		for n := 2; n < many; n++ {
			if n%1000 == 0 {
				t.Progress()
			}
			require.NoError(t, q.Put(context.Background(), n), "Put failed")
			v, err := q.Get(context.Background())
			require.NoError(t, err, "Get failed")
			require.Equal(t, n-2, v, "another order with %d items put so far", n+1)
		}
	})
}

func (s *QueueSuite) TestBlockedPutQueuesBehind() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("first-in-first-out", "A Put that had to wait must add its item behind those already there, before those put later", queues.Declared.Put, queues.Declared.Get)
		q := newQueue[int](t, 2)
		put(t, q, 1, 2)
		third := goPut(t, q, 3)
		third.Blocks("the 3rd Put on New(2) returned at once")

		got := get(t, q, 1)
		third.Returns("a Get made room, and the blocked Put still waits")
		got = append(got, get(t, q, 1)...)
		put(t, q, 4)
		got = append(got, get(t, q, 2)...)

		assert.Equal(t, []int{1, 2, 3, 4}, got, "another order")
	})
}

func (s *QueueSuite) TestPutBlocksWhileFull() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("bounded", "Put must block while maxsize items wait", queues.Declared.Put)
		q := newQueue[int](t, 3)
		put(t, q, 1, 2, 3)

		fourth := goPut(t, q, 4)

		fourth.Blocks("the 4th Put on New(3) returned at once")
		t.Pass(2 * time.Minute)
		fourth.Blocks("nobody had made room, and after two minutes the 4th Put on New(3) returned")
		get(t, q, 1)
		fourth.Returns("a Get made room, and the blocked Put still waits")
		assert.Equal(t, []int{2, 3, 4}, get(t, q, 3), "other items waited")

		large := newQueue[int](t, 2_000)
		t.Go(func() {
			for n := range 2_000 {
				put(t, large, n)
			}
		}).Returns("one of 2,000 Puts on New(2000) still waits")
		oneMore := goPut(t, large, 2_000)
		oneMore.Blocks("2,000 items waited, and one more Put on New(2000) returned at once")
		get(t, large, 1)
		oneMore.Returns("a Get made room on New(2000), and the blocked Put still waits")
	})
}

func (s *QueueSuite) TestGetBlocksWhileEmpty() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("bounded", "Get must block while no item waits", queues.Declared.Get)
		getBlocksWhileEmpty(t, 3)
	})
}

func (s *QueueSuite) TestEachGetLetsOnePutIn() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("bounded", "Each Get must make room for one blocked Put", queues.Declared.Get, queues.Declared.Put)
		q := newQueue[int](t, 1)
		put(t, q, 0)
		var done labtest.Gauge
		for n := range 4 {
			t.Go(func() {
				put(t, q, n+1)
				done.Enter()
			})
		}
		t.Settle()

		for n := range 4 {
			require.Equal(t, n, done.Now(), "after %d Gets, %d of 4 Puts that were blocked on New(1) have returned", n, done.Now())
			get(t, q, 1)
			t.Settle()
		}
		assert.Equal(t, 4, done.Now(), "after 4 Gets, %d of 4 Puts that were blocked on New(1) have returned", done.Now())

		t.Rule("bounded", "Several Gets in a row must make room for as many blocked Puts", queues.Declared.Get, queues.Declared.Put)
		for range 20 {
			q := newQueue[int](t, 3)
			put(t, q, 1, 2, 3)
			puts := []*labtest.Call{goPut(t, q, 4), goPut(t, q, 5), goPut(t, q, 6)}
			t.Wait()

			get(t, q, 3)

			for _, p := range puts {
				p.Join()
			}
			t.Progress()
		}

		full := newQueue[int](t, 2)
		put(t, full, 1, 2)
		bothAreServed(t, "two Puts found the queue full, two items were got before they waited", func(ctx context.Context) { _ = full.Put(ctx, 3) }, func() { get(t, full, 2) })
	})
}

func (s *QueueSuite) TestEveryWaitingGetIsServed() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("bounded", "Several Puts in a row must serve as many waiting Gets", queues.Declared.Put, queues.Declared.Get)
		everyWaitingGetIsServed(t, 4)
	})
}

// bothAreServed lets two calls find that they have to wait, and serves both
// before they do.
func bothAreServed(t *labtest.T, when string, wait func(ctx context.Context), serve func()) {
	for range 3 {
		var served labtest.Gauge
		call := func(look func()) func() {
			return sync.OnceFunc(func() {
				t.Go(func() {
					wait(beforeDone{t.Context(), look})
					served.Enter()
				})
				labtest.StepAside()
			})
		}
		serveBoth := sync.OnceFunc(func() {
			t.Go(serve)
			labtest.StepAside()
		})
		second := call(serveBoth)

		call(second)()
		second() // if nobody has looked at Done
		serveBoth()
		t.Settle()

		require.Equal(t, 2, served.Now(), "%s, and of the two so many returned", when)
	}
}

// beforeDone is a context with which something happens before each look at Done.
type beforeDone struct {
	context.Context
	then func()
}

func (c beforeDone) Done() <-chan struct{} {
	c.then()
	return c.Context.Done()
}

func (s *QueueSuite) TestPutsAndGetsTakeTurns() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("bounded", "A Put must wake a waiting Get, a Get a waiting Put, not just anybody", queues.Declared.Put, queues.Declared.Get)
		for range 20 {
			q := newQueue[int](t, 1)
			gets := []*getCall{goGet(t, q), goGet(t, q), goGet(t, q)}
			t.Wait()

			put(t, q, 1, 2, 3)

			for _, g := range gets {
				g.Join()
			}
			t.Progress()
		}
	})
}

func (s *QueueSuite) TestEveryItemIsGotOnce() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("bounded", "Every item must be got exactly once, with any number of producers and consumers", queues.Declared.Put, queues.Declared.Get)
		everyItemIsGotOnce(t, 1)
		everyItemIsGotOnce(t, 5)
		itemsOutliveTheirContexts(t, 3)
	})
}

func (s *QueueSuite) TestOneItemIsForOneGet() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("bounded", "Of several Gets at the same time only one may get the only item", queues.Declared.Get)
		for range 20 {
			q := newQueue[int](t, 1)
			put(t, q, 1)
			got := make(chan int, 8)
			getOne := func() { got <- get(t, q, 1)[0] }

			race := t.Go(func() { t.Collide(slices.Repeat([]func(){getOne}, 8)...) })
			first := <-got
			put(t, q, 2, 3, 4, 5, 6, 7, 8)
			race.Join()

			require.Equal(t, 1, first, "1 was put, and %d came out", first)
			for range 7 {
				require.NotEqual(t, 1, <-got, "1 was put once and came out twice")
			}
			t.Progress()
		}
	})
}

func (s *QueueSuite) TestZeroValuesAreItems() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("bounded", "A zero value must be an item like any other", queues.Declared.Put, queues.Declared.Get)
		zeroValuesAreItems(t, 3)
	})
}

func (s *QueueSuite) TestLenCountsWaitingItems() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("bounded", "Len must be the number of waiting items", queues.Declared.Len)
		q := newQueue[int](t, 2)
		assert.Equal(t, 0, q.Len(), "it is %d on a new queue", q.Len())

		waiting := goGet(t, q)
		t.Settle()
		assert.Equal(t, 0, q.Len(), "it is %d while a Get is blocked", q.Len())
		put(t, q, 1)
		waiting.Join()
		assert.Equal(t, 0, q.Len(), "it is %d when the only item has been got", q.Len())

		put(t, q, 2)
		assert.Equal(t, 1, q.Len(), "it is %d after one Put", q.Len())
		put(t, q, 3)
		assert.Equal(t, 2, q.Len(), "it is %d after two Puts", q.Len())

		blocked := goPut(t, q, 4)
		blocked.Blocks("the 3rd Put on New(2) returned at once")
		assert.Equal(t, 2, q.Len(), "it is %d with two items and a Put that is blocked", q.Len())
		get(t, q, 1)
		blocked.Join()
		assert.Equal(t, 2, q.Len(), "it is %d when the blocked Put has taken the room that a Get made", q.Len())

		t.Rule("bounded", "Len must be the number of waiting items, also while others put and get", queues.Declared.Len)
		t.Race(func() labtest.Heat {
			q := newQueue[int](t, 200)
			put(t, q, make([]int, 100)...)
			return labtest.Heat{Rounds: 300, Racers: []func(int){
				func(int) {
					put(t, q, 0)
					get(t, q, 1)
				},
				func(int) {
					for range 4 {
						if n := q.Len(); n < 90 || n > 110 {
							t.Errorf("100 items wait, somebody puts one more and gets one, and it is %d", n)
						}
					}
				},
			}, Check: func() { require.Equal(t, 100, q.Len(), "100 items wait, and it is %d", q.Len()) }}
		})
	})
}

func (s *QueueSuite) TestPutEndsWithItsContext() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("giving-up", "A Put that blocks must end with its context and leave its item out", queues.Declared.Put)
		for _, end := range endings {
			q := newQueue[int](t, 1)
			put(t, q, 1)
			ctx, cancel := end.make(t)
			defer cancel()
			var err error
			blocked := t.Go(func() { err = q.Put(ctx, 2) })
			blocked.Blocks("the 2nd Put on New(1) returned at once")

			cancel()

			blocked.Returns("its context has %s, and it still waits", end.name)
			require.ErrorIs(t, err, ctx.Err(), "its context has %s, and it returned something else", end.name)
			assert.Equal(t, 1, q.Len(), "its context has %s, and then Len is %d instead of 1", end.name, q.Len())
			get(t, q, 1)
			t.Settle()
			require.Equal(t, 0, q.Len(), "its context has %s, then the only other item was got, and Len is %d: its item came in all the same", end.name, q.Len())
			goPut(t, q, 3).Returns("its context has %s, then the only other item was got, and the next Put finds no room", end.name)
			assert.Equal(t, []int{3}, get(t, q, 1), "its context has %s, and its item came out all the same", end.name)
		}
	})
}

func (s *QueueSuite) TestGetEndsWithItsContext() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("giving-up", "A Get that blocks must end with its context and take nothing", queues.Declared.Get)
		getEndsWithItsContext(t, 3)
	})
}

func (s *QueueSuite) TestDeadlineIsNoticed() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("giving-up", "A Put or Get that blocks must end when its deadline passes", queues.Declared.Put, queues.Declared.Get)
		q := newQueue[int](t, 1)
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		defer cancel()

		_, err := q.Get(ctx)
		require.ErrorIs(t, err, context.DeadlineExceeded, "Get on an empty queue returned something else")

		put(t, q, 1)
		ctx, cancel = context.WithTimeout(t.Context(), 30*time.Second)
		defer cancel()
		err = q.Put(ctx, 2)
		require.ErrorIs(t, err, context.DeadlineExceeded, "Put on a full queue returned something else")
	})
}

func (s *QueueSuite) TestEndedContextPutsNothing() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("giving-up", "A Put whose context had ended before must end with it, even if there is room", queues.Declared.Put)
		endedContextPutsNothing(t, 200)

		full := newQueue[int](t, 1)
		put(t, full, 1)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		assert.ErrorIs(t, full.Put(ctx, 2), context.Canceled, "on a full queue it returned something else")
	})
}

func (s *QueueSuite) TestEndedContextGetsNothing() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("giving-up", "A Get whose context had ended before must end with it, even if an item waits", queues.Declared.Get)
		endedContextGetsNothing(t, 100)
	})
}

func (s *QueueSuite) TestOthersGoOnWaiting() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("giving-up", "The end of one call's context must not end the waiting of others", queues.Declared.Put, queues.Declared.Get)
		otherGetsGoOnWaiting(t, 1)

		q := newQueue[int](t, 1)
		put(t, q, 2)
		ctx, cancel := context.WithCancel(t.Context())
		next := goPut(t, q, 3)
		t.Wait()
		quits := t.Go(func() { _ = q.Put(ctx, 4) })
		t.Settle()

		cancel()

		quits.Returns("two Puts block, the context of one has ended, and that one still waits")
		next.Blocks("one Put's context ended, and another Put returned although the queue is full")
		get(t, q, 1)
		next.Returns("there is room, and the Put that was left still waits")

		t.Rule("giving-up", "Of three calls that block, if one is served and one gives up, the third must go on waiting, and be served", queues.Declared.Put, queues.Declared.Get)
		empty, full := newQueue[int](t, 1), newQueue[int](t, 1)
		thirdIsServed(t, "Get", func(ctx context.Context) { _, _ = empty.Get(ctx) }, func() { put(t, empty, 1) })
		put(t, full, 1)
		thirdIsServed(t, "Put", func(ctx context.Context) { _ = full.Put(ctx, 2) }, func() { get(t, full, 1) })
	})
}

func thirdIsServed(t *labtest.T, what string, wait func(ctx context.Context), serve func()) {
	var calls [3]*labtest.Call
	var cancels [3]context.CancelFunc
	for n := range calls {
		ctx, cancel := context.WithCancel(t.Context())
		cancels[n] = cancel
		calls[n] = t.Go(func() { wait(ctx) })
		t.Settle()
	}

	serve()
	t.Settle()
	served := slices.IndexFunc(calls[:], (*labtest.Call).Returned)
	require.False(t, served < 0, "three %ss block, one could go on, and all three still wait", what)
	cancels[(served+1)%3]()
	calls[(served+1)%3].Returns("three %ss blocked, one was served, the context of another has ended, and that one still waits", what)
	serve()

	calls[(served+2)%3].Returns("three %ss blocked, one was served, another gave up, and the third still waits although it could go on", what)
}

func (s *QueueSuite) TestTheContextMayEndBehindAnyLookAtIt() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("giving-up", "A call must end with its context, whenever that ends, and one that fails must leave the queue as it was", queues.Declared.Put, queues.Declared.Get)
		contextMayEndBehindAnyLook(t, 1)

		t.InTurn(100, func(ctx *labtest.Moment) {
			q := newQueue[int](t, 1)
			put(t, q, 1)
			endsBehindALook(t, ctx, "Put on a full queue", func() error { return q.Put(ctx, 2) })
			require.Equal(t, 1, q.Len(), "one item waited, a Put on a full queue failed, and Len is %d", q.Len())
		})
	})
}

func (s *QueueSuite) TestNothingIsLostWhenAGetGivesUp() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("giving-up", "If an item comes as a Get's context ends, nothing must be lost", queues.Declared.Get, queues.Declared.Put)
		nothingIsLostWhenAGetGivesUp(t, 1)

		t.Rule("giving-up", "If an item comes as a Get's context ends, what was put first must still be got first", queues.Declared.Get, queues.Declared.Put)
		orderHoldsWhenAGetGivesUp(t, 2)
	})
}

func (s *QueueSuite) TestNothingIsDoubledWhenAPutGivesUp() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("giving-up", "If room comes as a Put's context ends, it must either put its item or end with its context, not both", queues.Declared.Put)
		for round := range 45 {
			q := newQueue[int](t, 1)
			put(t, q, 0)
			ctx, cancel := context.WithCancel(t.Context())
			var err error
			quits := t.Go(func() { err = q.Put(ctx, 1) })
			t.Wait()
			stays := goPut(t, q, 2)
			t.Wait()

			atOnce(t, round, cancel, func() { get(t, q, 1) })

			quits.Join()
			if err == nil {
				require.Equal(t, []int{1}, get(t, q, 1), "Put(1) returned nil, and the next item is another")
			} else {
				require.ErrorIs(t, err, context.Canceled, "Put(1) returned something else")
			}
			stays.Returns("Put(1) returned %v as room came, and Put(2) still waits for the room that is left", err)
			require.Equal(t, []int{2}, get(t, q, 1), "Put(1) returned %v, and then the next item is not 2", err)
			t.Wait()
			require.Equal(t, 0, q.Len(), "Put(1) returned %v, and when all has been got Len is %d", err, q.Len())
			t.Progress()
		}
	})
}

// CloseSuite is task 3: the end of a queue with a limit.
type CloseSuite struct{ labtest.Suite }

func TestClose(t *testing.T) { suite.Run(t, new(CloseSuite)) }

func (s *CloseSuite) TestPutAfterClose() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("closing-time", "After Close, Put must return ErrClosed, whether there is room or not", queues.Declared.Put, queues.Declared.Close)
		putAfterClose(t, 200)

		full := newQueue[int](t, 1)
		put(t, full, 1)
		full.Close()
		assert.ErrorIs(t, full.Put(t.Context(), 2), queues.ErrClosed, "on a full queue it returned something else")
	})
}

func (s *CloseSuite) TestBlockedPutsEnd() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("closing-time", "Close must end every blocked Put with ErrClosed", queues.Declared.Close, queues.Declared.Put)
		q := newQueue[int](t, 1)
		put(t, q, 0)
		errs := make([]error, 10)
		var puts []*labtest.Call
		for n := range errs {
			puts = append(puts, t.Go(func() { errs[n] = q.Put(t.Context(), n+1) }))
		}
		t.Pass(10 * time.Second)
		t.Wait()
		require.False(t, slices.ContainsFunc(puts, (*labtest.Call).Returned), "a Put on a full queue returned at once")

		q.Close()

		for n, p := range puts {
			p.Returns("the queue is closed, and a Put that was blocked still waits")
			assert.ErrorIs(t, errs[n], queues.ErrClosed, "a Put that was blocked returned something else")
		}
	})
}

func (s *CloseSuite) TestBlockedPutsDeliverNothing() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("closing-time", "A Put that is blocked when the queue is closed must not deliver its item, though room comes", queues.Declared.Put, queues.Declared.Close)
		for range 20 {
			q := newQueue[int](t, 1)
			put(t, q, 0)
			var err error
			blocked := t.Go(func() { err = q.Put(t.Context(), 1) })
			t.Wait()

			q.Close()
			got := get(t, q, 1)

			blocked.Join()
			require.ErrorIs(t, err, queues.ErrClosed, "the blocked Put returned something else")
			require.Equal(t, []int{0}, got, "another item waited")
			closedAndEmpty(t, q)
			t.Progress()
		}
	})
}

func (s *CloseSuite) TestWaitingItemsCanBeGot() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("closing-time", "Items that wait when the queue is closed can still be got; after them Get must return ErrClosed", queues.Declared.Get, queues.Declared.Close)
		waitingItemsCanBeGot(t, 100)

		t.Rule("closing-time", "On a closed queue, of two Gets at the same time each must get an item or ErrClosed", queues.Declared.Get, queues.Declared.Close)
		for range 4 {
			t.Race(func() labtest.Heat {
				var qs [200]queues.Queue[int]
				for i := range qs {
					qs[i] = newQueue[int](t, 2)
					put(t, qs[i], []int{1, 2}[:1+i%4/3]...)
					qs[i].Close()
				}
				var errs [2][len(qs)]error
				return labtest.Heat{Rounds: len(qs), Racers: []func(int){
					func(i int) { _, errs[0][i] = qs[i].Get(t.Context()) },
					func(i int) { _, errs[1][i] = qs[i].Get(t.Context()) },
				}, Check: func() {
					for i := range qs {
						one, other := errs[0][i], errs[1][i]
						if one != nil {
							one, other = other, one
						}
						require.NoError(t, one, "one item waited, and of two Gets at the same time none got it")
						if i%4 == 3 {
							require.NoError(t, other, "two items waited, and of two Gets at the same time one got none")
							continue
						}
						require.ErrorIs(t, other, queues.ErrClosed, "one item waited, and of two Gets at the same time one got it, the other something else")
					}
				}}
			})
		}
	})
}

func (s *CloseSuite) TestBlockedGetsEnd() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("closing-time", "Close must end every blocked Get with ErrClosed", queues.Declared.Close, queues.Declared.Get)
		blockedGetsEnd(t, 3)
	})
}

func (s *CloseSuite) TestCloseTwice() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("closing-time", "Closing a closed queue must do nothing", queues.Declared.Close)
		closeTwice(t, 3)
	})
}

func (s *CloseSuite) TestSeveralMayClose() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("closing-time", "Several must be able to close a queue at the same time", queues.Declared.Close)
		severalMayClose(t, 1)
	})
}

func (s *CloseSuite) TestPutAndCloseRace() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("closing-time", "With Put and Close at the same time, every item whose Put returned nil can be got", queues.Declared.Put, queues.Declared.Close)
		putAndCloseRace(t, 4)
	})
}

// UnboundedSuite is task 4, for the brave: a queue without a limit. The rules
// of tasks 2 and 3 hold for it too.
type UnboundedSuite struct{ labtest.Suite }

func TestUnbounded(t *testing.T) { suite.Run(t, new(UnboundedSuite)) }

func (s *UnboundedSuite) TestPutNeverBlocks() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("unbounded", "With maxsize <= 0, Put must never block", queues.Declared.Put)
		for maxsize, items := range map[int]int{0: many, -1: 1_000, -7: 1_000} {
			q := newQueue[int](t, maxsize)
			done := 0
			puts := t.Go(func() {
				for n := range items {
					if n%1000 == 0 {
						t.Progress()
					}
					require.NoError(t, q.Put(context.Background(), n), "Put number %d on New(%d) failed", n+1, maxsize)
					done++
				}
			})
			t.Settle()
			if !puts.Returned() {
				t.Fatalf("Put number %d on New(%d) blocks", done+1, maxsize)
			}
			puts.Join()
			assert.Equal(t, items, q.Len(), "%d items were put on New(%d), and %d wait", items, maxsize, q.Len())
			assert.Equal(t, []int{0, 1, 2}, get(t, q, 3), "the first three items of %d are others", items)
		}

		// Who has set memory aside for a million items may have no more than that. Now
		// and then the watchdog sets some aside meanwhile, but not three times.
		var q queues.Queue[int]
		aside := uint64(1 << 24)
		for range 3 {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			q = newQueue[int](t, 0)
			put(t, q, 0)
			runtime.ReadMemStats(&after)
			aside = min(aside, (after.TotalAlloc-before.TotalAlloc)/8)
		}
		t.Go(func() {
			for n := range aside {
				if n%1000 == 0 {
					t.Progress()
				}
				put(t, q, 0)
			}
		}).Returns("New set memory aside for %d items or so, one more was put, and a Put waits", aside)
	})
}

func (s *UnboundedSuite) TestFirstInFirstOut() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("unbounded", "With maxsize <= 0, what was put first must be got first", queues.Declared.Put, queues.Declared.Get)
		q := newQueue[int](t, 0)
		next := 0

		for n := 0; n < 4000; n += 4 {
			put(t, q, n, n+1, n+2, n+3)
			require.Equal(t, []int{next, next + 1, next + 2}, get(t, q, 3), "another order with %d items put so far", n+4)
			next += 3
		}
		for q.Len() > 0 {
			require.Equal(t, []int{next}, get(t, q, 1), "another order when the rest is got")
			next++
		}
		assert.Equal(t, 4000, next, "4000 items were put, %d could be got", next)
	})
}

func (s *UnboundedSuite) TestGetBlocksWhileEmpty() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("unbounded", "With maxsize <= 0 too, Get must block while no item waits", queues.Declared.Get)
		getBlocksWhileEmpty(t, 0)
	})
}

func (s *UnboundedSuite) TestEveryWaitingGetIsServed() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("unbounded", "With maxsize <= 0, every waiting Get must get its item", queues.Declared.Put, queues.Declared.Get)
		everyWaitingGetIsServed(t, 0)
	})
}

func (s *UnboundedSuite) TestEveryItemIsGotOnce() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("unbounded", "With maxsize <= 0 too, every item must be got exactly once", queues.Declared.Put, queues.Declared.Get)
		everyItemIsGotOnce(t, 0)
		itemsOutliveTheirContexts(t, 0)
	})
}

func (s *UnboundedSuite) TestZeroValuesAreItems() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("unbounded", "With maxsize <= 0 too, a zero value must be an item like any other", queues.Declared.Put, queues.Declared.Get)
		zeroValuesAreItems(t, 0)
	})
}

func (s *UnboundedSuite) TestGetEndsWithItsContext() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("unbounded", "With maxsize <= 0 too, a Get that blocks must end with its context and take nothing", queues.Declared.Get)
		getEndsWithItsContext(t, 0)
	})
}

func (s *UnboundedSuite) TestOthersGoOnWaiting() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("unbounded", "With maxsize <= 0 too, the end of one Get's context must not end the waiting of others", queues.Declared.Get)
		otherGetsGoOnWaiting(t, 0)
	})
}

func (s *UnboundedSuite) TestEndedContextPutsNothing() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("unbounded", "With maxsize <= 0 too, a Put whose context had ended before must end with it", queues.Declared.Put)
		endedContextPutsNothing(t, 0)
	})
}

func (s *UnboundedSuite) TestEndedContextGetsNothing() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("unbounded", "With maxsize <= 0 too, a Get whose context had ended before must end with it", queues.Declared.Get)
		endedContextGetsNothing(t, 0)
	})
}

func (s *UnboundedSuite) TestTheContextMayEndBehindAnyLookAtIt() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("unbounded", "With maxsize <= 0 too, a call must end with its context, whenever that ends, and one that fails must leave the queue as it was", queues.Declared.Put, queues.Declared.Get)
		contextMayEndBehindAnyLook(t, 0)
	})
}

func (s *UnboundedSuite) TestNothingIsLostWhenAGetGivesUp() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("unbounded", "With maxsize <= 0 too, if an item comes as a Get's context ends, nothing must be lost", queues.Declared.Get, queues.Declared.Put)
		nothingIsLostWhenAGetGivesUp(t, 0)

		t.Rule("unbounded", "With maxsize <= 0 too, if an item comes as a Get's context ends, what was put first must still be got first", queues.Declared.Get, queues.Declared.Put)
		orderHoldsWhenAGetGivesUp(t, 0)
	})
}

func (s *UnboundedSuite) TestPutAfterClose() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("unbounded", "With maxsize <= 0 too, Put must return ErrClosed after Close", queues.Declared.Put, queues.Declared.Close)
		putAfterClose(t, 0)
	})
}

func (s *UnboundedSuite) TestWaitingItemsCanBeGot() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("unbounded", "With maxsize <= 0 too, what waits at Close can still be got; after it Get must return ErrClosed", queues.Declared.Get, queues.Declared.Close)
		waitingItemsCanBeGot(t, 0)
	})
}

func (s *UnboundedSuite) TestBlockedGetsEnd() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("unbounded", "With maxsize <= 0 too, Close must end every blocked Get with ErrClosed", queues.Declared.Close, queues.Declared.Get)
		blockedGetsEnd(t, 0)
	})
}

func (s *UnboundedSuite) TestCloseTwice() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("unbounded", "With maxsize <= 0 too, closing a closed queue must do nothing", queues.Declared.Close)
		closeTwice(t, 0)
	})
}

func (s *UnboundedSuite) TestSeveralMayClose() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("unbounded", "With maxsize <= 0 too, several must be able to close a queue at the same time", queues.Declared.Close)
		severalMayClose(t, 0)
	})
}

func (s *UnboundedSuite) TestPutAndCloseRace() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("unbounded", "With maxsize <= 0 too, every item whose Put returned nil while Close was called can be got", queues.Declared.Put, queues.Declared.Close)
		putAndCloseRace(t, 0)
	})
}

// many is more than two bytes can count.
const many = 70_000

// What follows are the checks that queues with and without a limit share, and
// then the words that all tests are written in.

func getBlocksWhileEmpty(t *labtest.T, maxsize int) {
	q := newQueue[int](t, maxsize)
	for n := range 3 {
		waiting := goGet(t, q)
		waiting.Blocks("Get on an empty queue returned at once, after %d items have gone through", n)
		if n == 0 { // once is enough of a time that is long for code that polls
			t.Pass(2 * time.Minute)
			waiting.Blocks("no item came, and after two minutes Get returned")
		}
		require.Equal(t, 0, q.Len(), "a Get waits for an item, and Len is %d", q.Len())
		put(t, q, n)
		waiting.Returns("an item came, and Get still waits")
		assert.Equal(t, n, waiting.item, "%d was put, and Get returned %d", n, waiting.item)
	}
}

func everyWaitingGetIsServed(t *labtest.T, maxsize int) {
	for range 20 {
		q := newQueue[int](t, maxsize)
		var gets []*getCall
		for range 4 {
			gets = append(gets, goGet(t, q))
		}
		t.Wait()

		put(t, q, 0, 1, 2, 3)

		var got []int
		for _, g := range gets {
			g.Join()
			got = append(got, g.item)
		}
		slices.Sort(got)
		require.Equal(t, []int{0, 1, 2, 3}, got, "these came out (sorted here)")
		t.Progress()
	}

	empty := newQueue[int](t, maxsize)
	bothAreServed(t, "two Gets found the queue empty, two items were put before they waited", func(ctx context.Context) { _, _ = empty.Get(ctx) }, func() { put(t, empty, 1, 2) })
}

func everyItemIsGotOnce(t *labtest.T, maxsize int) {
	const producers, consumers, each = 4, 2, 120
	q := newQueue[int](t, maxsize)
	var all []func()
	for p := range producers {
		all = append(all, func() {
			for n := range each {
				put(t, q, p*each+n)
			}
		})
	}
	got := make([][]int, consumers)
	for c := range got {
		all = append(all, func() { got[c] = get(t, q, producers*each/consumers) })
	}
	all = append(all, func() {
		for range each {
			if n := q.Len(); n < 0 || maxsize > 0 && n > maxsize {
				t.Errorf("Len is %d on New(%d) in between", n, maxsize)
			}
		}
	})

	t.Collide(all...)

	want := make([]int, producers*each)
	for n := range want {
		want[n] = n
	}
	sameItems(t, want, slices.Concat(got...))
	for _, items := range got {
		last := [producers]int{}
		for _, n := range items {
			p := n / each
			require.LessOrEqual(t, last[p], n, "one consumer got %d, then %d, both of the same producer, who put them the other way round", last[p], n)
			last[p] = n
		}
	}
	require.Equal(t, 0, q.Len(), "everything was got, and Len is %d", q.Len())
}

// A context concerns a Put as long as that has not returned.
func itemsOutliveTheirContexts(t *labtest.T, maxsize int) {
	q := newQueue[int](t, maxsize)
	for n := range 3 {
		ctx, cancel := context.WithCancel(t.Context())
		require.NoError(t, q.Put(ctx, n), "Put failed")
		cancel()
	}
	t.Settle()
	assert.Equal(t, 3, q.Len(), "the contexts of three Puts ended when they had returned nil, and Len is %d", q.Len())
	for n := range 3 {
		next := goGet(t, q)
		next.Returns("the contexts of three Puts ended when they had returned nil, and only %d items can be got", n)
		assert.Equal(t, n, next.item, "the contexts of three Puts ended when they had returned nil, and another item comes out")
	}
}

func otherGetsGoOnWaiting(t *labtest.T, maxsize int) {
	q := newQueue[int](t, maxsize)
	for quitter := range 3 {
		var gets [3]*labtest.Call
		var cancels [3]context.CancelFunc
		for n := range gets {
			ctx, cancel := context.WithCancel(t.Context())
			cancels[n] = cancel
			gets[n] = t.Go(func() { _, _ = q.Get(ctx) })
			t.Settle()
		}

		cancels[quitter]()

		gets[quitter].Returns("three Gets block, the context of one has ended, and that one still waits")
		for n, other := range gets {
			if n != quitter {
				other.Blocks("one Get's context ended, and another Get returned although no item waits")
			}
		}
		put(t, q, 1, 2)
		for _, other := range gets {
			other.Returns("one of three Gets gave up, two items came, and one of the two that were left still waits")
		}
	}
}

func zeroValuesAreItems(t *labtest.T, maxsize int) {
	numbers := newQueue[int](t, maxsize)
	put(t, numbers, 0, 0)
	assert.Equal(t, 2, numbers.Len(), "0 was put twice, and Len is %d", numbers.Len())
	assert.Equal(t, []int{0, 0}, get(t, numbers, 2), "0 was put twice, and something else came out")

	errs := newQueue[error](t, maxsize)
	put(t, errs, nil, errors.ErrUnsupported)
	assert.Equal(t, []error{nil, errors.ErrUnsupported}, get(t, errs, 2), "a nil error and another were put, and something else came out")

	lists := newQueue[[]int](t, maxsize) // two []int cannot be compared
	put(t, lists, nil, []int{1})
	assert.Equal(t, [][]int{nil, {1}}, get(t, lists, 2), "a nil []int and another were put, and something else came out")

	section := "bounded"
	if maxsize <= 0 {
		section = "unbounded"
	}
	t.Rule(section, "Items of type struct{} must be items like any others, also for several Gets that are blocked", queues.Declared.Put, queues.Declared.Get)
	signs := newQueue[struct{}](t, maxsize) // all struct{} have the same address
	var gets []*labtest.Call
	for range 3 {
		gets = append(gets, t.Go(func() { get(t, signs, 1) }))
	}
	t.Wait()
	put(t, signs, slices.Repeat([]struct{}{{}}, len(gets))...)
	for _, g := range gets {
		g.Returns("struct{}{} was put three times, and of three Gets that were blocked one still waits")
	}
}

func getEndsWithItsContext(t *labtest.T, maxsize int) {
	for _, end := range endings {
		q := newQueue[int](t, maxsize)
		ctx, cancel := end.make(t)
		defer cancel()
		var err error
		blocked := t.Go(func() { _, err = q.Get(ctx) })
		blocked.Blocks("Get on an empty queue returned at once")

		cancel()

		blocked.Returns("its context has %s, and it still waits", end.name)
		require.ErrorIs(t, err, ctx.Err(), "its context has %s, and it returned something else", end.name)
		put(t, q, 1)
		t.Settle()
		assert.Equal(t, 1, q.Len(), "its context has %s, then one item was put, and Len is %d", end.name, q.Len())
		assert.Equal(t, []int{1}, get(t, q, 1), "its context has %s, and the next Get got another item", end.name)
	}
}

// A select takes any case that is ready, by chance: what must not happen is
// tried a hundred times.

func endedContextPutsNothing(t *labtest.T, maxsize int) {
	for _, end := range endings {
		q := newQueue[int](t, maxsize)
		ctx, cancel := end.make(t)
		cancel()
		for range 100 {
			require.ErrorIs(t, q.Put(ctx, 1), ctx.Err(), "the context had %s, and in one of 100 calls Put returned something else", end.name)
		}
		assert.Equal(t, 0, q.Len(), "the context had %s, and %d items wait", end.name, q.Len())
	}
}

func endedContextGetsNothing(t *labtest.T, maxsize int) {
	for _, end := range endings {
		q := newQueue[int](t, maxsize)
		ctx, cancel := end.make(t)
		cancel()
		_, err := q.Get(ctx)
		require.ErrorIs(t, err, ctx.Err(), "the context had %s, and Get on an empty queue returned something else", end.name)

		for n := range 100 {
			put(t, q, n)
		}
		for range 100 {
			_, err := q.Get(ctx)
			require.ErrorIs(t, err, ctx.Err(), "the context had %s, and in one of 100 calls Get returned something else", end.name)
		}
		assert.Equal(t, 100, q.Len(), "the context had %s, and %d of 100 items are left", end.name, q.Len())
		assert.Equal(t, []int{0, 1, 2}, get(t, q, 3), "the context had %s, and the first items are others", end.name)
	}
}

// With room or an item there either outcome is right.
func contextMayEndBehindAnyLook(t *labtest.T, maxsize int) {
	t.InTurn(100, func(ctx *labtest.Moment) {
		q := newQueue[int](t, maxsize)
		endsBehindALook(t, ctx, "Get on an empty queue", func() error {
			_, err := q.Get(ctx)
			return err
		})
	})
	t.InTurn(100, func(ctx *labtest.Moment) {
		q := newQueue[int](t, maxsize)
		ctx.Then = ctx.Cancel
		waits := 1
		err := q.Put(ctx, 1)
		if err != nil {
			require.ErrorIs(t, err, context.Canceled, "there was room, the context ended just after Put had looked at it, and it returned another error")
			waits = 0
		}
		require.Equal(t, waits, q.Len(), "the context ended just after Put on a new queue had looked at it, Put returned %v, and Len is %d", err, q.Len())
		if waits == 0 {
			goPut(t, q, 2).Returns("there was room, the context ended just after Put had looked at it, and the next Put finds no room")
		}
		goGet(t, q).Returns("the context ended just after Put had looked at it, an item waits, and Get does not get it")
	})
	t.InTurn(100, func(ctx *labtest.Moment) {
		q := newQueue[int](t, maxsize)
		put(t, q, 1)
		ctx.Then = ctx.Cancel
		waits := 0
		_, err := q.Get(ctx)
		if err != nil {
			require.ErrorIs(t, err, context.Canceled, "an item waited, the context ended just after Get had looked at it, and it returned another error")
			waits = 1
		}
		require.Equal(t, waits, q.Len(), "one item waited, the context ended just after Get had looked at it, Get returned %v, and Len is %d", err, q.Len())
		if waits == 1 {
			goGet(t, q).Returns("an item waited, the context ended just after Get had looked at it, and the next Get does not get the item")
		}
		goPut(t, q, 2).Returns("the context ended just after Get had looked at it, the only item has been got, and Put finds no room")
	})
}

func endsBehindALook(t *labtest.T, ctx *labtest.Moment, name string, call func() error) {
	ctx.Then = ctx.Cancel
	var err error
	blocked := t.Go(func() { err = call() })
	t.Settle()
	if !ctx.Came() {
		ctx.Cancel()
	}
	blocked.Returns("the context ended just after %s had looked at it, and it still blocks", name)
	require.ErrorIs(t, err, context.Canceled, "the context ended just after %s had looked at it, and it returned something else", name)
}

func nothingIsLostWhenAGetGivesUp(t *labtest.T, maxsize int) {
	for round := range 45 {
		q := newQueue[int](t, maxsize)
		ctx, cancel := context.WithCancel(t.Context())
		var item int
		var err error
		quits := t.Go(func() { item, err = q.Get(ctx) })
		t.Wait()
		stays := goGet(t, q)
		t.Wait()

		atOnce(t, round, cancel, func() { put(t, q, 1) })

		quits.Join()
		left := 1
		if err == nil {
			require.Equal(t, 1, item, "1 was put, and Get returned %d", item)
			left = 2
			put(t, q, left)
		} else {
			require.ErrorIs(t, err, context.Canceled, "Get returned something else")
		}
		stays.Returns("a Get returned %v as an item came, and another still waits for the item that is left", err)
		require.Equal(t, left, stays.item, "Get returned %v, and then another Get returned %d", err, stays.item)
		t.Wait()
		require.Equal(t, 0, q.Len(), "everything was got, and Len is %d", q.Len())
		t.Progress()
	}
}

// Who gives back what it was given as its context ended must not give it back
// behind what was put, or even got, since.
func orderHoldsWhenAGetGivesUp(t *labtest.T, maxsize int) {
	for round := range 60 {
		q := newQueue[int](t, maxsize)
		ctx, cancel := context.WithCancel(t.Context())
		var item int
		var err error
		quits := t.Go(func() { item, err = q.Get(ctx) })
		t.Wait()
		var stays *getCall
		if round%2 == 1 {
			stays = goGet(t, q)
			t.Wait()
		}

		cancel()
		put(t, q, 1, 2)

		quits.Join()
		first := []int{} // in any order
		if err == nil {
			first = append(first, item)
		} else {
			require.ErrorIs(t, err, context.Canceled, "Get returned something else")
		}
		if stays != nil {
			stays.Returns("a Get returned %v as two items came, and another still waits for what is left", err)
			first = append(first, stays.item)
		}
		want := []int{1, 2}
		slices.Sort(first)
		require.Equal(t, want[:len(first)], first, "1 and 2 were put, in this order, a Get returned %v as they came, and these were got first (sorted here)", err)
		require.Equal(t, want[len(first):], get(t, q, 2-len(first)), "1 and 2 were put, in this order, a Get returned %v as they came, and they came out in another", err)
		t.Progress()
	}
}

func putAfterClose(t *labtest.T, maxsize int) {
	q := newQueue[int](t, maxsize)
	q.Close()
	for range 100 {
		require.ErrorIs(t, q.Put(t.Context(), 1), queues.ErrClosed, "in one of 100 calls it returned something else")
	}
	assert.Equal(t, 0, q.Len(), "100 Puts returned ErrClosed, and Len is %d", q.Len())
	closedAndEmpty(t, q)
}

func waitingItemsCanBeGot(t *labtest.T, maxsize int) {
	q := newQueue[int](t, maxsize)
	for n := range 100 {
		put(t, q, n)
	}

	q.Close()

	assert.Equal(t, 100, q.Len(), "100 items waited, and after Close Len is %d", q.Len())
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	for range 100 {
		_, err := q.Get(ended)
		require.Error(t, err, "an item waits in the closed queue, and a Get whose context had ended before, one of 100, returned no error: a context that has ended wins, closed or not")
	}
	for n := range 100 {
		item, err := q.Get(t.Context())
		require.NoError(t, err, "100 items waited at Close, %d of them have been got, and the next Get returned an error", n)
		require.Equal(t, n, item, "100 items waited at Close, %d of them have been got, and then another came out", n)
	}
	for range 3 {
		closedAndEmpty(t, q)
	}

	for range 20 {
		q := newQueue[int](t, maxsize)
		var err error
		blocked := t.Go(func() { _, err = q.Get(t.Context()) })
		t.Wait()

		put(t, q, 1)
		q.Close()

		blocked.Join()
		require.NoError(t, err, "an item came for a Get that was blocked, then Close, and the Get returned an error")
		require.Equal(t, 0, q.Len(), "the only item was got, and Len is %d", q.Len())
		t.Progress()
	}

	for range 20 { // Select may have a choice, and a coin that falls the right way.
		t.InTurn(100, func(ctx *labtest.Moment) {
			q := newQueue[int](t, maxsize)
			putAndClose := sync.OnceFunc(func() {
				put(t, q, 1)
				q.Close()
			})
			ctx.Then = func() { t.Beside(putAndClose) }
			var item int
			var err error
			waiting := t.Go(func() { item, err = q.Get(ctx) })
			t.Settle()
			putAndClose()

			waiting.Returns("an item came for a Get that was about to wait, then Close, and the Get still waits")
			require.NoError(t, err, "an item came for a Get that was about to wait, then Close, and the Get returned an error")
			require.Equal(t, 1, item, "1 was put, and Get returned %d", item)
		})
	}
}

func blockedGetsEnd(t *labtest.T, maxsize int) {
	q := newQueue[int](t, maxsize)
	errs := make([]error, 15)
	var gets []*labtest.Call
	for n := range errs {
		gets = append(gets, t.Go(func() { _, errs[n] = q.Get(t.Context()) }))
	}
	t.Pass(10 * time.Second)
	t.Wait()
	require.False(t, slices.ContainsFunc(gets, (*labtest.Call).Returned), "a Get on an empty queue returned at once")

	q.Close()

	for n, g := range gets {
		g.Returns("the queue is closed, and a Get that was blocked still waits")
		assert.ErrorIs(t, errs[n], queues.ErrClosed, "a Get that was blocked returned something else")
	}
}

func closeTwice(t *labtest.T, maxsize int) {
	q := newQueue[int](t, maxsize)
	put(t, q, 1)
	q.Close()

	q.Close()

	assert.ErrorIs(t, q.Put(t.Context(), 2), queues.ErrClosed, "after two Closes Put returned something else")
	assert.Equal(t, []int{1}, get(t, q, 1), "after two Closes another item came out")
	closedAndEmpty(t, q)
	q.Close() // and now that it is empty
	closedAndEmpty(t, q)
}

func putAndCloseRace(t *labtest.T, maxsize int) {
	const producers, each = 3, 20
	for round := range 60 {
		q := newQueue[int](t, maxsize)
		accepted := make([][]int, producers)
		var got []int
		var all []func()
		for p := range producers {
			all = append(all, func() {
				for n := range each {
					err := q.Put(t.Context(), p*each+n)
					if err != nil {
						require.ErrorIs(t, err, queues.ErrClosed, "Put returned something else")
						return
					}
					accepted[p] = append(accepted[p], p*each+n)
				}
			})
		}
		all = append(all, func() {
			for range round % 20 {
				runtime.Gosched()
			}
			q.Close()
		})
		if round%2 == 0 {
			all = append(all, func() { got = getUntilClosed(t, q) })
		}

		t.Collide(all...)

		got = append(got, getUntilClosed(t, q)...)
		sameItems(t, slices.Concat(accepted...), got)
		t.Progress()
	}

	for range 10 { // Select may have a choice, and a coin that falls the right way.
		t.InTurn(100, func(ctx *labtest.Moment) {
			q := newQueue[int](t, maxsize)
			ctx.Then = func() { t.Beside(q.Close) }
			err := q.Put(ctx, 1)
			t.Settle()
			if !ctx.Came() {
				q.Close()
			}
			left := getUntilClosed(t, q)
			if err == nil {
				require.Equal(t, []int{1}, left, "Close was called while Put(1) looked at its context, Put returned nil, and these items were left")
			} else {
				require.ErrorIs(t, err, queues.ErrClosed, "Close was called while Put looked at its context, and Put returned something else")
				require.Empty(t, left, "Close was called while Put looked at its context, Put returned ErrClosed, and these items were left")
			}
		})
	}
}

func severalMayClose(t *labtest.T, maxsize int) {
	t.Race(func() labtest.Heat {
		var qs [100]queues.Queue[int]
		for i := range qs {
			qs[i] = newQueue[int](t, maxsize)
			put(t, qs[i], 1)
		}
		closeIt := func(i int) { qs[i].Close() }
		return labtest.Heat{Rounds: len(qs), Racers: []func(int){closeIt, closeIt}, Check: func() {
			for _, q := range qs {
				require.Equal(t, []int{1}, get(t, q, 1), "another item waited")
				closedAndEmpty(t, q)
			}
		}}
	})
}

// newQueue makes a queue that is closed when the test is over, for one that
// keeps a goroutine of its own. In task 2 that Close may still be to do.
func newQueue[T any](t *labtest.T, maxsize int) queues.Queue[T] {
	q := queues.New[T](maxsize)
	context.AfterFunc(t.Context(), func() {
		defer func() { _ = recover() }()
		q.Close()
	})
	return q
}

// endings are the ways in which a context is ended.
var endings = []struct {
	name string
	make func(t *labtest.T) (context.Context, context.CancelFunc)
}{
	{"been cancelled", func(t *labtest.T) (context.Context, context.CancelFunc) {
		return context.WithCancel(t.Context())
	}},
	{"been cancelled for a reason", func(t *labtest.T) (context.Context, context.CancelFunc) {
		ctx, cancel := context.WithCancelCause(t.Context())
		return ctx, func() { cancel(errors.New("time to go home")) }
	}},
	{"passed its deadline", func(t *labtest.T) (context.Context, context.CancelFunc) {
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		return ctx, func() {
			<-ctx.Done()
			cancel()
		}
	}},
}

// atOnce makes two things happen at the same moment, or as close together as
// can be, one way round or the other.
func atOnce(t *labtest.T, round int, a, b func()) {
	switch round % 3 {
	case 0:
		a()
		b()
	case 1:
		b()
		a()
	default:
		t.Collide(a, b)
	}
}

// put puts items, one after the other.
func put[T any](t *labtest.T, q queues.Queue[T], items ...T) {
	for _, v := range items {
		err := q.Put(t.Context(), v)
		if t.Context().Err() == nil { // the test is not over
			require.NoError(t, err, "Put(%v) returned an error, though its context has not ended and the queue is not closed", v)
		}
	}
}

// get gets n items, one after the other.
func get[T any](t *labtest.T, q queues.Queue[T], n int) []T {
	items := make([]T, n)
	for i := range items {
		v, err := q.Get(t.Context())
		if t.Context().Err() == nil { // the test is not over
			require.NoError(t, err, "Get returned an error, though its context has not ended, and an item waits or is to come")
		}
		items[i] = v
	}
	return items
}

// goPut calls Put in a goroutine of its own.
func goPut(t *labtest.T, q queues.Queue[int], item int) *labtest.Call {
	return t.Go(func() { put(t, q, item) })
}

// getCall is a Get in a goroutine of its own. Its item may be read once it has
// returned.
type getCall struct {
	*labtest.Call
	item int
}

func goGet(t *labtest.T, q queues.Queue[int]) *getCall {
	g := new(getCall)
	g.Call = t.Go(func() { g.item = get(t, q, 1)[0] })
	return g
}

func getUntilClosed(t *labtest.T, q queues.Queue[int]) []int {
	var items []int
	for {
		v, err := q.Get(t.Context())
		if err != nil {
			require.ErrorIs(t, err, queues.ErrClosed, "Get returned something else")
			return items
		}
		items = append(items, v)
	}
}

func closedAndEmpty(t *labtest.T, q queues.Queue[int]) {
	v, err := q.Get(t.Context())
	require.ErrorIs(t, err, queues.ErrClosed, "the queue is closed and empty, and Get returned %d and %v", v, err)
}

// sameItems stops the test if what was got is not what was put, in any order.
func sameItems(t *labtest.T, put, got []int) {
	count := map[int]int{}
	for _, n := range put {
		count[n]++
	}
	for _, n := range got {
		count[n]--
	}
	for _, n := range slices.Concat(put, got) {
		if count[n] > 0 {
			t.Fatalf("%d Puts returned nil, and %d items could be got: item %d is lost", len(put), len(got), n)
		}
		if count[n] < 0 {
			t.Fatalf("%d Puts returned nil, and %d items could be got: item %d came out more than once", len(put), len(got), n)
		}
	}
}
