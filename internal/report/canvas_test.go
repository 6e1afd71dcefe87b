package report_test

import (
	"bytes"
	"encoding/csv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"conclab/internal/policy"
	"conclab/internal/report"
)

// export has what Canvas's exporter writes: custom columns, the row of manual
// posting, the row of points, read-only totals, and the test student at the end.
const export = `Student,ID,SIS User ID,SIS Login ID,Section,Notes,Homework (881),Concurrency (882),Assignments Current Score,Current Score,Final Score
,,,,,,Manual Posting,,,,
    Points Possible,,,,,,10.00,27.00,(read only),(read only),(read only)
"One, Student",1001,SIS1,s01,"Group A, Tuesday",,7.50,,75.00,75.00,70.00
"Two, ""Q"" Student",1002,SIS2,S02,Group A,"a note
of two lines",,12.00,,,
"Three, Student",1003,SIS3,s03,Group B,,3.00,"",30.00,30.00,30.00
"Four, Student",1004,,s04,Group B,'=cmd,EX,EX,,,
"Five, Student",1005,SIS5,s05,Group B,,,5.00,,,
"Six, Student",1006,SIS6,s06,Group B,,,,,,
"Seven, Student",1007,SIS7,s07,Group B,,,N/A,,,
"Eight, Student",1008,SIS8,s08,Group B,,1.00,0.00,1,1,1
"Other, Student",1099,SIS99,s99,Group B,,1.00,2.00,1,1,1
"Student, Test",1100,,9f1c0c,Group A,,,,,,
`

func fill(t *testing.T, text string, o report.CanvasOptions) (string, report.Filled) {
	t.Helper()
	var b bytes.Buffer
	r, err := report.Canvas(&b, class(), []byte(text), o)
	require.NoError(t, err)
	return b.String(), r
}

func TestCanvasIsFilledInAndReadsBackEqualOtherwise(t *testing.T) {
	comma := func(text string) string { return strings.ReplaceAll(text, "\n", "\r\n") }
	for name, form := range map[string]string{
		"as it is":        export,
		"lines of CR LF":  comma(export),
		"byte order mark": "\ufeff" + export,
		"no end of line":  strings.TrimSuffix(export, "\n"),
	} {
		t.Run(name, func(t *testing.T) {
			got, r := fill(t, form, report.CanvasOptions{Assignment: "Concurrency (882)"})
			assert.Equal(t, "SIS Login ID", r.Match)
			assert.Equal(t, 4, r.Marks, "s01, s02, s03, s08")
			before, after := parse(t, form), parse(t, got)
			require.Len(t, after, len(before))
			want := map[string]string{}
			c := class()
			for _, m := range c.Marks {
				want[m.Entry.ID] = policy.Format(m.Points)
			}
			for i := range before {
				for j := range before[i] {
					id := strings.ToLower(before[i][3])
					if j == 7 && (id == "s01" || id == "s02" || id == "s03" || id == "s08") {
						assert.Equal(t, want[id], after[i][j], id)
						continue
					}
					assert.Equal(t, before[i][j], after[i][j], "line %d, column %d", i+1, j+1)
				}
			}
		})
	}
}

// Not only the values: every byte but those of the marks.
func TestCanvasLeavesEveryOtherByteAlone(t *testing.T) {
	got, _ := fill(t, export, report.CanvasOptions{Assignment: "882"})
	before, after := strings.Split(export, "\n"), strings.Split(got, "\n")
	require.Len(t, after, len(before))
	changed := 0
	for i := range before {
		if before[i] != after[i] {
			changed++
		}
	}
	assert.Equal(t, 4, changed)
	golden(t, "canvas.csv", []byte(got))
}

func parse(t *testing.T, text string) [][]string {
	t.Helper()
	in := csv.NewReader(strings.NewReader(strings.TrimPrefix(text, "\ufeff")))
	rows, err := in.ReadAll()
	require.NoError(t, err)
	return rows
}

