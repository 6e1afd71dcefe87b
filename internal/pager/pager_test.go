package pager_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"conclab/internal/pager"
)

// That a terminal gets a pager is tested with the command, in a real one.
func TestWhereNobodyWatchesTheTextIsPrinted(t *testing.T) {
	t.Setenv("PAGER", "no-such-pager")
	var out strings.Builder
	require.NoError(t, pager.Show(t.Context(), os.Stdin, &out, "a\nb\n"))
	assert.Equal(t, "a\nb\n", out.String())

	file := filepath.Join(t.TempDir(), "out")
	f, err := os.Create(file)
	require.NoError(t, err)
	require.NoError(t, pager.Show(t.Context(), os.Stdin, f, "a\nb\n"))
	require.NoError(t, f.Close())
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	assert.Equal(t, "a\nb\n", string(text))
}

func TestATextThatCannotBePrintedIsAnError(t *testing.T) {
	full := errors.New("the disk is full")
	err := pager.Show(t.Context(), os.Stdin, failing{full}, "a")
	assert.ErrorIs(t, err, full)
}

type failing struct{ err error }

func (f failing) Write([]byte) (int, error) { return 0, f.err }
