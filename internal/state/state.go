// Package state is what the lab remembers between two calls and cannot find out
// again: which hints a learner has seen, and where they were last. It lies in one
// small file in the user's state folder.
//
// What it promises: any number of labs may use the file at the same time, none
// sees half of it, and no change is lost. A file that cannot be understood, or
// that a newer lab has written, is set aside under another name, never
// overwritten. What is remembered is a comfort: a caller that gets an error can
// go on without.
package state

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"time"

	"github.com/adrg/xdg"
	"github.com/gofrs/flock"
)

// version is what this lab writes, and the newest that it understands.
const version = 1

// patience is how long a lab waits for another one that is just writing.
const patience = time.Second

// State is what is remembered. Its zero value is that of somebody new.
type State struct {
	// Lesson and Test are where the learner was last: the lesson's name, and
	// the test function of the task. Either may be empty, or unknown to a
	// course that has changed.
	Lesson string
	Test   string

	// Hints says how many rungs of a task's hints were seen, by the lesson's
	// name and the task's test function.
	Hints map[string]map[string]int
}

// Seen returns how many rungs of a task's hints were seen.
func (s State) Seen(lesson, test string) int { return max(0, s.Hints[lesson][test]) }

// See notes that so many rungs of a task's hints were seen. What was seen stays
// seen.
func (s *State) See(lesson, test string, rungs int) {
	if rungs <= s.Seen(lesson, test) {
		return
	}
	if s.Hints == nil {
		s.Hints = map[string]map[string]int{}
	}
	if s.Hints[lesson] == nil {
		s.Hints[lesson] = map[string]int{}
	}
	s.Hints[lesson][test] = rungs
}

// document is how the file says it.
type document struct {
	Version int                       `json:"version"`
	Lesson  string                    `json:"lesson,omitempty"`
	Test    string                    `json:"test,omitempty"`
	Hints   map[string]map[string]int `json:"hints,omitempty"`
}

// A Store is the file. Its methods may be called from any number of goroutines
// and processes. They wait for another that is at it, a second at most.
type Store struct {
	file string
	now  func() time.Time
}

// Open returns the store of the user who runs the lab. It touches nothing; the
// file and its folder are made when something is to be remembered.
func Open() (*Store, error) {
	xdg.Reload()
	if !filepath.IsAbs(xdg.StateHome) {
		return nil, errors.New("there is no folder to remember things in: neither HOME nor XDG_STATE_HOME is set")
	}
	return At(filepath.Join(xdg.StateHome, "conclab", "state.json")), nil
}

// At returns the store in that file.
func At(file string) *Store { return &Store{file, time.Now} }

// File names the file.
func (s *Store) File() string { return s.file }

// Load returns what is remembered. If the file had to be set aside, note says in
// a sentence why and where it is now, and what comes back is empty.
func (s *Store) Load(ctx context.Context) (state State, note string, err error) {
	state, err = s.read()
	if _, bad := errors.AsType[*unusable](err); !bad {
		return state, "", err
	}
	// Only one of several labs may set it aside, and it may just have done so.
	err = s.locked(ctx, func() error {
		state, note, err = s.readOrSetAside()
		return err
	})
	return state, note, err
}

// Update changes what is remembered: it calls change with what the file says
// now, and writes what that makes of it. The note is as for [Store.Load].
func (s *Store) Update(ctx context.Context, change func(*State)) (note string, err error) {
	if err := os.MkdirAll(filepath.Dir(s.file), 0o700); err != nil {
		return "", fmt.Errorf("nothing can be remembered: %w", err)
	}
	err = s.locked(ctx, func() error {
		var state State
		if state, note, err = s.readOrSetAside(); err != nil {
			return err
		}
		change(&state)
		return s.write(state)
	})
	return note, err
}

// unusable says why a file is no state for this lab.
type unusable struct {
	reason string
	name   string // a word for the file's new name
}

func (u *unusable) Error() string { return u.reason }

func (s *Store) read() (State, error) {
	text, err := os.ReadFile(s.file)
	if errors.Is(err, fs.ErrNotExist) {
		return State{}, nil
	} else if err != nil {
		return State{}, fmt.Errorf("what the lab remembers cannot be read: %w", err)
	}
	// Of a newer file, nothing but its version need be as it is here.
	var v struct{ Version int }
	if json.Unmarshal(text, &v) == nil && v.Version > version {
		return State{}, &unusable{fmt.Sprintf("was written by a newer lab (version %d, this one knows %d)", v.Version, version), fmt.Sprintf("version-%d", v.Version)}
	}
	var d document
	if err := json.Unmarshal(text, &d); err != nil || d.Version < 1 {
		return State{}, &unusable{"is broken", "broken"}
	}
	return State{d.Lesson, d.Test, maps.Clone(d.Hints)}, nil
}

// readOrSetAside is for the one who has the lock.
func (s *Store) readOrSetAside() (state State, note string, err error) {
	state, err = s.read()
	bad, ok := errors.AsType[*unusable](err)
	if !ok {
		return state, "", err
	}
	aside := fmt.Sprintf("%s.%s-%s", s.file, bad.name, s.now().UTC().Format("20060102T150405.000000"))
	if err := os.Rename(s.file, aside); err != nil {
		return State{}, "", fmt.Errorf("what the lab remembers %s, and cannot be set aside: %w", bad.reason, err)
	}
	return State{}, fmt.Sprintf("%s %s: it was set aside as %s, and the lab begins with an empty memory", s.file, bad.reason, filepath.Base(aside)), nil
}

// write replaces the file as a whole.
func (s *Store) write(state State) (err error) {
	text, err := json.MarshalIndent(document{version, state.Lesson, state.Test, state.Hints}, "", "\t")
	if err != nil {
		return fmt.Errorf("nothing can be remembered: %w", err)
	}
	defer func() {
		if err != nil {
			err = fmt.Errorf("nothing can be remembered: %w", err)
		}
	}()
	fresh, err := os.CreateTemp(filepath.Dir(s.file), filepath.Base(s.file)+".*~")
	if err != nil {
		return err
	}
	_, err = fresh.Write(append(text, '\n'))
	err = errors.Join(err, fresh.Sync(), fresh.Close())
	if err == nil {
		err = os.Rename(fresh.Name(), s.file)
	}
	if err != nil {
		_ = os.Remove(fresh.Name())
	}
	return err
}

// locked calls f while no other lab does so. The lock is a file of its own,
// because the state's is replaced; the system takes it away from whoever dies.
func (s *Store) locked(ctx context.Context, f func() error) error {
	ctx, cancel := context.WithTimeoutCause(ctx, patience, errors.New("another lab has it"))
	defer cancel()
	lock := flock.New(s.file + ".lock")
	if ok, err := lock.TryLockContext(ctx, 5*time.Millisecond); !ok {
		if ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		return fmt.Errorf("what the lab remembers is out of reach: %s.lock: %w", s.file, err)
	}
	defer func() { _ = lock.Close() }()
	return f()
}
