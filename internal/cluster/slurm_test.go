//go:build linux

package cluster

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"conclab/internal/gradebook"
	"conclab/internal/ledger"
)

// slurm is a cluster of one node that lives as long as the test.
type slurm struct {
	t   *testing.T
	env []string
}

// startSlurm starts a cluster, or skips the test where there can be none.
func startSlurm(t *testing.T) *slurm {
	t.Helper()
	for _, program := range []string{"slurmctld", "slurmd", "sbatch", "munged", "setpriv", "python3"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skipf("skipped, because there is no %s (Debian's packages slurm-wlm, munge, util-linux and python3)", program)
		}
	}
	if os.Geteuid() != 0 {
		t.Skip("skipped, because the daemons of Slurm need root")
	}
	// Sockets have short names; a test's own folder has a long one.
	dir, err := os.MkdirTemp("", "slurm")
	require.NoError(t, err)
	t.Cleanup(func() { os.RemoveAll(dir) })
	require.NoError(t, os.Chmod(dir, 0o755))

	cmd := exec.Command("bash", filepath.Join("testdata", "one-node.sh"), dir, "bash", "-c", "echo ready; cat")
	stdin, err := cmd.StdinPipe()
	require.NoError(t, err)
	stdout, err := cmd.StdoutPipe()
	require.NoError(t, err)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	// It has a group of its own, so that Ctrl+C leaves it the time to stop its daemons.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		stdin.Close()
		_, _ = io.Copy(io.Discard, stdout)
		assert.NoError(t, cmd.Wait(), stderr.String())
	})
	line, _ := bufio.NewReader(stdout).ReadString('\n')
	require.Equal(t, "ready\n", line, "%s", &stderr)
	return &slurm{t, append(os.Environ(), "SLURM_CONF="+filepath.Join(dir, "slurm.conf"))}
}

// run runs one of Slurm's commands and returns what it says.
func (s *slurm) run(env []string, name string, args ...string) string {
	s.t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Env = append(s.env, env...)
	out, err := cmd.CombinedOutput()
	require.NoError(s.t, err, "%s %v: %s", name, args, out)
	return strings.TrimSpace(string(out))
}

// TestAnArrayJobGradesAsASingleRunDoes is the whole way: an array job of four
// shards, one of them killed in the middle of its work and requeued, merged, and
// compared with the run of a single machine.
func TestAnArrayJobGradesAsASingleRunDoes(t *testing.T) {
	s := startSlurm(t)
	root, err := filepath.Abs(filepath.Join("..", ".."))
	require.NoError(t, err)
	dir := t.TempDir()
	lab, class, results, single := filepath.Join(dir, "lab"), filepath.Join(dir, "class"), filepath.Join(dir, "results"), filepath.Join(dir, "single")
	build := exec.Command("go", "build", "-o", lab, "./cmd/lab")
	build.Dir = root
	out, err := build.CombinedOutput()
	require.NoError(t, err, string(out))
	writeClass(t, root, class)
	policy := filepath.Join(dir, "policy.yaml")
	require.NoError(t, os.WriteFile(policy, []byte("lessons: [queues]\n"), 0o600))

	env := []string{"CONCLAB=" + root, "LAB=" + lab, "SUBMISSIONS=" + class, "RESULTS=" + results, "POLICY=" + policy}
	require.NoError(t, os.Mkdir(results, 0o755))
	scripts := filepath.Join(root, "docs", "cluster")
	// One processor a task, so that tasks run side by side on a small machine.
	job := s.run(env, "sbatch", "--parsable", "--cpus-per-task=1", "--chdir="+dir, filepath.Join(scripts, "slurm.sh"))
	merge := s.run(env, "sbatch", "--parsable", "--chdir="+dir, "--dependency=afterany:"+job, filepath.Join(scripts, "slurm-merge.sh"))

	// The second shard is shot when it has something to lose.
	victim := filepath.Join(results, "shard-1")
	require.Eventually(t, func() bool { return len(entries(t, victim)) > 0 }, 5*time.Minute, 20*time.Millisecond, "a first result of the second shard")
	s.run(nil, "scontrol", "requeue", job+"_1")
	before := entries(t, victim)
	t.Logf("requeued after %d submissions", len(before))
	assert.Less(t, len(before), students/4, "it must have been stopped in the middle")

	require.Eventually(t, func() bool { return s.run(nil, "squeue", "--noheader", "--jobs", merge) == "" }, 8*time.Minute, 200*time.Millisecond, "the end of all jobs")
	log, err := os.ReadFile(filepath.Join(dir, fmt.Sprintf("grade-%s-1.log", job)))
	require.NoError(t, err)
	assert.Contains(t, string(log), "shard 2 of 4, start 1,")
	assert.Contains(t, string(log), "shard 2 of 4, start 2,", "it ran again")
	mergeLog, err := os.ReadFile(filepath.Join(dir, fmt.Sprintf("grade-merge-%s.log", merge)))
	require.NoError(t, err)

	run := exec.Command(lab, "grade", class, "--root", root, "--policy", policy, "--out", single)
	out, err = run.CombinedOutput()
	require.NoError(t, err, string(out))
	want, got := entries(t, single), entries(t, filepath.Join(results, "all"))
	require.Len(t, want, students, string(out))
	require.Len(t, got, students, "%s", mergeLog)
	for id, e := range want {
		assert.Equal(t, e.Outcome(), got[id].Outcome(), id)
	}
	// What was there before the kill was not done again.
	for id, e := range before {
		assert.Equal(t, e, got[id], "%s was graded twice", id)
	}
	marks, err := os.ReadFile(filepath.Join(results, "marks.csv"))
	require.NoError(t, err)
	assert.Len(t, bytes.Split(bytes.TrimSpace(marks), []byte("\n")), students+1)
}

const students = 8

// writeClass makes a class whose students handed in the reference, nothing at
// all, the untouched starter, or something that cannot be compiled.
func writeClass(t *testing.T, root, class string) {
	t.Helper()
	for i := range students {
		dir := filepath.Join(class, fmt.Sprintf("s%02d", i))
		require.NoError(t, os.MkdirAll(dir, 0o755))
		text := []byte("package queues\n\nfunc {\n")
		switch i % 6 {
		case 0, 1, 5:
			text = read(t, filepath.Join(root, "solutions", "queues", "queues.go"))
		case 2:
			text = read(t, filepath.Join(root, "exercises", "queues", "queues.go"))
		case 3:
			continue
		}
		require.NoError(t, os.WriteFile(filepath.Join(dir, "queues.go"), text, 0o600))
	}
}

func read(t *testing.T, file string) []byte {
	t.Helper()
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	return text
}

// entries reads the results in a folder, by ID; none if there is no folder yet.
func entries(t *testing.T, dir string) map[string]*gradebook.Entry {
	t.Helper()
	found := map[string]*gradebook.Entry{}
	all, _, err := ledger.Read(dir)
	if err != nil {
		return nil // not there yet
	}
	for _, e := range all {
		found[e.ID] = e
	}
	return found
}
