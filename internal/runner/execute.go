package runner

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
	"gotest.tools/gotestsum/testjson"
)

const (
	// apart is how many tests that run in a process of their own may do so at
	// the same time.
	apart = 2

	// maxOutput is how much one process may print, in bytes, and lineCost what
	// each line counts for on top: a line is an event, however short it is.
	maxOutput = 4 << 20
	lineCost  = 64

	// maxTestOutput is how much of one test's output is kept, in bytes.
	maxTestOutput = 64 << 10
)

// Why a process was stopped.
var (
	errTooSlow = errors.New("out of time")
	errTooLoud = errors.New("too much output")
	errTooBig  = errors.New("too much memory")
	errTooMany = errors.New("too many processes")
)

// test runs all expected tests in one process, and then each one that this
// process still owes a verdict in a process of its own.
func (r *run) test(ctx context.Context, converter string) error {
	passes := max(r.Count, 1) * (1 + strings.Count(r.CPU, ","))
	limit := time.Duration(passes) * r.Limit
	deadline := time.Now().Add(limit)

	all := r.log.unsettled()
	if err := r.execute(ctx, converter, all, deadline); err != nil {
		return err
	}
	if len(all) > 1 {
		group, ctx := errgroup.WithContext(ctx)
		group.SetLimit(apart)
		for _, name := range r.log.unsettled() {
			group.Go(func() error {
				if time.Until(deadline) < r.Limit/20 {
					r.log.settle(name, outcome{DidNotRun, fmt.Sprintf(
						"did not run: the tests before it took all of the %v that a candidate's tests may take together; if the machine is busy, try again when it is not", limit)}, 0)
					return nil
				}
				return r.execute(ctx, converter, []string{name}, deadline)
			})
		}
		if err := group.Wait(); err != nil {
			return err
		}
	}
	for _, name := range r.log.unsettled() {
		r.log.settle(name, outcome{DidNotRun, r.log.excuse(name)}, 0)
	}
	return nil
}

// converter returns the path of test2json, which the go command keeps in its
// cache. Calling it there spares a go command for each process.
func (r *run) converter(ctx context.Context) (string, error) {
	for range 2 {
		answer, err := ask(ctx, r.Root, "tool", "-n", "test2json")
		if err != nil {
			return "", err
		}
		path := strings.TrimSpace(answer)
		if _, err := os.Stat(path); err == nil {
			return path, nil
		}
		forget() // the cache was cleaned
	}
	return "", errors.New("go tool -n test2json names a file that does not exist")
}

// execute runs the named tests in one process and settles what can be said
// about them. Tests that may still tell if they run apart stay unsettled. If the
// race detector dies in it, one test is run again at once, on one processor.
func (r *run) execute(ctx context.Context, converter string, names []string, deadline time.Time) error {
	onOne := r.onOne.Load()
	alive, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	patience := func() time.Duration { return min(r.patience(), time.Until(deadline)) }
	timer := time.AfterFunc(patience(), func() { stop(errTooSlow) })
	defer timer.Stop()

	convert := command(ctx, r.dir, converter, "-t")
	events, err := convert.StdoutPipe()
	if err != nil {
		return fmt.Errorf("test2json: %w", err)
	}
	raw, err := convert.StdinPipe()
	if err != nil {
		return fmt.Errorf("test2json: %w", err)
	}
	meter := &meter{to: raw, left: cmp.Or(r.output, maxOutput), over: func() { stop(errTooLoud) }, kept: clip{limit: maxTestOutput}}

	if err := convert.Start(); err != nil {
		return fmt.Errorf("test2json: %w", err)
	}
	type tested struct {
		end end
		err error
	}
	ended := make(chan tested, 1)
	go func() {
		end, err := r.launch(alive, names, deadline, onOne, meter)
		ended <- tested{end, errors.Join(err, ignoreClosed(raw.Close()))}
	}()
	record := newRecord(r, names, func() { timer.Reset(patience()) })
	_, scanErr := testjson.ScanTestOutput(testjson.ScanConfig{
		Stdout: events, Handler: record, IgnoreNonJSONOutputLines: true,
		Stop: func() { stop(nil); kill(convert.Process) },
	})
	test := <-ended
	convertErr := convert.Wait()
	sweep(convert.Process)

	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case test.err != nil:
		return fmt.Errorf("running the suite of %s: %w", r.lesson.Name, test.err)
	case scanErr != nil || convertErr != nil:
		return fmt.Errorf("reading what the suite of %s says: %w", r.lesson.Name, errors.Join(scanErr, convertErr))
	}
	e := ending{
		end:      test.end,
		stopped:  cmp.Or(test.end.stopped, context.Cause(alive)),
		patience: r.patience(),
		outOfAll: time.Until(deadline) <= 0,
		output:   meter.kept.String(),
	}
	e.notItsOwn = !onOne && e.ofDetector()
	record.finish(e)
	if e.notItsOwn {
		r.onOne.Store(true)
		if len(names) == 1 {
			return r.execute(ctx, converter, names, deadline)
		}
	}
	return nil
}

