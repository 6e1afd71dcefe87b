//go:build linux

package sandbox

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// look is the time between two looks at what a program uses. A program can
// touch some gigabytes a second.
const look = 20 * time.Millisecond

// Check tells whether this machine has the isolation. The error is a sentence
// that says what to do.
func Check(ctx context.Context, i Isolation) error {
	switch i {
	case None:
		return nil
	case Bubblewrap:
	default:
		return fmt.Errorf("there is no isolation %q: it is bwrap or none", i)
	}
	if _, err := exec.LookPath("bwrap"); err != nil {
		return errNoBubblewrap
	}
	var complaint bytes.Buffer
	end, err := Run(ctx, Command{Isolation: Bubblewrap, Path: "/bin/true", Dir: "/", Stderr: &complaint})
	if err == nil && end.Code == 0 {
		return nil
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	said := strings.TrimSpace(complaint.String())
	if said == "" && err != nil {
		said = err.Error()
	}
	return fmt.Errorf("bubblewrap is installed, but this machine does not let it work (%s): allow user namespaces "+
		"(sysctl kernel.unprivileged_userns_clone=1, kernel.apparmor_restrict_unprivileged_userns=0; in a container --security-opt seccomp=unconfined), "+
		"or call with --isolation none if this machine is itself a sandbox that nobody else uses", said)
}

// RawNetworkWorks tells whether a sandbox may send ICMP to itself.
func RawNetworkWorks(ctx context.Context, i Isolation) bool {
	if i != Bubblewrap {
		return false
	}
	end, err := Run(ctx, Command{Isolation: i, Path: "/bin/true", Dir: "/", RawNetwork: true, Stderr: io.Discard})
	return err == nil && end.Code == 0
}

// guard watches over one program.
type guard struct {
	sandboxed bool
	home      string     // to be removed
	ours      []*os.File // our ends of pipes
	theirs    []*os.File // to be closed once it has started
	status    *os.File   // what bubblewrap says
	release   *os.File   // by which it is told to go on

	first  sync.Mutex
	pid    int // of the first process in the sandbox
	pidfd  int
	group  string       // the control group's folder, to be removed
	report bytes.Buffer // the rest of what bubblewrap said
	read   chan struct{}
}

func (c Command) prepare() (*exec.Cmd, *guard, error) {
	g := &guard{pidfd: -1, read: make(chan struct{}), sandboxed: c.Isolation == Bubblewrap}
	if !g.sandboxed {
		cmd, home, err := c.bare()
		g.home = home
		return cmd, g, err
	}
	wrapper, err := exec.LookPath("bwrap")
	if err != nil {
		return nil, nil, errNoBubblewrap
	}
	cmd := exec.Command(wrapper)
	lead(cmd)
	// Bubblewrap asks to end with its parent only once its namespaces stand.
	// A parent that is killed before that would leave it behind.
	cmd.SysProcAttr.Pdeathsig = syscall.SIGKILL
	cmd.Env = append(environment("/tmp"), c.Env...)
	if c.Stdin != nil {
		cmd.Stdin = bytes.NewReader(c.Stdin)
	}
	if c.Record != nil {
		inherit(cmd, c.Record)
	} else {
		null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
		if err != nil {
			return nil, nil, err
		}
		g.theirs = append(g.theirs, null)
		inherit(cmd, null)
	}
	status, statusIn, err := os.Pipe()
	if err != nil {
		return nil, nil, err
	}
	releaseOut, release, err := os.Pipe()
	if err != nil {
		_, _ = status.Close(), statusIn.Close()
		return nil, nil, err
	}
	g.status, g.release = status, release
	g.ours = append(g.ours, status, release)
	g.theirs = append(g.theirs, statusIn, releaseOut)
	inherit(cmd, statusIn)
	inherit(cmd, releaseOut)
	cmd.Args = append(cmd.Args, c.wrap(4, 5)...)
	return cmd, g, nil
}

// wrap returns bubblewrap's arguments.
func (c Command) wrap(statusFD, blockFD int) []string {
	size := c.Limits.File
	if size <= 0 {
		size = tmpSize
	}
	tmpfs := []string{"--size", strconv.FormatInt(size, 10), "--tmpfs"}
	args := []string{
		"--unshare-user", "--unshare-ipc", "--unshare-pid", "--unshare-net", "--unshare-uts", "--unshare-cgroup-try",
		"--die-with-parent", "--new-session", "--hostname", "lab",
		"--uid", "1000", "--gid", "1000", "--cap-drop", "ALL",
		"--json-status-fd", strconv.Itoa(statusFD), "--block-fd", strconv.Itoa(blockFD),
	}
	if c.RawNetwork {
		args = append(args, "--cap-add", "CAP_NET_RAW")
	}
	args = append(args, "--ro-bind", "/usr", "/usr")
	for _, dir := range []string{"/bin", "/sbin", "/lib", "/lib32", "/lib64"} {
		if target, err := os.Readlink(dir); err == nil {
			args = append(args, "--symlink", target, dir)
		} else {
			args = append(args, "--ro-bind-try", dir, dir)
		}
	}
	for _, file := range []string{"/etc/ld.so.cache", "/etc/localtime", "/etc/hosts", "/etc/nsswitch.conf"} {
		args = append(args, "--ro-bind-try", file, file)
	}
	// The race detector's runtime reads its options from /proc.
	args = append(args, "--proc", "/proc")
	// With --dev there would be a terminal, and for its sake a second user
	// namespace, which would not own the network.
	for _, device := range []string{"null", "zero", "full", "random", "urandom"} {
		args = append(args, "--dev-bind", "/dev/"+device, "/dev/"+device)
	}
	args = append(args, "--symlink", "/proc/self/fd", "/dev/fd", "--symlink", "/proc/self/fd/1", "/dev/stdout", "--symlink", "/proc/self/fd/2", "/dev/stderr")
	args = append(append(args, tmpfs...), "/tmp")
	args = append(append(args, tmpfs...), "/dev/shm")
	for _, path := range c.Show {
		args = append(args, "--ro-bind", path, path)
	}
	for _, path := range c.Write {
		args = append(args, "--bind", path, path)
	}
	args = append(args, "--remount-ro", "/", "--chdir", c.Dir, "--", c.Path)
	return append(args, c.Args...)
}

// begin waits until the program is about to run, and sets its limits. It is
// false if that never happens.
func (g *guard) begin(p *os.Process, l Limits) bool {
	for _, f := range g.theirs {
		_ = f.Close()
	}
	if !g.sandboxed {
		close(g.read)
		g.set(p.Pid, l)
		return true
	}
	status := json.NewDecoder(g.status)
	var child struct {
		PID int `json:"child-pid"`
	}
	if err := status.Decode(&child); err != nil || child.PID == 0 {
		close(g.read)
		return false
	}
	g.set(child.PID, l)
	go func() {
		defer close(g.read)
		_, _ = io.Copy(&g.report, io.MultiReader(status.Buffered(), g.status))
	}()
	_, _ = g.release.Write([]byte("x"))
	return true
}

func (g *guard) set(pid int, l Limits) {
	g.first.Lock()
	g.pid = pid
	if fd, err := unix.PidfdOpen(pid, 0); err == nil {
		g.pidfd = fd
	}
	g.first.Unlock()
	limit := func(resource int, n int64) {
		if n > 0 {
			_ = unix.Prlimit(pid, resource, &unix.Rlimit{Cur: uint64(n), Max: uint64(n)}, nil)
		}
	}
	limit(unix.RLIMIT_FSIZE, l.File)
	if cpu := int64(l.CPU / time.Second); cpu > 0 {
		_ = unix.Prlimit(pid, unix.RLIMIT_CPU, &unix.Rlimit{Cur: uint64(cpu), Max: uint64(cpu) + 1}, nil)
	}
	_ = unix.Prlimit(pid, unix.RLIMIT_CORE, &unix.Rlimit{}, nil)
	if g.sandboxed {
		limit(unix.RLIMIT_NOFILE, 1024)
		// It counts in the sandbox's user namespace, but not for root.
		limit(unix.RLIMIT_NPROC, int64(l.Processes))
		if l.Processes > 0 && os.Geteuid() == 0 {
			g.fence(pid, 2*l.Processes)
		}
	}
	// If the machine itself runs out of memory, the program goes first.
	_ = os.WriteFile(fmt.Sprintf("/proc/%d/oom_score_adj", pid), []byte("1000"), 0)
}

// fence puts the program into a control group of its own, in which there are at
// most so many processes, if the machine lets it. It leaves room for watch to
// find that they are too many, and none for the machine to run out of them.
func (g *guard) fence(pid, most int) {
	for _, parent := range []string{"/sys/fs/cgroup/pids", "/sys/fs/cgroup"} {
		dir := filepath.Join(parent, fmt.Sprintf("conclab-%d", pid))
		if err := os.Mkdir(dir, 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
			continue
		}
		if tell(filepath.Join(dir, "pids.max"), most) == nil && tell(filepath.Join(dir, "cgroup.procs"), pid) == nil {
			g.group = dir
			return
		}
		_ = os.Remove(dir)
	}
}

// tell writes a number to a file of the kernel, which must be there.
func tell(path string, n int) error {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = f.WriteString(strconv.Itoa(n))
	return errors.Join(err, f.Close())
}

// watch looks at what the program uses until it has ended, and returns the most
// that it saw. To find out which processes there are costs more than to
// ask them, and is done less often. It must be called in a goroutine of its own.
func (g *guard) watch(l Limits, s *stop) (most use) {
	goAhead()
	pids := []int{g.pid}
	for n := 0; ; n++ {
		if g.rest(s) {
			return most
		}
		if n%5 == 0 {
			pids = family(g.pid, l.Processes)
		}
		now := usage(pids)
		most = use{max(most.memory, now.memory), max(most.cpu, now.cpu), max(most.threads, now.threads)}
		switch {
		case l.Memory > 0 && now.memory > l.Memory:
			s.now(TooMuchMemory)
		// They are many even if most have ended before anybody could ask them.
		case l.Processes > 0 && max(now.threads, len(pids)) > l.Processes:
			s.now(TooManyProcesses)
		}
	}
}

// goAhead lets the calling goroutine go before all that want a processor, if it
// may: who has to wait for a turn among the processes of a program that forks
// without end comes late. The goroutine keeps its thread, which ends with it.
func goAhead() {
	runtime.LockOSThread()
	_ = unix.Setpriority(unix.PRIO_PROCESS, unix.Gettid(), -20)
}

// rest waits for the time between two looks, in the kernel, since a timer of the
// runtime would be served by threads that wait for their turn. It returns earlier,
// and reports it, when the program has ended.
func (g *guard) rest(s *stop) (over bool) {
	if g.pidfd >= 0 {
		ended := []unix.PollFd{{Fd: int32(g.pidfd), Events: unix.POLLIN}}
		if n, _ := unix.Poll(ended, int(look.Milliseconds())); n == 0 {
			select {
			case <-s.done:
				return true
			default:
				return false
			}
		}
	}
	select {
	case <-s.done:
		return true
	case <-time.After(look): // a signal, or nobody has noticed the end yet
		return false
	}
}

var pageSize = int64(os.Getpagesize())

// tick is the kernel's unit of processor time, on every machine.
const tick = time.Second / 100

// usage adds up what processes use.
func usage(pids []int) (all use) {
	for _, pid := range pids {
		stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
		if err != nil {
			continue
		}
		// The name, which comes second, may hold anything.
		fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
		if len(fields) < 22 {
			continue
		}
		user, _ := strconv.ParseInt(fields[11], 10, 64)
		system, _ := strconv.ParseInt(fields[12], 10, 64)
		n, _ := strconv.Atoi(fields[17])
		pages, _ := strconv.ParseInt(fields[21], 10, 64)
		all.cpu += time.Duration(user+system) * tick
		all.threads += n
		all.memory += pages * pageSize
	}
	return all
}

// family returns a process and all below it; beyond enough it does not look any
// further.
func family(pid, enough int) []int {
	pids := []int{pid}
	for i := 0; i < len(pids) && (enough <= 0 || len(pids) <= enough); i++ {
		tasks := "/proc/" + strconv.Itoa(pids[i]) + "/task"
		for _, task := range names(tasks) {
			text, _ := os.ReadFile(tasks + "/" + task + "/children")
			for _, field := range strings.Fields(string(text)) {
				if child, err := strconv.Atoi(field); err == nil {
					pids = append(pids, child)
				}
			}
		}
	}
	return pids
}

// names lists a folder, in no order.
func names(dir string) []string {
	d, err := os.Open(dir)
	if err != nil {
		return nil
	}
	defer func() { _ = d.Close() }()
	all, _ := d.Readdirnames(-1)
	return all
}

func (g *guard) kill(p *os.Process) {
	g.first.Lock()
	defer g.first.Unlock()
	if g.sandboxed && g.pidfd >= 0 {
		// Its end is that of all in the sandbox; bubblewrap itself follows.
		_ = unix.PidfdSendSignal(g.pidfd, unix.SIGKILL, nil, 0)
		return
	}
	killGroup(p)
}

// sweep returns when nothing of the program is left.
func (g *guard) sweep(p *os.Process) {
	killGroup(p)
	g.first.Lock()
	defer g.first.Unlock()
	if !g.sandboxed || g.pidfd < 0 {
		return
	}
	_ = unix.PidfdSendSignal(g.pidfd, unix.SIGKILL, nil, 0)
	// The first process of a pid namespace is gone only when all others are.
	gone := []unix.PollFd{{Fd: int32(g.pidfd), Events: unix.POLLIN}}
	for deadline := time.Now().Add(5 * time.Second); time.Now().Before(deadline); {
		if n, err := unix.Poll(gone, 100); n > 0 || err != nil && !errors.Is(err, unix.EINTR) {
			return
		}
	}
}

func (g *guard) close() {
	for _, f := range g.ours {
		_ = f.Close()
	}
	for _, f := range g.theirs {
		_ = f.Close()
	}
	if g.pidfd >= 0 {
		_ = unix.Close(g.pidfd)
	}
	if g.home != "" {
		_ = os.RemoveAll(g.home)
	}
	if g.group != "" {
		_ = os.Remove(g.group)
	}
}

// code returns how the program ended, as bubblewrap says.
func (g *guard) code(s *os.ProcessState) (int, error) {
	if !g.sandboxed {
		return exitCode(s), nil
	}
	select {
	case <-g.read:
	case <-time.After(grace):
		return 0, errors.New("bubblewrap did not say how the program ended")
	}
	var end struct {
		Code *int `json:"exit-code"`
	}
	for in := json.NewDecoder(&g.report); ; {
		if err := in.Decode(&end); err != nil {
			break
		}
	}
	if end.Code == nil {
		return 0, fmt.Errorf("bubblewrap could not run the program (%s)", s)
	}
	return *end.Code, nil
}
