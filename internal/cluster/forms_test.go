package cluster

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v4"
)

var scripts = filepath.Join("..", "..", "docs", "cluster")

// documents reads a YAML file.
func documents(t *testing.T, name string) []map[string]any {
	t.Helper()
	f, err := os.Open(filepath.Join(scripts, name))
	require.NoError(t, err)
	defer f.Close()
	var all []map[string]any
	for in := yaml.NewDecoder(f); ; {
		var doc map[string]any
		err := in.Decode(&doc)
		if err == io.EOF {
			return all
		}
		require.NoError(t, err)
		all = append(all, doc)
	}
}

// at follows a path of keys and indexes.
func at(t *testing.T, v any, path ...any) any {
	t.Helper()
	for _, step := range path {
		switch s := step.(type) {
		case string:
			m, ok := v.(map[string]any)
			require.True(t, ok, "%v is no mapping, where %s is asked for", v, s)
			v = m[s]
		case int:
			l, ok := v.([]any)
			require.True(t, ok && s < len(l))
			v = l[s]
		}
	}
	return v
}

// The fields of an Indexed Job are those of batch/v1, and the shards are as many
// as the completions: one less would leave out a part of the class.
func TestTheKubernetesJobIsIndexed(t *testing.T) {
	docs := documents(t, "kubernetes.yaml")
	require.Len(t, docs, 2)
	job, network := docs[0], docs[1]
	assert.Equal(t, "batch/v1", job["apiVersion"])
	assert.Equal(t, "Job", job["kind"])
	assert.Equal(t, "Indexed", at(t, job, "spec", "completionMode"))
	pod := at(t, job, "spec", "template", "spec")
	assert.Equal(t, "Never", at(t, pod, "restartPolicy"), "backoffLimitPerIndex wants it")
	assert.Equal(t, false, at(t, pod, "automountServiceAccountToken"))
	assert.Equal(t, true, at(t, pod, "securityContext", "runAsNonRoot"))
	c := at(t, pod, "containers", 0)
	shards := ""
	for _, e := range at(t, c, "env").([]any) {
		if at(t, e, "name") == "SHARDS" {
			shards = at(t, e, "value").(string)
		}
	}
	assert.Equal(t, fmt.Sprint(at(t, job, "spec", "completions")), shards)
	mounts := map[any]bool{}
	for _, v := range at(t, pod, "volumes").([]any) {
		mounts[at(t, v, "name")] = true
	}
	for _, m := range at(t, c, "volumeMounts").([]any) {
		assert.True(t, mounts[at(t, m, "name")])
	}
	assert.Equal(t, "NetworkPolicy", network["kind"])
	assert.Equal(t, at(t, job, "spec", "template", "metadata", "labels"), at(t, network, "spec", "podSelector", "matchLabels"))
	assert.Nil(t, at(t, network, "spec", "egress"), "no egress at all")

	// What the container runs, with a lab that only says how it was called.
	args := at(t, c, "args", 0).(string)
	for index, want := range map[string]string{
		"0": "--shard 1/4 --out /class/results/shard-0", "3": "--shard 4/4 --out /class/results/shard-3",
	} {
		assert.Contains(t, said(t, strings.ReplaceAll(args, "exec /conclab/lab", "echo"), "JOB_COMPLETION_INDEX="+index, "SHARDS=4"), want)
	}
}

func said(t *testing.T, script string, env ...string) string {
	t.Helper()
	bash, err := exec.LookPath("bash")
	if err != nil {
		t.Skip("skipped, because there is no bash")
	}
	cmd := exec.Command(bash, "-euc", script)
	cmd.Env = append(os.Environ(), env...)
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, string(out))
	return string(out)
}

// A matrix that skips a number, or begins at 0, would leave out a shard, and the
// merge would say so only at the end.
func TestTheMatrixHasEveryShard(t *testing.T) {
	docs := documents(t, "github-matrix.yml")
	require.Len(t, docs, 1)
	shards := at(t, docs[0], "jobs", "shard", "strategy", "matrix", "shard").([]any)
	for i, s := range shards {
		assert.EqualValues(t, i+1, s)
	}
	var grades, merges bool
	for _, job := range []string{"shard", "merge"} {
		for _, step := range at(t, docs[0], "jobs", job, "steps").([]any) {
			run, _ := at(t, step, "run").(string)
			grades = grades || strings.Contains(run, "--shard ${{ matrix.shard }}/${{ strategy.job-total }}")
			merges = merges || strings.Contains(run, "grade merge")
		}
	}
	assert.True(t, grades && merges)
	assert.Equal(t, "shard", at(t, docs[0], "jobs", "merge", "needs"))
}

// An array that begins at 0 makes shards from 1 on, and the count is the array's.
func TestTheSlurmScriptNamesItsShard(t *testing.T) {
	script, err := filepath.Abs(filepath.Join(scripts, "slurm.sh"))
	require.NoError(t, err)
	for _, c := range []struct{ id, want string }{
		{"0", "--jobs 3 --shard 1/4 --out r/shard-0"}, {"3", "--jobs 3 --shard 4/4 --out r/shard-3"},
	} {
		out := said(t, script, "LAB=echo", "CONCLAB=c", "SUBMISSIONS=s", "RESULTS=r", "POLICY=p",
			"SLURM_CPUS_PER_TASK=3", "SLURM_ARRAY_TASK_ID="+c.id, "SLURM_ARRAY_TASK_COUNT=4")
		assert.Contains(t, out, "grade s --root c --policy p "+c.want)
	}
	out := said(t, script, "LAB=echo", "CONCLAB=c", "SUBMISSIONS=s", "RESULTS=r", "SLURM_ARRAY_TASK_ID=1", "SLURM_ARRAY_TASK_COUNT=2")
	assert.Contains(t, out, "grade s --root c --jobs 1 --shard 2/2 --out r/shard-1", "no policy is no flag")
}
