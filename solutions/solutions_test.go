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

// TestVariants judges every variant of every lesson. A single lesson's are judged
// by `go run ./cmd/lab verify queues`.
func TestVariants(t *testing.T) {
	variants, err := verify.Load("..", lessons.All())
	require.NoError(t, err)

	_, err = verify.Run(t.Context(), verify.Options{Root: ".."}, variants, func(r verify.Result) {
		t.Run(r.Variant.String(), func(t *testing.T) {
			require.NoError(t, r.Err, r.Variant.File)
			if r.Skipped != "" {
				t.Skip(r.Skipped)
			}
		})
	})
	require.NoError(t, err)
}
