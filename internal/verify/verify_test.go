package verify_test

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/tools/txtar"

	"conclab/internal/bank"
	"conclab/internal/verify"
	"conclab/lessons"
)

var tiny = lessons.Lesson{Name: "tiny", Tasks: []lessons.Task{{Test: "TestYes"}, {Test: "TestTwo"}}}

// module writes testdata/module.txtar to a folder of its own.
func module(t *testing.T) string {
	archive, err := txtar.ParseFile(filepath.Join("testdata", "module.txtar"))
	require.NoError(t, err)
	root := t.TempDir()
	for _, f := range archive.Files {
		file := filepath.Join(root, filepath.FromSlash(f.Name))
		require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o700))
		require.NoError(t, os.WriteFile(file, f.Data, 0o600))
	}
	return root
}

// load returns the variants of those names, or all.
func load(t *testing.T, root string, names ...string) []bank.Variant {
	all, err := verify.Load(root, []lessons.Lesson{tiny})
	require.NoError(t, err)
	if len(names) == 0 {
		return all
	}
	return slices.DeleteFunc(all, func(v bank.Variant) bool { return !slices.Contains(names, v.Name) })
}

func TestEveryVariantIsJudgedOnce(t *testing.T) {
	root := module(t)
	variants := load(t, root)
	var told []string

	results, err := verify.Run(t.Context(), verify.Options{Root: root}, variants, func(r verify.Result) {
		told = append(told, r.Variant.String())
	})

	require.NoError(t, err)
	var names []string
	for i, r := range results {
		names = append(names, r.Variant.String())
		assert.Equal(t, variants[i].String(), r.Variant.String())
		assert.Positive(t, r.Elapsed)
		switch r.Variant.Name {
		case "bad-name":
			assert.EqualError(t, r.Err, `no test matches "^TestNowhere$"`)
		case "racy":
			// Where there is no race detector this one is left out, with a word.
			assert.Equal(t, r.OK(), r.Skipped == "")
			assert.Equal(t, r.NoRace, r.Skipped)
			assert.NoError(t, r.Err)
		default:
			assert.True(t, r.OK(), "%s: %v", r.Variant, r.Err)
		}
	}
	assert.ElementsMatch(t, names, told)
	assert.Contains(t, names, "tiny/starter")
}

func TestCountAsksForTheSameVerdictEveryTime(t *testing.T) {
	root := module(t)
	variants := load(t, root, "tiny", "double", "no", "crash", "unvetted", "bad-first-time", "bad-second-time")

	results, err := verify.Run(t.Context(), verify.Options{Root: root, Count: 2}, variants, nil)

	require.NoError(t, err)
	for _, r := range results {
		switch r.Variant.Name {
		case "bad-first-time":
			assert.EqualError(t, r.Err, "must fail in TestYes every time, and passed in 1 of 2")
		case "bad-second-time":
			assert.ErrorContains(t, r.Err, "must pass, but TestYes says fail")
		default:
			assert.True(t, r.OK(), "%s: %v", r.Variant, r.Err)
		}
	}
}

func TestARunThatEndsEarlyKeepsWhatWasFinished(t *testing.T) {
	root := module(t)
	variants := load(t, root, "no", "double", "crash")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()

	results, err := verify.Run(ctx, verify.Options{Root: root}, variants, func(verify.Result) { cancel() })

	require.ErrorIs(t, err, context.Canceled)
	assert.NotEmpty(t, results)
	assert.Less(t, len(results), len(variants))
}

func TestABadlyWrittenVariantIsNamed(t *testing.T) {
	root := module(t)
	file := filepath.Join(root, "solutions", "tiny", "testdata", "reject", "silent.go")
	require.NoError(t, os.WriteFile(file, []byte("package tiny\n"), 0o600))

	_, err := verify.Load(root, []lessons.Lesson{tiny})

	assert.ErrorContains(t, err, "solutions/tiny/testdata/reject/silent.go: ")
}
