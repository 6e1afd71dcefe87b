package labtest

import (
	"context"
	"errors"
	"runtime"
	"sync/atomic"
	"time"
)

// later is more time than Blocks and Returns let pass together.
const later = 3 * moment

// Ending is one of the ways in which a context ends. The context has a cause
// that is nobody's business: what a call returns must match Err.
type Ending struct {
	Err error

	// Start returns a context, and a function that ends it: at once, or by
	// letting virtual time pass until its deadline.
	Start func() (ctx context.Context, end func())
}

// Endings returns the ways in which a context ends: it is cancelled, or its
// deadline passes, which is later than Blocks and Returns let pass together, or
// it has a deadline and is cancelled long before that.
func (t *T) Endings() []Ending {
	cause := errors.New("the cause, which is not what ctx.Err() returns")
	return []Ending{
		{context.Canceled, func() (context.Context, func()) {
			ctx, cancel := context.WithCancelCause(t.Context())
			return ctx, func() { cancel(cause) }
		}},
		{context.DeadlineExceeded, func() (context.Context, func()) {
			ctx, cancel := context.WithTimeoutCause(t.Context(), later, cause)
			return ctx, func() {
				<-ctx.Done()
				cancel()
			}
		}},
		{context.Canceled, func() (context.Context, func()) {
			ctx, cancel := context.WithCancelCause(t.Context())
			ctx, release := context.WithTimeout(ctx, 1000*time.Hour)
			return ctx, func() {
				cancel(cause)
				release()
			}
		}},
	}
}

// Moment is a context with which something happens right behind a look at it,
// as the worst of schedulers would have it. See [T.InTurn].
type Moment struct {
	context.Context

	// Then is what happens, once, in the goroutine that looked. It is set
	// before the context is handed on.
	Then func()

	cancel context.CancelFunc
	left   atomic.Int64 // looks until then
}

// Err is a look, and what it sees is what was before the moment.
func (m *Moment) Err() error {
	defer m.look()
	return m.Context.Err()
}

// Done is a look.
func (m *Moment) Done() <-chan struct{} {
	defer m.look()
	return m.Context.Done()
}

func (m *Moment) look() {
	if m.left.Add(-1) == 0 {
		m.Then()
	}
}

// Came tells whether the moment has come.
func (m *Moment) Came() bool { return m.left.Load() <= 0 }

// Cancel ends the context and lets those who wait for that run.
func (m *Moment) Cancel() {
	m.cancel()
	StepAside()
}

// InTurn calls f with a context whose moment is the first look, then the second
// and so on, until it does not come any more, or for so many looks: there is
// code that looks again and again.
func (t *T) InTurn(looks int, f func(ctx *Moment)) {
	t.mustBubble("InTurn")
	for n := range looks {
		t.Progress()
		ctx := new(Moment)
		ctx.Context, ctx.cancel = context.WithCancel(t.Context())
		ctx.left.Store(int64(n) + 1)
		f(ctx)
		ctx.cancel()
		if !ctx.Came() {
			return
		}
	}
}

// StepAside lets the others run for a while, so that whatever they can do
// happens: on one processor all take their turns, whoever the operating system
// would have kept waiting for another. It does not block, and so may be called
// where a lock is held.
func StepAside() { giveTurns(30) }

// giveTurns steps aside for so many turns. In a turn whoever has much to do keeps
// the processor for as long as the runtime lets it, some 10 ms.
func giveTurns(n int) {
	procs.limit(func() { procs.asides++ })
	defer procs.limit(func() { procs.asides-- })
	for range n {
		runtime.Gosched()
	}
}
