package screen

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"conclab/internal/grade"
	"conclab/internal/gradebook"
)

func TestAnIDThatIsAnothersNowIsSaid(t *testing.T) {
	var out strings.Builder
	graded := Graded(&out)
	graded(grade.Event{ID: "bob", Entry: &gradebook.Entry{Name: "bob"}, Known: true, Done: 1, Total: 2})
	assert.Empty(t, out.String())
	graded(grade.Event{ID: "alice", Entry: &gradebook.Entry{Name: "alice\n"}, Was: "Alice", Known: true, Done: 2, Total: 2})
	assert.Equal(t, "Note: the id alice was that of \"Alice\" before, and is that of \"alice\\n\" now: see whether the policy says anything of it.\n", out.String())
}

func TestAGradingsLastLineCountsWhatIsInNoMark(t *testing.T) {
	for want, c := range map[string]struct {
		s       grade.Summary
		leftOut int
	}{
		"3 submissions are graded, 1 of them before; the results are in out\n":                            {grade.Summary{Total: 3, Known: 1}, 0},
		"3 submissions are graded, 0 of them before; left out: 2 files; the results are in out\n":         {grade.Summary{Total: 3}, 2},
		"3 submissions are graded, 0 of them before; left out: 1 file; the results are in out\n2 have no": {grade.Summary{Total: 3, Open: 2}, 1},
	} {
		var out strings.Builder
		GradingEnded(&out, c.s, c.leftOut, "out")
		assert.Contains(t, out.String(), want)
	}
}
