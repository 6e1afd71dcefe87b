package pipes_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/iotest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/stretchr/testify/suite"

	"conclab/internal/contract/pipes"
	"conclab/internal/labtest"
)

// Whoever leaves a choice between what has already happened and what has not to
// select sees it fall the right way now and then, but not so many times in a
// row.
const often = 50

// Task 1: a pipe with two ends.

type PipeSuite struct{ labtest.Suite }

func TestPipe(t *testing.T) { suite.Run(t, new(PipeSuite)) }

func (s *PipeSuite) TestMessagesArriveInOrder() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("two-crossed-channels", "What one end sends the other must receive, in order", pipes.Declared.Pipe)
		for _, buffer := range []int{0, 1, 3} {
			left, right := pipe[int](t, buffer)
			for _, way := range ways(buffer, left, right) {
				sender := t.Go(func() {
					for i := range 6 {
						assert.NoError(t, way.from.Send(t.Context(), i), "%v: Send failed", way)
					}
				})
				var got []int
				for range 6 {
					v, err := way.to.Recv(t.Context())
					require.NoError(t, err, "%v: Recv failed", way)
					got = append(got, v)
				}
				sender.Join()
				assert.Equal(t, []int{0, 1, 2, 3, 4, 5}, got, "%v: wrong messages or order", way)
			}
		}
	})
}

func (s *PipeSuite) TestAnEndDoesNotHearItself() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("two-crossed-channels", "What one end sends only the other may receive", pipes.Declared.Pipe, pipes.Declared.Recv)
		left, right := pipe[int](t, 1)
		require.NoError(t, left.Send(t.Context(), 1), "Send failed")

		t.Go(func() { _, _ = left.Recv(t.Context()) }).
			Blocks("Recv on the left end returned although the right end had sent nothing")

		v, err := right.Recv(t.Context())
		require.NoError(t, err, "Recv on the right end failed")
		assert.Equal(t, 1, v, "the right end received something else")
	})
}

func (s *PipeSuite) TestDirectionsAreIndependent() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("two-crossed-channels", "The two directions must be independent", pipes.Declared.Pipe, pipes.Declared.Send, pipes.Declared.Recv)
		left, right := pipe[int](t, 1)
		require.NoError(t, left.Send(t.Context(), 1), "Send on the left end failed")
		full := t.Go(func() { assert.NoError(t, left.Send(t.Context(), 2), "Send on the left end failed") })
		full.Blocks("Send on the left end found room where there is none")

		t.Go(func() { assert.NoError(t, right.Send(t.Context(), 10), "Send on the right end failed") }).
			Returns("while Send on the left end is blocked, Send on the right end blocks too")
		t.Go(func() {
			v, err := left.Recv(t.Context())
			assert.NoError(t, err, "Recv on the left end failed")
			assert.Equal(t, 10, v, "the left end received something else")
		}).Returns("while Send on the left end is blocked, Recv on it blocks although there is a message")

		full.Blocks("receiving on the left end made room for what it sends")
		v, err := right.Recv(t.Context())
		require.NoError(t, err, "Recv on the right end failed")
		assert.Equal(t, 1, v, "the right end received something else")
		full.Returns("there is room again, and Send on the left end still blocks")
	})
}

func (s *PipeSuite) TestTheRightOneIsWoken() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("two-crossed-channels", "With calls blocked on both ends, the one that can go on must be woken", pipes.Declared.Send, pipes.Declared.Recv)
		receive := func(ctx context.Context, end pipes.Conn[int]) *labtest.Call {
			c := t.Go(func() { _, _ = end.Recv(ctx) })
			c.Blocks("Recv returned although nothing has been sent")
			return c
		}
		send := func(end pipes.Conn[int]) *labtest.Call {
			return t.Go(func() { assert.NoError(t, end.Send(t.Context(), 1), "Send failed") })
		}

		for _, way := range newWays(t, 0) {
			first, second := receive(t.Context(), way.from), receive(t.Context(), way.to)
			send(way.from).Returns("%v: both ends receive, and Send blocks", way)
			second.Returns("%v: both ends receive, and the message does not arrive", way)
			send(way.to)
			first.Returns("%v: both ends receive, and the answer does not arrive", way)
		}
		for _, way := range newWays(t, 1) {
			send(way.to).Returns("Send blocks although there is room")
			send(way.from).Returns("Send blocks although there is room")
			first := send(way.to)
			first.Blocks("Send found room where there is none")
			second := send(way.from)
			second.Blocks("Send found room where there is none")
			_, err := way.to.Recv(t.Context())
			require.NoError(t, err, "Recv failed")
			second.Returns("%v: Send is blocked on both ends, a message has been received, and Send still blocks", way)
			first.Blocks("%v: receiving made room in the other direction", way)
			_, err = way.from.Recv(t.Context())
			require.NoError(t, err, "Recv failed")
			first.Returns("%v: a message has been received, and Send still blocks", way)
		}
		for _, way := range newWays(t, 0) {
			receive(t.Context(), way.from)
			ctx, cancel := context.WithCancel(t.Context())
			second := receive(ctx, way.to)
			cancel()
			second.Returns("%v: both ends receive, the context of one Recv ends, and it still blocks", way)
		}
	})
}

func (s *PipeSuite) TestSendBlocksWhileTheBufferIsFull() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("the-standoff", "Send must block while buffer messages are unread, and only then", pipes.Declared.Send)
		for _, buffer := range []int{1, 2, 5} {
			for _, way := range newWays(t, buffer) {
				for i := range buffer {
					t.Go(func() { assert.NoError(t, way.from.Send(t.Context(), i), "Send failed") }).
						Returns("%v: Send number %d blocks although there is room", way, i+1)
				}
				var err error
				tooMany := t.Go(func() { err = way.from.Send(t.Context(), buffer) })
				tooMany.Blocks("%v: Send number %d returned at once", way, buffer+1)
				t.Pass(2 * time.Minute)
				t.Settle()
				if tooMany.Returned() {
					t.Fatalf("%v: no message had been received for two minutes, and Send number %d returned %v", way, buffer+1, err)
				}

				_, received := way.to.Recv(t.Context())
				require.NoError(t, received, "Recv failed")
				tooMany.Returns("%v: a message has been received, but the blocked Send still waits", way)
				require.NoError(t, err, "%v: a message has been received, and the blocked Send failed", way)
			}
		}

		const many = 1100
		wide, _ := pipe[int](t, many)
		t.Go(func() {
			for i := range many {
				assert.NoError(t, wide.Send(t.Context(), i), "Send failed")
			}
		}).Returns("one of %d Sends blocks although there is room for all", many)
		t.Go(func() { _ = wide.Send(t.Context(), many) }).
			Blocks("Pipe(%d) took more messages than that", many)

		left, _ := pipe[struct{}](t, 2)
		for range 2 {
			require.NoError(t, left.Send(t.Context(), struct{}{}), "Send failed")
		}
		t.Go(func() { _ = left.Send(t.Context(), struct{}{}) }).
			Blocks("the third Send on Pipe[struct{}](2) returned at once")
	})
}

func (s *PipeSuite) TestSendWithoutBufferWaitsForTheReceiver() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("the-standoff", "On a pipe without buffer Send must block until the message is received", pipes.Declared.Send)
		for _, way := range newWays(t, 0) {
			sender := t.Go(func() { assert.NoError(t, way.from.Send(t.Context(), 1), "Send failed") })
			sender.Blocks("%v: Send returned, and nobody receives", way)
			t.Pass(2 * time.Minute)
			sender.Blocks("%v: nobody receives, and after two minutes Send returned", way)

			_, err := way.to.Recv(t.Context())
			require.NoError(t, err, "Recv failed")
			sender.Returns("%v: Send still blocks although its message has been received", way)

			receiver := t.Go(func() { _, _ = way.to.Recv(t.Context()) })
			receiver.Blocks("%v: the second Recv returned, and nobody sends", way)
			t.Go(func() { assert.NoError(t, way.from.Send(t.Context(), 2), "Send failed") }).
				Returns("%v: Send blocks although a receiver waits", way)
			receiver.Returns("%v: Recv still blocks although a message has been sent to it", way)

			t.Go(func() { _ = way.from.Send(t.Context(), 3) }).
				Blocks("%v: the third Send returned, and nobody receives any more", way)
		}
	})
}

func (s *PipeSuite) TestRecvBlocksUntilThereIsAMessage() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("two-crossed-channels", "Recv must block until there is a message", pipes.Declared.Recv)
		for _, buffer := range []int{0, 1} {
			left, right := pipe[int](t, buffer)
			var v int
			var err error
			receiver := t.Go(func() { v, err = right.Recv(t.Context()) })
			receiver.Blocks("Recv on Pipe(%d) returned although nothing has been sent", buffer)
			t.Pass(2 * time.Minute)
			t.Settle()
			if receiver.Returned() {
				t.Fatalf("nothing had been sent for two minutes, and Recv on Pipe(%d) returned %d, %v", buffer, v, err)
			}

			require.NoError(t, left.Send(t.Context(), 7), "Send failed")
			receiver.Returns("Recv on Pipe(%d) still blocks although a message has been sent", buffer)
			require.NoError(t, err, "Recv on Pipe(%d) failed", buffer)
			require.Equal(t, 7, v, "Recv on Pipe(%d) returned something else", buffer)
		}
	})
}

