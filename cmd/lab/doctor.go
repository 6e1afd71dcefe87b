package main

import (
	"github.com/spf13/cobra"

	"conclab/internal/doctor"
	"conclab/internal/screen"
)

func newDoctor(root *string) *cobra.Command {
	return &cobra.Command{
		Use:   "doctor",
		Short: "See whether this machine has what the lab can use",
		Long: `lab doctor looks for everything that the lab can use, and says for each thing
that is missing what it is good for and how to get it. It installs nothing and
needs no network.

The exit status is 0 if the lab can work; what is only a note may be missing.`,
		Args:              noArgs,
		Annotations:       alone,
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, _ []string) error {
			dir, noRoot := findClone(*root)
			ill := false
			err := doctor.Examine(cmd.Context(), dir, noRoot, stdout(cmd), func(f doctor.Finding) {
				screen.Health(cmd.OutOrStdout(), f)
				ill = ill || f.Needed && !f.OK
			})
			if err == nil && ill {
				err = errFailed
			}
			return err
		},
	}
}
