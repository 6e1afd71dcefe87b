package runner

import (
	"context"
	"os/exec"
	"time"
)

// grace is how long a go command gets to tidy up after itself once it is told
// to stop, and how long the pipes of an ended process may stay open.
const grace = 400 * time.Millisecond

// command prepares a process that leads a group of its own, in the folder dir.
// When ctx ends the whole group is asked to stop and soon after killed. Start
// it with [runGroup].
func command(ctx context.Context, dir, name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = dir
	cmd.Env = append(cmd.Environ(), "GOWORK=off") // a workspace above the lab is somebody else's
	cmd.WaitDelay = grace
	lead(cmd)
	cmd.Cancel = func() error { return interrupt(cmd.Process) }
	return cmd
}

// runGroup runs the command and returns when nothing of its group is left.
func runGroup(cmd *exec.Cmd) error {
	err := cmd.Run()
	if cmd.Process != nil {
		sweep(cmd.Process)
	}
	return err
}
