//go:build unix

package sandbox

import (
	"os"
	"os/exec"
	"syscall"
)

// lead makes the command lead a group of its own, so that a Ctrl+C at the
// terminal is not its business and one signal reaches all of it.
func lead(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }

func killGroup(p *os.Process) { _ = syscall.Kill(-p.Pid, syscall.SIGKILL) }

func exitCode(s *os.ProcessState) int {
	if w, ok := s.Sys().(syscall.WaitStatus); ok && w.Signaled() {
		return 128 + int(w.Signal())
	}
	return s.ExitCode()
}

// inherit makes a file the program's descriptor 3.
func inherit(cmd *exec.Cmd, f *os.File) { cmd.ExtraFiles = append(cmd.ExtraFiles, f) }

// RecordFD is the number of [Command].Record in the program.
func (c Command) RecordFD() uintptr { return 3 }
