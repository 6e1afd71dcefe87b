package runner

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"go/version"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
)

// oldest is the first version of Go that knows all that the suites use.
const oldest = "go1.26"

// RaceMode says whether tests are built with the race detector.
type RaceMode int

// With RaceAuto they are wherever the detector works; with RaceOn it is an
// error where it does not.
const (
	RaceAuto RaceMode = iota
	RaceOff
	RaceOn
)

// ErrNoRace is why nothing runs under [RaceOn] on some machines; the error that
// wraps it says what is missing.
var ErrNoRace = errors.New("the race detector does not work here")

// tools is what the go command said about itself.
type tools struct {
	env   map[string]string
	flags []string // for everything that compiles
}

// CheckGo tells whether the go command on PATH can build the lab under root.
// The error is a sentence that says what was found, what is needed and where to
// get it.
func CheckGo(ctx context.Context, root string) error {
	_, err := findTools(ctx, root)
	return err
}

// Go tells what the go command on PATH can do under root: its version, such as
// "Go 1.26.4", and why it cannot build with the race detector, empty if it can.
// The error is that of [CheckGo].
func Go(ctx context.Context, root string) (version, noRace string, err error) {
	t, err := findTools(ctx, root)
	if err != nil {
		return "", "", err
	}
	return spoken(t.env["GOVERSION"]), t.raceObstacle(), nil
}

func findTools(ctx context.Context, root string) (*tools, error) {
	if _, err := exec.LookPath("go"); err != nil {
		return nil, fmt.Errorf("the go command was not found on PATH: install %s or newer from https://go.dev/dl/ and open a new terminal: %w", spoken(oldest), err)
	}
	t, err := goEnv(ctx, root)
	if err != nil && ctx.Err() == nil {
		// An old go command refuses to work in a module that asks for a newer
		// one; elsewhere it says at least which it is.
		outside, outsideErr := goEnv(ctx, os.TempDir())
		if outsideErr != nil || !tooOld(outside.env["GOVERSION"]) {
			return nil, err
		}
		t = outside
	} else if err != nil {
		return nil, err
	}
	if found := t.env["GOVERSION"]; tooOld(found) {
		return nil, fmt.Errorf("the lab needs %s or newer, and the go command on PATH is %s: get a newer one from https://go.dev/dl/", spoken(oldest), spoken(found))
	}
	return t, nil
}

func goEnv(ctx context.Context, dir string) (*tools, error) {
	out, err := ask(ctx, dir, "env", "-json", "GOVERSION", "GOOS", "GOARCH", "CGO_ENABLED", "CC", "GOROOT", "GOTOOLDIR")
	if err != nil {
		return nil, err
	}
	t := &tools{}
	if err := json.Unmarshal([]byte(out), &t.env); err != nil {
		return nil, fmt.Errorf("go env: %w", err)
	}
	return t, nil
}

// answers are what the go command has said to [ask].
var answers sync.Map

// ask asks the go command something about itself. The answer is kept for as long
// as this process lives and its environment stays: who watches asks at every save.
func ask(ctx context.Context, dir string, question ...string) (string, error) {
	key := strings.Join(slices.Concat([]string{dir}, question, os.Environ()), "\x00")
	if answer, ok := answers.Load(key); ok {
		return answer.(string), nil
	}
	cmd := command(ctx, dir, "go", question...)
	cmd.Env = append(cmd.Env, "GOFLAGS=-buildvcs=false") // nothing of the user's
	var out, complaint strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &complaint
	if err := runGroup(cmd); err != nil {
		return "", fmt.Errorf("go %s in %s: %w: %s", question[0], dir, err, strings.TrimSpace(complaint.String()))
	}
	answers.Store(key, out.String())
	return out.String(), nil
}

// forget has the go command asked anew.
func forget() { answers.Clear() }

// tooOld is false for versions that cannot be compared: whoever builds the go
// command from its sources knows what they do.
func tooOld(found string) bool {
	found, _, _ = strings.Cut(found, " ") // go1.26.1 X:experiment
	return version.IsValid(found) && version.Compare(found, oldest) < 0
}

// spoken turns go1.26 into Go 1.26.
func spoken(v string) string { return strings.Replace(v, "go", "Go ", 1) }

// race settles whether to build with -race, and gives a sentence if the mode
// asks for it and it cannot be.
func (t *tools) race(mode RaceMode) (on bool, whyNot string, err error) {
	if mode == RaceOff {
		return false, "", nil
	}
	obstacle := t.raceObstacle()
	switch {
	case obstacle == "":
		return true, "", nil
	case mode == RaceOn:
		return false, "", fmt.Errorf("%w, because %s", ErrNoRace, obstacle)
	}
	return false, "the suites ran without -race, because " + obstacle +
		": data races are found only where a test forces them", nil
}

// raceObstacle says why the race detector does not work; empty if it does.
func (t *tools) raceObstacle() string {
	platform := t.env["GOOS"] + "/" + t.env["GOARCH"]
	switch platform {
	case "darwin/amd64", "darwin/arm64":
		return "" // needs no C compiler
	case "linux/amd64", "linux/arm64", "linux/loong64", "linux/ppc64le", "linux/riscv64", "linux/s390x",
		"freebsd/amd64", "netbsd/amd64", "windows/amd64":
	default:
		return "it does not exist for " + platform
	}
	compiler, _, _ := strings.Cut(t.env["CC"], " ")
	if _, err := exec.LookPath(compiler); err != nil {
		return compiler + " was not found"
	}
	if t.env["CGO_ENABLED"] != "1" {
		return "CGO_ENABLED is " + t.env["CGO_ENABLED"]
	}
	return ""
}
