// Package doctor looks whether a machine has what the lab can use, and says for
// each thing that is missing what it is good for and how to get it. It changes
// nothing, but that it writes the lab's memory as it is to see whether it can;
// and nothing that it does goes further than this machine.
package doctor

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"golang.org/x/net/icmp"
	"golang.org/x/term"

	"conclab/internal/runner"
	"conclab/internal/state"
)

// patience bounds each look at another program.
const patience = 10 * time.Second

// Finding is what is known about one thing.
type Finding struct {
	Thing  string // a word
	OK     bool
	Needed bool   // whether the lab is no use without it
	Says   string // what was found
	Use    string // what it is good for
	Fix    string // what to do; empty if OK
}

// Examine looks at everything, in a fixed order, and calls on with each finding
// as soon as it is known. Root is the lab's folder; if it is empty, noRoot says
// why. It blocks until all is known or ctx has ended.
func Examine(ctx context.Context, root string, noRoot error, out *os.File, on func(Finding)) error {
	looks := []func(context.Context) Finding{
		func(context.Context) Finding { return clone(root, noRoot) },
		func(ctx context.Context) Finding { return goCommand(ctx, root) },
		func(ctx context.Context) Finding { return race(ctx, root) },
		func(ctx context.Context) Finding { return git(ctx, root) },
		func(context.Context) Finding { return terminal(out) },
		memory,
		func(context.Context) Finding { return ping() },
		sandbox,
	}
	for _, look := range looks {
		one, cancel := context.WithTimeout(ctx, patience)
		f := look(one)
		cancel()
		if ctx.Err() != nil {
			return ctx.Err()
		}
		on(f)
	}
	return nil
}

func clone(root string, noRoot error) Finding {
	f := Finding{Thing: "clone", Needed: true, Use: "the lessons, the exercises and their suites"}
	if noRoot != nil {
		f.Says, f.Fix = "not found", noRoot.Error()
		return f
	}
	f.OK, f.Says = true, root
	return f
}

func goCommand(ctx context.Context, root string) Finding {
	f := Finding{Thing: "go", Needed: true, Use: "everything"}
	version, _, err := runner.Go(ctx, at(root))
	if err != nil {
		f.Says, f.Fix = "cannot build the lab", err.Error()
		return f
	}
	f.OK, f.Says = true, version
	return f
}

// at is a folder that exists.
func at(root string) string {
	if root == "" {
		return os.TempDir()
	}
	return root
}

func race(ctx context.Context, root string) Finding {
	f := Finding{Thing: "race", Use: "the race detector finds data races that no test forces"}
	_, obstacle, err := runner.Go(ctx, at(root))
	switch {
	case err != nil:
		f.Says, f.Fix = "not known without a go command", "get Go first"
	case obstacle != "":
		f.Says, f.Fix = obstacle, compiler(obstacle)
	default:
		f.OK, f.Says = true, "the race detector works"
	}
	return f
}

// compiler says how to get what the race detector misses.
func compiler(obstacle string) string {
	switch {
	case strings.HasPrefix(obstacle, "it does not exist"):
		return "nothing: the suites find most races without it"
	case strings.HasPrefix(obstacle, "CGO_ENABLED"):
		return "go env -w CGO_ENABLED=1, and take CGO_ENABLED out of the environment"
	}
	switch runtime.GOOS {
	case "windows":
		return "install a C compiler, such as `winget install BrechtSanders.WinLibs.POSIX.UCRT`, and open a new terminal"
	case "freebsd", "netbsd":
		return "install a C compiler from the packages"
	}
	return "install a C compiler: `sudo apt install gcc` (Debian, Ubuntu), `sudo dnf install gcc` (Fedora), `sudo pacman -S gcc` (Arch)"
}

func git(ctx context.Context, root string) Finding {
	f := Finding{Thing: "git", Use: "lab reset takes the starters from the clone's git"}
	if _, err := exec.LookPath("git"); err != nil {
		f.Says, f.Fix = "was not found on PATH", "install it from https://git-scm.com"
		return f
	}
	version, err := output(ctx, at(root), "git", "version")
	if err != nil {
		f.Says, f.Fix = "does not work: "+err.Error(), "install it again from https://git-scm.com"
		return f
	}
	f.Says = strings.TrimPrefix(version, "git version ")
	if root == "" {
		f.OK = true
		return f
	}
	if _, err := output(ctx, root, "git", "rev-parse", "--git-dir"); err != nil {
		f.Says += ", but this folder is no clone: " + err.Error()
		f.Fix = "get the lab with git clone; a downloaded archive has no git in it"
		return f
	}
	f.OK = true
	return f
}

