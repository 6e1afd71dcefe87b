package screen

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"conclab/internal/grade"
)

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
