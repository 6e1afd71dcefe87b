package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v4"
)

var fenced = regexp.MustCompile("(?ms)^```([^\n`]*)\n(.*?)^```$")

// TestTheInstructorsWalkthrough runs the commands of docs/instructors.md in their
// order and holds what they print against what the text shows. The class is
// smaller than in the text, which changes no line that is shown: a class of fewer
// students is the beginning of a larger one.
func TestTheInstructorsWalkthrough(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("skipped, because -short was asked for: it grades a class")
	}
	for _, program := range []string{"bash", "bwrap"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skipf("skipped, because there is no %s", program)
		}
	}
	root, err := filepath.Abs(filepath.Join("..", ".."))
	require.NoError(t, err)
	text, err := os.ReadFile(filepath.Join(root, "docs", "instructors.md"))
	require.NoError(t, err)
	work := t.TempDir()
	lab := filepath.Join(work, "lab")
	build := exec.Command("go", "build", "-o", lab, "./cmd/lab")
	build.Dir = root
	out, err := build.CombinedOutput()
	require.NoError(t, err, string(out))

	said, ran := "", 0
	for _, block := range fenced.FindAllStringSubmatch(string(text), -1) {
		info, body := block[1], block[2]
		switch {
		case strings.HasPrefix(info, "yaml file=../"):
			require.NoError(t, os.WriteFile(filepath.Join(work, strings.TrimPrefix(info, "yaml file=../")), []byte(body), 0o600))
		case info == "yaml workflow":
			var workflow map[string]any
			require.NoError(t, yaml.Unmarshal([]byte(body), &workflow))
			assert.Contains(t, workflow, "jobs")
		case info == "sh run":
			script := strings.NewReplacer("go run ./cmd/lab", lab, "../", work+"/", "-students 60", "-students 6").Replace(body)
			cmd := exec.Command("bash", "-euo", "pipefail", "-c", script)
			cmd.Dir = root
			var stderr strings.Builder
			cmd.Stderr = &stderr
			out, err := cmd.Output()
			require.NoError(t, err, "%s\n%s%s", body, out, &stderr)
			said = strings.ReplaceAll(string(out), work+"/", "../")
			ran++
		case info == "text":
			assertShown(t, body, said)
		}
	}
	assert.Equal(t, strings.Count(string(text), "```sh run\n"), ran)
}

// assertShown holds an excerpt against the whole: its lines stand there in their
// order, and where it has no … between two, none is left out. The number of
// spaces is free.
func assertShown(t *testing.T, excerpt, whole string) {
	t.Helper()
	lines := func(s string) (all []string) {
		for line := range strings.Lines(s) {
			if line = strings.Join(strings.Fields(line), " "); line != "" {
				all = append(all, line)
			}
		}
		return all
	}
	rest := lines(whole)
	gap := false
	for _, line := range lines(excerpt) {
		if line == "…" {
			gap = true
			continue
		}
		for gap && len(rest) > 0 && rest[0] != line {
			rest = rest[1:]
		}
		if len(rest) == 0 || rest[0] != line {
			t.Errorf("the text shows %q, which is not what was printed:\n%s", line, whole)
			return
		}
		rest, gap = rest[1:], false
	}
	assert.True(t, gap || len(rest) == 0, "the text leaves lines out and does not say so:\n%s", whole)
}
