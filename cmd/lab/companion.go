package main

import (
	"io"
	"os"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"conclab/internal/companion"
	"conclab/internal/state"
	"conclab/lessons"
)

// fullScreen returns the terminal that the lab can fill, if there is one: both
// ends must be one, and it must be able to put a text anywhere.
func fullScreen(out io.Writer) (in, screen *os.File, ok bool) {
	screen, ok = out.(*os.File)
	return os.Stdin, screen, ok && term.IsTerminal(int(screen.Fd())) && term.IsTerminal(int(os.Stdin.Fd())) && os.Getenv("TERM") != "dumb"
}

func showCompanion(cmd *cobra.Command, root string, in, out *os.File) error {
	// Without a place to remember things the companion is as good.
	store, err := state.Open()
	if err != nil {
		store = nil
	}
	return companion.Run(cmd.Context(), companion.Options{
		Root: root, Course: lessons.All(), Store: store, In: in, Out: out,
	})
}
