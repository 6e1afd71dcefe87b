package gate_test

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"conclab/internal/bank"
	"conclab/internal/gate"
	"conclab/lessons"
)

const root = "../.."

func TestEveryKnownAnswerPasses(t *testing.T) {
	g := gate.New(root)
	for _, lesson := range lessons.All() {
		variants, err := bank.Load(root, lesson)
		require.NoError(t, err)
		for _, v := range variants {
			findings, err := g.Check(t.Context(), lesson.Name, lesson.Name+".go", v.Source)
			assert.NoError(t, err, v.String())
			assert.Empty(t, findings, v.String())
		}
	}
}

func TestEveryImportExists(t *testing.T) {
	for _, lesson := range lessons.Names() {
		assert.NotEmpty(t, gate.Imports(lesson))
	}
	_ = filepath.Join
}
