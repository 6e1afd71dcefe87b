// Package autograder packs the lab into the zip file that Gradescope makes an
// autograder of: two scripts, and the sources that they build and run. The form
// is the documented one:
// https://gradescope-autograders.readthedocs.io/en/latest/specs/
package autograder

import (
	"archive/zip"
	_ "embed"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"
)

//go:embed setup.sh
var setup []byte

//go:embed run_autograder
var run []byte

// Options say what goes into the zip.
type Options struct {
	Root   string // the clone
	Policy []byte // the policy file; none if it is nil
}

// Zip writes the zip. The same clone and policy give the same bytes. What
// students must not read in the container that their code runs in is left out:
// the solutions, and everything that only proves the lab.
//
// Both scripts are at the root of the archive and executable, as Gradescope asks
// for.
func Zip(w io.Writer, o Options) error {
	z := zip.NewWriter(w)
	if err := add(z, "setup.sh", 0o755, setup); err != nil {
		return err
	}
	if err := add(z, "run_autograder", 0o755, run); err != nil {
		return err
	}
	if o.Policy != nil {
		if err := add(z, "policy.yaml", 0o644, o.Policy); err != nil {
			return err
		}
	}
	root, err := os.OpenRoot(o.Root)
	if err != nil {
		return fmt.Errorf("cannot read the clone: %w", err)
	}
	defer root.Close()
	for _, top := range []string{"cmd", "exercises", "go.mod", "go.sum", "internal", "lessons"} {
		err := fs.WalkDir(root.FS(), top, func(name string, d fs.DirEntry, err error) error {
			switch {
			case err != nil:
				return err
			case d.IsDir() && d.Name() == "testdata":
				return fs.SkipDir
			case !d.Type().IsRegular() || !wanted(name):
				return nil
			}
			text, err := fs.ReadFile(root.FS(), name)
			if err != nil {
				return err
			}
			return add(z, path.Join("lab", name), 0o644, text)
		})
		if err != nil {
			return fmt.Errorf("cannot pack the lab: %w", err)
		}
	}
	return z.Close()
}

// wanted leaves out tests that are not students' suites.
func wanted(name string) bool {
	return !strings.HasSuffix(name, "_test.go") || strings.HasPrefix(filepath.ToSlash(name), "exercises/")
}

// packed is when all files of the zip claim to be written: zip knows no earlier
// year, and any real time would make every zip another.
var packed = time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC)

func add(z *zip.Writer, name string, mode fs.FileMode, text []byte) error {
	h := &zip.FileHeader{Name: name, Method: zip.Deflate, Modified: packed}
	h.SetMode(mode)
	f, err := z.CreateHeader(h)
	if err == nil {
		_, err = f.Write(text)
	}
	return err
}
