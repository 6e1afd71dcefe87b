// Package solutions_test proves what the lab claims about answers: untouched
// starters fail, references and other right answers pass, and known wrong
// answers fail by the test that they name.
//
// `go run ./cmd/lab verify` proves the same with a line for each mistake.
package solutions_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"conclab/internal/verify"
	"conclab/lessons"
)

// TestVariants judges every variant of every lesson. One alone is judged by
// go test -run 'TestVariants/queues/reject/closes-twice' ./solutions.
func TestVariants(t *testing.T) {
	variants, err := verify.Load("..", lessons.All())
	require.NoError(t, err)

	// As many as elsewhere, whatever -parallel says: each is several processes.
	turns := make(chan struct{}, verify.AtATime)
	for _, v := range variants {
		t.Run(v.String(), func(t *testing.T) {
			t.Parallel()
			turns <- struct{}{}
			defer func() { <-turns }()

			result := verify.Judge(t.Context(), verify.Options{Root: ".."}, v)
			require.NoError(t, result.Err, v.File)
			if result.Skipped != "" {
				t.Skip(result.Skipped)
			}
		})
	}
}
