package locks_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/stretchr/testify/suite"

	"conclab/internal/contract/locks"
	"conclab/internal/labtest"
)

// Whoever leaves it to select whether a free screen or an ended context counts
// sees it fall the right way now and then, but not so many times in a row.
const often = 50

var errBroken = errors.New("the screen is broken")

// Task 1: greetings, one at a time.

type HelloSuite struct{ labtest.Suite }

func TestHello(t *testing.T) { suite.Run(t, new(HelloSuite)) }

func (s *HelloSuite) TestEachGreetsOnce() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("one-at-a-time", `Each of the n goroutines must write "Hello, world I" and a newline once, in one Write`, locks.Hello)
		for _, n := range []int{0, 1, 2, 12} {
			var w labtest.Exclusive
			locks.Hello(&w, n)
			t.Settle()

			var want []string
			for i := range n {
				want = append(want, fmt.Sprintf("Hello, world %d\n", i))
			}
			assert.Equal(t, labtest.Sorted(want), labtest.Sorted(w.Writes()), "Hello(w, %d) wrote something else (sorted here)", n)
		}
	})
}

func (s *HelloSuite) TestNeverTwoWritesAtOnce() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("one-at-a-time", "Two Writes must never run at the same time", locks.Hello)
		for range 20 {
			t.Progress()
			var w labtest.Exclusive
			locks.Hello(&w, 10)
			require.False(t, w.Overlapped(), "a Write began while another was at work")
		}
	})
}

func (s *HelloSuite) TestHelloWaitsForTheLastWrite() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("one-at-a-time", "Hello must return only when all are written", locks.Hello)
		for n := range 4 {
			var written atomic.Int64
			locks.Hello(labtest.WriterFunc(func(p []byte) (int, error) {
				labtest.StepAside()
				written.Add(1)
				return len(p), nil
			}), n+1)
			require.EqualValues(t, n+1, written.Load(), "Hello(w, %d) has returned, and so many are written", n+1)
		}

		gate := labtest.NewGate()
		call := t.Go(func() {
			locks.Hello(labtest.WriterFunc(func(p []byte) (int, error) {
				gate.Pass()
				return len(p), nil
			}), 1)
		})
		t.Pass(2 * time.Minute)
		call.Blocks("it returned while a Write was at work")
		gate.Open()
		call.Returns("all is written, and it does not return")
	})
}

// Task 2: a screen that keeps blocks together.

type ScreenSuite struct{ labtest.Suite }

func TestScreen(t *testing.T) { suite.Run(t, new(ScreenSuite)) }

func (s *ScreenSuite) TestEachLineIsOneWrite() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("critical-sections", "Each line must be written with its newline by a Write of its own, in order", locks.Declared.Print)
		var w labtest.Exclusive
		screen := locks.NewScreen(&w)

		require.NoError(t, screen.Print("one", "", "100 %d\ttwo "), "Print failed")
		require.NoError(t, screen.Print("three"), "Print failed")

		assert.Equal(t, []string{"one\n", "\n", "100 %d\ttwo \n", "three\n"}, w.Writes(), "other Writes came")

		var same labtest.Recorder
		require.NoError(t, locks.NewScreen(&same).Print("one", "one", "", "", "one"), "Print failed")
		assert.Equal(t, []string{"one\n", "one\n", "\n", "\n", "one\n"}, same.Writes(), "some lines were like the one before, and other Writes came")

		printedTwice(t, locks.Screen.Print)

		var long labtest.Recorder
		require.NoError(t, locks.NewScreen(&long).Print(strings.Repeat("long ", 2_000)), "Print failed")
		require.Len(t, long.Writes(), 1, "a line of 10,000 bytes came in another number of Writes")
	})
}

func (s *ScreenSuite) TestNoLinesWriteNothing() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("critical-sections", "Print without lines must write nothing", locks.Declared.Print)
		var w labtest.Exclusive
		screen := locks.NewScreen(&w)

		assert.NoError(t, screen.Print(), "Print without lines failed")
		assert.Empty(t, w.Writes(), "it wrote something")
		assert.NoError(t, screen.Print("one"), "and the next Print failed")

		t.Rule("critical-sections", "Print without lines must not set a screen free that another has", locks.Declared.Print)
		b := busy(t, "Print")
		t.Go(func() { assert.NoError(t, b.screen.Print(), "without lines it failed") })
		next := t.Go(func() { assert.NoError(t, b.screen.Print("next"), "the next Print failed") })
		t.Pass(time.Second)
		b.gate.Open()
		b.call.Join()
		next.Join()
		assert.Equal(t, []string{"busy\n", "next\n"}, b.out.Writes(), "one Print had the screen, a Print without lines was called, then another Print, and these lines are there")
	})
}

func (s *ScreenSuite) TestNeverTwoWritesAtOnce() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("critical-sections", "Two Writes must never run at the same time", locks.Declared.Print)
		for range 20 {
			t.Progress()
			var w labtest.Exclusive
			screen := locks.NewScreen(&w)
			printBlocks(t, 8, func(lines ...string) error { return screen.Print(lines[0]) })
			require.False(t, w.Overlapped(), "a Write began while another was at work")
		}
	})
}

