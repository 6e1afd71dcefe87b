package main

import (
	"context"
	"errors"
	"io"
	"os"
	"syscall"

	"golang.org/x/term"
)

// output is where the lab prints to if that is a file or a pipe. The first Write
// that fails ends the command: nobody would read the rest, and whoever reads what
// is there must not take it for all.
type output struct {
	file *os.File
	end  context.CancelCauseFunc
}

// watched returns what to print to instead of w.
func watched(w io.Writer, end context.CancelCauseFunc) io.Writer {
	if f, ok := w.(*os.File); ok && !term.IsTerminal(int(f.Fd())) {
		return &output{f, end}
	}
	return w
}

func (o *output) Write(p []byte) (int, error) {
	n, err := o.file.Write(p)
	if err != nil {
		o.end(&unwritten{err})
	}
	return n, err
}

// direct returns what another process may print to by itself.
func direct(w io.Writer) io.Writer {
	if o, ok := w.(*output); ok {
		return o.file
	}
	return w
}

// unwritten is why not all was printed.
type unwritten struct{ err error }

func (u *unwritten) Error() string { return "not all could be printed: " + u.err.Error() }

// unheard tells whether the reader of a pipe has had enough, as in lab | head.
func (u *unwritten) unheard() bool { return errors.Is(u.err, syscall.EPIPE) }
