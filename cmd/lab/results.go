package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"conclab/internal/gradebook"
	"conclab/internal/ledger"
	"conclab/internal/policy"
	"conclab/internal/report"
)

// results are what lab grade wrote into a folder, and the policy that marks them.
type results struct {
	class   ledger.Class
	entries []*gradebook.Entry
	policy  policy.Policy
}

// readResults reads a folder of results, and the policy that is in a file; without a
// name, the default one. It says so if the results are not those of the whole class.
func readResults(cmd *cobra.Command, dir, policyFile string) (r results, err error) {
	if r.policy, err = policy.Load(policyFile); err != nil {
		return r, err
	}
	var missing []string
	if r.entries, missing, err = ledger.Read(dir); err != nil {
		return r, err
	}
	if r.class, err = ledger.ReadClass(dir); err != nil {
		return r, err
	}
	shard := r.class.Shard
	switch {
	case r.class.Policy != "" && policyFile == "":
		// Lateness, weights and what a person has decided would be gone without a word.
		return r, fmt.Errorf("%s was graded by the policy %s: say which policy makes the marks, as in --policy %[2]s", dir, r.class.Policy)
	case len(missing) > 0:
		warn(cmd, []string{fmt.Sprintf("the grading in %s is not at its end; still to come: %s", dir, strings.Join(missing, ", "))})
	case shard.Of > 1:
		warn(cmd, []string{fmt.Sprintf("%s holds shard %d/%d of the class; lab grade merge puts all together", dir, shard.Number, shard.Of)})
	}
	return r, nil
}

// marked gives the marks.
func (r results) marked() *report.Class {
	c := report.New(r.policy, r.entries)
	c.LeftOut = r.class.LeftOut
	return c
}
