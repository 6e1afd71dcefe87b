package runner_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"conclab/internal/runner"
	"conclab/lessons"
)

// checkable makes a module with one exercise, which the given source is.
func checkable(t *testing.T, source string) (root string, l lessons.Lesson) {
	root = t.TempDir()
	write := func(name, text string) {
		file := filepath.Join(root, filepath.FromSlash(name))
		require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o700))
		require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
	}
	write("go.mod", "module conclab\n\ngo 1.26\n")
	write("exercises/queues/queues.go", source)
	write("exercises/queues/queues_test.go", "package queues_test\n\nimport (\n\t\"testing\"\n\n\t_ \"conclab/exercises/queues\"\n)\n\n"+
		"func TestSleepyWork(*testing.T) {}\nfunc TestQueue(*testing.T) {}\nfunc TestClose(*testing.T) {}\nfunc TestUnbounded(*testing.T) {}\n")
	l, err := lessons.Find("queues")
	require.NoError(t, err)
	return root, l
}

func TestACheckSaysWhatTheCompilerSays(t *testing.T) {
	for name, source := range map[string]string{
		"undefined": "package queues\n\nimport \"fmt\"\n\nfunc F() { fmt.Println(x) }\n",
		"unused":    "package queues\n\nimport \"fmt\"\n\nfunc F() { x := 1 }\n",
		"argument":  "package queues\n\nimport \"sync\"\n\nfunc F() { var m sync.Mutex; m.Lock(1) }\n",
		"return":    "package queues\n\nfunc F() int { }\n",
		"many": "package queues\n\nfunc F() {\n\ta = 1\n\tb = 1\n\tc = 1\n\td = 1\n\te = 1\n\tf = 1\n\tg = 1\n" +
			"\th = 1\n\ti = 1\n\tj = 1\n\tk = 1\n}\n",
		"twice": "package queues\n\nfunc F() {}\nfunc F() {}\n",
		"right": "package queues\n\nimport \"unsafe\"\n\nvar N = unsafe.Sizeof(1)\n",
	} {
		t.Run(name, func(t *testing.T) {
			root, l := checkable(t, source)
			c := runner.NewChecker(root)
			c.Prepare(t.Context(), l)
			said := c.Check(l)

			result, err := runner.Run(t.Context(), runner.Options{Root: root, Race: runner.RaceOff}, runner.Candidate{Lesson: l}, nil)
			require.NoError(t, err)
			assert.Equal(t, result.Build, said)
		})
	}
}

func TestACheckFindsWhereASyntaxErrorIs(t *testing.T) {
	root, l := checkable(t, "package queues\n\nfunc F() {\n\tif {\n\t}\n}\n")
	assert.Regexp(t, `^exercises/queues/queues\.go:4:5: syntax error: `, runner.NewChecker(root).Check(l))
}

func TestACheckIsSilentAboutWhatItDoesNotKnow(t *testing.T) {
	root, l := checkable(t, "package queues\n\nimport \"fmt\"\n\nfunc F() { fmt.Println(x) }\n")
	c := runner.NewChecker(root)
	assert.Empty(t, c.Check(l), "nothing is prepared")

	c.Prepare(t.Context(), l)
	assert.NotEmpty(t, c.Check(l))
	require.NoError(t, os.WriteFile(filepath.Join(root, "exercises", "queues", "more.go"), []byte("package queues\n\nvar x int\n"), 0o600))
	assert.Empty(t, c.Check(l), "another file belongs to the package")
	require.NoError(t, os.RemoveAll(filepath.Join(root, "exercises")))
	assert.Empty(t, c.Check(l), "the file is gone")
}
