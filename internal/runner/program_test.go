package runner_test

import (
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"conclab/internal/runner"
	"conclab/lessons"
)

// execute runs the program of tiny with the source in the place of the exercise.
func execute(t *testing.T, source []byte, stdin string, args ...string) (runner.Ended, string, error) {
	t.Helper()
	temp := t.TempDir()
	t.Setenv("GOTMPDIR", temp)
	in, err := os.Create(filepath.Join(t.TempDir(), "in"))
	require.NoError(t, err)
	defer func() { _ = in.Close() }()
	_, err = in.WriteString(stdin)
	require.NoError(t, err)
	_, err = in.Seek(0, io.SeekStart)
	require.NoError(t, err)
	var out bytes.Buffer
	ended, err := runner.Exec(t.Context(), runner.Options{Root: root}, runner.Candidate{Lesson: tiny, File: name(source), Source: source},
		runner.Program{Name: "lab run tiny --", Args: args, Stdin: in, Stdout: &out, Stderr: &out})
	left, readErr := os.ReadDir(temp)
	require.NoError(t, readErr)
	assert.Empty(t, left)
	return ended, out.String(), err
}

func name(source []byte) string {
	if source == nil {
		return ""
	}
	return "submissions/tiny.go"
}

func TestAProgramRunsWithTheCandidate(t *testing.T) {
	ended, out, err := execute(t, acting(""), "")
	require.NoError(t, err)
	assert.Equal(t, runner.Ended{}, ended)
	assert.Equal(t, "5 0\n", out)

	wrong := bytes.Replace(acting(""), []byte("a + b"), []byte("a * b"), 1)
	_, out, err = execute(t, wrong, "in", "read", "--flag")
	require.NoError(t, err)
	assert.Equal(t, "6 2\nin", out, "arguments and input go through")

	_, out, err = execute(t, acting(""), "", "name")
	require.NoError(t, err)
	assert.Equal(t, "5 1\nlab run tiny --\n", out, "the path of the binary is nobody's business")

	ended, _, err = execute(t, acting(""), "", "fail")
	require.NoError(t, err)
	assert.Equal(t, runner.Ended{Status: 3}, ended)
}

func TestAProgramThatCannotBeBuiltSaysWhy(t *testing.T) {
	for source, says := range map[string]string{
		"package tiny\nfunc Add(a, b int) int { return c }\n": "submissions/tiny.go:2:33: undefined: c",
		"package tiny\n": "lessons/tiny/yours/main.go:15:19: undefined: tiny.Add",
	} {
		_, out, err := execute(t, []byte(source), "")
		var build *runner.BuildError
		require.ErrorAs(t, err, &build)
		assert.Equal(t, "submissions/tiny.go", build.File)
		assert.Equal(t, says, filepath.ToSlash(build.Message))
		assert.Empty(t, out)
	}

	_, err := runner.Exec(t.Context(), runner.Options{Root: root}, runner.Candidate{Lesson: lessons.Lesson{Name: "nowhere"}}, runner.Program{})
	assert.ErrorContains(t, err, "there is no folder exercises/nowhere")
}

// TestAProgramEndsWithItsContext lets one program end as it likes, and one that
// does not want to.
func TestAProgramEndsWithItsContext(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("skipped, because a program without a console cannot be interrupted on Windows")
	}
	for kind, want := range map[string]struct {
		says  string
		ended runner.Ended
	}{
		"polite":   {"closed in good order\n", runner.Ended{}},
		"stubborn": {"", runner.Ended{Status: -1, Killed: true}},
	} {
		t.Run(kind, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			var out strings.Builder
			var asked time.Time
			ended, err := runner.Exec(ctx, runner.Options{Root: root}, runner.Candidate{Lesson: tiny, File: "tiny.go", Source: acting("")},
				runner.Program{Args: []string{kind}, Stdout: writer(func(p []byte) {
					out.Write(p)
					if strings.HasSuffix(out.String(), "ready\n") {
						asked = time.Now()
						cancel()
					}
				})})
			require.NoError(t, err)
			assert.Less(t, time.Since(asked), 2*time.Second)
			assert.Equal(t, want.ended, ended)
			assert.Equal(t, "5 1\nready\n"+want.says, out.String())
		})
	}

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := runner.Exec(ctx, runner.Options{Root: root}, runner.Candidate{Lesson: tiny}, runner.Program{})
	assert.ErrorIs(t, err, context.Canceled)
}

type writer func([]byte)

func (w writer) Write(p []byte) (int, error) { w(p); return len(p), nil }
