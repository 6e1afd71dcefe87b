package watch_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"conclab/internal/watch"
)

// noticed watches the files, and returns how many changes of each were told of.
func noticed(t *testing.T, names ...string) func(name string) int {
	f := watch.NewFiles(names)
	var mu sync.Mutex
	count := map[string]int{}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		f.Watch(ctx, func(name string) {
			mu.Lock()
			defer mu.Unlock()
			count[name]++
		})
	}()
	t.Cleanup(func() { stop(); <-ended })
	return func(name string) int {
		mu.Lock()
		defer mu.Unlock()
		return count[name]
	}
}

// settled is how long nothing must happen for nothing to happen at all.
const settled = 700 * time.Millisecond

func file(t *testing.T, text string) string {
	name := filepath.Join(t.TempDir(), "queues.go")
	write(t, name, text)
	return name
}

func write(t *testing.T, name, text string) {
	require.NoError(t, os.WriteFile(name, []byte(text), 0o600))
}

// editors is how editors write a file.
var editors = map[string]func(t *testing.T, name, text string){
	"in place": write,
	"another file, renamed over": func(t *testing.T, name, text string) {
		write(t, name+".tmp", text)
		require.NoError(t, os.Rename(name+".tmp", name))
	},
	"the old one renamed away, a new one made": func(t *testing.T, name, text string) {
		require.NoError(t, os.Rename(name, name+"~"))
		time.Sleep(20 * time.Millisecond)
		write(t, name, text)
		require.NoError(t, os.Remove(name+"~"))
	},
	"deleted, and made anew": func(t *testing.T, name, text string) {
		require.NoError(t, os.Remove(name))
		time.Sleep(20 * time.Millisecond)
		write(t, name, text)
	},
	"folder and all": func(t *testing.T, name, text string) {
		dir := filepath.Dir(name)
		require.NoError(t, os.RemoveAll(dir))
		require.NoError(t, os.Mkdir(dir, 0o700))
		write(t, name, text)
	},
}

func TestASaveIsNoticedOnceHoweverAnEditorWrites(t *testing.T) {
	for way, save := range editors {
		t.Run(way, func(t *testing.T) {
			t.Parallel()
			name := file(t, "package queues\n")
			count := noticed(t, name)
			for i, text := range []string{"package queues\n\nvar X int\n", "package queues\n\nvar Y int\n"} {
				save(t, name, text)
				assert.Eventually(t, func() bool { return count(name) > i }, 10*time.Second, time.Millisecond)
				time.Sleep(settled)
				assert.Equal(t, i+1, count(name), "one save is one change")
			}
		})
	}
}

// TestAWriteInPiecesIsNoticedToItsEnd allows for pieces that a busy machine keeps
// apart for so long that they look like saves.
func TestAWriteInPiecesIsNoticedToItsEnd(t *testing.T) {
	name := file(t, "package queues\n")
	var last string
	f := watch.NewFiles([]string{name})
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	const text = "package queues\n\nvar X int\n"
	go func() {
		f, err := os.Create(name)
		assert.NoError(t, err)
		for _, c := range text {
			_, err := f.WriteString(string(c))
			assert.NoError(t, err)
			time.Sleep(time.Millisecond)
		}
		assert.NoError(t, f.Close())
	}()
	f.Watch(ctx, func(name string) {
		content, err := os.ReadFile(name)
		assert.NoError(t, err)
		if last = string(content); last == text {
			stop()
		}
	})
	assert.Equal(t, text, last)
}

func TestRealEditorsAreNoticed(t *testing.T) {
	for editor, args := range map[string][]string{
		"vim":  {"-u", "NONE", "-es", "-c", "normal ggOvar X int", "-c", "wq"},
		"ed":   {"-s"},
		"sed":  {"-i", "s/queues/locks/"},
		"perl": {"-pi", "-e", "s/queues/locks/"},
	} {
		t.Run(editor, func(t *testing.T) {
			t.Parallel()
			if _, err := exec.LookPath(editor); err != nil {
				t.Skipf("skipped, because %s is not installed", editor)
			}
			name := file(t, "package queues\n")
			count := noticed(t, name)
			cmd := exec.Command(editor, append(args, name)...)
			if editor == "ed" {
				in, err := cmd.StdinPipe()
				require.NoError(t, err)
				go func() {
					_, _ = in.Write([]byte("s/queues/locks/\nw\nq\n"))
					_ = in.Close()
				}()
			}
			out, err := cmd.CombinedOutput()
			require.NoError(t, err, string(out))
			assert.Eventually(t, func() bool { return count(name) > 0 }, 10*time.Second, time.Millisecond)
			time.Sleep(settled)
			assert.Equal(t, 1, count(name))
		})
	}
}

func TestWhatHasNotReallyChangedIsNoChange(t *testing.T) {
	for way, save := range editors {
		t.Run(way, func(t *testing.T) {
			t.Parallel()
			const text = "package queues\n"
			name := file(t, text)
			count := noticed(t, name)
			save(t, name, text)
			now := time.Now().Add(time.Hour)
			require.NoError(t, os.Chtimes(name, now, now))
			// Longer than it takes to look without an event.
			time.Sleep(1500 * time.Millisecond)
			assert.Zero(t, count(name))
		})
	}
}

func TestAFileThatGoesIsAChangeAndSoIsItsReturn(t *testing.T) {
	name := file(t, "package queues\n")
	count := noticed(t, name)
	require.NoError(t, os.Remove(name))
	assert.Eventually(t, func() bool { return count(name) == 1 }, 10*time.Second, time.Millisecond)
	write(t, name, "package queues\n")
	assert.Eventually(t, func() bool { return count(name) == 2 }, 10*time.Second, time.Millisecond)
}

func TestAFileThatIsEmptiedIsAChange(t *testing.T) {
	name := file(t, "package queues\n")
	count := noticed(t, name)
	write(t, name, "")
	assert.Eventually(t, func() bool { return count(name) == 1 }, 10*time.Second, time.Millisecond)
}

// TestWhereNoEventsComeItIsSeen writes through a link to a folder of which
// nobody asks for events, as little as a network drive would tell of them.
func TestWhereNoEventsComeItIsSeen(t *testing.T) {
	real := file(t, "package queues\n")
	name := filepath.Join(t.TempDir(), "queues.go")
	if err := os.Symlink(real, name); err != nil {
		t.Skipf("skipped, because links cannot be made here: %v", err)
	}
	count := noticed(t, name)
	write(t, real, "package queues // 1\n")
	assert.Eventually(t, func() bool { return count(name) == 1 }, 10*time.Second, time.Millisecond)

	// From then on it is quick.
	start := time.Now()
	write(t, real, "package queues // 2\n")
	assert.Eventually(t, func() bool { return count(name) == 2 }, 10*time.Second, time.Millisecond)
	t.Logf("seen after %v", time.Since(start))
	time.Sleep(settled)
	assert.Equal(t, 2, count(name))
}

func TestEachFileCountsForItself(t *testing.T) {
	one, two := file(t, "package one\n"), file(t, "package two\n")
	count := noticed(t, one, two)
	write(t, filepath.Join(filepath.Dir(one), "other.go"), "package one\n")
	write(t, two, "package zwei\n")
	assert.Eventually(t, func() bool { return count(two) == 1 }, 10*time.Second, time.Millisecond)
	time.Sleep(settled)
	assert.Zero(t, count(one))
}