func (s *PipeSuite) TestZeroValuesAreMessages() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("two-crossed-channels", "A zero value must arrive like any other message", pipes.Declared.Send, pipes.Declared.Recv)
		left, right := pipe[error](t, 2)
		t.Go(func() {
			assert.NoError(t, left.Send(t.Context(), nil), "Send failed")
			assert.NoError(t, left.Send(t.Context(), io.EOF), "Send failed")
		}).Returns("Send blocks although there is room")

		for _, want := range []error{nil, io.EOF} {
			t.Go(func() {
				v, err := right.Recv(t.Context())
				assert.NoError(t, err, "Recv of the message %v failed", want)
				assert.Equal(t, want, v, "Recv returned another message")
			}).Returns("Recv blocks although the message %v has been sent", want)
		}

		one, other := pipe[[]int](t, 2) // two []int cannot be compared
		for _, want := range [][]int{nil, {1}} {
			require.NoError(t, one.Send(t.Context(), want), "Send of a []int failed")
			v, err := other.Recv(t.Context())
			require.NoError(t, err, "Recv of a []int failed")
			require.Equal(t, want, v, "another []int was received")
		}
	})
}

func (s *PipeSuite) TestSendEndsWithItsContext() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("changing-your-mind", "A Send whose context ends while it blocks must end with it and deliver nothing", pipes.Declared.Send)
		for _, buffer := range []int{0, 1} {
			for _, ending := range t.Endings() {
				left, right := pipe[int](t, buffer)
				for i := range buffer {
					require.NoError(t, left.Send(t.Context(), i), "Send failed")
				}
				ctx, end := ending.Start()
				sender := t.Go(func() {
					assert.ErrorIs(t, left.Send(ctx, 99), ending.Err, "Pipe(%d): Send returned another error", buffer)
				})
				sender.Blocks("Send on Pipe(%d) returned at once", buffer)
				end()
				sender.Returns("Send on Pipe(%d) still blocks", buffer)

				for i := range buffer {
					v, err := right.Recv(t.Context())
					require.NoError(t, err, "Recv failed")
					assert.Equal(t, i, v, "Pipe(%d): the other end received another message", buffer)
				}
				next := t.Go(func() {
					v, err := right.Recv(t.Context())
					assert.NoError(t, err, "Recv failed")
					assert.Equal(t, 7, v, "Pipe(%d): Send of 99 failed, then 7 was sent, and the other end received another message", buffer)
				})
				next.Blocks("Pipe(%d): Send of 99 failed, and the other end received a message all the same", buffer)
				t.Go(func() { assert.NoError(t, left.Send(t.Context(), 7), "Send failed") }).
					Returns("Pipe(%d): the next Send blocks although a receiver waits", buffer)
				next.Returns("Pipe(%d): the next message does not arrive", buffer)
			}
		}
	})
}

func (s *PipeSuite) TestRecvEndsWithItsContext() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("changing-your-mind", "A Recv whose context ends while it blocks must end with it and take nothing", pipes.Declared.Recv)
		for _, buffer := range []int{0, 1} {
			for _, ending := range t.Endings() {
				left, right := pipe[int](t, buffer)
				ctx, end := ending.Start()
				for i := range buffer {
					require.NoError(t, right.Send(t.Context(), i), "Send failed")
				}
				beside := t.Go(func() {
					assert.NoError(t, right.Send(t.Context(), 99), "Pipe(%d): the context of a Recv ended, and a Send that was blocked on the same end failed", buffer)
				})
				receiver := t.Go(func() {
					_, err := right.Recv(ctx)
					assert.ErrorIs(t, err, ending.Err, "Pipe(%d): Recv returned another error", buffer)
				})
				beside.Blocks("Send on Pipe(%d) found room where there is none", buffer)
				receiver.Blocks("Recv on Pipe(%d) returned at once", buffer)
				end()
				receiver.Returns("Recv on Pipe(%d) still blocks", buffer)
				beside.Blocks("Pipe(%d): the context of a Recv ended, and a Send that was blocked on the same end returned", buffer)
				for range buffer + 1 {
					_, err := left.Recv(t.Context())
					require.NoError(t, err, "Recv on the other end failed")
				}
				beside.Returns("Pipe(%d): its message has been received, and Send still blocks", buffer)

				sender := t.Go(func() { assert.NoError(t, left.Send(t.Context(), 1), "Send failed") })
				if buffer == 0 {
					sender.Blocks("Send on Pipe(0) returned: the Recv that has ended took its message")
				}
				t.Go(func() {
					v, err := right.Recv(t.Context())
					assert.NoError(t, err, "Recv failed")
					assert.Equal(t, 1, v, "Pipe(%d): Recv returned another message", buffer)
				}).Returns("Pipe(%d): a message sent afterwards does not arrive", buffer)
				sender.Returns("Pipe(%d): Send still blocks although its message has been received", buffer)
			}
		}
	})
}

func (s *PipeSuite) TestSendOfAnEndedContextFails() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("changing-your-mind", "Send must end with a context that had ended before the call, room or no room", pipes.Declared.Send)
		ended, cancel := context.WithCancelCause(t.Context())
		cancel(errors.New("nobody wants it any more"))
		left, right := pipe[int](t, often+1)
		for range often {
			require.ErrorIs(t, left.Send(ended, 99), context.Canceled, "there was room, and Send returned something else")
		}

		receiver := t.Go(func() {
			v, err := right.Recv(t.Context())
			assert.NoError(t, err, "Recv failed")
			assert.Equal(t, 1, v, "the other end received another message")
		})
		receiver.Blocks("Send failed, and its message was received all the same")
		for range often {
			require.ErrorIs(t, left.Send(ended, 99), context.Canceled, "a receiver waited, and Send returned something else")
		}
		require.NoError(t, left.Send(t.Context(), 1), "the next Send failed")
		receiver.Returns("the next message does not arrive")

		t.Go(func() {
			for i := range often + 1 {
				assert.NoError(t, left.Send(t.Context(), i), "Send failed")
			}
		}).Returns("Sends failed, and afterwards there is less room than before")
	})
}

func (s *PipeSuite) TestRecvOfAnEndedContextFails() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("changing-your-mind", "Recv must end with a context that had ended before the call, message or no message", pipes.Declared.Recv)
		ended, cancel := context.WithCancelCause(t.Context())
		cancel(errors.New("nobody wants it any more"))
		left, right := pipe[int](t, 1)
		require.NoError(t, left.Send(t.Context(), 1), "Send failed")
		for range often {
			_, err := right.Recv(ended)
			require.ErrorIs(t, err, context.Canceled, "a message waited, and Recv returned something else")
		}
		require.NoError(t, left.Close(), "Close failed")
		for range often {
			_, err := right.Recv(ended)
			require.Error(t, err, "a message waited, the other end was closed, and Recv took it")
		}

		t.Go(func() {
			v, err := right.Recv(t.Context())
			assert.NoError(t, err, "Recv failed")
			assert.Equal(t, 1, v, "Recv returned another message")
		}).Returns("Recv failed and took the message all the same")
	})
}

func (s *PipeSuite) TestNothingIsLostWhenTheContextEndsAtTheSameMoment() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("changing-your-mind", "A call that fails must neither deliver nor take a message, one that succeeds must do it once", pipes.Declared.Send, pipes.Declared.Recv)
		for round := range 60 {
			talk := newTalk(t, round%2)
			t.Collide(talk.send, talk.recv, talk.cancel)

			if talk.received != nil && round%2 == 1 { // the message may have arrived since
				require.NoError(t, talk.left.Close(), "Close failed")
				_, talk.received = talk.right.Recv(t.Context())
			}
			require.Equal(t, talk.sent == nil, talk.received == nil,
				"Send on Pipe(%d) returned %v, Recv at the other end %v: a message is lost, or came although Send failed", round%2, talk.sent, talk.received)
		}

		for range 10 {
			talk := newTalk(t, 0)
			receiver := t.Go(talk.recv)
			t.Wait()
			sender := t.Go(func() {
				talk.cancel()
				talk.sent = talk.left.Send(t.Context(), 7)
			})
			t.Settle()
			require.NoError(t, talk.left.Close(), "Close failed")
			sender.Returns("Send on Pipe(0) still blocks on an end that is closed")
			receiver.Returns("Recv on Pipe(0) still blocks although its context has ended")
			require.Equal(t, talk.sent == nil, talk.received == nil,
				"a Recv waited on Pipe(0), its context ended, Send returned %v and Recv %v: a message is lost, or came although Send failed", talk.sent, talk.received)

			talk = newTalk(t, 0)
			talk.isTakenBefore(t, talk.cancel)
			require.NoError(t, talk.sent, "its message had been received when the context ended, and Send failed")
		}
	})
}