func (s *ScreenSuite) TestABlockIsNeverInterrupted() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("critical-sections", "The lines of one Print must never be interrupted by another's", locks.Declared.Print)
		for range 20 {
			t.Progress()
			var w labtest.Exclusive
			screen := locks.NewScreen(&w)
			printBlocks(t, 8, screen.Print)
			checkBlocks(t, w.Writes(), 8)
		}
	})
}

func (s *ScreenSuite) TestPrintReturnsWhenItsLinesAreWritten() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("critical-sections", "Print must return only when its lines are written", locks.Declared.Print)
		gate := labtest.NewGate()
		screen := locks.NewScreen(labtest.WriterFunc(func(p []byte) (int, error) {
			if string(p) == "two\n" {
				gate.Pass()
			}
			return len(p), nil
		}))
		call := t.Go(func() { assert.NoError(t, screen.Print("one", "two"), "Print failed") })
		call.Blocks("it returned while its last line was being written")
		var err error
		second := t.Go(func() { err = screen.Print("three") })
		t.Pass(2 * time.Minute)
		require.False(t, second.Returned(), "another Print had the screen for two minutes, and a Print that waited for it returned %v", err)
		gate.Open()
		call.Returns("its lines are written, and it does not return")
		second.Returns("the screen is free, and the Print that waited for it does not return")
		require.NoError(t, err, "the screen is free, and the Print that waited for it failed")
	})
}

func (s *ScreenSuite) TestPrintReturnsTheFirstError() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("the-lock-must-come-back", "Print must return the first error of a Write, and write no line after it", locks.Declared.Print)
		for broken := range 3 {
			var w labtest.Exclusive
			screen := locks.NewScreen(&breaks{to: &w, at: broken, how: func() error { return fmt.Errorf("%w (Write %d)", errBroken, broken) }})

			err := screen.Print("one", "two", "three")

			require.ErrorIs(t, err, errBroken, "Write number %d failed, and Print returned something else", broken+1)
			assert.ErrorContains(t, err, fmt.Sprintf("(Write %d)", broken), "that is not the first error")
			assert.Equal(t, []string{"one\n", "two\n", "three\n"}[:broken], append([]string{}, w.Writes()...), "Write number %d failed, and these lines are there", broken+1)
		}

		screen := locks.NewScreen(&breaks{to: io.Discard, at: 0, how: func() error { return io.EOF }})
		assert.ErrorIs(t, screen.Print("one"), io.EOF, "a Write returned io.EOF, and Print returned something else")

		for _, part := range []int{1, len("two"), len("two\n")} {
			writes := 0
			screen := locks.NewScreen(labtest.WriterFunc(func(p []byte) (int, error) {
				if writes++; writes == 2 {
					return part, errBroken
				}
				return len(p), nil
			}))
			assert.ErrorIs(t, screen.Print("one", "two", "three"), errBroken, "the second Write failed behind %d bytes, and Print returned something else", part)
			assert.Equal(t, 2, writes, "the second Write failed behind %d bytes, and so many came", part)
		}
	})
}

func (s *ScreenSuite) TestAFailedWriteLeavesItUsable() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("the-lock-must-come-back", "A Write that fails must leave the screen usable", locks.Declared.Print)
		var w labtest.Exclusive
		screen := locks.NewScreen(&breaks{to: &w, at: 1, how: func() error { return errBroken }})
		_ = screen.Print("one", "two")

		t.Go(func() { assert.NoError(t, screen.Print("three"), "the next Print failed") }).
			Returns("a Write has failed, and the next Print blocks")
		assert.Equal(t, []string{"one\n", "three\n"}, w.Writes(), "other lines are there")
	})
}

func (s *ScreenSuite) TestAPanicLeavesItUsable() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("the-lock-must-come-back", "A Write that panics must leave the screen usable", locks.Declared.Print)
		var w labtest.Exclusive
		screen := locks.NewScreen(&breaks{to: &w, at: 1, how: func() error { panic("the screen is on fire") }})
		func() {
			defer func() { _ = recover() }() // whether the panic comes out is not settled
			_ = screen.Print("one", "two")
		}()

		t.Go(func() { assert.NoError(t, screen.Print("three"), "the next Print failed") }).
			Returns("a Write has panicked, and the next Print blocks")
		assert.Equal(t, []string{"one\n", "three\n"}, w.Writes(), "other lines are there")

		panicsWhileAnotherWaits(t, locks.Screen.Print)
	})
}

func (s *ScreenSuite) TestOnePrintersErrorIsNoneOfTheOthers() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("the-lock-must-come-back", "Print must return the error of its own Write, and nobody else's", locks.Declared.Print)
		screen := locks.NewScreen(labtest.WriterFunc(func(p []byte) (int, error) {
			runtime.Gosched()
			if strings.HasPrefix(string(p), "bad") {
				return 0, errBroken
			}
			return len(p), nil
		}))
		var calls []*labtest.Call
		for i := range 20 {
			calls = append(calls, t.Go(func() {
				if i%2 == 0 {
					assert.NoError(t, screen.Print("good", "good"), "its own lines were written, and Print failed")
				} else {
					assert.ErrorIs(t, screen.Print("good", "bad"), errBroken, "its Write failed, and Print returned something else")
				}
			}))
		}
		for _, c := range calls {
			c.Join()
		}
	})
}

