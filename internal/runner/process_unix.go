//go:build unix

package runner

import (
	"os"
	"os/exec"
	"syscall"
)

// lead makes the command lead a group of its own.
func lead(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }

// interrupt asks every process of the group to stop, so that the go command
// removes its temporary files.
func interrupt(leader *os.Process) error { return signalGroup(leader, syscall.SIGINT) }

// kill ends every process of the group.
func kill(leader *os.Process) { _ = signalGroup(leader, syscall.SIGKILL) }

// sweep ends what an ended process has left in its group.
func sweep(leader *os.Process) { kill(leader) }

func signalGroup(leader *os.Process, s syscall.Signal) error {
	err := syscall.Kill(-leader.Pid, s)
	if err == syscall.ESRCH {
		return os.ErrProcessDone
	}
	return err
}
