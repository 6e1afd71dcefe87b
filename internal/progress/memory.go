package progress

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"

	"conclab/lessons"
)

// memory is what is known of a lesson that is done. It lies in the user's cache,
// a file a lesson, so that the map need not run ten suites again when the
// learner works on the eleventh.
//
// Only success is kept: a failure may have been the machine's, and who sees one
// on the map will ask again.
type memory struct {
	Fingerprint string
	Passed      []bool
}

// recall returns which tasks passed when everything was as it is now. If nothing
// is known, or not all that counts passed, ok is false.
func recall(root string, lesson lessons.Lesson) (passed []bool, ok bool) {
	file, err := memoryFile(lesson)
	if err != nil {
		return nil, false
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, false
	}
	var m memory
	if err := json.Unmarshal(text, &m); err != nil || len(m.Passed) != len(lesson.Tasks) {
		return nil, false
	}
	now, err := fingerprint(root, lesson)
	return m.Passed, err == nil && m.Fingerprint == now
}

// remember keeps what was found out when everything was as before says. It is
// only there to save time, so an error is none.
func remember(before string, l Lesson) {
	if before == "" || !l.Built || l.Vet > 0 {
		return
	}
	for i, passed := range l.Passed {
		if !passed && !l.Tasks[i].Brave {
			return
		}
	}
	file, err := memoryFile(l.Lesson)
	if err != nil {
		return
	}
	text, err := json.Marshal(memory{before, l.Passed})
	if err != nil || os.MkdirAll(filepath.Dir(file), 0o700) != nil {
		return
	}
	// Whoever reads meanwhile sees all of it or nothing.
	fresh := fmt.Sprintf("%s.%d", file, os.Getpid())
	if os.WriteFile(fresh, text, 0o600) != nil || os.Rename(fresh, file) != nil {
		_ = os.Remove(fresh)
	}
}

func memoryFile(lesson lessons.Lesson) (string, error) {
	dir, err := os.UserCacheDir()
	return filepath.Join(dir, "conclab", "progress", lesson.Name+".json"), err
}

// fingerprint is different as soon as anything is that could change a verdict:
// the learner's file, the suite, what the suites stand on, Go.
func fingerprint(root string, lesson lessons.Lesson) (string, error) {
	sum := sha256.New()
	fmt.Fprintln(sum, runtime.Version(), runtime.GOOS, runtime.GOARCH)
	for _, top := range []string{
		"go.mod", "go.sum", filepath.Join("exercises", lesson.Name),
		filepath.Join("internal", "contract", lesson.Name), filepath.Join("internal", "labtest"),
	} {
		err := filepath.WalkDir(filepath.Join(root, top), func(file string, entry fs.DirEntry, err error) error {
			if errors.Is(err, fs.ErrNotExist) || err == nil && entry.IsDir() {
				return nil
			} else if err != nil {
				return err
			}
			text, err := os.ReadFile(file)
			if err != nil {
				return err
			}
			name, err := filepath.Rel(root, file)
			fmt.Fprintf(sum, "%s %d\n%s", name, len(text), text)
			return err
		})
		if err != nil {
			return "", fmt.Errorf("fingerprint of %s: %w", lesson.Name, err)
		}
	}
	return fmt.Sprintf("%x", sum.Sum(nil)), nil
}
