package report_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"conclab/internal/report"
)

// A grading worksheet as Moodle makes it: with a byte order mark.
const worksheet = "\ufeff" + `Identifier,"Full name","Email address",Status,Grade,"Maximum Grade","Grade can be changed","Last modified (submission)","Last modified (grade)","Feedback comments"
"Participant 1","student 1",s1@example.org,"Submitted for grading",,27.00,Yes,"Sunday, 1 March 2026, 12:00 PM",-,""
"Participant 5","student 5",s5@example.org,"Submitted for grading",3.00,27.00,Yes,-,-,"a ""note"", kept"
"Participant 7","student 7",s7@example.org,"Submitted for grading",1.00,27.00,No,-,-,
"Participant 99",other,s99@example.org,"No submission",,27.00,Yes,-,-,
`

func moodleClass() *report.Class {
	c := class()
	for i := range c.Marks {
		c.Marks[i].Entry.Name = "student_" + strings.TrimPrefix(c.Marks[i].Entry.ID, "s0")
	}
	return c
}

func TestMoodlesWorksheetIsFilledIn(t *testing.T) {
	var b bytes.Buffer
	r, err := report.Moodle(&b, moodleClass(), []byte(worksheet), report.MoodleOptions{})
	require.NoError(t, err)
	assert.Equal(t, strings.Replace(worksheet, `grading",,27.00`, `grading",27,27.00`, 1), b.String(), "one cell, and nothing else")
	assert.Equal(t, 1, r.Marks)
	assert.Equal(t, []string{
		"s01 has 35, and Moodle takes no more than 27: that is filled in",
		"s05 has no mark yet: pipes: grader error: no space left on the disk",
		"s07 has a grade that may not be changed",
		"Participant 99 is in the worksheet and handed nothing in here",
		"s02 is not in the worksheet",
		"s03 is not in the worksheet",
		"s04 is not in the worksheet",
		"s06 is not in the worksheet",
		"s08 is not in the worksheet",
		"s09 is not in the worksheet",
	}, r.Left)
	golden(t, "moodle.csv", b.Bytes())
}

func TestMoodleForOneStudentAlone(t *testing.T) {
	c, ok := moodleClass().Only("s01")
	require.True(t, ok)
	var b bytes.Buffer
	r, err := report.Moodle(&b, c, []byte(worksheet), report.MoodleOptions{})
	require.NoError(t, err)
	assert.Equal(t, strings.Replace(worksheet, `grading",,27.00`, `grading",27,27.00`, 1), b.String())
	assert.Equal(t, []string{"s01 has 35, and Moodle takes no more than 27: that is filled in"}, r.Left, "nobody else is looked for")
}

func TestMoodleSaysWhatIsWrong(t *testing.T) {
	same := moodleClass()
	same.Marks[0].Entry.Name = "twin_2"
	for _, c := range []struct {
		class *report.Class
		text  string
		want  string
	}{
		{moodleClass(), "", "no grading worksheet as Moodle makes it"},
		{moodleClass(), export, `it has no columns "Identifier" and "Grade"`},
		{moodleClass(), "Identifier,Grade\n\"x\"y,1\n", "no CSV file"},
		{moodleClass(), "Identifier,Grade\nParticipant 1\n", "line 2 has 1 cells instead of 2"},
		{moodleClass(), "Identifier,Grade\nParticipant 1,\nParticipant 1,\n", "has Participant 1 twice"},
		{same, worksheet, "s01 and s02 both have Moodle's number 2"},
	} {
		var b bytes.Buffer
		_, err := report.Moodle(&b, c.class, []byte(c.text), report.MoodleOptions{})
		if assert.ErrorContains(t, err, c.want) {
			assert.Empty(t, b.Bytes())
		}
	}
}
