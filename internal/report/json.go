package report

import (
	"encoding/json"
	"io"
	"time"

	"conclab/internal/gradebook"
	"conclab/internal/policy"
	"conclab/internal/runner"
)

// Version is that of the JSON that [JSON] writes. It grows when a field changes
// its meaning or goes.
const Version = 1

type jsonClass struct {
	Version  int           `json:"version"`
	Lessons  []string      `json:"lessons"`
	Feedback string        `json:"feedback"`
	Students []jsonStudent `json:"students"`

	LeftOut []gradebook.Refused `json:"leftOut,omitempty"` // files beside the submissions that were taken for none
}

type jsonStudent struct {
	ID       string              `json:"id"`
	Name     string              `json:"name"`              // as given: it may hold anything
	HandedIn time.Time           `json:"handedIn,omitzero"` // not there: in time
	Points   *float64            `json:"points"`            // null while the mark is open
	Of       float64             `json:"of"`
	Raw      float64             `json:"raw"` // by the tests alone, before the policy
	RawOf    float64             `json:"rawOf"`
	DaysLate int                 `json:"daysLate"`
	Keeps    float64             `json:"keeps"` // the part that lateness has left
	Open     []string            `json:"open,omitempty"`
	Notes    []string            `json:"notes,omitempty"`
	Refused  []gradebook.Refused `json:"refused,omitempty"`
	Made     gradebook.Made      `json:"made"`
	Lessons  []jsonLesson        `json:"lessons"`
}

type jsonLesson struct {
	Lesson   string              `json:"lesson"`
	Status   gradebook.Status    `json:"status"`
	Why      string              `json:"why,omitempty"`
	Build    string              `json:"build,omitempty"`
	Findings []gradebook.Finding `json:"findings,omitempty"`
	Points   *float64            `json:"points"` // weighted or judged, before lateness; null while open
	Of       float64             `json:"of"`
	Raw      float64             `json:"raw"`
	RawOf    float64             `json:"rawOf"`
	Judged   bool                `json:"judged,omitempty"`
	Tasks    []jsonTask          `json:"tasks"`
}

type jsonTask struct {
	Test   string     `json:"test"`
	Title  string     `json:"title"`
	Brave  bool       `json:"brave,omitempty"`
	Points float64    `json:"points"` // raw
	Of     float64    `json:"of"`
	Tests  []jsonTest `json:"tests"`
}

type jsonTest struct {
	Name    string         `json:"name"`
	Verdict runner.Verdict `json:"verdict,omitempty"`
	Points  float64        `json:"points"` // raw
	Of      float64        `json:"of"`
	Runs    int            `json:"runs"`
	Passes  int            `json:"passes"`
	Failing *gradebook.Run `json:"failing,omitempty"`
	Message string         `json:"message,omitempty"`
}

// JSON writes everything, for programs. A mark that is still open is null.
func JSON(w io.Writer, c *Class) error {
	doc := jsonClass{Version: Version, Lessons: c.Policy.Lessons, Feedback: string(c.Policy.Feedback), Students: []jsonStudent{}, LeftOut: c.LeftOut}
	for _, m := range c.Marks {
		s := jsonStudent{
			ID: m.Entry.ID, Name: m.Entry.Name, HandedIn: c.Policy.HandedIn[m.Entry.ID],
			Points: unless(len(m.Open) > 0, m.Points), Of: m.Of, Raw: m.Raw, RawOf: m.RawOf,
			DaysLate: m.DaysLate, Keeps: policy.Round(m.Keeps), Open: m.Open, Notes: m.Notes,
			Refused: m.Entry.Refused, Made: m.Entry.Made, Lessons: []jsonLesson{},
		}
		for _, l := range m.Lessons {
			jl := jsonLesson{
				Lesson: l.Lesson.Lesson, Status: l.Status, Why: l.Why, Build: l.Build, Findings: l.Findings,
				Points: unless(l.Open, l.Points), Of: l.Of, Raw: l.Raw, RawOf: l.RawOf, Judged: l.Judged, Tasks: []jsonTask{},
			}
			for _, t := range l.Tasks {
				jt := jsonTask{Test: t.Test, Title: t.Title, Brave: t.Brave, Points: policy.Round(t.Raw), Of: t.RawOf, Tests: []jsonTest{}}
				for i, test := range t.Task.Tests {
					jt.Tests = append(jt.Tests, jsonTest{
						Name: test.Name, Verdict: test.Verdict, Points: policy.Round(t.Tests[i]), Of: policy.Round(t.TestsOf[i]),
						Runs: test.Runs, Passes: test.Passes, Failing: test.Failing, Message: test.Message,
					})
				}
				jl.Tasks = append(jl.Tasks, jt)
			}
			s.Lessons = append(s.Lessons, jl)
		}
		doc.Students = append(doc.Students, s)
	}
	return writeJSON(w, doc)
}

func unless(missing bool, v float64) *float64 {
	if missing {
		return nil
	}
	return &v
}

func writeJSON(w io.Writer, v any) error {
	out := json.NewEncoder(w)
	out.SetIndent("", " ")
	out.SetEscapeHTML(false)
	return out.Encode(v)
}