// Task 3: a tally that loses nothing.

type TallySuite struct{ labtest.Suite }

func TestTally(t *testing.T) { suite.Run(t, new(TallySuite)) }

func (s *TallySuite) TestItAdds() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("read-change-write", "Add must add n, and Total must return the sum", locks.Declared.Add, locks.Declared.Total)
		c := new(cell)
		tally := locks.NewTally(c)
		assert.Equal(t, 0, tally.Total(), "nothing has been added")
		for _, step := range []struct{ add, total int }{{1, 1}, {41, 42}, {0, 42}, {-50, -8}} {
			tally.Add(step.add)
			assert.Equal(t, step.total, tally.Total(), "after Add(%d)", step.add)
		}

		t.Rule("read-change-write", "A tally must count in its cell", locks.Declared.NewTally, locks.Declared.Add)
		t.Settle()
		assert.Equal(t, -8, c.Load(), "Total returned -8, and the cell holds something else")
	})
}

func (s *TallySuite) TestNoUpdateIsLost() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("read-change-write", "No update may be lost", locks.Declared.Add)
		for range 10 {
			t.Progress()
			tally := locks.NewTally(new(cell))
			together(t, 10, func(i int) {
				for range 5 {
					tally.Add(i + 1)
				}
			})
			require.Equal(t, 275, tally.Total(), "ten goroutines have added 1 to 10, five times each")
		}

		tally := locks.NewTally(&cell{inside: t.Linger})
		together(t, 4, func(int) { tally.Add(1) })
		require.Equal(t, 4, tally.Total(), "four goroutines have added 1")

		for range 10 {
			t.Progress()
			var other *labtest.Call
			c := new(cell)
			tally := locks.NewTally(c)
			c.inside = sync.OnceFunc(func() {
				other = t.Go(func() { tally.Add(1) })
				labtest.StepAside()
			})
			tally.Add(10)
			tally.Add(10) // which may well overtake the other
			_ = tally.Total()
			require.NotNil(t, other, "neither Add nor Total has used the cell")
			other.Join()
			require.Equal(t, 21, tally.Total(), "while one added 10 and 10, another has added 1")
			require.Equal(t, 21, c.Load(), "while one added 10 and 10, another has added 1, Total returned 21, and the cell holds")
		}
	})
}

func (s *TallySuite) TestTheCellIsUsedByOneAtATime() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("read-change-write", "No two calls of Load or Store may run at the same time, not even two Loads", locks.Declared.Add, locks.Declared.Total)
		for _, adders := range []int{8, 4, 0} {
			c := new(cell)
			tally := locks.NewTally(c)
			together(t, 8, func(i int) {
				for range 10 {
					if i < adders {
						tally.Add(1)
					} else {
						_ = tally.Total()
					}
				}
			})
			require.Equal(t, 1, max(c.users.Max(), 1), "%d goroutines add, %d read the total; so many were in the cell at once", adders, 8-adders)
		}
	})
}

func (s *TallySuite) TestTotalSeesEveryAddThatHasReturned() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("read-change-write", "Total must see every Add that has returned", locks.Declared.Add, locks.Declared.Total)
		count := func(c *cell, goroutines, times int) {
			t.Progress()
			tally := locks.NewTally(c)
			var done atomic.Int64
			together(t, goroutines, func(i int) {
				for range times {
					if i%2 == 0 {
						tally.Add(1)
						done.Add(1)
					}
					atLeast := int(done.Load())
					total := tally.Total()
					assert.True(t, total >= atLeast, "%d Adds of 1 had returned before Total was called, and it returned %d", atLeast, total)
				}
			})
			assert.EqualValues(t, done.Load(), tally.Total(), "all Adds had returned, and Total is another")
		}
		for range 10 {
			count(new(cell), 8, 10)
		}
		count(&cell{inside: t.Linger}, 4, 1)
	})
}

func (s *TallySuite) TestAddsOfSeveralTallies() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("read-change-write", "Each tally must count for itself", locks.Declared.NewTally)
		var tallies []locks.Tally
		for range 2 {
			tallies = append(tallies, locks.NewTally(new(cell)))
		}
		tallies[0].Add(1)
		tallies[1].Add(2)
		assert.Equal(t, []int{1, 2}, []int{tallies[0].Total(), tallies[1].Total()}, "one has 1 added, the other one 2")
	})
}

// Task 4: the crew to repair.

type CrewSuite struct{ labtest.Suite }

func TestCrew(t *testing.T) { suite.Run(t, new(CrewSuite)) }

