package report

import (
	"fmt"
	"io"
	"strings"

	"conclab/internal/policy"
)

// The fields that Gradescope documents:
// https://gradescope-autograders.readthedocs.io/en/latest/specs/
type gradescope struct {
	Score            float64          `json:"score"` // overrides the sum of the tests
	Output           string           `json:"output,omitempty"`
	OutputFormat     string           `json:"output_format"`
	TestOutputFormat string           `json:"test_output_format"`
	TestNameFormat   string           `json:"test_name_format"`
	Visibility       string           `json:"visibility"`
	StdoutVisibility string           `json:"stdout_visibility"`
	Tests            []gradescopeTest `json:"tests"`
}

type gradescopeTest struct {
	Score    float64  `json:"score"`
	MaxScore *float64 `json:"max_score,omitempty"` // a task for the brave has none: it is extra
	Status   string   `json:"status,omitempty"`
	Name     string   `json:"name"`
	Number   string   `json:"number"`
	Output   string   `json:"output,omitempty"`
	Tags     []string `json:"tags"`
}

// Gradescope writes the results.json of one submission. While its mark is open
// it writes nothing and returns [ErrOpen]: an autograder that leaves no results
// is, to Gradescope, one that failed, and no student has a zero for that.
func Gradescope(w io.Writer, c *Class, m policy.Marks) error {
	if len(m.Open) > 0 {
		return fmt.Errorf("%w: %s", ErrOpen, Line(strings.Join(m.Open, "; ")))
	}
	doc := gradescope{
		Score: m.Points, Output: Text(strings.Join(m.Notes, "\n")),
		OutputFormat: "text", TestOutputFormat: "text", TestNameFormat: "text",
		Visibility: "visible", StdoutVisibility: "hidden", Tests: []gradescopeTest{},
	}
	for _, it := range c.items(m) {
		t := gradescopeTest{Score: it.Score, Name: Line(it.Name), Number: it.Number, Output: it.Message, Tags: []string{it.Lesson}}
		switch {
		case it.Brave:
			t.Tags = append(t.Tags, "brave")
		default:
			t.MaxScore = &it.Of
		}
		switch {
		case it.Skipped:
		case it.Passed:
			t.Status = "passed"
		default:
			t.Status = "failed"
		}
		doc.Tests = append(doc.Tests, t)
	}
	return writeJSON(w, doc)
}
