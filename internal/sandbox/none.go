package sandbox

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
)

// bare prepares the command as an ordinary process.
func (c Command) bare() (*exec.Cmd, string, error) {
	home, err := os.MkdirTemp("", "conclab-home-")
	if err != nil {
		return nil, "", fmt.Errorf("no room for temporary files: %w", err)
	}
	cmd := exec.Command(c.Path, c.Args...)
	cmd.Dir = c.Dir
	cmd.Env = append(environment(home), c.Env...)
	lead(cmd)
	if c.Stdin != nil {
		cmd.Stdin = bytes.NewReader(c.Stdin)
	}
	if c.Record != nil {
		inherit(cmd, c.Record)
	}
	return cmd, home, nil
}

// errNoBubblewrap is a sentence for whoever wants to grade.
var errNoBubblewrap = errors.New("the sandbox bubblewrap is not there: install it (Debian, Ubuntu: apt-get install bubblewrap; Fedora: dnf install bubblewrap), " +
	"or call with --isolation none if this machine is itself a sandbox that nobody else uses")
