package main

import (
	"fmt"
	"os"
	"path/filepath"

	"conclab/internal/gradebook"
	"conclab/internal/policy"
	"conclab/internal/report"
)

// readClass reads the results in a folder and marks them by the policy in a
// file; without a name, by the default one.
func readClass(dir, policyFile string) (*report.Class, error) {
	p, err := policy.Load(policyFile)
	if err != nil {
		return nil, err
	}
	files, err := filepath.Glob(filepath.Join(dir, "*.json"))
	if err != nil {
		return nil, err
	}
	var all []*gradebook.Entry
	for _, file := range files {
		f, err := os.Open(file)
		if err != nil {
			return nil, err
		}
		e, err := gradebook.Decode(f)
		f.Close()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		all = append(all, e)
	}
	return report.New(p, all), nil
}