func (s *CrewSuite) TestEachJobIsDoneOnce() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("the-crew", "Each job must be done exactly once", locks.Declared.Crew)
		for _, jobs := range [][]string{nil, {"dig"}, {"dig", "dig", "rake"}, {"a", "b", "c", "d", "e", "f", "g"}, {"", " a job ", "100 %d"}} {
			crew := runCrew(t, jobs)
			var done []string
			for _, line := range crew.out.Writes() {
				if job, ok := strings.CutPrefix(line, "  "); ok {
					done = append(done, strings.TrimSuffix(job, "\n"))
				} else if line != "worker 1:\n" && line != "worker 2:\n" {
					t.Fatalf("this line is neither \"worker N:\" nor a job behind two spaces: %q", line)
				}
			}
			require.Equal(t, labtest.Sorted(jobs), labtest.Sorted(done), "Crew returned, and these jobs were done (sorted here)")
		}

		many := make([]string, 3_000)
		require.Len(t, runCrew(t, many).out.Writes(), 2*len(many), "%d jobs, and so many lines came", len(many))

		t.Rule("the-crew", "Each job must be done exactly once, also if the screen is taken for two minutes", locks.Declared.Crew, locks.Declared.Print)
		b := busy(t, "Print")
		call := t.Go(func() { locks.Crew(make([]string, 3), b.screen, locks.NewTally(new(cell))) })
		time.Sleep(locks.Nap)
		t.Pass(2 * time.Minute)
		b.gate.Open()
		call.Join()
		require.Equal(t, 1+2*3, len(b.out.Writes()), "another Print had the screen for two minutes, then 3 jobs were to be printed, and so many lines came in all")
	})
}

func (s *CrewSuite) TestEachJobCountsOnce() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("the-crew", "Each job must add 1 to the tally, after its nap", locks.Declared.Crew)
		for n := range 6 {
			crew := runCrew(t, make([]string, n))
			require.Equal(t, n, crew.tally.Total(), "the total after %d jobs", n)
		}

		again := newCrew()
		again.tally.Add(10)
		for n := range 2 {
			locks.Crew(make([]string, 3), again.screen, again.tally)
			require.Equal(t, 10+3*(n+1), again.tally.Total(), "the total was 10, and then %d crews have done 3 jobs each", n+1)
		}

		crew := newCrew()
		call := t.Go(func() { locks.Crew(make([]string, 6), crew.screen, crew.tally) })
		time.Sleep(locks.Nap / 2)
		require.Equal(t, 0, crew.tally.Total(), "the total while both workers nap for the first time")
		time.Sleep(locks.Nap)
		require.Equal(t, 2, crew.tally.Total(), "the total while both workers nap for the second time")
		call.Join()
	})
}

func (s *CrewSuite) TestAJobIsOneBlock() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("the-crew", `"worker N:" and the job behind two spaces must be one block`, locks.Declared.Crew)
		jobs := make([]string, 10)
		for i := range jobs {
			jobs[i] = fmt.Sprintf("job %d", i)
		}
		crew := newCrew()
		// Others use the same screen at the very moments at which the workers do.
		var others []*labtest.Call
		for range 4 {
			others = append(others, t.Go(func() {
				for range len(jobs) / locks.Workers {
					time.Sleep(locks.Nap)
					for range 5 {
						_ = crew.screen.Print("other:", "  business")
					}
				}
			}))
		}
		locks.Crew(jobs, crew.screen, crew.tally)
		for _, other := range others {
			other.Join()
		}

		workers := map[string]bool{}
		for _, b := range crew.blocks(t) {
			workers[b.worker] = true
		}
		assert.Equal(t, map[string]bool{"worker 1:": true, "worker 2:": true, "other:": true}, workers, "others have printed")
	})
}

func (s *CrewSuite) TestBothNapAtTheSameTime() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("sleep-outside-of-the-lock", "Both workers must nap at the same time: 2k jobs take k naps", locks.Declared.Crew)
		for _, n := range []int{1, 2, 9, 10} {
			crew := runCrew(t, make([]string, n))
			naps := time.Duration((n + 1) / locks.Workers)
			require.GreaterOrEqual(t, crew.took, naps*locks.Nap, "%d jobs cannot take less than their naps, and took", n)
			// Who polls for the screen comes a little later.
			require.Less(t, crew.took, (naps+1)*locks.Nap, "the naps of %d jobs take %v together, and the jobs took", n, naps*locks.Nap)
		}

		t.Rule("sleep-outside-of-the-lock", "Two crews must be able to nap at the same time", locks.Declared.Crew)
		c := newCrew()
		work := func() { locks.Crew(make([]string, 2), c.screen, c.tally) }
		one, other := t.Go(work), t.Go(work)
		one.Join()
		other.Join()
		require.Less(t, time.Since(c.began), 2*locks.Nap, "two crews have done two jobs each, at the same time and on the same screen, in")
		require.Equal(t, 4, c.tally.Total(), "two crews have done two jobs each, and this is the total")
	})
}

func (s *CrewSuite) TestTheWorkComesBeforeThePrint() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("the-crew", "A worker must nap first and print then under its own number, for every job", locks.Declared.Crew)
		crew := runCrew(t, make([]string, 6))
		// Two lines a job, two jobs a nap.
		for i, at := range crew.out.Times() {
			require.GreaterOrEqual(t, at.Sub(crew.began), time.Duration(i/4+1)*locks.Nap, "line %d came after", i+1)
		}
		last := map[string]time.Time{}
		for i, b := range crew.blocks(t) {
			at := crew.out.Times()[2*i]
			// Who polls for the screen may have been late the time before.
			require.Greater(t, at.Sub(last[b.worker]), locks.Nap/2, "block %d says %q, who has printed just before", i+1, b.worker)
			last[b.worker] = at
		}
	})
}

