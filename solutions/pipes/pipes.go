// Package pipes is the reference solution of the lesson "pipes": a pipe with
// two ends, Alice and Bob who talk over it, and a crew, a manager and two
// workers, that is told over a pipe what to do.
package pipes

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"sync"
	"time"
)

const (
	// Workers is how many workers a crew has.
	Workers = 2

	// Nap is how long a worker rests after every line.
	Nap = 100 * time.Millisecond
)

// Conn is one end of a pipe. It is made by [Pipe]. One goroutine may send while
// another receives, and any may close.
type Conn[T any] struct {
	in  <-chan T
	out chan<- T // closed by this end's Close, and by nobody else

	closed     chan struct{}   // closed when Close has been called here
	peerClosed <-chan struct{} // the same for the other end

	sending sync.RWMutex // read-locked by every Send, so that Close knows when out is idle
	once    sync.Once
}

// Pipe returns the two ends of a new pipe. What is sent on one end is received
// on the other, in order, and the two directions have nothing to do with each
// other. In each of them up to buffer messages (0 or more) may wait to be
// received.
func Pipe[T any](buffer int) (left, right *Conn[T]) {
	toLeft, toRight := make(chan T, buffer), make(chan T, buffer)
	leftClosed, rightClosed := make(chan struct{}), make(chan struct{})
	left = &Conn[T]{in: toLeft, out: toRight, closed: leftClosed, peerClosed: rightClosed}
	right = &Conn[T]{in: toRight, out: toLeft, closed: rightClosed, peerClosed: leftClosed}
	return left, right
}

// Send sends v to the other end. It blocks while as many messages as the
// pipe's buffer holds are unread; without a buffer, until v has been received.
//
// It returns [io.ErrClosedPipe] if either end is closed, or gets closed while
// it blocks, and an error that matches ctx.Err() if ctx ends first or had
// ended before. If it returns an error, v is never received.
func (c *Conn[T]) Send(ctx context.Context, v T) error {
	c.sending.RLock()
	defer c.sending.RUnlock()

	// Select picks any case that is ready. What had happened before the call
	// must not be left to its choice.
	if err := ctx.Err(); err != nil {
		return err
	}
	if isDone(c.closed) || isDone(c.peerClosed) {
		return io.ErrClosedPipe
	}
	select {
	case c.out <- v:
		return nil
	case <-c.closed:
		return io.ErrClosedPipe
	case <-c.peerClosed:
		return io.ErrClosedPipe
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Recv receives the next message of the other end. It blocks until there is
// one.
//
// When the other end is closed and all that it had sent has been received, it
// returns [io.EOF]. It returns [io.ErrClosedPipe] if this end is closed, or
// gets closed while it blocks, and an error that matches ctx.Err() if ctx ends
// first or had ended before. If it returns an error, it has taken no message.
func (c *Conn[T]) Recv(ctx context.Context) (T, error) {
	var zero T
	if err := ctx.Err(); err != nil {
		return zero, err
	}
	if isDone(c.closed) {
		return zero, io.ErrClosedPipe
	}
	select {
	case v, ok := <-c.in:
		if !ok {
			return zero, io.EOF
		}
		return v, nil
	case <-c.closed:
		return zero, io.ErrClosedPipe
	case <-ctx.Done():
		return zero, ctx.Err()
	}
}

// Close closes this end. The other end still receives what has been sent.
// Calls that are blocked, on either end, return. Close returns nil and may be
// called any number of times, from any goroutine.
func (c *Conn[T]) Close() error {
	c.once.Do(func() {
		close(c.closed)  // every Send on this end gives up,
		c.sending.Lock() // has done so,
		defer c.sending.Unlock()
		close(c.out) // and the other end may read on to the end.
	})
	return nil
}

func isDone(ch <-chan struct{}) bool {
	select {
	case <-ch:
		return true
	default:
		return false
	}
}

// Alice receives a message, writes "I heard Bob say 'MESSAGE'." and a newline
// to w, then sends "Roger roger. Over and out.". She ends with her context and
// hands on the error of her end.
func Alice(ctx context.Context, right *Conn[string], w io.Writer) error {
	bobSaid, err := right.Recv(ctx)
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintf(w, "I heard Bob say '%s'.\n", bobSaid); err != nil {
		return err
	}
	return right.Send(ctx, "Roger roger. Over and out.")
}

// Bob sends "Hello, Alice!", receives the answer, then writes "I heard Alice
// say 'ANSWER'." and a newline to w. He ends with his context and hands on the
// error of his end.
func Bob(ctx context.Context, left *Conn[string], w io.Writer) error {
	if err := left.Send(ctx, "Hello, Alice!"); err != nil {
		return err
	}
	aliceSaid, err := left.Recv(ctx)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(w, "I heard Alice say '%s'.\n", aliceSaid)
	return err
}

// maxLine is the length of the longest line that a crew takes.
const maxLine = 64 << 10

// Crew has [Workers] workers do what the lines of in tell them: each non-empty
// line, of at most 64 KiB, is one piece of work. For each line one of the
// workers writes "worker N: LINE" and a newline to out, N being its number (1
// or 2), then naps for [Nap]. At most 16 pieces of work are read ahead.
//
// The input ends with in, with a line "quit" or with a read error. Then Crew
// waits until all work that was accepted is done, naps included, and returns
// nil, or the read error. When ctx ends, the workers finish the line that they
// are writing and drop everything else, and Crew returns an error that matches
// ctx.Err(). It does not wait for a Read of in that blocks; the one goroutine
// that is in it ends when Read returns.
func Crew(ctx context.Context, in io.Reader, out io.Writer) error {
	toManager, toParent := Pipe[string](0)
	queue := make(chan string, Workers)
	asked := make(chan error, 1)

	// Nothing can call the parent back from Read, so nobody waits for it.
	go func() {
		defer toManager.Close()
		asked <- ask(ctx, in, toManager)
	}()

	var crew sync.WaitGroup
	crew.Go(func() { manage(ctx, toParent, queue) })
	for n := range Workers {
		crew.Go(func() { work(ctx, n+1, queue, out) })
	}
	crew.Wait()

	if err := ctx.Err(); err != nil {
		return err
	}
	return <-asked
}

// ask is the parent: it sends the manager what the user wants done, until the
// user has nothing more to say.
func ask(ctx context.Context, in io.Reader, manager *Conn[string]) error {
	in = reader{ctx, in}
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, maxLine+len("\r\n")) // the limit counts the line's ending
	for lines.Scan() {
		switch line := lines.Text(); line {
		case "":
		case "quit":
			return nil
		default:
			if err := manager.Send(ctx, line); err != nil {
				return err
			}
		}
	}
	return lines.Err()
}

// reader reads in until ctx ends. Without it a user who types nothing but empty
// lines would be read from when the crew has long gone home.
type reader struct {
	ctx context.Context
	in  io.Reader
}

func (r reader) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.in.Read(p)
}

// manage puts on the queue what the parent sends, and closes the queue when
// nothing more will come.
func manage(ctx context.Context, parent *Conn[string], queue chan<- string) {
	defer close(queue)
	defer parent.Close()
	for {
		line, err := parent.Recv(ctx)
		if err != nil {
			return
		}
		select {
		case queue <- line:
		case <-ctx.Done():
			return
		}
	}
}

// work is worker n.
func work(ctx context.Context, n int, queue <-chan string, out io.Writer) {
	for line := range queue {
		if ctx.Err() != nil {
			return // the rest is dropped
		}
		fmt.Fprintf(out, "worker %d: %s\n", n, line)
		select {
		case <-time.After(Nap):
		case <-ctx.Done():
		}
	}
}
