// Mutexes and condition variables all through: blocked senders' messages stand in the same line as the unread ones.

package pipes

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"
)

const (
	Workers = 2
	Nap     = 100 * time.Millisecond
)

type message[T any] struct {
	v     T
	taken bool
}

// direction carries messages one way. Those beyond the buffer belong to Sends
// that are blocked.
type direction[T any] struct {
	mu      sync.Mutex
	changed *sync.Cond
	buffer  int
	unread  []*message[T]
	cut     bool // the sending end is closed
	deaf    bool // the receiving end is closed
}

func newDirection[T any](buffer int) *direction[T] {
	d := &direction[T]{buffer: buffer}
	d.changed = sync.NewCond(&d.mu)
	return d
}

func (d *direction[T]) wake() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.changed.Broadcast()
}

func (d *direction[T]) shut(flag *bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	*flag = true
	d.unread = d.unread[:min(len(d.unread), d.buffer)]
	d.changed.Broadcast()
}

type Conn[T any] struct{ out, in *direction[T] }

func Pipe[T any](buffer int) (left, right *Conn[T]) {
	a, b := newDirection[T](buffer), newDirection[T](buffer)
	return &Conn[T]{a, b}, &Conn[T]{b, a}
}

func (c *Conn[T]) Send(ctx context.Context, v T) error {
	d := c.out
	defer context.AfterFunc(ctx, d.wake)()
	d.mu.Lock()
	defer d.mu.Unlock()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if d.cut || d.deaf {
		return io.ErrClosedPipe
	}
	m := &message[T]{v: v}
	d.unread = append(d.unread, m)
	d.changed.Broadcast()
	for {
		at := slices.Index(d.unread, m)
		switch {
		case m.taken || at >= 0 && at < d.buffer:
			return nil
		case at < 0:
			return io.ErrClosedPipe
		case ctx.Err() != nil:
			d.unread = slices.Delete(d.unread, at, at+1)
			return ctx.Err()
		}
		d.changed.Wait()
	}
}

func (c *Conn[T]) Recv(ctx context.Context) (T, error) {
	var zero T
	d := c.in
	defer context.AfterFunc(ctx, d.wake)()
	d.mu.Lock()
	defer d.mu.Unlock()
	for {
		switch {
		case ctx.Err() != nil:
			return zero, ctx.Err()
		case d.deaf:
			return zero, io.ErrClosedPipe
		case len(d.unread) > 0:
			m := d.unread[0]
			m.taken = true
			d.unread = d.unread[1:]
			d.changed.Broadcast()
			return m.v, nil
		case d.cut:
			return zero, io.EOF
		}
		d.changed.Wait()
	}
}

func (c *Conn[T]) Close() error {
	c.out.shut(&c.out.cut)
	c.in.shut(&c.in.deaf)
	return nil
}

func Alice(ctx context.Context, right *Conn[string], w io.Writer) error {
	said, err := right.Recv(ctx)
	if err != nil {
		return fmt.Errorf("alice listens: %w", err)
	}
	if _, err := io.WriteString(w, "I heard Bob say '"+said+"'.\n"); err != nil {
		return err
	}
	return right.Send(ctx, "Roger roger. Over and out.")
}

func Bob(ctx context.Context, left *Conn[string], w io.Writer) error {
	if err := left.Send(ctx, "Hello, Alice!"); err != nil {
		return fmt.Errorf("bob speaks: %w", err)
	}
	said, err := left.Recv(ctx)
	if err != nil {
		return fmt.Errorf("bob listens: %w", err)
	}
	_, err = io.WriteString(w, "I heard Alice say '"+said+"'.\n")
	return err
}

// board is what the crew shares.
type board struct {
	mu      sync.Mutex
	changed *sync.Cond
	work    []string
	over    bool
}

func Crew(ctx context.Context, in io.Reader, out io.Writer) error {
	b := new(board)
	b.changed = sync.NewCond(&b.mu)
	defer context.AfterFunc(ctx, func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.work = nil
		b.over = true
		b.changed.Broadcast()
	})()

	left, right := Pipe[string](0)
	var readErr error
	go func() { // parent
		defer left.Close()
		s := bufio.NewScanner(in)
		s.Buffer(make([]byte, 100), 1<<20)
		for s.Scan() {
			if s.Text() == "quit" {
				return
			}
			if s.Text() != "" && left.Send(ctx, s.Text()) != nil {
				return
			}
		}
		readErr = s.Err()
	}()

	var wg sync.WaitGroup
	wg.Go(func() { // manager
		for {
			line, err := right.Recv(ctx)
			b.mu.Lock()
			if err != nil {
				b.over = true
				b.changed.Broadcast()
				b.mu.Unlock()
				right.Close()
				return
			}
			for len(b.work) == 10 && !b.over {
				b.changed.Wait()
			}
			if !b.over {
				b.work = append(b.work, line)
				b.changed.Broadcast()
			}
			b.mu.Unlock()
		}
	})
	for n := 1; n <= Workers; n++ {
		wg.Go(func() {
			for {
				b.mu.Lock()
				for len(b.work) == 0 && !b.over {
					b.changed.Wait()
				}
				if len(b.work) == 0 || ctx.Err() != nil {
					b.mu.Unlock()
					return
				}
				line := b.work[0]
				b.work = b.work[1:]
				b.changed.Broadcast()
				b.mu.Unlock()

				fmt.Fprintf(out, "worker %d: %s\n", n, line)
				t := time.NewTimer(Nap)
				select {
				case <-t.C:
				case <-ctx.Done():
					t.Stop()
				}
			}
		})
	}
	wg.Wait()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return readErr
}
