package autograder_test

import (
	"archive/zip"
	"bytes"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"conclab/internal/autograder"
	"conclab/lessons"
)

const root = "../.."

func pack(t *testing.T, policy []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, autograder.Zip(&b, autograder.Options{Root: root, Policy: policy}))
	return b.Bytes()
}

func open(t *testing.T, text []byte) *zip.Reader {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(text), int64(len(text)))
	require.NoError(t, err)
	return z
}

func TestTheZipHasTheFormThatGradescopeAsksFor(t *testing.T) {
	z := open(t, pack(t, []byte("brave: false\n")))
	names := map[string]*zip.File{}
	for _, f := range z.File {
		assert.Nil(t, names[f.Name], "%s is in it twice", f.Name)
		names[f.Name] = f
	}
	for _, script := range []string{"setup.sh", "run_autograder"} {
		f := names[script]
		require.NotNil(t, f, "%s must be at the root of the archive", script)
		assert.Equal(t, os.FileMode(0o755), f.Mode().Perm())
		in, err := f.Open()
		require.NoError(t, err)
		text, err := io.ReadAll(in)
		require.NoError(t, err)
		assert.True(t, bytes.HasPrefix(text, []byte("#!/usr/bin/env bash\n")))
		assert.NotContains(t, string(text), "\r")
	}
	assert.Contains(t, names, "policy.yaml")
	for _, l := range lessons.All() {
		assert.Contains(t, names, "lab/exercises/"+l.Name+"/"+l.Name+"_test.go")
		assert.Contains(t, names, "lab/lessons/"+l.Name+"/README.md", "which the lab embeds")
	}
	for _, f := range open(t, pack(t, nil)).File {
		assert.NotEqual(t, "policy.yaml", f.Name)
	}
}

func TestNoSolutionIsInTheZip(t *testing.T) {
	for _, f := range open(t, pack(t, nil)).File {
		assert.NotContains(t, f.Name, "solutions")
		assert.NotContains(t, f.Name, "testdata", "where the known right and wrong answers are")
	}
}

func TestTheSameCloneGivesTheSameZip(t *testing.T) {
	assert.True(t, bytes.Equal(pack(t, nil), pack(t, nil)))
}

func TestNoCloneIsAnErrorInWords(t *testing.T) {
	assert.ErrorContains(t, autograder.Zip(io.Discard, autograder.Options{Root: filepath.Join(t.TempDir(), "none")}), "cannot read the clone")
	assert.ErrorContains(t, autograder.Zip(io.Discard, autograder.Options{Root: t.TempDir()}), "cannot pack the lab")
}

// unpack lays the zip out as Gradescope does: its contents in source, and
// run_autograder copied beside it.
func unpack(t *testing.T, text []byte) (dir string) {
	t.Helper()
	dir = t.TempDir()
	for _, f := range open(t, text).File {
		file := filepath.Join(dir, "source", filepath.FromSlash(f.Name))
		require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o755))
		in, err := f.Open()
		require.NoError(t, err)
		content, err := io.ReadAll(in)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(file, content, f.Mode()))
	}
	script, err := os.ReadFile(filepath.Join(dir, "source", "run_autograder"))
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "run_autograder"), script, 0o755))
	return dir
}

// What is left out must not be missed: every package is whole, with what it
// embeds.
func TestTheLabInTheZipIsWhole(t *testing.T) {
	dir := unpack(t, pack(t, nil))
	cmd := exec.Command("go", "list", "-e", "-deps", "-f", "{{with .Error}}{{.}}{{end}}", "./cmd/lab", "./exercises/...")
	cmd.Dir = filepath.Join(dir, "source", "lab")
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, string(out))
	assert.Empty(t, strings.TrimSpace(string(out)))
}

func TestTheScriptsAreBash(t *testing.T) {
	bash, err := exec.LookPath("bash")
	if err != nil {
		t.Skip("skipped, because there is no bash")
	}
	for _, script := range []string{"setup.sh", "run_autograder"} {
		out, err := exec.Command(bash, "-n", script).CombinedOutput()
		assert.NoError(t, err, string(out))
		text, err := os.ReadFile(script)
		require.NoError(t, err)
		assert.True(t, strings.Contains(string(text), "set -euo pipefail"))
	}
}
