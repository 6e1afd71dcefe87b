//go:build !linux

package sandbox

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
)

// Check tells whether this machine has the isolation. The error is a sentence
// that says what to do.
func Check(_ context.Context, i Isolation) error {
	switch i {
	case None:
		return nil
	case Bubblewrap:
		return fmt.Errorf("there is no sandbox on %s: grade on Linux with bubblewrap, in a container or WSL for example, "+
			"or call with --isolation none if this machine is itself a sandbox that nobody else uses", runtime.GOOS)
	}
	return fmt.Errorf("there is no isolation %q: it is bwrap or none", i)
}

// RawNetworkWorks tells whether a sandbox may send ICMP to itself.
func RawNetworkWorks(context.Context, Isolation) bool { return false }

// guard watches over one program. Here it only ends it.
type guard struct{ home string }

func (c Command) prepare() (*exec.Cmd, *guard, error) {
	if c.Isolation != None {
		return nil, nil, errors.New("there is no sandbox on " + runtime.GOOS)
	}
	cmd, home, err := c.bare()
	return cmd, &guard{home}, err
}

func (g *guard) begin(*os.Process, Limits) bool       { return false }
func (g *guard) watch(Limits, *stop) use              { return use{} }
func (g *guard) kill(p *os.Process)                   { killGroup(p) }
func (g *guard) sweep(p *os.Process)                  { killGroup(p) }
func (g *guard) close()                               { _ = os.RemoveAll(g.home) }
func (g *guard) code(s *os.ProcessState) (int, error) { return exitCode(s), nil }