func (s *PipeSuite) TestTheContextMayEndBehindAnyLookAtIt() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("changing-your-mind", "A call must end with its context, whenever that ends, and what failed must not have happened", pipes.Declared.Send, pipes.Declared.Recv)
		for _, buffer := range []int{0, 1} {
			t.InTurn(100, func(ctx *labtest.Moment) {
				left, right := pipe[int](t, buffer)
				for i := range buffer {
					require.NoError(t, left.Send(t.Context(), i), "Send failed")
				}
				ctx.Then = ctx.Cancel
				sender := t.Go(func() {
					assert.ErrorIs(t, left.Send(ctx, 99), context.Canceled, "Pipe(%d): Send returned something else", buffer)
				})
				t.Settle()
				if !ctx.Came() {
					ctx.Cancel()
				}
				sender.Returns("Pipe(%d): the context ended just after Send had looked at it, and Send still blocks", buffer)

				require.NoError(t, left.Close(), "Close failed")
				for range buffer {
					_, err := right.Recv(t.Context())
					require.NoError(t, err, "Recv failed")
				}
				_, err := right.Recv(t.Context())
				require.ErrorIs(t, err, io.EOF, "Pipe(%d): Send failed, and Recv at the other end returned something else than io.EOF", buffer)
			})

			for range 10 { // Select may have a choice, and a coin that falls the right way.
				t.InTurn(100, func(ctx *labtest.Moment) {
					left, right := pipe[int](t, buffer)
					send := func() { assert.NoError(t, left.Send(t.Context(), 7), "Send failed") }
					var sender *labtest.Call
					ctx.Then = func() {
						sender = t.Go(send)
						ctx.Cancel()
					}
					var received error
					receiver := t.Go(func() { _, received = right.Recv(ctx) })
					t.Settle()
					if !ctx.Came() {
						ctx.Cancel()
					}
					receiver.Returns("Pipe(%d): the context ended just after Recv had looked at it, and Recv still blocks", buffer)

					if sender == nil {
						sender = t.Go(send)
					}
					if received != nil {
						require.ErrorIs(t, received, context.Canceled, "Pipe(%d): Recv returned another error", buffer)
						t.Go(func() {
							v, err := right.Recv(t.Context())
							assert.NoError(t, err, "Recv failed")
							assert.Equal(t, 7, v, "Recv returned another message")
						}).Returns("Pipe(%d): Recv failed and took a message all the same", buffer)
					}
					sender.Returns("Pipe(%d): Send still blocks although its message has been received", buffer)
				})
			}
		}

		for _, buffer := range []int{0, 1} {
			for round := range 16 { // Here too. Few look ten times before they wait.
				t.InTurn(10, func(ctx *labtest.Moment) { isTakenAtTheEnd(t, ctx, buffer, round%2 == 0) })
			}
		}

		t.InTurn(100, func(ctx *labtest.Moment) { // there is room, and then a message
			left, right := pipe[int](t, 1)
			ctx.Then = ctx.Cancel
			sent := left.Send(ctx, 7)
			_, received := right.Recv(ctx)
			require.NoError(t, left.Close(), "Close failed")
			_, rest := right.Recv(t.Context())
			if sent == nil && received != nil {
				require.NoError(t, rest, "there was room, Send returned nil, the Recv after it failed (%v), and its message is lost: one more Recv failed", received)
			} else {
				require.True(t, rest != nil, "there was room, Send returned %v, the Recv after it %v, and one more Recv got a message that must not be there", sent, received)
			}
		})
	})
}

// isTakenAtTheEnd lets somebody receive what a Send sends, and then ends the
// Send's context or closes the other end, behind a look of the Send.
func isTakenAtTheEnd(t *labtest.T, ctx *labtest.Moment, buffer int, cancel bool) {
	left, right := pipe[int](t, buffer)
	for i := range buffer {
		require.NoError(t, left.Send(t.Context(), i), "Send failed")
	}
	var sent, received error
	var receiver *labtest.Call
	receive := sync.OnceFunc(func() {
		receiver = t.Go(func() {
			for range buffer + 1 {
				_, received = right.Recv(t.Context())
			}
		})
	})
	end := "the other end was closed"
	ctx.Then = func() {
		receive()
		labtest.StepAside()
		t.Beside(func() { assert.NoError(t, right.Close(), "Close failed") })
	}
	if cancel {
		end = "its context ended"
		ctx.Then = func() {
			receive()
			labtest.StepAside()
			ctx.Cancel()
		}
	}
	sender := t.Go(func() { sent = left.Send(ctx, 7) })
	t.Settle()
	receive()

	sender.Returns("Pipe(%d): somebody receives just as %s, and Send still blocks", buffer, end)
	require.NoError(t, left.Close(), "Close failed")
	receiver.Returns("Pipe(%d): the other end is closed, and Recv still blocks", buffer)
	if received == nil {
		require.NoError(t, sent, "Pipe(%d): its message was received just as %s, and Send failed", buffer, end)
	} else if cancel {
		require.Error(t, sent, "Pipe(%d): its message was not received, and Send returned no error", buffer)
	}
}

func (s *PipeSuite) TestOtherEndReceivesTheRestThenEOF() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("hanging-up", "After one end's Close the other must receive what had been sent, then io.EOF", pipes.Declared.Close, pipes.Declared.Recv)
		const closed, closedTwice, sentTo = "Close", "two Closes", "two Closes, and a Send of the other end,"
		for _, after := range []string{closed, closedTwice, sentTo} {
			for _, way := range newWays(t, often) {
				for i := range often {
					require.NoError(t, way.from.Send(t.Context(), i), "Send failed")
				}
				require.NoError(t, way.from.Close(), "Close failed")
				if after != closed {
					require.NoError(t, way.from.Close(), "the second Close failed")
				}
				if after == sentTo {
					require.ErrorIs(t, way.to.Send(t.Context(), 99), io.ErrClosedPipe, "%v: the other end is closed, and Send returned something else", way)
				}

				for i := range often {
					v, err := way.to.Recv(t.Context())
					require.NoError(t, err, "%v: after %s Recv failed with %d messages unread", way, after, often-i)
					require.Equal(t, i, v, "%v: Recv returned another message", way)
				}
				for range 3 {
					_, err := way.to.Recv(t.Context())
					require.ErrorIs(t, err, io.EOF, "%v: all was received, and Recv returned something else", way)
				}
			}
		}

		for range 16 { // Select may have a choice, and a coin that falls the right way.
			t.InTurn(10, func(ctx *labtest.Moment) {
				left, right := pipe[int](t, 1)
				sendAndClose := sync.OnceFunc(func() {
					assert.NoError(t, left.Send(t.Context(), 7), "there is room, and Send failed")
					assert.NoError(t, left.Close(), "Close failed")
				})
				ctx.Then = func() { t.Beside(sendAndClose) }
				var v int
				var err error
				receiver := t.Go(func() { v, err = right.Recv(ctx) })
				t.Settle()
				sendAndClose()

				receiver.Returns("a message came for a Recv that was about to wait, then Close, and Recv still blocks")
				require.NoError(t, err, "a message came for a Recv that was about to wait, then Close, and Recv failed")
				require.Equal(t, 7, v, "a message came for a Recv that was about to wait, then Close, and Recv returned another")
				_, err = right.Recv(t.Context())
				require.ErrorIs(t, err, io.EOF, "all was received, and Recv returned something else")
			})
		}
	})
}

func (s *PipeSuite) TestBlockedRecvReceivesEOF() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("hanging-up", "A blocked Recv must return io.EOF when the other end is closed", pipes.Declared.Close, pipes.Declared.Recv)
		for _, buffer := range []int{0, 1} {
			for _, way := range newWays(t, buffer) {
				receiver := t.Go(func() {
					_, err := way.to.Recv(t.Context())
					assert.ErrorIs(t, err, io.EOF, "%v: Recv returned something else", way)
				})
				receiver.Blocks("%v: Recv returned although nothing has been sent", way)
				require.NoError(t, way.from.Close(), "Close failed")
				receiver.Returns("%v: Recv still blocks", way)
			}
		}
	})
}

func (s *PipeSuite) TestSendToAClosedEndFails() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("hanging-up", "Send must return io.ErrClosedPipe when the other end is closed, also where it was blocked", pipes.Declared.Close, pipes.Declared.Send)
		for _, buffer := range []int{0, 1} {
			for _, way := range newWays(t, buffer) {
				for i := range buffer {
					require.NoError(t, way.from.Send(t.Context(), i), "Send failed")
				}
				sender := t.Go(func() {
					assert.ErrorIs(t, way.from.Send(t.Context(), 99), io.ErrClosedPipe, "%v: the blocked Send returned something else", way)
				})
				receiver := t.Go(func() {
					_, err := way.from.Recv(t.Context())
					assert.ErrorIs(t, err, io.EOF, "%v: the Recv that is blocked on the same end as the Send returned something else", way)
				})
				sender.Blocks("%v: Send found room where there is none", way)
				receiver.Blocks("%v: Recv on the sending end returned although nothing has been sent to it", way)
				require.NoError(t, way.to.Close(), "Close failed")
				sender.Returns("%v: Send still blocks", way)
				receiver.Returns("%v: a Send was blocked on the same end, and Recv still blocks", way)
				t.Go(func() {
					assert.ErrorIs(t, way.from.Send(t.Context(), 99), io.ErrClosedPipe, "%v: there was no room, and the next Send returned something else", way)
				}).Returns("%v: there was no room, and the next Send blocks", way)
			}
		}

		left, right := pipe[int](t, often)
		require.NoError(t, right.Close(), "Close failed")
		for range often {
			require.ErrorIs(t, left.Send(t.Context(), 99), io.ErrClosedPipe, "there was room, and Send returned something else")
		}
	})
}

func (s *PipeSuite) TestCallsOnTheClosedEndFail() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("hanging-up", "On a closed end Send and Recv must return io.ErrClosedPipe", pipes.Declared.Close, pipes.Declared.Send, pipes.Declared.Recv)
		left, right := pipe[int](t, often)
		for i := range often {
			require.NoError(t, right.Send(t.Context(), i), "Send on the other end failed")
		}
		require.NoError(t, left.Close(), "Close failed")

		for range often {
			require.ErrorIs(t, left.Send(t.Context(), 99), io.ErrClosedPipe, "there was room, and Send returned something else")
			_, err := left.Recv(t.Context())
			require.ErrorIs(t, err, io.ErrClosedPipe, "a message waited, and Recv returned something else")
		}
		_, err := right.Recv(t.Context())
		assert.ErrorIs(t, err, io.EOF, "Send failed, and yet Recv at the other end returned something else than io.EOF")

		require.NoError(t, right.Close(), "Close of the other end failed")
		for name, end := range map[string]pipes.Conn[int]{"left": left, "right": right} {
			for range often { // what had been sent to the left one is still unread
				require.ErrorIs(t, end.Send(t.Context(), 99), io.ErrClosedPipe, "both ends are closed, and Send on the %s one returned something else", name)
				_, err := end.Recv(t.Context())
				require.ErrorIs(t, err, io.ErrClosedPipe, "both ends are closed, and Recv on the %s one returned something else", name)
			}
		}
	})
}

