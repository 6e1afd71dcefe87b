package verify_test

import (
	"context"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"conclab/internal/bank"
	"conclab/internal/verify"
	"conclab/lessons"
)

// TestWrongAnswersToSeveralLessonsAreJudgedTogether has four that are wrong, as
// they should be, one that is right, and one that is no Go.
func TestWrongAnswersToSeveralLessonsAreJudgedTogether(t *testing.T) {
	const root = "../.."
	var variants []bank.Variant
	for _, l := range lessons.All()[:2] {
		all, err := verify.Load(root, []lessons.Lesson{l})
		require.NoError(t, err)
		wrong := slices.DeleteFunc(slices.Clone(all), func(v bank.Variant) bool {
			return v.Kind != bank.Reject || v.Race || v.Test == bank.Vet
		})
		odd := wrong[0]
		odd.Name, odd.Source = "odd", all[slices.IndexFunc(all, func(v bank.Variant) bool { return v.Kind == bank.Reference })].Source
		if len(variants) > 0 {
			odd.Source = []byte("package queues\n\nfunc New() { return 1 }\n")
		}
		variants = append(variants, wrong[0], wrong[1], odd)
	}

	results, err := verify.Run(t.Context(), verify.Options{Root: root, Count: 2}, variants, nil)

	require.NoError(t, err)
	require.Len(t, results, len(variants))
	for i, r := range results {
		assert.Equal(t, variants[i].String(), r.Variant.String())
		assert.Positive(t, r.Elapsed)
		switch {
		case i == 2:
			assert.ErrorContains(t, r.Err, "run 1 of 2: must fail in TestProcess/")
			assert.ErrorContains(t, r.Err, ", which says pass")
		case i == 5:
			assert.ErrorContains(t, r.Err, "is not even built:")
		default:
			assert.True(t, r.OK(), "%s: %v", r.Variant, r.Err)
		}
	}
}

func TestWrongAnswersAsAGraderRunsThem(t *testing.T) {
	const root = "../.."
	all, err := verify.Load(root, lessons.All())
	require.NoError(t, err)
	one := func(lesson, name string) bank.Variant {
		i := slices.IndexFunc(all, func(v bank.Variant) bool {
			return v.Kind == bank.Reject && v.Lesson.Name == lesson && v.Name == name
		})
		require.GreaterOrEqual(t, i, 0)
		v := all[i]
		require.True(t, v.Race)
		v.Race = false
		return v
	}
	variants := []bank.Variant{one("eventloop", "call-soon-without-lock"), one("futures", "append-without-lock")}

	results, err := verify.Run(t.Context(), verify.Options{Root: root, Race: true}, variants, nil)

	require.NoError(t, err)
	require.Len(t, results, len(variants))
	for _, r := range results {
		assert.NoError(t, r.Err, r.Variant)
		if r.NoRace == "" {
			assert.Contains(t, r.Message, "data race", r.Variant)
		}
	}
}

// TestABatchThatIsInterruptedKeepsWhatWasFinished ends the context before those
// are begun that need the race detector.
func TestABatchThatIsInterruptedKeepsWhatWasFinished(t *testing.T) {
	const root = "../.."
	all, err := verify.Load(root, lessons.All()[:2])
	require.NoError(t, err)
	variants := slices.DeleteFunc(all, func(v bank.Variant) bool {
		return v.Kind != bank.Reference && (v.Kind != bank.Reject || v.Race || v.Test == bank.Vet)
	})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()

	results, err := verify.Run(ctx, verify.Options{Root: root}, variants, func(verify.Result) { cancel() })

	require.ErrorIs(t, err, context.Canceled)
	assert.NotEmpty(t, results)
	assert.Less(t, len(results), len(variants))
}