func TestCanvasSaysWhoWasLeftOut(t *testing.T) {
	_, r := fill(t, export, report.CanvasOptions{Assignment: "Concurrency"})
	assert.Equal(t, []string{
		"s04 is excused",
		"s05 has no mark yet: pipes: grader error: no space left on the disk",
		"s06 has no mark yet: queues: tampered: the canary passed",
		"s07 does not have this assignment",
		"s99 is in the gradebook and handed nothing in here",
		"9f1c0c is in the gradebook and handed nothing in here",
		"s09 is not in the gradebook",
	}, r.Left)
	assert.Empty(t, r.Remark)
	_, r = fill(t, strings.ReplaceAll(export, "27.00", "100"), report.CanvasOptions{Assignment: "Concurrency"})
	assert.Contains(t, r.Remark, "out of 100 in Canvas, and these marks are out of 27")
}

func TestCanvasForOneStudentAlone(t *testing.T) {
	c, ok := class().Only("s02")
	require.True(t, ok)
	var b bytes.Buffer
	r, err := report.Canvas(&b, c, []byte(export), report.CanvasOptions{Assignment: "882"})
	require.NoError(t, err)
	assert.Equal(t, 1, r.Marks)
	assert.Empty(t, r.Left, "nobody else is looked for")
	before, after := parse(t, export), parse(t, b.String())
	assert.NotEqual(t, before[4][7], after[4][7])
	after[4][7] = before[4][7]
	assert.Equal(t, before, after)
}

func TestCanvasWithSemicolonsAndOtherIDs(t *testing.T) {
	text := "Student;ID;SIS Login ID;Section;Work (5)\n    Points Possible;;;;27,00\nOne;1;x1;A;\nTwo;2;x2;A;1,50\n"
	got, r := fill(t, text, report.CanvasOptions{Normal: func(s string) string { return "s0" + strings.TrimPrefix(s, "x") }})
	assert.Equal(t, "ID", r.Match, "the first of those that know as many")
	assert.Contains(t, got, "One;1;x1;A;35\n")
	assert.Empty(t, r.Remark, "27,00 is 27")
	assert.Equal(t, 2, r.Marks)
}

func TestCanvasSaysWhatIsWrong(t *testing.T) {
	for _, c := range []struct {
		text string
		o    report.CanvasOptions
		want string
	}{
		{"", report.CanvasOptions{}, "no gradebook as Canvas exports it"},
		{"a,b\n1,2\n", report.CanvasOptions{}, "no gradebook as Canvas exports it"},
		{"Student,ID,SIS Login ID,Section\nx,\"1\"y,s01,A\n", report.CanvasOptions{}, "no CSV file"},
		{"Student,ID,SIS Login ID,Section\nx,1,s01,A\n", report.CanvasOptions{}, "has no assignment: make one in Canvas"},
		{export, report.CanvasOptions{}, `Name it with --assignment: "Homework (881)", "Concurrency (882)"`},
		{export, report.CanvasOptions{Assignment: "Other"}, `no assignment "Other": it has "Homework (881)"`},
		{export, report.CanvasOptions{Assignment: "882", Match: "Name"}, "--match can be ID, SIS User ID"},
		{export, report.CanvasOptions{Assignment: "882", Match: "Integration ID"}, `no column "Integration ID"`},
		{"Student,ID,SIS Login ID,Section,W (1)\nx,1,s77,A,\n", report.CanvasOptions{}, "nobody in the gradebook has the id of a submission"},
		{"Student,ID,SIS Login ID,Section,W (1)\nx,1,s01,A,\ny,2,S01,A,\n", report.CanvasOptions{}, "lines 2 and 3 both belong to s01"},
	} {
		var b bytes.Buffer
		_, err := report.Canvas(&b, class(), []byte(c.text), c.o)
		if assert.ErrorContains(t, err, c.want) {
			assert.Empty(t, b.Bytes(), "nothing is written that is half right")
		}
	}
}