func (s *CrewSuite) TestABrokenScreenStopsNobody() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("the-crew", "An error of the screen must be ignored, and the job still count", locks.Declared.Crew)
		for _, every := range []int{1, 2, 3} {
			writes := 0
			screen := locks.NewScreen(labtest.WriterFunc(func(p []byte) (int, error) {
				if writes++; writes%every == 0 {
					return 0, errBroken
				}
				return len(p), nil
			}))
			tally := locks.NewTally(new(cell))
			call := t.Go(func() { locks.Crew(make([]string, 5), screen, tally) })
			call.Returns("with a screen that fails it does not return")
			if every == 1 {
				require.Equal(t, 5, writes, "of each of 5 jobs the first line failed, and so many Writes came")
			}
			require.Equal(t, 5, tally.Total(), "the total after 5 jobs on a screen where every %d. Write fails", every)
		}
	})
}

func (s *CrewSuite) TestWritersAndCellsAreUsedByOneAtATime() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("the-crew", "Neither the writer nor the cell may be used twice at the same time", locks.Declared.Crew)
		crew := runCrew(t, make([]string, 20))
		assert.False(t, crew.out.Overlapped(), "a Write began while another was at work")
		assert.LessOrEqual(t, crew.cell.users.Max(), 1, "so many were in the cell at once")
	})
}

// Task 5, for the brave: wait for a lock no longer than you want.

type PrintContextSuite struct{ labtest.Suite }

func TestPrintContext(t *testing.T) { suite.Run(t, new(PrintContextSuite)) }

func (s *PrintContextSuite) TestItPrintsAsPrintDoes() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("a-lock-in-a-select", "PrintContext must write as Print does", locks.Declared.PrintContext)
		var w labtest.Exclusive
		ctx, cancel := context.WithCancel(t.Context())
		screen := locks.NewScreen(&breaks{to: &w, at: 4, how: func() error {
			cancel() // too late to matter
			return errBroken
		}})

		assert.NoError(t, screen.PrintContext(t.Context()), "without lines it failed")
		assert.NoError(t, screen.PrintContext(t.Context(), "one", ""), "it failed")
		assert.NoError(t, screen.PrintContext(t.Context(), "two"), "it failed")
		assert.ErrorIs(t, screen.PrintContext(ctx, "three", "four", "five"), errBroken, "a Write failed while the context ended, and it returned something else")
		t.Go(func() { assert.NoError(t, screen.Print("six"), "the next Print failed") }).
			Returns("a Write has failed, and the next Print blocks")
		assert.Equal(t, []string{"one\n", "\n", "two\n", "three\n", "six\n"}, w.Writes(), "other lines are there")

		printedTwice(t, func(screen locks.Screen, lines ...string) error {
			return screen.PrintContext(t.Context(), lines...)
		})
	})
}

func (s *PrintContextSuite) TestAPanicLeavesTheScreenUsable() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("the-lock-must-come-back", "A Write that panics must leave the screen usable", locks.Declared.PrintContext)
		var w labtest.Exclusive
		screen := locks.NewScreen(&breaks{to: &w, at: 0, how: func() error { panic("the screen is on fire") }})
		func() {
			defer func() { _ = recover() }()
			_ = screen.PrintContext(newEnding(t, nil), "one")
		}()

		t.Go(func() { assert.NoError(t, screen.PrintContext(t.Context(), "two"), "the next PrintContext failed") }).
			Returns("a Write has panicked, and the next PrintContext blocks")

		panicsWhileAnotherWaits(t, func(s locks.Screen, lines ...string) error { return s.PrintContext(t.Context(), lines...) })

		t.Rule("a-lock-in-a-select", "Once the screen is free no goroutine may stay behind, after a panic either", locks.Declared.PrintContext)
		t.NothingStays()
	})
}

func (s *PrintContextSuite) TestBlocksOfBothAreNeverInterrupted() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("a-lock-in-a-select", "Print and PrintContext must keep each other's blocks together", locks.Declared.Print, locks.Declared.PrintContext)
		for range 20 {
			t.Progress()
			var w labtest.Exclusive
			screen := locks.NewScreen(&w)
			var turn atomic.Int64
			printBlocks(t, 8, func(lines ...string) error {
				if turn.Add(1)%2 == 0 {
					return screen.Print(lines...)
				}
				return screen.PrintContext(t.Context(), lines...)
			})
			checkBlocks(t, w.Writes(), 8)
			require.False(t, w.Overlapped(), "a Write began while another was at work")
		}
	})
}

func (s *PrintContextSuite) TestItWaitsForTheScreen() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("a-lock-in-a-select", "PrintContext must wait while another has the screen, and print when it is free", locks.Declared.PrintContext)
		for _, holder := range []string{"Print", "PrintContext"} {
			b := busy(t, holder)
			var empty error
			none := t.Go(func() { empty = b.screen.PrintContext(t.Context()) })
			waiter := t.Go(func() {
				assert.NoError(t, b.screen.PrintContext(t.Context(), "one", "two"), "it was called while %s had the screen, and it failed", holder)
			})
			t.Pass(2 * time.Minute)
			require.False(t, waiter.Returned(), "%s has the screen, and it returned", holder)

			b.gate.Open()
			b.call.Join()
			waiter.Returns("%s has set the screen free, and it still waits", holder)
			none.Returns("%s has set the screen free, and a PrintContext without lines still waits", holder)
			assert.NoError(t, empty, "it was called without lines while %s had the screen, and it failed", holder)
			assert.Equal(t, []string{"busy\n", "one\n", "two\n"}, b.out.Writes(), "other lines are there")
		}
	})
}