func (s *PipeSuite) TestCloseWakesItsOwnEnd() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("hanging-up", "A Send or Recv that is blocked on the end that is closed must return io.ErrClosedPipe", pipes.Declared.Close, pipes.Declared.Send, pipes.Declared.Recv)
		for _, buffer := range []int{0, 1} {
			left, right := pipe[int](t, buffer)
			for i := range buffer {
				require.NoError(t, left.Send(t.Context(), i), "Send failed")
			}
			sender := t.Go(func() {
				assert.ErrorIs(t, left.Send(t.Context(), 99), io.ErrClosedPipe, "Pipe(%d): the blocked Send returned something else", buffer)
			})
			receiver := t.Go(func() {
				_, err := left.Recv(t.Context())
				assert.ErrorIs(t, err, io.ErrClosedPipe, "Pipe(%d): the blocked Recv returned something else", buffer)
			})
			sender.Blocks("Send on Pipe(%d) found room where there is none", buffer)
			receiver.Blocks("Recv on Pipe(%d) returned although nothing has been sent", buffer)

			require.NoError(t, left.Close(), "Close failed")
			sender.Returns("Send on Pipe(%d) still blocks", buffer)
			receiver.Returns("Recv on Pipe(%d) still blocks", buffer)

			for range buffer {
				_, err := right.Recv(t.Context())
				require.NoError(t, err, "Pipe(%d): the other end cannot receive what had been sent", buffer)
			}
			_, err := right.Recv(t.Context())
			assert.ErrorIs(t, err, io.EOF, "Pipe(%d): Send failed, and yet Recv at the other end returned something else than io.EOF", buffer)
		}

		for round := range 40 {
			t.Progress()
			buffer := round % 2
			left, right := pipe[int](t, buffer)
			for i := range buffer {
				require.NoError(t, left.Send(t.Context(), i), "Send failed")
			}
			var sent error
			sender := t.Go(func() { sent = left.Send(t.Context(), 99) })
			t.Wait()

			require.NoError(t, left.Close(), "Close failed")
			received := 0
			for ; received <= buffer; received++ {
				_, err := right.Recv(t.Context())
				if err != nil {
					require.ErrorIs(t, err, io.EOF, "Pipe(%d): Recv at the other end returned another error", buffer)
					break
				}
			}

			sender.Join()
			require.ErrorIs(t, sent, io.ErrClosedPipe, "Pipe(%d): Close returned, then the other end received, and the blocked Send returned something else", buffer)
			require.Equal(t, buffer, received, "Pipe(%d): a Send was blocked behind so many messages when its end was closed, and so many could be received", buffer)
		}

		for range 20 {
			t.Progress()
			left, _ := pipe[int](t, 0)
			t.Collide(
				func() { _ = left.Close() },
				func() {
					assert.ErrorIs(t, left.Send(t.Context(), 99), io.ErrClosedPipe, "Close came at the same moment, and Send returned something else")
				},
				func() {
					_, err := left.Recv(t.Context())
					assert.ErrorIs(t, err, io.ErrClosedPipe, "Close came at the same moment, and Recv returned something else")
				})
		}
	})
}

func (s *PipeSuite) TestCloseAnyNumberOfTimes() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("hanging-up", "Close must return nil, any number of times, from any goroutine", pipes.Declared.Close)
		left, right := pipe[int](t, 0)
		for range 2 {
			assert.NoError(t, left.Close(), "Close failed")
			assert.NoError(t, right.Close(), "Close of the other end failed")
		}

		t.Race(func() labtest.Heat {
			var ends [2][100]pipes.Conn[int]
			for i := range ends[0] {
				ends[0][i], ends[1][i] = pipe[int](t, 0)
				ends[1][i] = ends[i%2][i] // the same end, or the other
			}
			return labtest.Heat{Rounds: len(ends[0]), Racers: []func(int){
				func(i int) { assert.NoError(t, ends[0][i].Close(), "Close failed") },
				func(i int) { assert.NoError(t, ends[1][i].Close(), "Close failed") },
			}, Check: func() {}}
		})
	})
}

func (s *PipeSuite) TestSendAndCloseAtTheSameMoment() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("hanging-up", "When Send and Close meet, a message must arrive if its Send returned nil, and only then", pipes.Declared.Close, pipes.Declared.Send)
		for round := range 60 {
			talk := newTalk(t, round%2)
			t.Collide(talk.send, talk.recv, func() { _ = talk.left.Close() })

			if talk.sent == nil {
				require.NoError(t, talk.received, "Pipe(%d): Send succeeded, but Recv at the other end failed", round%2)
			} else {
				require.ErrorIs(t, talk.sent, io.ErrClosedPipe, "Pipe(%d): Send returned another error", round%2)
				require.ErrorIs(t, talk.received, io.EOF, "Pipe(%d): Send failed, and Recv at the other end returned something else than io.EOF", round%2)
			}

			talk = newTalk(t, 0)
			closer := []pipes.Conn[int]{talk.left, talk.right}[round%2]
			talk.isTakenBefore(t, func() { _ = closer.Close() })
			require.NoError(t, talk.sent, "its message had been received when an end was closed, and Send failed")
		}

		for range 10 { // Select may have a choice, and a coin that falls the right way.
			t.InTurn(100, func(ctx *labtest.Moment) {
				left, right := pipe[int](t, 1)
				received := 0
				closer := func() {
					_ = left.Close()
					for ; ; received++ {
						if _, err := right.Recv(t.Context()); err != nil {
							assert.ErrorIs(t, err, io.EOF, "Recv at the other end returned another error")
							return
						}
					}
				}
				var closing *labtest.Call
				ctx.Then = func() {
					closing = t.Go(closer)
					labtest.StepAside()
				}
				sent := left.Send(ctx, 7)
				t.Wait() // for a helper of Send that has yet to look
				if closing == nil {
					closing = t.Go(closer)
				}
				closing.Join()
				if sent == nil {
					require.Equal(t, 1, received, "Send returned nil, and so often the other end received its message, up to io.EOF")
				} else {
					require.ErrorIs(t, sent, io.ErrClosedPipe, "Send returned another error")
					require.Equal(t, 0, received, "Send failed, and so often the other end received its message, up to io.EOF")
				}
			})
		}
	})
}

// Task 2: Alice and Bob.

type ConversationSuite struct{ labtest.Suite }

func TestConversation(t *testing.T) { suite.Run(t, new(ConversationSuite)) }

func (s *ConversationSuite) TestTheyTalk() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("alice-and-bob", "Bob must greet, Alice write and answer, Bob write", pipes.Declared.Alice, pipes.Declared.Bob)
		for _, buffer := range []int{0, 1} {
			left, right := pipe[string](t, buffer)
			var paper labtest.Exclusive
			bob := t.Go(func() { assert.NoError(t, pipes.Bob(t.Context(), left, &paper), "Bob failed") })
			alice := t.Go(func() { assert.NoError(t, pipes.Alice(t.Context(), right, &paper), "Alice failed") })
			alice.Join()
			bob.Join()

			assert.Equal(t, []string{
				"I heard Bob say 'Hello, Alice!'.\n",
				"I heard Alice say 'Roger roger. Over and out.'.\n",
			}, paper.Writes(), "over Pipe(%d) they wrote something else", buffer)
			assert.False(t, paper.Overlapped(), "over Pipe(%d) both wrote at the same time", buffer)
		}
	})
}

func (s *ConversationSuite) TestAliceWritesBeforeSheAnswers() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("alice-and-bob", "Alice must have written her line before she answers", pipes.Declared.Alice)
		left, right := pipe[string](t, 1)
		gate := labtest.NewGate()
		alice := t.Go(func() {
			assert.NoError(t, pipes.Alice(t.Context(), right, labtest.WriterFunc(func(p []byte) (int, error) {
				gate.Pass()
				return len(p), nil
			})), "Alice failed")
		})
		require.NoError(t, left.Send(t.Context(), "Hello, Alice!"), "Send failed")

		answer := t.Go(func() {
			said, err := left.Recv(t.Context())
			assert.NoError(t, err, "Recv failed")
			assert.Equal(t, "Roger roger. Over and out.", said, "she answers something else")
		})
		answer.Blocks("she is still writing, and Bob has her answer")
		gate.Open()
		answer.Returns("she has written, and Bob never gets her answer")
		alice.Returns("she has answered and does not return")
	})
}

func (s *ConversationSuite) TestBobWritesWhatHeWasTold() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("alice-and-bob", "Bob must greet, wait for the answer, and only then write it down, word for word", pipes.Declared.Bob)
		left, right := pipe[string](t, 0)
		var paper labtest.Recorder
		var failed error
		bob := t.Go(func() { failed = pipes.Bob(t.Context(), left, &paper) })
		t.Pass(2 * time.Minute)
		t.Settle()
		if bob.Returned() {
			t.Fatalf("nobody heard him for two minutes, and he returned %v", failed)
		}
		greeting, err := right.Recv(t.Context())
		require.NoError(t, err, "Recv failed")
		assert.Equal(t, "Hello, Alice!", greeting, "he says something else")
		t.Pass(2 * time.Minute)
		t.Settle()
		if bob.Returned() {
			t.Fatalf("Alice did not answer for two minutes, and he returned %v", failed)
		}
		assert.Empty(t, paper.Writes(), "he has no answer yet, and wrote")

		require.NoError(t, right.Send(t.Context(), " 100%d 'sure' "), "Send failed")
		bob.Returns("he has his answer and does not return")
		require.NoError(t, failed, "he has his answer, and failed")
		assert.Equal(t, []string{"I heard Alice say ' 100%d 'sure' '.\n"}, paper.Writes(), "he wrote something else")

		for _, answer := range []string{"", strings.Repeat("blah ", 2_000)} {
			left, right := pipe[string](t, 1)
			var sheet labtest.Recorder
			require.NoError(t, right.Send(t.Context(), answer), "Send failed")
			require.NoError(t, pipes.Bob(t.Context(), left, &sheet), "Bob failed")
			require.Equal(t, 1, len(sheet.Writes()), "Alice said %d bytes, and his line came in so many Writes", len(answer))
			require.True(t, sheet.String() == "I heard Alice say '"+answer+"'.\n", "Alice said %d bytes, and he wrote something else", len(answer))
		}
	})
}

