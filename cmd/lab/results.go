package main

import (
	"fmt"
	"strings"

	"conclab/internal/gradebook"
	"conclab/internal/ledger"
	"conclab/internal/policy"
	"conclab/internal/report"
)

// readResults reads the results in a folder and the policy that marks them; without
// a name, the default one. Unfinished is a sentence if some have not been graded
// yet.
func readResults(dir, policyFile string) (p policy.Policy, all []*gradebook.Entry, unfinished string, err error) {
	if p, err = policy.Load(policyFile); err != nil {
		return p, nil, "", err
	}
	all, missing, err := ledger.Read(dir)
	if err != nil {
		return p, nil, "", err
	}
	if len(missing) > 0 {
		unfinished = fmt.Sprintf("the grading in %s is not at its end; still to come: %s", dir, strings.Join(missing, ", "))
	}
	c, err := ledger.ReadClass(dir)
	switch {
	case err != nil:
		return p, nil, "", err
	case c.Policy != "" && policyFile == "":
		// Lateness, weights and what a person has decided would be gone without a word.
		return p, nil, "", fmt.Errorf("%s was graded by the policy %s: say which policy makes the marks, as in --policy %[2]s", dir, c.Policy)
	case c.Shard.Of > 1 && unfinished == "":
		unfinished = fmt.Sprintf("%s holds shard %d/%d of the class; lab grade merge puts all together", dir, c.Shard.Number, c.Shard.Of)
	}
	return p, all, unfinished, nil
}

// readClass reads the results in a folder and marks them.
func readClass(dir, policyFile string) (c *report.Class, unfinished string, err error) {
	p, all, unfinished, err := readResults(dir, policyFile)
	if err != nil {
		return nil, "", err
	}
	return report.New(p, all), unfinished, nil
}
