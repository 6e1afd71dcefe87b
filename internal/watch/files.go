package watch

import (
	"context"
	"crypto/sha256"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/fsnotify/fsnotify"
)

const (
	// quiet is how long a file must have been left alone to be read. An editor
	// writes in several steps: it truncates and writes, or writes in pieces.
	quiet = 15 * time.Millisecond

	// restless bounds the wait for quiet where something writes all the time.
	restless = 150 * time.Millisecond

	// doubt is how long a file must be missing, empty or unreadable to be
	// believed so: editors that rename make it so for a moment.
	doubt = 400 * time.Millisecond

	// rarely is how often files are looked at although the system tells of
	// changes, and often how often once it has kept one back.
	rarely = time.Second
	often  = 120 * time.Millisecond
)

// Files notices when a file's content changes, by whatever way: written in
// place, renamed over, deleted and made anew. It listens to the system's events
// and looks from time to time for itself. Where a change turns up of which no
// event told, as on network drives or when Windows writes what Linux watches, it
// looks more often from then on.
type Files struct {
	state map[string]*file
	order []string
	rate  time.Duration
}

// file is what is known of one file.
type file struct {
	content [sha256.Size]byte // of the content last told of, or seen at the start
	here    bool              // false if it could not be read then
	empty   bool
	info    fs.FileInfo // as last looked at; nil if it could not be
	touched time.Time   // when it was first seen to change since it was last read; zero if it was not
	latest  time.Time   // when it was last seen to change
	heard   bool        // whether an event told of that
}

// NewFiles looks at the files as they are now: what differs from that is a
// change. The names must be absolute.
func NewFiles(names []string) *Files {
	f := &Files{state: map[string]*file{}, rate: rarely}
	for _, name := range names {
		name = filepath.Clean(name)
		one := &file{}
		one.info, _ = os.Stat(name)
		one.content, one.here, one.empty = read(name)
		f.state[name], f.order = one, append(f.order, name)
	}
	return f
}

// Watch calls changed with the name of each file whose content has become
// another one, in one goroutine. A file that is saved without a change, or
// changed and changed back at once, is passed over; one that goes counts as
// changed. It blocks until ctx has ended. It may be called once.
func (f *Files) Watch(ctx context.Context, changed func(name string)) {
	var events chan fsnotify.Event
	var troubles chan error
	// Without events, for want of inotify instances for example, looking is all
	// there is.
	watcher, err := fsnotify.NewWatcher()
	if err == nil {
		defer func() { _ = watcher.Close() }()
		events, troubles = watcher.Events, watcher.Errors
		f.listen(watcher)
	} else {
		f.rate = often
	}

	look := time.NewTimer(0)
	defer look.Stop()
	settle := time.NewTimer(time.Hour)
	defer settle.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case e, ok := <-events:
			if !ok {
				events, f.rate = nil, often
				continue
			}
			if one := f.state[filepath.Clean(e.Name)]; one != nil && e.Op != fsnotify.Chmod {
				one.touch(true)
			}
		case _, ok := <-troubles:
			if !ok {
				troubles = nil
			}
			// Events were lost: look at once.
			look.Reset(0)
		case <-look.C:
			if watcher != nil {
				f.listen(watcher)
			}
			f.look()
			look.Reset(f.rate)
		case <-settle.C:
		}
		if wait, ok := f.settle(time.Now(), changed); ok {
			settle.Reset(wait)
		}
	}
}

// listen asks for the events of all folders for which they are not asked for
// already: one that was removed and came back is another one.
func (f *Files) listen(watcher *fsnotify.Watcher) {
	asked := map[string]bool{}
	for _, dir := range watcher.WatchList() {
		asked[dir] = true
	}
	for _, name := range f.order {
		// The folder and not the file: a rename puts another file in its place.
		if dir := filepath.Dir(name); !asked[dir] {
			asked[dir] = true
			_ = watcher.Add(dir)
		}
	}
}

// look finds the files that have changed by what the file system says of them.
func (f *Files) look() {
	for _, name := range f.order {
		one := f.state[name]
		info, _ := os.Stat(name)
		if !same(one.info, info) {
			one.info = info
			one.touch(false)
		}
	}
}

func same(a, b fs.FileInfo) bool {
	if a == nil || b == nil {
		return a == nil && b == nil
	}
	return a.Size() == b.Size() && a.ModTime().Equal(b.ModTime()) && os.SameFile(a, b)
}

func (one *file) touch(heard bool) {
	one.latest = time.Now()
	if one.touched.IsZero() {
		one.touched, one.heard = one.latest, false
	}
	one.heard = one.heard || heard
}

// settle reads the files that have been left alone for long enough, and returns
// how long to wait for the next one, if there is one.
func (f *Files) settle(now time.Time, changed func(string)) (wait time.Duration, ok bool) {
	for _, name := range f.order {
		one := f.state[name]
		if one.touched.IsZero() {
			continue
		}
		left := min(one.latest.Add(quiet).Sub(now), one.touched.Add(restless).Sub(now))
		if left <= 0 {
			content, here, empty := read(name)
			if (here && !empty) || now.Sub(one.touched) >= doubt || here == one.here && empty == one.empty {
				f.settled(name, one, content, here, empty, changed)
				continue
			}
			left = quiet
		}
		if !ok || left < wait {
			wait, ok = left, true
		}
	}
	return wait, ok
}

func (f *Files) settled(name string, one *file, content [sha256.Size]byte, here, empty bool, changed func(string)) {
	one.touched = time.Time{}
	if one.heard {
		// What the event told of must not be found once more.
		one.info, _ = os.Stat(name)
	}
	if content == one.content && here == one.here {
		return
	}
	if !one.heard {
		f.rate = often
	}
	one.content, one.here, one.empty = content, here, empty
	changed(name)
}

// read returns what tells one content from another.
func read(name string) (content [sha256.Size]byte, here, empty bool) {
	text, err := os.ReadFile(name)
	if err != nil {
		if errors.Is(err, fs.ErrPermission) {
			content[0] = 1
		}
		return content, false, false
	}
	return sha256.Sum256(text), true, len(text) == 0
}
