package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/mod/modfile"
)

// module is the path of the lab's module.
const module = "conclab"

// findClone returns the root of the lab's module as an absolute path: the given
// folder if there is one, otherwise the nearest from the working directory
// upwards.
func findClone(given string) (string, error) {
	dir, err := filepath.Abs(given)
	if err != nil {
		return "", fmt.Errorf("the working directory cannot be read: %w", err)
	}
	if given != "" {
		if !isClone(dir) {
			return "", fmt.Errorf("--root %s is not the lab's clone: there is no go.mod in it that says \"module %s\"", given, module)
		}
		return dir, nil
	}
	for {
		if isClone(dir) {
			return dir, nil
		}
		up := filepath.Dir(dir)
		if up == dir {
			return "", errors.New("this folder is not in the lab's clone: cd into the folder that you cloned, or name it with --root")
		}
		dir = up
	}
}

func isClone(dir string) bool {
	text, err := os.ReadFile(filepath.Join(dir, "go.mod"))
	return err == nil && modfile.ModulePath(text) == module
}
