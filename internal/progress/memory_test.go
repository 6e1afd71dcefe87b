package progress

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"conclab/lessons"
)

// clone makes a module with one lesson of three tasks, the last for the brave,
// and a cache of its own.
func clone(t *testing.T) (root string, lesson lessons.Lesson) {
	for _, name := range []string{"XDG_CACHE_HOME", "HOME", "LocalAppData"} {
		t.Setenv(name, t.TempDir())
	}
	root = t.TempDir()
	lesson = state("queues", "---").Lesson
	write(t, filepath.Join(root, "go.mod"), "module conclab\n")
	write(t, filepath.Join(root, "exercises", "queues", "queues.go"), "package queues\n")
	write(t, filepath.Join(root, "exercises", "queues", "queues_test.go"), "package queues_test\n")
	write(t, filepath.Join(root, "internal", "labtest", "labtest.go"), "package labtest\n")
	return root, lesson
}

func write(t *testing.T, file, text string) {
	require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o700))
	require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
}

// done remembers that the lesson passed, all but the brave task.
func done(t *testing.T, root string) {
	before, err := fingerprint(root, lessons.Lesson{Name: "queues"})
	require.NoError(t, err)
	remember(before, state("queues", "pp-"))
}

func TestALessonThatIsDoneIsRemembered(t *testing.T) {
	root, lesson := clone(t)
	_, ok := recall(root, lesson)
	assert.False(t, ok)

	done(t, root)
	passed, ok := recall(root, lesson)

	assert.True(t, ok)
	assert.Equal(t, []bool{true, true, false}, passed)
}

func TestAnyChangeIsLookedAt(t *testing.T) {
	for _, name := range []string{"go.mod", "exercises/queues/queues.go", "exercises/queues/queues_test.go", "internal/contract/queues/contract.go", "internal/labtest/labtest.go", "exercises/queues/more.go"} {
		t.Run(name, func(t *testing.T) {
			root, lesson := clone(t)
			done(t, root)

			write(t, filepath.Join(root, filepath.FromSlash(name)), "// changed\n")
			_, ok := recall(root, lesson)

			assert.False(t, ok)
		})
	}
}

func TestFailuresAreNotRemembered(t *testing.T) {
	root, lesson := clone(t)
	before, err := fingerprint(root, lesson)
	require.NoError(t, err)
	vetted, broken := state("queues", "ppp"), state("queues", "ppp")
	vetted.Vet, broken.Built = 1, false

	for _, l := range []Lesson{state("queues", "p-p"), vetted, broken} {
		remember(before, l)
		_, ok := recall(root, lesson)
		assert.False(t, ok)
	}
}

func TestAMemoryThatCannotBeReadIsNone(t *testing.T) {
	root, lesson := clone(t)
	done(t, root)
	file, err := memoryFile(lesson)
	require.NoError(t, err)
	write(t, file, "{")

	_, ok := recall(root, lesson)

	assert.False(t, ok)
}
