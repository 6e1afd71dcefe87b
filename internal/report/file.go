package report

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// WriteFile writes a file as a whole or not at all: whoever reads it meanwhile
// sees the old one. The folder must be there. A link stays a link: what it leads
// to is written. A device or a named pipe stays one too, and gets all at once.
func WriteFile(file string, write func(io.Writer) error) error {
	target, regular := follow(file)
	if !regular {
		return writeInto(file, write)
	}
	return replace(target, write)
}

// follow returns the file that a name leads to in the end, and whether that is one
// that can be replaced: a regular file, or none yet. A link that leads nowhere yet
// cannot be, nor one that the system made for what is open, such as /dev/stdout.
func follow(file string) (target string, regular bool) {
	info, err := os.Lstat(file)
	if err != nil {
		return file, true
	}
	if info.Mode().Type() != os.ModeSymlink {
		return file, info.Mode().IsRegular()
	}
	if dir := filepath.Dir(file) + "/"; strings.HasPrefix(dir, "/dev/") || strings.HasPrefix(dir, "/proc/") {
		return file, false
	}
	if target, err = filepath.EvalSymlinks(file); err != nil {
		return file, false
	}
	info, err = os.Lstat(target)
	return target, err == nil && info.Mode().IsRegular()
}

// writeInto writes into what is there. Nothing goes in if it cannot be made whole.
func writeInto(file string, write func(io.Writer) error) error {
	var all bytes.Buffer
	if err := write(&all); err != nil {
		return err
	}
	if err := os.WriteFile(file, all.Bytes(), 0o600); err != nil {
		return fmt.Errorf("cannot write %s: %w", file, err)
	}
	return nil
}

// replace writes a new file in the place of the old one.
func replace(file string, write func(io.Writer) error) (err error) {
	f, err := os.CreateTemp(filepath.Dir(file), "."+filepath.Base(file)+".*")
	if err != nil {
		return fmt.Errorf("cannot write %s: %w", file, err)
	}
	defer func() {
		if err != nil {
			f.Close()
			os.Remove(f.Name())
		}
	}()
	b := bufio.NewWriter(f)
	if err := write(b); err != nil {
		return err
	}
	// CreateTemp makes a file for its owner's eyes only, and marks are for nobody
	// else either; they who want to show it to others can.
	for _, step := range []func() error{b.Flush, f.Sync, f.Close} {
		if err := step(); err != nil {
			return fmt.Errorf("cannot write %s: %w", file, err)
		}
	}
	if err := os.Rename(f.Name(), file); err != nil {
		return fmt.Errorf("cannot write %s: %w", file, err)
	}
	return nil
}
