// Package sandbox runs a program that nobody trusts.
//
// What it promises under [Bubblewrap], which is Linux's:
//
//   - The program sees the system's programs and libraries and what [Command]
//     shows it, nothing of it writable but what the command says; an empty home;
//     no network but a loopback of its own; no process but its own.
//   - It runs as a user without any privilege, and cannot get one.
//   - It has no more memory, processes, files and output than its limits say.
//   - When [Run] returns, no process of it is left, and no file but in what it
//     was given to write.
//
// Under [None] only output, the size of files and, on Linux, memory are limited,
// and what the program starts ends with it only as long as it does not hide.
// That is for machines that are a sandbox themselves.
package sandbox

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"time"
)

// Isolation is a way to keep a program apart.
type Isolation string

// The isolations.
const (
	Bubblewrap Isolation = "bwrap"
	None       Isolation = "none"
)

// Limits are what the processes of one command may use. Zero means no limit.
// There is none on time: let the context end.
type Limits struct {
	Memory    int64         // bytes, resident, of all processes together
	Processes int           // threads included
	File      int64         // bytes, of each file and of all files in the sandbox's own folders
	Output    int64         // bytes, to Stdout and Stderr together
	CPU       time.Duration // of each process; whole seconds
}

// Command is a program to run. Paths inside of the sandbox are the same as
// outside.
type Command struct {
	Isolation Isolation
	Path      string   // the program's absolute path
	Args      []string // without the program's name
	Dir       string   // where it begins; it must be a part of what is shown
	Env       []string // all of its environment but HOME, TMPDIR and PATH

	Stdin          []byte
	Stdout, Stderr io.Writer // may be the same; written by one goroutine at a time then

	// Record, if not nil, is open for writing in the program, under the number
	// that RecordFD says. Run closes it.
	Record *os.File

	Show  []string // files and folders that it may read
	Write []string // folders that it may write

	RawNetwork bool // whether it may send ICMP to itself
	Limits     Limits
}

// Reason is why a program was stopped.
type Reason string

// The reasons. Ended is that of a program that was not stopped.
const (
	Ended            Reason = ""
	Cancelled        Reason = "cancelled"
	TooMuchMemory    Reason = "too much memory"
	TooManyProcesses Reason = "too many processes"
	TooMuchOutput    Reason = "too much output"
)

// Ending is how a program ended.
type Ending struct {
	// Code is its exit status, or 128 and the number of the signal that ended
	// it; -1 if it was stopped.
	Code    int
	Stopped Reason
	Memory  int64 // bytes; the most that was seen, zero if nobody looked

	// CPU is the processor time of those that were there at one time; the most that
	// was seen, zero if nobody looked.
	CPU time.Duration
}

// use is what processes use.
type use struct {
	memory  int64
	cpu     time.Duration
	threads int
}

// tmpSize is how much the sandbox's own folders hold if no limit says so.
const tmpSize = 64 << 20

// grace is how long the pipes of an ended process may stay open.
const grace = 500 * time.Millisecond

// Run runs the command and blocks until nothing of it is left. How it ends is
// never an error; an error means that it could not be run as asked. When ctx
// ends the program is killed, and Run returns within a second.
//
// Run may be called from any number of goroutines.
func Run(ctx context.Context, c Command) (Ending, error) {
	if c.Record != nil {
		defer func() { _ = c.Record.Close() }()
	}
	if err := ctx.Err(); err != nil {
		return Ending{Code: -1, Stopped: Cancelled}, nil
	}
	s := &stop{done: make(chan struct{})}
	cmd, g, err := c.prepare()
	if err != nil {
		return Ending{}, err
	}
	defer g.close()
	out := &meter{left: c.Limits.Output, over: func() { s.now(TooMuchOutput) }}
	if c.Limits.Output <= 0 {
		out.left = 1 << 62
	}
	if c.Stdout != nil {
		cmd.Stdout = &metered{out, c.Stdout}
	}
	if c.Stderr != nil {
		cmd.Stderr = &metered{out, c.Stderr}
		if c.Stderr == c.Stdout {
			cmd.Stderr = cmd.Stdout
		}
	}
	cmd.WaitDelay = grace
	// For the kernel a process's parent is the thread that started it, and a
	// sandbox ends with its parent.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := cmd.Start(); err != nil {
		return Ending{}, fmt.Errorf("starting %s: %w", filepath.Base(c.Path), err)
	}
	s.kill = func() { g.kill(cmd.Process) }
	watched := make(chan struct{})
	var most use
	go func() {
		defer close(watched)
		if g.begin(cmd.Process, c.Limits) {
			most = g.watch(c.Limits, s)
		}
	}()
	undo := context.AfterFunc(ctx, func() { s.now(Cancelled) })
	err = cmd.Wait()
	undo()
	why := s.over()
	<-watched
	g.sweep(cmd.Process)

	if why != Ended {
		return Ending{Code: -1, Stopped: why, Memory: most.memory, CPU: most.cpu}, nil
	}
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) && !errors.Is(err, exec.ErrWaitDelay) {
		return Ending{}, fmt.Errorf("running %s: %w", filepath.Base(c.Path), err)
	}
	code, err := g.code(cmd.ProcessState)
	return Ending{Code: code, Memory: most.memory, CPU: most.cpu}, err
}

// stop ends a program once, for the first reason that there is.
type stop struct {
	kill func()
	done chan struct{} // closed when the program has ended

	mu    sync.Mutex
	why   Reason
	ended bool
}

func (s *stop) now(why Reason) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended {
		return
	}
	if s.why == Ended {
		s.why = why
	}
	s.kill()
}

func (s *stop) over() Reason {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ended = true
	close(s.done)
	return s.why
}

// meter counts what a program prints.
type meter struct {
	mu   sync.Mutex
	left int64
	over func() // called once it is too much
}

type metered struct {
	*meter
	to io.Writer
}

// Write never fails: a program that cannot print would fail for that.
func (m *metered) Write(p []byte) (int, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.left <= 0 {
		return len(p), nil
	}
	if m.left -= int64(len(p)); m.left <= 0 {
		m.over()
		p = p[:max(0, int64(len(p))+m.left)]
		_, _ = m.to.Write(p)
		return len(p), nil
	}
	_, _ = m.to.Write(p)
	return len(p), nil
}

// environment is what the program gets on top of its own.
func environment(home string) []string {
	return []string{"HOME=" + home, "TMPDIR=" + home, "TMP=" + home, "PATH=/usr/bin:/bin", "LANG=C.UTF-8"}
}
