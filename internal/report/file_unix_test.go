//go:build unix

package report_test

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"conclab/internal/report"
)

func TestANamedPipeStaysOne(t *testing.T) {
	pipe := filepath.Join(t.TempDir(), "pipe")
	require.NoError(t, syscall.Mkfifo(pipe, 0o600))
	link := pipe + "-link"
	require.NoError(t, os.Symlink("pipe", link))
	for _, name := range []string{pipe, link} {
		got := make(chan string, 1)
		go func() {
			text, _ := os.ReadFile(pipe)
			got <- string(text)
		}()
		require.NoError(t, report.WriteFile(name, marks))
		assert.Equal(t, "marks", <-got)
		info, err := os.Lstat(pipe)
		require.NoError(t, err)
		assert.Equal(t, os.ModeNamedPipe, info.Mode().Type())
	}
	assert.ErrorIs(t, report.WriteFile(pipe, func(io.Writer) error { return report.ErrOpen }), report.ErrOpen,
		"nobody is woken for nothing")
}

// What is open has a name in /proc, and under /dev: whoever has it open gets what is
// written, and not whoever opens the file anew.
func TestWhatIsOpenIsWrittenItself(t *testing.T) {
	file, err := os.Create(filepath.Join(t.TempDir(), "log"))
	require.NoError(t, err)
	defer file.Close()
	name := fmt.Sprintf("/proc/self/fd/%d", file.Fd())
	if _, err := os.Stat(name); err != nil {
		t.Skipf("skipped, because there is no /proc here: %v", err)
	}
	require.NoError(t, report.WriteFile(name, marks))
	text, err := io.ReadAll(file)
	require.NoError(t, err)
	assert.Equal(t, "marks", string(text))
}

// A machine whose null device is a file of marks is a sad one, so the test looks at
// one that it may not replace, or at a device of its own.
func TestADeviceStaysOne(t *testing.T) {
	device := "/dev/null"
	if os.Geteuid() == 0 {
		device = filepath.Join(t.TempDir(), "null")
		if err := syscall.Mknod(device, syscall.S_IFCHR|0o600, 1<<8|3); err != nil {
			t.Skipf("skipped, because no device can be made: %v", err)
		}
	}
	err := report.WriteFile(device, marks)
	if os.Geteuid() != 0 {
		require.NoError(t, err) // a device in a folder of files may be no device at all
	}
	info, err := os.Lstat(device)
	require.NoError(t, err)
	assert.Equal(t, os.ModeDevice|os.ModeCharDevice, info.Mode().Type())
}