func (s *PrintContextSuite) TestItWaitsNoLongerThanItsContext() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("a-lock-in-a-select", "While another has the screen, PrintContext must end with its context", locks.Declared.PrintContext)
		for _, holder := range []string{"Print", "PrintContext"} {
			for _, reason := range []error{context.Canceled, context.DeadlineExceeded} {
				b := busy(t, holder)
				ctx := newEnding(t, reason)
				waiter := t.Go(func() {
					assert.ErrorIs(t, b.screen.PrintContext(ctx, "one"), reason, "the context of PrintContext has ended while it waited, and it returned something else")
				})
				t.Pass(time.Minute)
				require.False(t, waiter.Returned(), "%s has the screen, and a PrintContext returned", holder)

				ctx.end()
				t.Pass(time.Minute)
				require.True(t, waiter.Returned(), "%s has the screen, the context of a PrintContext that waits for it has ended, and that PrintContext still waits", holder)

				b.gate.Open()
				b.call.Join()
				t.Settle()
				require.Equal(t, []string{"busy\n"}, b.out.Writes(), "the context of PrintContext had ended, and these lines are there")
				t.Go(func() { assert.NoError(t, b.screen.Print("next"), "the next Print failed") }).
					Returns("a PrintContext ended with its context while %s had the screen, the screen is free now, and the next Print blocks", holder)
			}
		}

		for _, ending := range t.Endings() {
			if ending.Err != context.Canceled {
				continue // it would need time to pass
			}
			b := busy(t, "Print")
			ctx, end := ending.Start()
			waiter := t.Go(func() {
				assert.ErrorIs(t, b.screen.PrintContext(ctx, "one"), context.Canceled, "the context of PrintContext was cancelled, and it returned something else")
			})
			t.Pass(time.Minute)
			end()
			t.Pass(time.Minute)
			require.True(t, waiter.Returned(), "the context of PrintContext was cancelled, and it still waits")
			b.gate.Open()
			b.call.Join()
		}

		t.InTurn(30, func(ctx *labtest.Moment) {
			b := busy(t, "Print")
			ctx.Then = ctx.Cancel
			waiter := t.Go(func() {
				assert.ErrorIs(t, b.screen.PrintContext(ctx, "one"), context.Canceled, "the context of PrintContext has ended, and it returned something else")
			})
			t.Pass(time.Second)
			if !ctx.Came() {
				ctx.Cancel()
			}
			t.Pass(time.Second)
			require.True(t, waiter.Returned(), "the context of PrintContext ended right after it had called Err or Done, and it still waits")
			b.gate.Open()
			b.call.Join()
		})
	})
}

func (s *PrintContextSuite) TestAnEndedContextAlwaysEndsIt() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("a-lock-in-a-select", "A context that had ended before the call must end it, free screen or not, lines or not", locks.Declared.PrintContext)
		var w labtest.Exclusive
		screen := locks.NewScreen(&w)
		for i := range often {
			for _, ending := range t.Endings() {
				ctx, end := ending.Start()
				end()
				require.ErrorIs(t, screen.PrintContext(ctx, []string{"one"}[:(i+1)%2]...), ending.Err, "the screen was free, it was called with %d lines, and it returned something else", (i+1)%2)
			}
		}
		require.Empty(t, w.Writes(), "these lines were written")
		t.Go(func() { assert.NoError(t, screen.Print("one"), "the next Print failed") }).
			Returns("it has ended with its context, and the next Print blocks")

		b := busy(t, "Print")
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		late := t.Go(func() {
			assert.ErrorIs(t, b.screen.PrintContext(ctx, "one"), context.Canceled, "the screen was taken, and it returned something else")
		})
		t.Pass(time.Minute)
		assert.True(t, late.Returned(), "the screen was taken, and it waits")
		b.gate.Open()
		b.call.Join()
	})
}

func (s *PrintContextSuite) TestOnceItPrintsItPrintsAll() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("a-lock-in-a-select", "Once it prints, the whole block must be printed even if the context ends", locks.Declared.PrintContext)
		for _, at := range []string{"one\n", "two\n", "three\n"} {
			var out labtest.Recorder
			ctx, cancel := context.WithCancel(t.Context())
			screen := locks.NewScreen(labtest.WriterFunc(func(p []byte) (int, error) {
				if string(p) == at {
					cancel()
					labtest.StepAside()
				}
				return out.Write(p)
			}))

			err := screen.PrintContext(ctx, "one", "two", "three")

			assert.Equal(t, []string{"one\n", "two\n", "three\n"}, out.Writes(), "the context ended while %q was written, and these lines are there", at)
			assert.NoError(t, err, "the context ended while %q was written, all was printed, and it failed", at)
			cancel()
		}
	})
}

