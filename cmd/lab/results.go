package main

import (
	"conclab/internal/ledger"
	"conclab/internal/policy"
	"conclab/internal/report"
)

// readClass reads the results in a folder and marks them by the policy in a
// file; without a name, by the default one. Missing are the ids of those that
// have not been graded yet.
func readClass(dir, policyFile string) (c *report.Class, missing []string, err error) {
	p, err := policy.Load(policyFile)
	if err != nil {
		return nil, nil, err
	}
	all, missing, err := ledger.Read(dir)
	if err != nil {
		return nil, nil, err
	}
	c = report.New(p, all)
	c.LeftOut, err = ledger.LeftOut(dir)
	return c, missing, err
}