func (s *ConversationSuite) TestAliceWritesWhatSheWasTold() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("alice-and-bob", "Alice must write down what Bob says, word for word", pipes.Declared.Alice)
		left, right := pipe[string](t, 1)
		var paper labtest.Recorder
		var failed error
		alice := t.Go(func() { failed = pipes.Alice(t.Context(), right, &paper) })
		t.Pass(2 * time.Minute)
		t.Settle()
		if alice.Returned() {
			t.Fatalf("Bob said nothing for two minutes, and she returned %v", failed)
		}
		assert.Empty(t, paper.Writes(), "Bob has said nothing yet, and she wrote")

		require.NoError(t, left.Send(t.Context(), "\t50% sure, %s? "), "Send failed")
		alice.Returns("there is room for her answer, and she does not return")
		require.NoError(t, failed, "there is room for her answer, and she failed")
		assert.Equal(t, []string{"I heard Bob say '\t50% sure, %s? '.\n"}, paper.Writes(), "she wrote something else")

		left, right = pipe[string](t, 1)
		var sheets labtest.Recorder
		require.NoError(t, left.Send(t.Context(), strings.Repeat("blah ", 2_000)), "Send failed")
		require.NoError(t, pipes.Alice(t.Context(), right, &sheets), "Alice failed")
		require.Equal(t, 1, len(sheets.Writes()), "Bob said 10,000 bytes, and her line came in so many Writes")

		left, right = pipe[string](t, 1)
		var note labtest.Recorder
		require.NoError(t, left.Send(t.Context(), ""), "Send failed")
		require.NoError(t, pipes.Alice(t.Context(), right, &note), "Alice failed")
		require.Equal(t, []string{"I heard Bob say ''.\n"}, note.Writes(), "Bob sent an empty message, and she wrote something else")
	})
}

func (s *ConversationSuite) TestAliceEndsWithHerContext() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("changing-your-mind", "Alice must end with her context, while she listens and while she speaks", pipes.Declared.Alice)
		_, right := pipe[string](t, 0)
		var paper labtest.Recorder
		ctx, cancel := context.WithCancel(t.Context())
		listening := t.Go(func() {
			assert.ErrorIs(t, pipes.Alice(ctx, right, &paper), context.Canceled, "while she listens she returns something else")
		})
		listening.Blocks("she returned before Bob said anything")
		cancel()
		listening.Returns("she still listens")
		assert.Empty(t, paper.Writes(), "Bob said nothing, and she wrote")

		left, right := pipe[string](t, 0) // she may have closed her end
		ctx, cancel = context.WithCancel(t.Context())
		speaking := t.Go(func() {
			assert.ErrorIs(t, pipes.Alice(ctx, right, &paper), context.Canceled, "while she speaks she returns something else")
		})
		require.NoError(t, left.Send(t.Context(), "Hello, Alice!"), "Send failed")
		speaking.Blocks("she returned although nobody has heard her answer")
		cancel()
		speaking.Returns("she still speaks")

		t.InTurn(100, func(ctx *labtest.Moment) {
			left, right := pipe[string](t, 1)
			require.NoError(t, left.Send(t.Context(), "Hello, Alice!"), "Send failed")
			ctx.Then = ctx.Cancel
			if err := pipes.Alice(ctx, right, &paper); err != nil {
				require.ErrorIs(t, err, context.Canceled, "she returns another error")
				return
			}
			require.NoError(t, right.Close(), "Close failed")
			said, err := left.Recv(t.Context())
			require.NoError(t, err, "her context ended, she said nothing, and returned no error")
			assert.Equal(t, "Roger roger. Over and out.", said, "she answers something else")
		})
	})
}

func (s *ConversationSuite) TestBobEndsWithHisContext() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("changing-your-mind", "Bob must end with his context, while he speaks and while he listens", pipes.Declared.Bob)
		for _, c := range []struct {
			buffer int
			while  string
		}{{0, "speaks"}, {1, "listens"}} {
			left, _ := pipe[string](t, c.buffer)
			var paper labtest.Recorder
			ctx, cancel := context.WithCancel(t.Context())
			bob := t.Go(func() {
				assert.ErrorIs(t, pipes.Bob(ctx, left, &paper), context.Canceled, "while he %s he returns something else", c.while)
			})
			bob.Blocks("he returned without an answer")
			cancel()
			bob.Returns("he still %s", c.while)
			assert.Empty(t, paper.Writes(), "he has no answer, and wrote")
		}
	})
}

func (s *ConversationSuite) TestAliceHandsOnTheErrorOfHerEnd() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("hanging-up", "Alice must hand on the error of her end", pipes.Declared.Alice)
		var paper labtest.Recorder
		left, right := pipe[string](t, 1)
		require.NoError(t, left.Close(), "Close failed")
		assert.ErrorIs(t, pipes.Alice(t.Context(), right, &paper), io.EOF, "Bob has hung up without a word, and she returns something else")
		assert.Empty(t, paper.Writes(), "Bob has hung up without a word, and she wrote")

		left, right = pipe[string](t, 1)
		require.NoError(t, left.Send(t.Context(), "Hello, Alice!"), "Send failed")
		require.NoError(t, left.Close(), "Close failed")
		assert.ErrorIs(t, pipes.Alice(t.Context(), right, &paper), io.ErrClosedPipe, "Bob has hung up after his greeting, and she returns something else")
		assert.Equal(t, []string{"I heard Bob say 'Hello, Alice!'.\n"}, paper.Writes(), "Bob has hung up after his greeting, and she wrote something else")

		_, right = pipe[string](t, 1)
		require.NoError(t, right.Close(), "Close failed")
		assert.ErrorIs(t, pipes.Alice(t.Context(), right, &paper), io.ErrClosedPipe, "her end is closed, and she returns something else")

		left, right = pipe[string](t, 1)
		require.NoError(t, left.Send(t.Context(), "Hello, Alice!"), "Send failed")
		assert.ErrorIs(t, pipes.Alice(t.Context(), right, labtest.WriterFunc(func(p []byte) (int, error) {
			return len(p), right.Close()
		})), io.ErrClosedPipe, "her end is closed while she writes, and she returns something else")
	})
}

func (s *ConversationSuite) TestBobHandsOnTheErrorOfHisEnd() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("hanging-up", "Bob must hand on the error of his end", pipes.Declared.Bob)
		var paper labtest.Recorder
		left, right := pipe[string](t, 1)
		require.NoError(t, right.Close(), "Close failed")
		assert.ErrorIs(t, pipes.Bob(t.Context(), left, &paper), io.ErrClosedPipe, "Alice has hung up, and he returns something else")

		left, right = pipe[string](t, 1)
		bob := t.Go(func() {
			assert.ErrorIs(t, pipes.Bob(t.Context(), left, &paper), io.EOF, "Alice has hung up without an answer, and he returns something else")
		})
		bob.Blocks("he returned without an answer")
		require.NoError(t, right.Close(), "Close failed")
		bob.Returns("Alice has hung up, and he still waits")

		left, _ = pipe[string](t, 1)
		bob = t.Go(func() {
			assert.ErrorIs(t, pipes.Bob(t.Context(), left, &paper), io.ErrClosedPipe, "his end is closed while he listens, and he returns something else")
		})
		bob.Blocks("he returned without an answer")
		require.NoError(t, left.Close(), "Close failed")
		bob.Returns("his end is closed, and he still listens")
		assert.Empty(t, paper.Writes(), "he has no answer, and wrote")
	})
}

// Task 3: a manager and its crew.

type CrewSuite struct{ labtest.Suite }

func TestCrew(t *testing.T) { suite.Run(t, new(CrewSuite)) }

func (s *CrewSuite) TestEveryLineIsWrittenOnce() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("the-crew", `Every line must be written exactly once, as "worker N: LINE" and a newline, in one Write`, pipes.Crew)
		work := []string{"dig", "rest", "dig", "100%d done", "café ☕", "worker 1: x", "\xff\x00"}
		var out labtest.Recorder
		require.NoError(t, pipes.Crew(t.Context(), strings.NewReader(strings.Join(work, "\n")+"\n"), &out), "Crew failed")
		require.Equal(t, labtest.Sorted(work), written(&out), "other lines were written")

		in := newKeyboard("dig")
		var idle labtest.Recorder
		var failed error
		crew := t.Go(func() { failed = pipes.Crew(t.Context(), in, &idle) })
		crew.Blocks("Crew returned before the end of its input")
		t.Pass(2 * time.Minute)
		t.Settle()
		if crew.Returned() {
			in.hangUp(io.EOF)
			t.Fatalf("no line came for two minutes, and Crew returned %v", failed)
		}
		in.typeLine("rest")
		in.hangUp(io.EOF)
		crew.Join()
		require.NoError(t, failed, "the next line took long to come, and Crew failed")
		require.Equal(t, []string{"dig", "rest"}, written(&idle), "the next line took long to come, and other lines were written")

		t.Rule("the-crew", "Every line must be written exactly once, by the crew that read it, also when two crews are at work", pipes.Crew)
		var outs [2]labtest.Recorder
		inputs := [2][]string{strings.Split("abcdefghijklm", ""), strings.Split("nopqrstuvwxyz", "")} // more than a crew reads at once
		var crews []*labtest.Call
		for i, input := range inputs {
			crews = append(crews, t.Go(func() {
				assert.NoError(t, pipes.Crew(t.Context(), strings.NewReader(strings.Join(input, "\n")), &outs[i]), "Crew failed")
			}))
		}
		for i, input := range inputs {
			crews[i].Returns("one of two crews does not return")
			require.Equal(t, input, written(&outs[i]), "one of two crews wrote other lines")
		}
	})
}