func (s *PrintContextSuite) TestNeitherLostNorHalfWhenBothComeAtOnce() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("a-lock-in-a-select", "If the screen gets free when the context ends, all must be printed or nothing, and the screen be free", locks.Declared.PrintContext)
		check := func(b *holding, err error) {
			b.call.Join()
			t.Settle()
			want := []string{"busy\n", "one\n", "two\n"}
			if err != nil {
				want = want[:1]
				assert.ErrorIs(t, err, context.Canceled, "it failed with another error")
			}
			got := slices.DeleteFunc(b.out.Writes(), func(line string) bool { return line == "behind\n" })
			require.Equal(t, want, got, "it returned %v, and these lines are there", err)
			t.Go(func() { assert.NoError(t, b.screen.Print("next"), "the next Print failed") }).
				Returns("it returned %v, and the next Print blocks", err)
		}

		for range 14 { // Select may have a choice, and a coin that falls the right way.
			t.InTurn(30, func(ctx *labtest.Moment) {
				b := busy(t, "Print")
				release := sync.OnceFunc(b.gate.Open)
				var behind *labtest.Call
				ctx.Then = func() {
					behind = t.Go(func() { assert.NoError(t, b.screen.Print("behind"), "a Print that waited as well failed") })
					labtest.StepAside()
					t.Beside(release)
					ctx.Cancel()
				}
				var err error
				waiter := t.Go(func() { err = b.screen.PrintContext(ctx, "one", "two") })
				t.Pass(time.Second)
				if !ctx.Came() {
					release()
				}
				waiter.Returns("the screen is free, and it still waits")
				if behind != nil {
					behind.Returns("it returned %v, and a Print that waited as well still does", err)
				}
				check(b, err)
			})
		}
		for range 50 {
			t.Progress()
			b := busy(t, "Print")
			ctx, cancel := context.WithCancel(t.Context())
			var err error
			waiter := t.Go(func() { err = b.screen.PrintContext(ctx, "one", "two") })
			t.Pass(time.Second)
			t.Collide(b.gate.Open, cancel)
			waiter.Returns("the screen is free and its context has ended, and it still waits")
			check(b, err)
		}
	})
}

func (s *PrintContextSuite) TestNobodyStaysBehind() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("a-lock-in-a-select", "Once the screen is free no goroutine may stay behind", locks.Declared.PrintContext)
		t.NothingStays()
		b := busy(t, "Print")
		ctx, cancel := context.WithCancel(t.Context())
		// A context that never ends must not keep anybody either.
		never := newEnding(t, context.Canceled)
		var waiters []*labtest.Call
		for range 3 {
			waiters = append(waiters,
				t.Go(func() { _ = b.screen.PrintContext(ctx, "one") }),
				t.Go(func() { assert.NoError(t, b.screen.PrintContext(never, "two"), "it failed") }),
				t.Go(func() {
					assert.ErrorIs(t, b.screen.PrintContext(never, "bad"), errBroken, "its Write failed, and it returned something else")
				}))
		}
		t.Pass(time.Second)
		cancel()
		t.Pass(time.Second)
		b.gate.Open()
		b.call.Join()
		for _, w := range waiters {
			w.Join()
		}
		assert.NoError(t, b.screen.PrintContext(never, "three"), "the screen is free, and it failed")
	})
}

// cell is a plain cell that gives way wherever somebody else could come in
// between.
type cell struct {
	value  atomic.Int64 // so that only Add and Total can race
	users  labtest.Gauge
	inside func() // if not nil, what happens in each Load and Store
}

func (c *cell) Load() int {
	defer c.use()()
	return int(c.value.Load())
}

func (c *cell) Store(v int) {
	defer c.use()()
	c.value.Store(int64(v))
}

func (c *cell) use() (done func()) {
	leave := c.users.Enter()
	runtime.Gosched()
	if c.inside != nil {
		c.inside()
	}
	return func() {
		runtime.Gosched()
		leave()
	}
}

// breaks is a writer of which one Write goes wrong.
type breaks struct {
	to    io.Writer
	at    int // which one, from 0
	how   func() error
	count int
}

func (b *breaks) Write(p []byte) (int, error) {
	b.count++
	if b.count == b.at+1 {
		return 0, b.how()
	}
	return b.to.Write(p)
}

// together calls f n times, in goroutines that all begin at the same time, and
// waits for them.
func together(t *labtest.T, n int, f func(i int)) {
	start := labtest.NewGate()
	var calls []*labtest.Call
	for i := range n {
		calls = append(calls, t.Go(func() {
			start.Pass()
			f(i)
		}))
	}
	start.Open()
	for _, c := range calls {
		c.Join()
	}
}

// printBlocks prints n blocks of three lines, all at the same time.
func printBlocks(t *labtest.T, n int, print func(lines ...string) error) {
	together(t, n, func(i int) {
		assert.NoError(t, print(fmt.Sprintf("%d begins", i), fmt.Sprintf("%d goes on", i), fmt.Sprintf("%d ends", i)), "printing failed")
	})
}

// checkBlocks checks that the lines are those of n such blocks, none of which
// was interrupted.
func checkBlocks(t *labtest.T, lines []string, n int) {
	require.Len(t, lines, 3*n, "so many lines were printed")
	for i := 0; i < len(lines); i += 3 {
		who, _, _ := strings.Cut(lines[i], " ")
		require.Equal(t, []string{who + " begins\n", who + " goes on\n", who + " ends\n"}, lines[i:i+3],
			"the block that began with %q was interrupted", lines[i])
	}
}

