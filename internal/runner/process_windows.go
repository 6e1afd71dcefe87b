package runner

import (
	"os"
	"os/exec"
	"strconv"
	"syscall"
)

// lead keeps a Ctrl+C in the terminal from the command.
func lead(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{CreationFlags: syscall.CREATE_NEW_PROCESS_GROUP}
}

// interrupt is kill. Windows has no signal
// that the go command would heed; its temporary files lie in a folder that is
// removed anyway.
func interrupt(leader *os.Process) error {
	kill(leader)
	return nil
}

// kill ends the process and all its descendants.
func kill(leader *os.Process) {
	_ = exec.Command("taskkill", "/T", "/F", "/PID", strconv.Itoa(leader.Pid)).Run()
}

// sweep does nothing: the number of a process that has ended may already belong
// to another one.
func sweep(*os.Process) {}