func (s *CrewSuite) TestBothWorkAtTheSameTime() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("the-crew", "Both workers must work at the same time: 2k lines take k naps", pipes.Crew)
		for _, k := range []int{1, 3, 20} {
			var out labtest.Recorder
			start := time.Now()
			require.NoError(t, pipes.Crew(t.Context(), strings.NewReader(strings.Repeat("dig\n", 2*k)), &out), "Crew failed")
			took := time.Since(start)
			require.Equal(t, slices.Repeat([]string{"dig"}, 2*k), written(&out), "other lines were written")
			assert.GreaterOrEqual(t, took, time.Duration(k)*pipes.Nap, "%d lines took %v", 2*k, took)
			assert.Less(t, took, time.Duration(k+1)*pipes.Nap, "%d lines took %v", 2*k, took)
		}

		in := newKeyboard("1")
		var out labtest.Recorder
		crew := t.Go(func() { assert.NoError(t, pipes.Crew(t.Context(), in, &out), "Crew failed") })
		for n, work := range []string{"2", "3", "4"} {
			time.Sleep(pipes.Nap * 11 / 20)
			t.Wait()
			require.True(t, len(out.Writes()) == n+1, "a line came every %v, so that a worker was free for each, and of %d lines %d were written", pipes.Nap*11/20, n+1, len(out.Writes()))
			in.typeLine(work)
		}
		in.hangUp(io.EOF)
		crew.Join()
		require.Equal(t, []string{"1", "2", "3", "4"}, written(&out), "other lines were written")
	})
}

func (s *CrewSuite) TestAWorkerWritesThenNaps() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("the-crew", "A worker must write its line, then nap, then take the next", pipes.Crew)
		var out labtest.Recorder
		start := time.Now()
		require.NoError(t, pipes.Crew(t.Context(), strings.NewReader("1\n2\n3\n4\n5\n6\n"), &out), "Crew failed")
		require.Equal(t, []string{"1", "2", "3", "4", "5", "6"}, written(&out), "other lines were written")

		last := map[string]time.Time{} // when a worker wrote last
		for i, at := range out.Times() {
			worker := out.Writes()[i][:len("worker N")]
			if before, again := last[worker]; again {
				rested := at.Sub(before)
				assert.GreaterOrEqual(t, rested, pipes.Nap, "%s wrote twice within %v", worker, rested)
			} else {
				assert.Less(t, at.Sub(start), pipes.Nap, "%s napped before its first line", worker)
			}
			last[worker] = at
		}

		var mu sync.Mutex
		napFrom := map[string]time.Time{} // when a worker's last Write was over
		require.NoError(t, pipes.Crew(t.Context(), strings.NewReader("1\n2\n3\n4\n5\n6\n"), labtest.WriterFunc(func(p []byte) (int, error) {
			worker := string(p[:min(len(p), len("worker N"))])
			mu.Lock()
			over, again := napFrom[worker]
			mu.Unlock()
			if again {
				assert.GreaterOrEqual(t, time.Since(over), pipes.Nap, "its last Write had taken %v, and so much later %s wrote again", pipes.Nap/2, worker)
			}
			t.Pass(pipes.Nap / 2)
			mu.Lock()
			defer mu.Unlock()
			napFrom[worker] = time.Now()
			return len(p), nil
		})), "Crew failed")

		in := newKeyboard("1")
		var idle labtest.Recorder
		crew := t.Go(func() { assert.NoError(t, pipes.Crew(t.Context(), in, &idle), "Crew failed") })
		time.Sleep(10 * pipes.Nap)
		start = time.Now()
		for _, work := range []string{"2", "3", "4", "5"} {
			in.typeLine(work)
		}
		in.hangUp(io.EOF)
		crew.Join()
		took := time.Since(start)
		require.Equal(t, []string{"1", "2", "3", "4", "5"}, written(&idle), "the next lines took long to come, and other lines were written")
		assert.GreaterOrEqual(t, took, 2*pipes.Nap, "the next lines took long to come, and then 4 lines took %v", took)

		var writing [256]labtest.Gauge // by the worker's digit
		var slow atomic.Bool
		require.NoError(t, pipes.Crew(t.Context(), strings.NewReader("1\n2\n3\n4\n5\n6\n7\n"), labtest.WriterFunc(func(p []byte) (int, error) {
			worker := p[len("worker ")]
			defer writing[worker].Enter()()
			assert.Equal(t, 1, writing[worker].Now(), "one Write takes a minute, and so many write as worker %c at the same time", worker)
			if !slow.Swap(true) {
				t.Pass(time.Minute)
			}
			return len(p), nil
		})), "Crew failed")
	})
}

func (s *CrewSuite) TestCrewWaitsForTheLastNap() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("the-crew", "Crew must return when all work is done, naps included", pipes.Crew)
		for naps, input := range []string{"", "dig\n", "dig\ndig\ndig\n"} {
			work := strings.Fields(input)
			var out labtest.Recorder
			start := time.Now()
			require.NoError(t, pipes.Crew(t.Context(), strings.NewReader(input), &out), "%d lines: Crew failed", len(work))
			took := time.Since(start)
			require.Len(t, written(&out), len(work), "another number of lines was written")
			assert.GreaterOrEqual(t, took, time.Duration(naps)*pipes.Nap, "%d lines took %v", len(work), took)
			assert.Less(t, took, time.Duration(naps+1)*pipes.Nap, "%d lines took %v", len(work), took)
		}
	})
}

func (s *CrewSuite) TestEmptyLinesAreNoWork() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("lines-from-anywhere", "Only a line that is not empty is work", pipes.Crew)
		var out labtest.Recorder
		require.NoError(t, pipes.Crew(t.Context(), strings.NewReader("\n\ndig\n\n\nrest\n\n"), &out), "Crew failed")
		require.Equal(t, []string{"dig", "rest"}, written(&out), "other lines were written")

		t.Rule("lines-from-anywhere", "Only a line that is not empty is work, also behind 50 empty ones", pipes.Crew)
		var late labtest.Recorder
		require.NoError(t, pipes.Crew(t.Context(), strings.NewReader(strings.Repeat("\n", 50)+"dig"), &late), "Crew failed")
		require.Equal(t, []string{"dig"}, written(&late), "50 empty lines came first, and other lines were written")
	})
}

func (s *CrewSuite) TestTheLastLineNeedsNoNewline() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("lines-from-anywhere", "The end of the input must end its last line", pipes.Crew)
		var out labtest.Recorder
		require.NoError(t, pipes.Crew(t.Context(), strings.NewReader("dig\nrest"), &out), "Crew failed")
		require.Equal(t, []string{"dig", "rest"}, written(&out), "other lines were written")
	})
}

func (s *CrewSuite) TestNothingIsTrimmed() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("lines-from-anywhere", `Nothing but a final "\r" may be trimmed`, pipes.Crew)
		var out labtest.Recorder
		require.NoError(t, pipes.Crew(t.Context(), strings.NewReader("  dig \n\tdig\t\n   \nd\rig\nrest\r\nnap\r\r\n"), &out), "Crew failed")
		got := written(&out)
		for i, line := range got {
			if line == "rest\r" || line == "nap\r\r" {
				got[i] = strings.TrimSuffix(line, "\r")
			}
		}
		require.Equal(t, []string{"\tdig\t", "   ", "  dig ", "d\rig", "nap\r", "rest"}, got, "other lines were written")
	})
}

func (s *CrewSuite) TestALineMayHave64KiB() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("lines-from-anywhere", "A line of 64 KiB must get through", pipes.Crew)
		longest := strings.Repeat("0123456789abcdef", 64<<10/16)
		for _, input := range []string{"dig\n" + longest + "\nrest\n", "rest\ndig\n" + longest} {
			var out labtest.Recorder
			require.NoError(t, pipes.Crew(t.Context(), strings.NewReader(input), &out), "Crew failed")
			got := written(&out)
			require.Equal(t, 3, len(got), "three lines, one of them of 65,536 bytes, came in, and so many were written")
			assert.True(t, slices.Contains(got, longest), "the line of 65,536 bytes was not written as it was")
		}
	})
}

func (s *CrewSuite) TestReadsMayHaveAnySize() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("lines-from-anywhere", "Lines must come out the same, whatever a Read returns", pipes.Crew)
		const input = "dig\ncafé ☕\n\nrest\ndig"
		for what, in := range map[string]io.Reader{
			"everything":                    strings.NewReader(input),
			"one byte":                      iotest.OneByteReader(strings.NewReader(input)),
			"now and then nothing":          &hesitant{Reader: iotest.OneByteReader(strings.NewReader(input))},
			"everything and io.EOF":         iotest.DataErrReader(strings.NewReader(input)),
			"one byte, the last and io.EOF": iotest.DataErrReader(iotest.OneByteReader(strings.NewReader(input))),
		} {
			var out labtest.Recorder
			require.NoError(t, pipes.Crew(t.Context(), in, &out), "a Read returns %s: Crew failed", what)
			require.Equal(t, []string{"café ☕", "dig", "dig", "rest"}, written(&out), "a Read returns %s: other lines were written", what)
		}
	})
}

// Task 4, the brave one: a graceful shutdown.

type ShutdownSuite struct{ labtest.Suite }

func TestShutdown(t *testing.T) { suite.Run(t, new(ShutdownSuite)) }