func terminal(out *os.File) Finding {
	f := Finding{Thing: "terminal", Use: "colours, and the companion on a full screen"}
	if out == nil || !term.IsTerminal(int(out.Fd())) {
		f.Says, f.Fix = "the output goes to a file or a pipe", "nothing: there the lab prints plain lines"
		return f
	}
	width, height, err := term.GetSize(int(out.Fd()))
	switch {
	case os.Getenv("TERM") == "dumb":
		f.Says, f.Fix = "TERM is dumb", "use another terminal, or be content with plain lines"
	case err != nil:
		f.Says, f.Fix = "does not tell its size", "use another terminal, or be content with plain lines"
	case width < 80 || height < 24:
		f.Says, f.Fix = fmt.Sprintf("%d columns, %d lines", width, height), "make the window larger: 80 columns and 24 lines are enough"
	default:
		f.OK, f.Says = true, fmt.Sprintf("%d columns, %d lines", width, height)
		if os.Getenv("NO_COLOR") != "" {
			f.Says += ", without colours because NO_COLOR is set"
		}
	}
	return f
}

func memory(ctx context.Context) Finding {
	f := Finding{Thing: "hints", Use: "lab hint gives the next hint each time"}
	store, err := state.Open()
	if err != nil {
		f.Says, f.Fix = "there is none", err.Error()
		return f
	}
	note, err := store.Update(ctx, func(*state.State) {})
	if err != nil {
		f.Says, f.Fix = err.Error(), "make the folder "+filepath.Dir(store.File())+" yours and writable"
		return f
	}
	f.OK, f.Says = true, store.File()
	if note != "" {
		f.Says = note
	}
	return f
}

// ping looks whether echo requests may be sent: as everybody, or as root.
func ping() Finding {
	f := Finding{Thing: "ICMP", Use: "the program of the lesson on ping; its suite needs no network"}
	var problems []error
	for _, way := range []struct{ network, says string }{
		{"udp4", "may be sent by everybody"},
		{"ip4:icmp", "may be sent as root or administrator, which you are"},
	} {
		conn, err := icmp.ListenPacket(way.network, "127.0.0.1")
		if err == nil {
			_ = conn.Close()
			f.OK, f.Says = true, way.says
			return f
		}
		problems = append(problems, err)
	}
	f.Says = "may not be sent: " + strings.ReplaceAll(errors.Join(problems...).Error(), "\n", "; ")
	switch runtime.GOOS {
	case "linux":
		f.Fix = `sudo sysctl -w net.ipv4.ping_group_range="0 2147483647"`
	case "windows":
		f.Fix = "open the terminal as administrator"
	default:
		f.Fix = "run the program as root"
	}
	return f
}

func sandbox(ctx context.Context) Finding {
	f := Finding{Thing: "sandbox", Use: "only to judge files that others have written"}
	if runtime.GOOS != "linux" {
		f.Says, f.Fix = "bubblewrap exists for Linux only", "judge submissions on Linux, in a virtual machine for example"
		return f
	}
	if _, err := exec.LookPath("bwrap"); err != nil {
		f.Says, f.Fix = "bubblewrap was not found", "`sudo apt install bubblewrap` (Debian, Ubuntu), `sudo dnf install bubblewrap` (Fedora)"
		return f
	}
	if _, err := output(ctx, os.TempDir(), "bwrap", "--unshare-all", "--die-with-parent", "--ro-bind", "/", "/", "true"); err != nil {
		f.Says = "bubblewrap may not work here: " + err.Error()
		f.Fix = "allow user namespaces: sysctl kernel.unprivileged_userns_clone, kernel.apparmor_restrict_unprivileged_userns; in a container, its seccomp profile"
		return f
	}
	f.OK, f.Says = true, "bubblewrap works"
	return f
}

// output runs a program and returns what it prints, or the first line of its
// complaint.
func output(ctx context.Context, dir, name string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = dir
	cmd.Env = append(cmd.Environ(), "LC_ALL=C")
	cmd.WaitDelay = time.Second / 2
	var complaint strings.Builder
	cmd.Stderr = &complaint
	out, err := cmd.Output()
	if line, _, _ := strings.Cut(strings.TrimSpace(complaint.String()), "\n"); err != nil && line != "" {
		return "", errors.New(line)
	}
	return strings.TrimSpace(string(out)), err
}