// crew is what a Crew works with.
type crew struct {
	out    labtest.Exclusive
	cell   cell
	screen locks.Screen
	tally  locks.Tally
	began  time.Time
	took   time.Duration
}

func newCrew() *crew {
	c := &crew{began: time.Now()}
	c.screen, c.tally = locks.NewScreen(&c.out), locks.NewTally(&c.cell)
	return c
}

// runCrew lets a crew do the jobs.
func runCrew(t *labtest.T, jobs []string) *crew {
	c := newCrew()
	call := t.Go(func() {
		locks.Crew(slices.Clone(jobs), c.screen, c.tally)
		c.took = time.Since(c.began)
	})
	call.Join()
	return c
}

type block struct{ worker, job string }

// blocks returns what was printed, and checks that it is made of blocks.
func (c *crew) blocks(t *labtest.T) []block {
	lines := c.out.Writes()
	var blocks []block
	for i, line := range lines {
		head := strings.HasPrefix(line, "worker ") || line == "other:\n"
		if head != (i%2 == 0) {
			t.Fatalf("a block was interrupted: lines %d to %d are %q", max(i, 1), min(i+2, len(lines)), lines[max(i-1, 0):min(i+2, len(lines))])
		}
		if i%2 == 0 {
			continue
		}
		b := block{strings.TrimSuffix(lines[i-1], "\n"), strings.TrimSuffix(line, "\n")}
		if !strings.HasPrefix(line, "  ") || (b.worker == "other:") != (b.job == "  business") {
			t.Fatalf("these two lines are not a block: %q", lines[i-1:i+1])
		}
		blocks = append(blocks, b)
	}
	if len(lines)%2 != 0 {
		t.Fatalf("the last block, %q, has no second line", lines[len(lines)-1])
	}
	return blocks
}

// holding is a screen that somebody has.
type holding struct {
	screen locks.Screen
	out    labtest.Recorder
	gate   *labtest.Gate // opens to set it free
	call   *labtest.Call // of who has it
}

// printedTwice prints the same lines again: they are the caller's.
func printedTwice(t *labtest.T, print func(screen locks.Screen, lines ...string) error) {
	var w labtest.Recorder
	screen := locks.NewScreen(&w)
	lines := []string{"one", "", "two"}
	for range 2 {
		require.NoError(t, print(screen, lines...), "it failed")
	}
	assert.Equal(t, []string{"one\n", "\n", "two\n", "one\n", "\n", "two\n"}, w.Writes(), "a slice of three lines was printed twice, and other Writes came")
}

// panicsWhileAnotherWaits lets a Write panic while another call waits for the
// screen, and then one of a call that has waited itself.
func panicsWhileAnotherWaits(t *labtest.T, print func(screen locks.Screen, lines ...string) error) {
	gate := labtest.NewGate()
	screen := locks.NewScreen(&breaks{to: io.Discard, at: 0, how: func() error {
		gate.Pass()
		panic("the screen is on fire")
	}})
	first := t.Go(func() {
		defer func() { _ = recover() }()
		_ = print(screen, "one")
	})
	first.Blocks("it returned while its line was being written")
	waiter := t.Go(func() {
		assert.NoError(t, print(screen, "two"), "a Write has panicked, and who waited meanwhile failed")
	})
	t.Pass(time.Second)
	gate.Open()
	first.Join()
	waiter.Returns("a Write has panicked, and who waited meanwhile still waits")

	b := busy(t, "Print")
	waiter = t.Go(func() {
		defer func() { _ = recover() }()
		_ = print(b.screen, "fire")
	})
	t.Pass(time.Second)
	b.gate.Open()
	b.call.Join()
	waiter.Join()
	t.Go(func() { assert.NoError(t, print(b.screen, "next"), "the next call failed") }).
		Returns("one had to wait for the screen, then its Write panicked, and the next call blocks")
}

// busy returns a screen that is in a call of the method until the gate is opened,
// and then takes every line but "bad", which fails, and "fire", which panics.
func busy(t *labtest.T, method string) *holding {
	b := &holding{gate: labtest.NewGate()}
	b.screen = locks.NewScreen(labtest.WriterFunc(func(p []byte) (int, error) {
		if string(p) == "busy\n" {
			b.gate.Pass()
		}
		if string(p) == "bad\n" {
			return 0, errBroken
		}
		if string(p) == "fire\n" {
			panic("the screen is on fire")
		}
		return b.out.Write(p)
	}))
	b.call = t.Go(func() {
		if method == "Print" {
			assert.NoError(t, b.screen.Print("busy"), "Print failed")
		} else {
			assert.NoError(t, b.screen.PrintContext(t.Context(), "busy"), "PrintContext failed")
		}
	})
	b.call.Blocks("it returned while its line was being written")
	return b
}

// ending is a context that ends when it is told to. A deadline would need time to
// pass, and that must not be asked of code that may wait for a mutex.
type ending struct {
	context.Context
	done   chan struct{}
	reason error
}

func newEnding(t *labtest.T, reason error) *ending {
	return &ending{t.Context(), make(chan struct{}), reason}
}

func (e *ending) Done() <-chan struct{} { return e.done }

func (e *ending) Err() error {
	select {
	case <-e.done:
		return e.reason
	default:
		return nil
	}
}

func (e *ending) end() { close(e.done) }
