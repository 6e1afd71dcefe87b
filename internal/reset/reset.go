// Package reset brings back the starter of a lesson. It is the only part of the
// lab that writes a learner's file, and it promises that nothing is lost: what
// was there is kept beside it, under a name that the go command does not build,
// and at every moment one of both is in its place.
package reset

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"conclab/internal/progress"
	"conclab/lessons"
)

// ErrUntouched says that the learner's file is the starter already.
var ErrUntouched = errors.New("is as it was in the beginning: there is nothing to reset")

// Lesson replaces the learner's file of a lesson in the module at root with the
// starter, and returns the name under which the old one is kept, relative to
// root with slashes; empty if there was no file. If the file is the starter
// already, nothing is done and the error wraps [ErrUntouched].
func Lesson(ctx context.Context, root string, lesson lessons.Lesson, now time.Time) (kept string, err error) {
	name := progress.File(lesson)
	file := filepath.Join(root, filepath.FromSlash(name))
	starter, err := starter(ctx, root, lesson)
	if err != nil {
		return "", err
	}
	old, err := os.ReadFile(file)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return "", fmt.Errorf("%s cannot be read (%w): remove it, or make it a file that you may read, and reset it again", name, reason(err))
	case bytes.Equal(old, starter):
		return "", fmt.Errorf("%s %w", name, ErrUntouched)
	default:
		kept = fmt.Sprintf("%s.%s.old", name, now.Format("2006-01-02T15-04-05.000"))
		if err := keep(file, filepath.Join(root, filepath.FromSlash(kept))); err != nil {
			return "", fmt.Errorf("%s was not reset, because it cannot be kept: %w", name, reason(err))
		}
	}
	if err := replace(file, starter); err != nil {
		return kept, fmt.Errorf("%s was not reset: %w", name, reason(err))
	}
	return kept, nil
}

// starter asks the clone's git for the untouched file of the lesson.
func starter(ctx context.Context, root string, lesson lessons.Lesson) ([]byte, error) {
	name := progress.File(lesson)
	if lesson.Starter() == "" {
		return nil, fmt.Errorf("the lab does not know the starter of %s: lessons/starters.sum has no line for it", lesson.Name)
	}
	if _, err := exec.LookPath("git"); err != nil {
		return nil, fmt.Errorf("starters are kept in the clone's git, and git was not found on PATH: install it from https://git-scm.com, or download %s from where you got the lab", name)
	}
	cmd := exec.CommandContext(ctx, "git", "cat-file", "blob", lesson.Starter())
	cmd.Dir = root
	// What is not in the clone must not be fetched.
	cmd.Env = append(cmd.Environ(), "GIT_NO_LAZY_FETCH=1", "GIT_TERMINAL_PROMPT=0", "LC_ALL=C")
	cmd.WaitDelay = time.Second / 2
	var complaint strings.Builder
	cmd.Stderr = &complaint
	text, err := cmd.Output()
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case err != nil:
		return nil, fmt.Errorf("starters are kept in the clone's git, and git does not find the one of %s here (%s): download %s from where you got the lab",
			lesson.Name, strings.TrimSpace(complaint.String()), name)
	}
	return text, nil
}

// keep gives the file a second name, at once and whole; where the file system
// cannot do that, it is copied.
func keep(file, as string) error {
	if err := os.Link(file, as); err == nil || errors.Is(err, fs.ErrExist) {
		return err
	}
	from, err := os.Open(file)
	if err != nil {
		return err
	}
	defer func() { _ = from.Close() }()
	to, err := os.OpenFile(as, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return err
	}
	_, err = io.Copy(to, from)
	return errors.Join(err, to.Sync(), to.Close())
}

// replace puts a text in the place of a file, which is there before or after,
// and never in between.
func replace(file string, text []byte) error {
	mode := fs.FileMode(0o644)
	if info, err := os.Stat(file); err == nil {
		mode = info.Mode().Perm()
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	fresh, err := os.CreateTemp(filepath.Dir(file), filepath.Base(file)+".*~")
	if err != nil {
		return err
	}
	_, err = fresh.Write(text)
	err = errors.Join(err, fresh.Sync(), fresh.Close(), os.Chmod(fresh.Name(), mode))
	if err == nil {
		err = os.Rename(fresh.Name(), file)
	}
	if err != nil {
		_ = os.Remove(fresh.Name())
	}
	return err
}

// reason takes the path off an error, which its caller has named.
func reason(err error) error {
	if path, ok := errors.AsType[*fs.PathError](err); ok {
		return path.Err
	}
	if link, ok := errors.AsType[*os.LinkError](err); ok {
		return link.Err
	}
	return err
}
