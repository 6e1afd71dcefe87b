// Package companion is the lab in a full screen: the course on the left, what
// the current lesson's suite says on the right, and a key for everything that a
// learner may want next. It shows and asks; what it shows comes from the same
// packages as the commands' output, the verdicts from package runner.
//
// What it promises: it works from 20 columns by 5 lines upwards and follows the
// terminal's size; it needs no colours; it draws nothing while nothing happens;
// when it ends the terminal is as before, and nothing is left running.
package companion

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"sync"

	tea "charm.land/bubbletea/v2"

	"conclab/internal/state"
	"conclab/internal/watch"
	"conclab/lessons"
)

// Options say what a companion shows, and where.
type Options struct {
	Root   string           // the module's root
	Course []lessons.Lesson // at least one
	Store  *state.Store     // where hints and the last place are remembered; nil if nowhere
	In     *os.File         // the terminal
	Out    *os.File
}

// framesPerSecond bounds how often the screen is drawn. The library wakes up so
// often even when there is nothing to draw, and its usual 60 would be more than
// one percent of a processor.
const framesPerSecond = 20

// Run shows the companion until the learner ends it, with nil, or ctx ends, with
// its error. It takes over the terminal and the Ctrl+C that comes from it; one
// companion can run at a time.
func Run(ctx context.Context, o Options) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()

	events := newPipe()
	loop, err := watch.New(o.Root, o.Course, events.put)
	if err != nil {
		return err
	}
	m := newModel(ctx, o, loop)
	program := tea.NewProgram(m,
		tea.WithContext(ctx), tea.WithInput(o.In), tea.WithOutput(o.Out), tea.WithoutSignalHandler(), tea.WithFPS(framesPerSecond))

	var group sync.WaitGroup
	defer group.Wait()
	defer cancel()
	group.Go(func() { loop.Run(ctx) })
	group.Go(func() { events.pump(ctx, program.Send) })
	group.Go(func() { interruptible(ctx, m, program) })
	_, err = program.Run()
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.Is(err, tea.ErrProgramPanic):
		return fmt.Errorf("the full screen broke down, `lab watch` does without: %w", err)
	}
	return err
}

// interruptible ends the companion when it is interrupted from outside. While the
// learner's program has the terminal, Ctrl+C is for that one: whoever else
// listens for it must not take it for theirs.
func interruptible(ctx context.Context, m *model, p *tea.Program) {
	signal.Reset(os.Interrupt)
	interrupts := make(chan os.Signal, 1)
	signal.Notify(interrupts, os.Interrupt)
	defer signal.Stop(interrupts)
	for {
		select {
		case <-ctx.Done():
			return
		case <-interrupts:
			if !m.away.Load() {
				p.Quit()
			}
		}
	}
}

// pipe carries events to the screen, many at a time where they come quicker
// than it can draw.
type pipe struct {
	mu     sync.Mutex
	events batch
	ready  chan struct{}
}

// batch is a message: what has happened since the last one.
type batch []watch.Event

func newPipe() *pipe { return &pipe{ready: make(chan struct{}, 1)} }

// put never blocks.
func (p *pipe) put(e watch.Event) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.events = append(p.events, e)
	select {
	case p.ready <- struct{}{}:
	default:
	}
}

// pump sends what was put until ctx ends.
func (p *pipe) pump(ctx context.Context, send func(tea.Msg)) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-p.ready:
		}
		p.mu.Lock()
		events := p.events
		p.events = nil
		p.mu.Unlock()
		send(events)
	}
}