func (s *ShutdownSuite) TestQuitEndsTheInput() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("the-orderly-end", "What came before quit must be done, what follows must not, even if it has been read", pipes.Crew)
		for _, in := range []io.Reader{
			strings.NewReader("1\n2\n3\n4\nquit\n5\n6\n"),
			iotest.OneByteReader(strings.NewReader("1\n2\n3\n4\nquit")),
		} {
			var out labtest.Recorder
			start := time.Now()
			require.NoError(t, pipes.Crew(t.Context(), in, &out), "Crew failed")
			took := time.Since(start)
			require.Equal(t, []string{"1", "2", "3", "4"}, written(&out), "other lines were written")
			assert.GreaterOrEqual(t, took, 2*pipes.Nap, "Crew did not wait for the last naps: 4 lines took %v", took)
		}

		var many labtest.Recorder
		require.NoError(t, pipes.Crew(t.Context(), strings.NewReader(strings.Repeat("dig\n", 40)+"quit\nrest\n"), &many), "quit comes after 40 lines, and Crew failed")
		require.Equal(t, slices.Repeat([]string{"dig"}, 40), written(&many), "quit comes after 40 lines, and others were written")

		var none labtest.Recorder
		require.NoError(t, pipes.Crew(t.Context(), strings.NewReader("quit\ndig\n"), &none), "quit is the first line, and Crew failed")
		require.Empty(t, none.Writes(), "quit is the first line, and others were written")

		t.InTurn(100, func(ctx *labtest.Moment) { // the second worker is free when quit comes, and 3 is just being taken
			ctx.Then = func() { labtest.StepAside() }
			var out labtest.Recorder
			require.NoError(t, pipes.Crew(ctx, strings.NewReader("1\n2\n3\nquit\n5\n"), &out), "Crew failed")
			require.Equal(t, []string{"1", "2", "3"}, written(&out), "other lines were written")
		})
	})
}

func (s *ShutdownSuite) TestNothingNeedBeReadAfterQuit() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("the-orderly-end", "After quit Crew must return, whatever the input does", pipes.Crew)
		in := newKeyboard("dig", "quit")
		defer in.hangUp(io.EOF)
		var out labtest.Recorder
		t.Go(func() { assert.NoError(t, pipes.Crew(t.Context(), in, &out), "Crew failed") }).
			Returns("the user typed quit and nothing else, and Crew still waits")
		assert.Equal(t, []string{"dig"}, written(&out), "other lines were written")

		broken := iotest.ErrReader(errors.New("the keyboard is broken"))
		for when, in := range map[string]io.Reader{
			"behind quit":                                     io.MultiReader(strings.NewReader("dig\nquit\n"), broken),
			"in the Read that brought quit":                   iotest.DataErrReader(io.MultiReader(strings.NewReader("dig\nquit\n"), broken)),
			"in the Read that brought quit and one more line": iotest.DataErrReader(io.MultiReader(strings.NewReader("dig\nquit\nrest\n"), broken)),
			"in the Read that brought quit and half a line":   iotest.DataErrReader(io.MultiReader(strings.NewReader("dig\nquit\nre"), broken)),
		} {
			var out labtest.Recorder
			require.NoError(t, pipes.Crew(t.Context(), in, &out), "the input failed %s, which does not matter any more, and Crew returned an error", when)
			require.Equal(t, []string{"dig"}, written(&out), "the input failed %s, and other lines were written", when)
		}
	})
}

func (s *ShutdownSuite) TestOnlyALineQuitQuits() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("the-orderly-end", "Only a line that is quit, no more and no less, ends the input", pipes.Crew)
		work := []string{"Quit", " quit", "quit ", "quit now", "don't quit", "exit", "q", "dig"}
		var out labtest.Recorder
		require.NoError(t, pipes.Crew(t.Context(), strings.NewReader(strings.Join(work, "\n")), &out), "Crew failed")
		require.Equal(t, labtest.Sorted(work), written(&out), "other lines were written")
	})
}

func (s *ShutdownSuite) TestAReadErrorComesAfterTheWork() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("the-orderly-end", "A read error must be returned, after all that came before it is done", pipes.Crew)
		for _, broken := range []error{errors.New("the keyboard is broken"), io.ErrUnexpectedEOF, context.Canceled} {
			input := func() io.Reader {
				return io.MultiReader(strings.NewReader("1\n2\n3\n4\nunfinis"), &brokenOnce{broken}, strings.NewReader("5\n"))
			}
			for when, in := range map[string]io.Reader{
				"after the lines":       input(),
				"with the last of them": iotest.DataErrReader(input()),
			} {
				var out labtest.Recorder
				start := time.Now()
				err := pipes.Crew(t.Context(), in, &out)
				took := time.Since(start)
				require.ErrorIs(t, err, broken, "the error came %s, and Crew returned something else", when)
				got := slices.DeleteFunc(written(&out), func(line string) bool { return line == "unfinis" })
				require.Equal(t, []string{"1", "2", "3", "4"}, got, "the error came %s, and other lines were written", when)
				assert.GreaterOrEqual(t, took, 2*pipes.Nap, "Crew did not wait for the last naps: 4 lines took %v", took)
			}

			for _, n := range []int{40, 41} { // with one of them a line is on its way when both work and the queue is full
				var many labtest.Recorder
				err := pipes.Crew(t.Context(), io.MultiReader(strings.NewReader(strings.Repeat("dig\n", n)), iotest.ErrReader(broken)), &many)
				require.ErrorIs(t, err, broken, "the error came after %d lines, and Crew returned something else", n)
				require.Equal(t, n, len(written(&many)), "the error came after so many lines, and so many were written")
				require.Equal(t, slices.Repeat([]string{"dig"}, n), written(&many), "the error came after %d lines, and others were written", n)
			}
		}
	})
}

func (s *ShutdownSuite) TestTheContextEndsWhileReadBlocks() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("the-orderly-end", "Crew must end with its context, even while Read blocks", pipes.Crew)
		for _, ending := range t.Endings() {
			for _, in := range []*keyboard{newKeyboard("dig"), newKeyboard()} {
				defer in.hangUp(io.EOF)
				ctx, end := ending.Start()
				crew := t.Go(func() {
					assert.ErrorIs(t, pipes.Crew(ctx, in, io.Discard), ending.Err, "Crew returned another error")
				})
				crew.Blocks("Crew returned before the end of its input")
				end()
				crew.Returns("Crew still waits for its input")
			}
		}
	})
}

func (s *ShutdownSuite) TestTheContextEndsTheNap() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("the-orderly-end", "When the context ends, the workers must not sit out the nap", pipes.Crew)
		ctx, cancel := context.WithTimeoutCause(t.Context(), pipes.Nap/10, errors.New("it is late"))
		defer cancel()
		start := time.Now()
		err := pipes.Crew(ctx, strings.NewReader("dig\nrest\n"), io.Discard)
		took := time.Since(start)
		require.ErrorIs(t, err, context.DeadlineExceeded, "Crew returned something else")
		assert.Less(t, took, pipes.Nap, "the context ended %v after the start, Crew returned %v after it", pipes.Nap/10, took)
	})
}

func (s *ShutdownSuite) TestTheContextEndDropsTheRest() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("the-orderly-end", "When the context ends, what nobody has begun must be dropped", pipes.Crew)
		for range often / 2 {
			ctx, cancel := context.WithCancel(t.Context())
			var out labtest.Recorder
			crew := t.Go(func() {
				assert.ErrorIs(t, pipes.Crew(ctx, strings.NewReader(strings.Repeat("dig\n", 40)), &out), context.Canceled, "the context ended, the rest of the work was not done, and Crew returned another error than the context's")
			})
			time.Sleep(pipes.Nap + pipes.Nap/2)
			t.Wait()
			before := len(out.Writes())
			cancel()
			crew.Join()
			require.Equal(t, before, len(out.Writes()), "both workers were napping, and then another number of lines was written")
		}
	})
}

func (s *ShutdownSuite) TestTheLineInWritingIsFinished() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("the-orderly-end", "When the context ends, Crew must wait until the line that a worker is writing is written, and begin no other", pipes.Crew)
		write := func(in io.Reader) {
			t.Progress()
			ctx, cancel := context.WithCancel(t.Context())
			var begun, finished atomic.Int64
			slow := labtest.WriterFunc(func(p []byte) (int, error) {
				begun.Add(1)
				labtest.StepAside() // so that there is more to do
				cancel()
				labtest.StepAside() // so that Crew could return now
				finished.Add(1)
				return len(p), nil
			})
			err := pipes.Crew(ctx, in, slow)
			require.Equal(t, begun.Load(), finished.Load(), "Crew returned in the middle of it")
			require.LessOrEqual(t, begun.Load(), int64(pipes.Workers), "a worker was writing when the context ended, and it wrote another line")
			require.ErrorIs(t, err, context.Canceled, "Crew returned something else")
		}
		for range 10 {
			write(strings.NewReader("dig\n"))
			write(strings.NewReader(strings.Repeat("dig\n", 40)))
			in := newKeyboard("dig")
			write(in)
			in.hangUp(io.EOF)
		}

		ctx, cancel := context.WithTimeout(t.Context(), pipes.Nap)
		defer cancel()
		var finished atomic.Bool
		err := pipes.Crew(ctx, strings.NewReader("dig\n"), labtest.WriterFunc(func(p []byte) (int, error) {
			t.Pass(2 * time.Minute)
			finished.Store(true)
			return len(p), nil
		}))
		require.True(t, finished.Load(), "the Write takes two minutes, and Crew returned in the middle of it")
		require.ErrorIs(t, err, context.DeadlineExceeded, "Crew returned something else")
	})
}

func (s *ShutdownSuite) TestTheContextWinsOverAReadError() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("the-orderly-end", "When the context ends, Crew must end with it, read error or not", pipes.Crew)
		ctx, cancel := context.WithTimeout(t.Context(), pipes.Nap/2)
		defer cancel()
		broken := errors.New("the keyboard is broken")
		err := pipes.Crew(ctx, io.MultiReader(strings.NewReader("dig\n"), iotest.ErrReader(broken)), io.Discard)
		require.ErrorIs(t, err, context.DeadlineExceeded, "reading failed, the context ended during the nap, and Crew returned something else")

		ctx, cancel = context.WithTimeout(t.Context(), pipes.Nap/2)
		defer cancel()
		err = pipes.Crew(ctx, strings.NewReader("dig\nquit\n"), io.Discard)
		require.ErrorIs(t, err, context.DeadlineExceeded, "the user typed quit, the context ended during the nap, and Crew returned something else")

		for range often / 2 {
			in := newKeyboard("dig")
			ctx, cancel := context.WithCancel(t.Context())
			crew := t.Go(func() {
				assert.ErrorIs(t, pipes.Crew(ctx, in, io.Discard), context.Canceled, "the context ended, then reading failed, and Crew returned something else")
			})
			time.Sleep(pipes.Nap / 2)
			t.Wait()
			cancel()
			in.hangUp(broken)
			crew.Join()

			err = pipes.Crew(ctx, iotest.ErrReader(broken), io.Discard)
			require.ErrorIs(t, err, context.Canceled, "the context had ended before the call, reading failed, and Crew returned something else")
		}
	})
}

