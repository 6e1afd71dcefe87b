//go:build linux

package autograder_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestTheAutograderGradesASubmission does what Gradescope does: it lays the zip
// out, puts a submission beside it, and runs run_autograder.
func TestTheAutograderGradesASubmission(t *testing.T) {
	if testing.Short() {
		t.Skip("skipped, because -short was asked for: it grades a submission")
	}
	if _, err := exec.LookPath("bash"); err != nil {
		t.Skip("skipped, because there is no bash")
	}
	dir := unpack(t, pack(t, []byte("lessons: [queues]\n")))
	// setup.sh installs packages; of what it leaves, the lab alone is missing here.
	build := exec.Command("go", "build", "-o", filepath.Join(dir, "source", "bin", "lab"), "./cmd/lab")
	build.Dir = root
	out, err := build.CombinedOutput()
	require.NoError(t, err, string(out))

	solution, err := os.ReadFile(filepath.Join(root, "solutions", "queues", "queues.go"))
	require.NoError(t, err)
	require.NoError(t, os.Mkdir(filepath.Join(dir, "submission"), 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "submission", "queues.go"), solution, 0o600))
	results := filepath.Join(dir, "results", "results.json")

	out, err = autograde(dir)
	require.NoError(t, err, string(out))
	text, err := os.ReadFile(results)
	require.NoError(t, err, string(out))
	var doc struct {
		Score float64
		Tests []struct{ Name, Status, Output string }
	}
	require.NoError(t, json.Unmarshal(text, &doc))
	assert.Equal(t, 11.0, doc.Score, "all tasks, the one for the brave too")
	assert.NotEmpty(t, doc.Tests)
	for _, test := range doc.Tests {
		assert.Equal(t, "passed", test.Status, "%s\n%s", test.Name, test.Output)
	}

	// A grader that fails leaves nothing that Gradescope could take for a zero.
	require.NoError(t, os.Remove(results))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "source", "bin", "lab"), []byte("#!/bin/sh\nexit 2\n"), 0o755))
	out, err = autograde(dir)
	assert.Error(t, err, string(out))
	assert.NoFileExists(t, results)
}

func autograde(dir string) ([]byte, error) {
	cmd := exec.Command("bash", filepath.Join(dir, "run_autograder"))
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "AUTOGRADER="+dir)
	return cmd.CombinedOutput()
}
