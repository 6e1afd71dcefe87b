package main

import (
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"conclab/internal/screen"
)

// completion is what cobra calls its command for shells.
const completion = "completion"

// addCompletion adds cobra's command and makes it say what is wrong with its
// arguments.
func addCompletion(root *cobra.Command) {
	root.InitDefaultCompletionCmd()
	i := slices.IndexFunc(root.Commands(), func(c *cobra.Command) bool { return c.Name() == completion })
	cmd := root.Commands()[i]
	cmd.Short = "Print a script by which your shell completes commands and lessons"
	cmd.Long = `lab completion prints a script for your shell, which then completes the lab's
commands, flags and lessons. It is for a lab that is installed by
` + "`go install ./cmd/lab`" + `; the help of each shell's command says where the
script belongs.`
	cmd.Args = func(_ *cobra.Command, args []string) error {
		command := screen.Command + " " + completion
		if len(args) == 0 {
			return fmt.Errorf("for which shell? As in: %s bash. The shells are bash, fish, powershell, zsh", command)
		}
		return fmt.Errorf("there is no completion for %q; the shells are bash, fish, powershell, zsh", args[0])
	}
	cmd.RunE = func(*cobra.Command, []string) error { return nil } // its arguments are never right
	for _, shell := range cmd.Commands() {
		shell.Args = noArgs
	}
}