func (s *ShutdownSuite) TestAContextThatHasEndedAllowsNoWork() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("the-orderly-end", "A context that had ended before the call allows no line to be begun, and nobody to stay behind", pipes.Crew)
		t.NothingStays()
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		for range often {
			var out labtest.Recorder
			err := pipes.Crew(ended, strings.NewReader("dig\nrest\n"), &out)
			require.ErrorIs(t, err, context.Canceled, "Crew returned something else")
			require.Empty(t, out.Writes(), "a line was written")
		}
	})
}

func (s *ShutdownSuite) TestTheContextMayEndBehindAnyLookAtIt() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("the-orderly-end", "Crew must end with its context, whenever that ends, or have done all work", pipes.Crew)
		t.NothingStays()
		t.InTurn(100, func(ctx *labtest.Moment) {
			var out labtest.Recorder
			before := 0
			ctx.Then = func() {
				before = len(out.Writes())
				ctx.Cancel()
			}
			err := pipes.Crew(ctx, strings.NewReader("1\n2\n3\n4\n5\n"), &out)
			if err == nil {
				require.Equal(t, []string{"1", "2", "3", "4", "5"}, written(&out), "Crew returned no error, and other lines were written")
				return
			}
			require.ErrorIs(t, err, context.Canceled, "Crew returned another error")
			require.LessOrEqual(t, len(out.Writes())-before, pipes.Workers, "another number of lines was written after the context had ended")
		})
	})
}

func (s *ShutdownSuite) TestAtMost16AreReadAhead() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("back-pressure", "At most 16 pieces of work may be read ahead", pipes.Crew)
		in := newKeyboard(slices.Repeat([]string{"dig"}, 60)...)
		defer in.hangUp(io.EOF)
		var done atomic.Int64
		t.Go(func() {
			_ = pipes.Crew(t.Context(), in, labtest.WriterFunc(func(p []byte) (int, error) {
				labtest.StepAside() // so that Crew could read on
				taken, done := in.taken(), int(done.Add(1))-1
				if t.Context().Err() == nil { // else the test is over, and so is Crew
					assert.LessOrEqual(t, taken-done, 16, "%d lines have been read, %d written, another is being written", taken, done)
				}
				return len(p), nil
			}))
		})
		for range 10 { // each time both workers nap
			time.Sleep(pipes.Nap / 2)
			t.Wait()
			taken, done := in.taken(), int(done.Load())
			require.LessOrEqual(t, taken-done, 16, "%d lines have been read, %d written", taken, done)
			time.Sleep(pipes.Nap / 2)
		}
	})
}

func (s *ShutdownSuite) TestNobodyStaysBehind() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("the-orderly-end", "No goroutine may stay behind, except one that is in Read", pipes.Crew)
		t.NothingStays()
		forever := context.WithoutCancel(t.Context()) // whoever waits for its end waits in vain
		plenty := strings.Repeat("dig\n", 40)
		for _, input := range []string{"dig\n", "dig\nquit\nrest\n", plenty + "quit\n" + plenty} {
			require.NoError(t, pipes.Crew(forever, strings.NewReader(input), io.Discard), "Crew failed")
		}

		broken := errors.New("the keyboard is broken")
		err := pipes.Crew(forever, iotest.ErrReader(broken), io.Discard)
		require.ErrorIs(t, err, broken, "Crew returned something else")

		ctx, cancel := context.WithTimeout(t.Context(), pipes.Nap/2)
		defer cancel()
		err = pipes.Crew(ctx, strings.NewReader(plenty), io.Discard)
		require.ErrorIs(t, err, context.DeadlineExceeded, "Crew returned something else")
	})
}

func (s *ShutdownSuite) TestTheReaderEndsWhenReadReturns() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("the-orderly-end", "The goroutine that is in Read may stay until Read returns, no longer, and what was read too late must not be done", pipes.Crew)
		t.NothingStays()
		in := newKeyboard("dig")
		var out labtest.Recorder
		ctx, cancel := context.WithCancel(t.Context())
		crew := t.Go(func() {
			assert.ErrorIs(t, pipes.Crew(ctx, in, &out), context.Canceled, "Crew returned another error")
		})
		crew.Blocks("Crew returned before the end of its input")
		cancel()
		crew.Returns("Crew still waits for its input")

		const chances = 40 // where a select finds ctx ended and room for the line, it tosses a coin
		for n := 0; n < chances && (n == 0 || in.reading.Now() > 0); n++ {
			in.typeLine("too late")
			t.Settle()
		}
		require.Zero(t, in.reading.Now(), "ctx has ended, %d Reads have returned since, and somebody is in the next one", chances)
		in.hangUp(io.EOF)
		t.Settle()
		assert.NotContains(t, written(&out), "too late", "it was done")
	})
}

// pipe makes a pipe and closes it when the test is over, so that whatever stands
// behind it may end.
func pipe[T any](t *labtest.T, buffer int) (left, right pipes.Conn[T]) {
	left, right = pipes.Pipe[T](buffer)
	context.AfterFunc(t.Context(), func() {
		defer func() { _ = recover() }() // Close may not have been written yet
		_ = left.Close()
		_ = right.Close()
	})
	return left, right
}

// way is one direction of a pipe.
type way struct {
	name     string
	from, to pipes.Conn[int]
}

func (w way) String() string { return w.name }

func ways(buffer int, left, right pipes.Conn[int]) []way {
	return []way{
		{fmt.Sprintf("Pipe(%d), left to right", buffer), left, right},
		{fmt.Sprintf("Pipe(%d), right to left", buffer), right, left},
	}
}

// newWays returns both directions, each of a pipe of its own.
func newWays(t *labtest.T, buffer int) []way {
	one, other := pipe[int](t, buffer)
	left, right := pipe[int](t, buffer)
	return []way{ways(buffer, one, other)[0], ways(buffer, left, right)[1]}
}

// hesitant is a reader of which every other Read returns nothing.
type hesitant struct {
	io.Reader
	reads int
}

func (h *hesitant) Read(p []byte) (int, error) {
	h.reads++
	if h.reads%2 == 0 {
		return 0, nil
	}
	return h.Reader.Read(p)
}

// brokenOnce is a reader that fails once, and then is at its end.
type brokenOnce struct{ err error }

func (b *brokenOnce) Read([]byte) (n int, err error) {
	err, b.err = b.err, io.EOF
	return 0, err
}

// talk is one message on its way over a pipe of its own.
type talk struct {
	left, right    pipes.Conn[int]
	ctx            context.Context
	cancel         func()
	sent, received error
}

func newTalk(t *labtest.T, buffer int) *talk {
	t.Progress()
	talk := new(talk)
	talk.left, talk.right = pipe[int](t, buffer)
	talk.ctx, talk.cancel = context.WithCancel(t.Context())
	return talk
}

func (t *talk) send() { t.sent = t.left.Send(t.ctx, 7) }
func (t *talk) recv() { _, t.received = t.right.Recv(t.ctx) }

// isTakenBefore lets a blocked Send have its message received, and then at once
// something happen.
func (t *talk) isTakenBefore(test *labtest.T, then func()) {
	sender := test.Go(t.send)
	test.Wait()
	t.recv()
	then()
	sender.Returns("its message has been received, and Send still blocks")
	require.NoError(test, t.received, "Send was blocked, and Recv at the other end failed")
}

// line is what a worker writes.
var line = regexp.MustCompile(`(?s)^worker [12]: ([^\n]+)\n$`)

// written returns the work that was done, sorted, since the order is open.
func written(out *labtest.Recorder) []string {
	var work []string
	for _, w := range out.Writes() {
		if m := line.FindStringSubmatch(w); m != nil {
			work = append(work, m[1])
		} else {
			work = append(work, fmt.Sprintf("no Write of \"worker 1: LINE\" or \"worker 2: LINE\" and a newline: %.60q", w))
		}
	}
	return labtest.Sorted(work)
}

// keyboard is an input that gives one line a Read and blocks while nothing is
// typed.
type keyboard struct {
	typed   chan string
	reading labtest.Gauge
	count   atomic.Int64
	rest    string // of the line that is being read

	gone chan struct{}
	err  error
}

// newKeyboard returns a keyboard on which some lines have been typed already.
// It belongs to the bubble that makes it.
func newKeyboard(typed ...string) *keyboard {
	k := &keyboard{typed: make(chan string, len(typed)+1), gone: make(chan struct{})}
	for _, line := range typed {
		k.typeLine(line)
	}
	return k
}

func (k *keyboard) typeLine(line string) { k.typed <- line + "\n" }

// hangUp ends the input with err, after all that has been typed.
func (k *keyboard) hangUp(err error) {
	k.err = err
	close(k.gone)
}

// taken returns how many lines have been read.
func (k *keyboard) taken() int { return int(k.count.Load()) }

func (k *keyboard) Read(p []byte) (int, error) {
	defer k.reading.Enter()()
	if k.rest == "" {
		select {
		case k.rest = <-k.typed:
		default:
			select {
			case k.rest = <-k.typed:
			case <-k.gone:
				return 0, k.err
			}
		}
		k.count.Add(1)
	}
	n := copy(p, k.rest)
	k.rest = k.rest[n:]
	return n, nil
}
