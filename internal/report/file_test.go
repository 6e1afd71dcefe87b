package report_test

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"conclab/internal/report"
)

func marks(w io.Writer) error {
	_, err := io.WriteString(w, "marks")
	return err
}

func TestAFileIsWrittenAsAWholeOrNotAtAll(t *testing.T) {
	file := filepath.Join(t.TempDir(), "marks.csv")
	require.NoError(t, report.WriteFile(file, marks))
	assert.Equal(t, "marks", contents(t, file))
	err := report.WriteFile(file, func(w io.Writer) error { return errors.Join(marks(w), marks(w), report.ErrOpen) })
	assert.ErrorIs(t, err, report.ErrOpen)
	assert.Equal(t, "marks", contents(t, file))
	assert.ErrorContains(t, report.WriteFile(filepath.Join(file, "x"), marks), "cannot write")
	assert.ErrorContains(t, report.WriteFile(filepath.Dir(file), marks), "cannot write "+filepath.Dir(file))
	left, err := os.ReadDir(filepath.Dir(file))
	require.NoError(t, err)
	assert.Len(t, left, 1, "no temporary files")
}

func TestALinkStaysOne(t *testing.T) {
	dir := t.TempDir()
	target, link, second := filepath.Join(dir, "target"), filepath.Join(dir, "link"), filepath.Join(dir, "second")
	if err := os.Symlink("target", link); err != nil {
		t.Skipf("skipped, because there are no links: %v", err)
	}
	require.NoError(t, os.Symlink(link, second))
	require.NoError(t, report.WriteFile(link, marks), "it leads to nothing yet")
	assert.Equal(t, "marks", contents(t, target))

	// Who has the old file open sees the old one.
	require.NoError(t, os.WriteFile(target, []byte("old"), 0o600))
	old, err := os.Open(target)
	require.NoError(t, err)
	defer old.Close()
	require.NoError(t, report.WriteFile(second, marks))
	assert.Equal(t, "marks", contents(t, target))
	text, err := io.ReadAll(old)
	require.NoError(t, err)
	assert.Equal(t, "old", string(text))
	for _, name := range []string{link, second} {
		info, err := os.Lstat(name)
		require.NoError(t, err)
		assert.Equal(t, os.ModeSymlink, info.Mode().Type())
	}
}

func contents(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	return string(text)
}
