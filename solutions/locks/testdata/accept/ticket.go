// Numbered tickets, as at the baker's: whoever waits is woken with the number that is due, and a ticket that nobody wants any more is skipped.
package locks

import (
	"context"
	"fmt"
	"io"
	"sync"
	"time"
)

const (
	Workers = 2
	Nap     = 100 * time.Millisecond
)

type Cell interface {
	Load() int
	Store(v int)
}

type baker struct {
	mu            sync.Mutex
	next, serving int
	given         map[int]bool // tickets that were handed back while waiting
	called        map[int]chan struct{}
}

func newBaker() *baker {
	return &baker{given: map[int]bool{}, called: map[int]chan struct{}{}}
}

func (b *baker) take() (ticket int, called <-chan struct{}) {
	b.mu.Lock()
	defer b.mu.Unlock()
	ticket = b.next
	b.next++
	c := make(chan struct{})
	b.called[ticket] = c
	b.call()
	return ticket, c
}

// call calls the ticket that is due, if it has been taken.
func (b *baker) call() {
	for b.given[b.serving] {
		delete(b.given, b.serving)
		b.serving++
	}
	if c, ok := b.called[b.serving]; ok {
		close(c)
		delete(b.called, b.serving)
	}
}

// done hands the ticket back, served or not.
func (b *baker) done(ticket int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.called, ticket)
	b.given[ticket] = true
	b.call()
}

func Hello(w io.Writer, n int) {
	b := newBaker()
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			ticket, called := b.take()
			defer b.done(ticket)
			<-called
			fmt.Fprintln(w, "Hello, world", i)
		})
	}
	wg.Wait()
}

type Screen struct {
	b *baker
	w io.Writer
}

func NewScreen(w io.Writer) *Screen { return &Screen{newBaker(), w} }

func (s *Screen) Print(lines ...string) error {
	return s.PrintContext(context.TODO(), lines...)
}

func (s *Screen) PrintContext(ctx context.Context, lines ...string) error {
	if err := context.Cause(ctx); err != nil {
		return ctx.Err()
	}
	ticket, called := s.b.take()
	defer s.b.done(ticket)
	select {
	case <-called:
	case <-ctx.Done():
		return ctx.Err()
	}
	for _, l := range lines {
		if _, err := fmt.Fprintln(s.w, l); err != nil {
			return err
		}
	}
	return nil
}

type Tally struct {
	b *baker
	c Cell
}

func NewTally(c Cell) *Tally { return &Tally{newBaker(), c} }

func (t *Tally) alone() (done func()) {
	ticket, called := t.b.take()
	<-called
	return func() { t.b.done(ticket) }
}

func (t *Tally) Add(n int) {
	defer t.alone()()
	t.c.Store(t.c.Load() + n)
}

func (t *Tally) Total() int {
	defer t.alone()()
	return t.c.Load()
}

func Crew(jobs []string, screen *Screen, tally *Tally) {
	type result struct{ worker, job int }
	results := make(chan result)
	var wg sync.WaitGroup
	for n := range Workers {
		wg.Go(func() {
			for i := n; i < len(jobs); i += Workers {
				time.Sleep(Nap)
				results <- result{n + 1, i}
			}
		})
	}
	go func() {
		wg.Wait()
		close(results)
	}()
	for r := range results {
		screen.Print(fmt.Sprintf("worker %d:", r.worker), "  "+jobs[r.job])
		tally.Add(1)
	}
}