// end is how a process of the test binary came to its end.
type end struct {
	code    int    // the exit status; negative if it did not exit by itself
	how     string // what the system says
	stopped error  // why the sandbox stopped it, if it did
}

// launch runs the named tests in one process of the test binary, on one processor
// or on all, and returns when nothing of it is left.
func (r *run) launch(ctx context.Context, names []string, deadline time.Time, onOne bool, out io.Writer) (end, error) {
	if r.graded != nil {
		return r.graded.launch(ctx, r, names, deadline, onOne, out)
	}
	test := command(ctx, filepath.Dir(r.exercise), r.binary(), r.testArgs(names, deadline, onOne)...)
	test.Cancel = func() error { kill(test.Process); return nil }
	test.Env = r.testEnv(test.Env)
	if onOne {
		test.Env = append(test.Env, "GOMAXPROCS=1")
	}
	test.Stdout, test.Stderr = out, out
	err := runGroup(test)
	if test.ProcessState == nil {
		return end{}, err
	}
	return end{code: test.ProcessState.ExitCode(), how: test.ProcessState.String()}, nil
}

// testArgs returns what package testing is told.
func (r *run) testArgs(names []string, deadline time.Time, onOne bool) []string {
	args := []string{
		"-test.v=test2json", "-test.paniconexit0",
		// Only for the case that this process dies first.
		"-test.timeout=" + (2*time.Until(deadline) + time.Second).String(),
		"-test.run=" + runPattern(names), fmt.Sprintf("-test.count=%d", max(r.Count, 1)),
	}
	if r.CPU != "" && onOne {
		args = append(args, "-test.cpu=1"+strings.Repeat(",1", strings.Count(r.CPU, ",")))
	} else if r.CPU != "" {
		args = append(args, "-test.cpu="+r.CPU)
	}
	if r.Shuffle != "" {
		args = append(args, "-test.shuffle="+r.Shuffle)
	}
	return args
}

func ignoreClosed(err error) error {
	if errors.Is(err, os.ErrClosed) {
		return nil
	}
	return err
}

// testEnv adds what the suites need to the user's environment.
func (r *run) testEnv(env []string) []string {
	detector := ""
	for _, setting := range env {
		if value, ok := strings.CutPrefix(setting, "GORACE="); ok {
			detector = value + " "
		}
	}
	// The detector sleeps for a second at the end of each process unless it is
	// told not to. Its reports must come where the tests' output goes.
	return append(env, "GORACE="+detector+"atexit_sleep_ms=0 log_path=stderr", "GOTRACEBACK=single")
}

// meter hands a process's output on until there is too much of it.
type meter struct {
	to   io.Writer
	over func() // called once

	mu   sync.Mutex
	left int
	kept clip
}

func (m *meter) Write(p []byte) (int, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.left <= 0 {
		return len(p), nil
	}
	_, _ = m.kept.Write(p)
	m.left -= len(p) + lineCost*bytes.Count(p, []byte{'\n'})
	if m.left <= 0 {
		m.over()
	}
	return m.to.Write(p)
}
