package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"conclab/internal/gate"
	"conclab/internal/screen"
)

func newCheck(root *string) *cobra.Command {
	var file string
	cmd := &cobra.Command{
		Use:   "check [lesson…]",
		Short: "See whether your files keep the rules for what may be handed in",
		Long: `lab check reads your files for the lessons that you name, or for all, and says
what in them may not be handed in: packages that the lesson does not need, orders
to the compiler, work that is done before the tests begin, and the like. Grading
asks the same questions before it builds anything, and a file that breaks these
rules gets no points. Nothing is run.

The exit status is 0 if nothing is against the rules and everything compiles.`,
		Example: "  lab check queues\n  lab check queues --file old/queues.go",
		RunE: func(cmd *cobra.Command, args []string) error {
			course, err := find(args)
			if err != nil {
				return err
			}
			if file != "" && len(args) != 1 {
				return fmt.Errorf("--file needs the one lesson that the file is for, as in: %s check queues --file F", screen.Command)
			}
			ok, err := screen.Check(cmd.Context(), cmd.OutOrStdout(), gate.New(*root), course, file)
			if err != nil {
				return err
			}
			if !ok {
				return errFailed
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&file, "file", "", "check this file instead of yours (for one lesson)")
	return cmd
}
