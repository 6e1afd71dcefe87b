package cheats_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"conclab/internal/cheats"
	"conclab/internal/gate"
	"conclab/internal/gradebook"
)

const root = "../.."

func load(t *testing.T) []cheats.Cheat {
	t.Helper()
	all, err := cheats.Load("testdata", root)
	require.NoError(t, err)
	require.Greater(t, len(all), 35)
	return all
}

func TestTheGate(t *testing.T) {
	g := gate.New(root)
	for _, c := range load(t) {
		t.Run(c.Name, func(t *testing.T) {
			findings, build, err := g.Check(t.Context(), c.Lesson, gradebook.File{Path: c.Lesson + ".go", Source: c.Source})
			require.NoError(t, err)
			rules := map[string]bool{}
			for _, f := range findings {
				rules[f.Rule] = true
				assert.NotEmpty(t, f.Message)
				assert.Less(t, len(f.Message), 250)
				if f.Rule != "file" {
					assert.Positive(t, f.Line, f.Message)
				}
				t.Logf("%s:%d: %s: %s", f.File, f.Line, f.Rule, f.Message)
			}
			for _, rule := range c.Gate {
				assert.True(t, rules[rule], "the gate must find the rule %q broken", rule)
				delete(rules, rule)
			}
			assert.Empty(t, rules, "nothing else is against the rules")
			if len(c.Gate) == 0 {
				assert.Empty(t, build, "it is built and run, and the next layer has the word")
				assert.False(t, slices.Contains(c.Then, "pass"), "nothing would stop it")
			}
		})
	}
}
