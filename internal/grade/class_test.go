package grade_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"conclab/internal/grade"
)

func TestResultsLieApartFromTheSubmissionsWhateverTheirNames(t *testing.T) {
	t.Chdir(t.TempDir())
	require.NoError(t, os.MkdirAll("subs/alice", 0o700))
	require.NoError(t, os.MkdirAll("subs-2", 0o700))
	for link, target := range map[string]string{
		"link": "subs", "deep": "subs/alice", "later": "subs/later", "chain": "later", "loop": "loop", "longer": "longer/x", "away": "subs-2",
	} {
		if err := os.Symlink(filepath.FromSlash(target), link); err != nil {
			t.Skipf("skipped, because there are no links: %v", err)
		}
	}
	require.NoError(t, os.Symlink(filepath.Join("..", "subs-2"), filepath.Join("subs", "out")))
	for out, within := range map[string]bool{
		"subs": true, "subs/": true, "subs/r": true, "subs/alice/a/b": true, "subs/../subs/r": true, "./subs": true,
		"link": true, "link/r": true, "link/r/s": true, "deep": true, "deep/r": true, "later": true, "later/r": true, "chain/r": true,
		"subs-2": false, "subs-2/r": false, "results": false, ".": false, "..": false, "/": false, "subs/../r": false,
		"away/r": false, "subs/out/r": false, "loop/r": false, "longer/r": false,
	} {
		assert.Equal(t, within, grade.Within(filepath.FromSlash(out), "subs"), out)
		assert.Equal(t, within, grade.Within(filepath.FromSlash(out), "link"), out)
		abs, err := filepath.Abs(out)
		require.NoError(t, err)
		assert.Equal(t, within, grade.Within(abs, "subs"), abs)
		assert.Equal(t, within, grade.Apart(out, "subs") != nil, out)
	}
	assert.False(t, grade.Within("r", "nowhere"), "what is not there holds nothing")
	assert.ErrorContains(t, grade.Apart("link/r", "subs"), "results in link/r would count as a submission the next time: choose a folder")
}
