package sandbox

import (
	"os"
	"os/exec"
	"syscall"
)

func lead(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{} }

func killGroup(p *os.Process) { _ = p.Kill() }

func exitCode(s *os.ProcessState) int { return s.ExitCode() }

// inherit lets the program have a handle.
func inherit(cmd *exec.Cmd, f *os.File) {
	cmd.SysProcAttr.AdditionalInheritedHandles = append(cmd.SysProcAttr.AdditionalInheritedHandles, syscall.Handle(f.Fd()))
}

// RecordFD is the number of [Command].Record in the program.
func (c Command) RecordFD() uintptr {
	if c.Record == nil {
		return 0
	}
	return c.Record.Fd()
}
