package report_test

import (
	"bytes"
	"encoding/base64"
	"encoding/csv"
	"encoding/json"
	"encoding/xml"
	"errors"
	"flag"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"conclab/internal/gradebook"
	"conclab/internal/policy"
	"conclab/internal/report"
	"conclab/internal/runner"
	"conclab/lessons"
)

var update = flag.Bool("update", false, "write the golden files anew")

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		require.NoError(t, os.WriteFile(file, got, 0o600))
	}
	want, err := os.ReadFile(file)
	require.NoError(t, err)
	// Not assert.Equal: it would print both files.
	if !bytes.Equal(want, got) {
		t.Errorf("%s has changed; go test ./internal/report -update writes it anew, and git diff shows what changed", file)
	}
}

func one(t *testing.T, c *report.Class, id string) policy.Marks {
	t.Helper()
	m, ok := c.Find(id)
	require.True(t, ok)
	return m
}

func TestGoldenFiles(t *testing.T) {
	c := class()
	for _, f := range report.Forms() {
		if f.Class != nil {
			var b bytes.Buffer
			require.NoError(t, f.Class(&b, c))
			golden(t, f.Name+f.Ext, b.Bytes())
			continue
		}
		for _, id := range []string{"s02", "s03", "s04", "s05", "s07", "s08", "s09"} {
			var b bytes.Buffer
			err := f.Each(&b, c, one(t, c, id))
			if id == "s05" && f.Name == "gradescope" {
				assert.ErrorIs(t, err, report.ErrOpen)
				assert.Empty(t, b.Bytes())
				continue
			}
			require.NoError(t, err)
			golden(t, f.Name+"-"+id+f.Ext, b.Bytes())
		}
	}
}

func TestReportsAreTheSameWhateverTheOrderOfTheEntries(t *testing.T) {
	c := class()
	var entries []*gradebook.Entry
	for i := range c.Marks {
		entries = append(entries, c.Marks[len(c.Marks)-1-i].Entry)
	}
	again := report.New(c.Policy, entries)
	for _, f := range report.Forms() {
		if f.Class == nil {
			continue
		}
		var a, b bytes.Buffer
		require.NoError(t, f.Class(&a, c))
		require.NoError(t, f.Class(&b, again))
		assert.True(t, bytes.Equal(a.Bytes(), b.Bytes()), f.Name)
	}
}

func TestAnEmptyClassIsNoReasonToFail(t *testing.T) {
	for _, f := range report.Forms() {
		if f.Class != nil {
			assert.NoError(t, f.Class(io.Discard, report.New(policy.Default(), nil)), f.Name)
		}
	}
}

type failing struct{}

func (failing) Write([]byte) (int, error) { return 0, errors.New("disk full") }

func TestWriteErrorsComeThrough(t *testing.T) {
	c := class()
	for _, f := range report.Forms() {
		if f.Class != nil {
			assert.ErrorContains(t, f.Class(failing{}, c), "disk full", f.Name)
		} else {
			assert.ErrorContains(t, f.Each(failing{}, c, one(t, c, "s02")), "disk full", f.Name)
		}
	}
	_, err := report.Canvas(failing{}, c, []byte(export), report.CanvasOptions{Assignment: "882"})
	assert.ErrorContains(t, err, "disk full")
}

func TestNoMarkLeavesWithAGraderError(t *testing.T) {
	c := class()
	for _, id := range []string{"s05", "s06"} {
		var b bytes.Buffer
		require.NoError(t, report.CSV(&b, c))
		rows, err := csv.NewReader(&b).ReadAll()
		require.NoError(t, err)
		for _, row := range rows[1:] {
			if row[0] == id {
				assert.Empty(t, row[6], "the mark's cell")
			}
		}
		b.Reset()
		require.NoError(t, report.JSON(&b, c))
		var doc struct {
			Students []struct {
				ID     string
				Points *float64
				Open   []string
			}
		}
		require.NoError(t, json.Unmarshal(b.Bytes(), &doc))
		for _, s := range doc.Students {
			assert.Equal(t, s.ID == "s05" || s.ID == "s06", s.Points == nil, s.ID)
			assert.Equal(t, s.Points == nil, len(s.Open) > 0, s.ID)
		}
		b.Reset()
		require.NoError(t, report.Markdown(&b, c, one(t, c, id)))
		assert.Contains(t, b.String(), "There is no mark yet")
		assert.NotContains(t, b.String(), "disk", "what went wrong inside is not the student's business")

		b.Reset()
		require.NoError(t, report.Classroom(&b, c, one(t, c, id)))
		r := decodeClassroom(t, b.Bytes())
		assert.Equal(t, "error", r.Status)
		assert.NotContains(t, string(r.Text), "disk")
		assert.Zero(t, r.MaxScore, "for which the reporter reports no points")
	}
	assert.Equal(t, []string{
		"s05 has no mark yet: pipes: grader error: no space left on the disk",
		"s06 has no mark yet: queues: tampered: the canary passed",
	}, c.Warnings())
	assert.Contains(t, class("\nfeedback: full").Warnings(), "s05 has no mark yet: pipes: grader error: no space left on the disk")
}

func TestRefusedFilesWhereALessonIsMissing(t *testing.T) {
	e := entry("s01", "", nil, nil)
	e.Refused = []gradebook.Refused{{Path: "all.zip", Word: "too big"}}
	assert.Empty(t, report.New(policy.Default(), []*gradebook.Entry{e}).Warnings())
	e.Lessons[0].Status = gradebook.NotSubmitted
	assert.Equal(t, []string{"s01 has submitted files that were refused, such as all.zip (too big), and not every lesson"},
		report.New(policy.Default(), []*gradebook.Entry{e}).Warnings())
	e.Refused = []gradebook.Refused{{Path: "notes.txt", Word: "unknown"}, {Path: "solutions/queues.go", Word: "misplaced"}}
	assert.Equal(t, []string{"s01 has submitted files that were refused, such as solutions/queues.go (misplaced), and not every lesson"},
		report.New(policy.Default(), []*gradebook.Entry{e}).Warnings())
	e.Refused = e.Refused[:1]
	assert.Len(t, report.New(policy.Default(), []*gradebook.Entry{e}).Warnings(), 1)
}

func TestFilesThatWereNoSubmissionsAreNamed(t *testing.T) {
	c := class()
	c.LeftOut = []gradebook.Refused{{Path: "carol\x1b.rar", Word: "unknown"}}
	want := "carol\ufffd.rar is no submission (unknown) and was left out: if somebody handed it in, make a folder, a .zip or a .tar.gz of it, and grade again"
	assert.Contains(t, c.Warnings(), want)
	for name, write := range map[string]func(io.Writer, *report.Class) error{"table": report.Table, "html": report.HTML} {
		var b bytes.Buffer
		require.NoError(t, write(&b, c))
		assert.Contains(t, b.String(), want, name)
	}
	var b bytes.Buffer
	require.NoError(t, report.JSON(&b, c))
	assert.Contains(t, b.String(), `"leftOut": [`)
	one, _ := c.Only("s01")
	assert.NotContains(t, one.Warnings(), want, "it is not this one's")
}

func TestNamesThatWouldHaveTheSameID(t *testing.T) {
	warnings := func(byID ...string) []string {
		var all []*gradebook.Entry
		for i := 0; i < len(byID); i += 2 {
			all = append(all, entry(byID[i], byID[i+1], nil, nil))
		}
		return report.New(policy.Default(), all).Warnings()
	}
	assert.Empty(t, warnings("alice", "Alice", "bob", "bob.zip", "jane-doe-1", "Jane Doe_1", "jane-doe-2", "Jane Doe_2", "x-1", "日本", "x-2", "名前"))
	assert.Equal(t, []string{
		"alice (alice) and alice-3bc51062 (Alice) would have the same id: if they are one student's, keep one and grade again; if not, see that the policy means the right one",
		"bob (bob) and bob-12345678 (bob.zip) would have the same id: if they are one student's, keep one and grade again; if not, see that the policy means the right one",
	}, warnings("alice", "alice", "alice-3bc51062", "Alice", "bob", "bob", "bob-12345678", "bob.zip", "x", ""))
}

func TestNamesInThePolicyThatAreNobodys(t *testing.T) {
	p := policy.Default()
	p.Judged = map[string]map[string]float64{"s99": {"queues": 1}}
	assert.Equal(t, []string{"the policy names s99, who is not in this class"}, report.New(p, nil).Warnings())
}

func TestFewerRunsThanThePolicyWants(t *testing.T) {
	p := policy.Default()
	p.Repeats = 2
	e := &gradebook.Entry{Version: 1, ID: "s01", Made: gradebook.Made{Repeats: make([]gradebook.Run, 1)}}
	assert.Equal(t, []string{"the policy wants 2 runs of each test, and s01 was graded with 1: grade again by this policy"},
		report.New(p, []*gradebook.Entry{e}).Warnings())
	e.Made.Repeats = make([]gradebook.Run, 3)
	assert.Empty(t, report.New(p, []*gradebook.Entry{e}).Warnings(), "more is no harm")
}

// CSV: formulas.

func TestCellsThatWouldBeFormulasAreDefused(t *testing.T) {
	for cell, want := range map[string]string{
		"=1+1": "'=1+1", "+1": "'+1", "-1": "'-1", "@SUM(1)": "'@SUM(1)", " =1": "' =1", "\t=1": "'\t=1", "\tx": "'\tx", "\rx": "'\rx",
		"＝1": "'＝1", "|x": "'|x", "%x": "'%x", "a=1": "a=1", "": "", "Two, Student": "Two, Student", "3": "3",
	} {
		assert.Equal(t, want, report.Defuse(cell), "%q", cell)
	}
	var b bytes.Buffer
	require.NoError(t, report.CSV(&b, class()))
	rows, err := csv.NewReader(bytes.NewReader(b.Bytes())).ReadAll()
	require.NoError(t, err)
	assert.Equal(t, "'=cmd|' /C calc'!A0", rows[4][1])
	assert.Equal(t, "Newline Name Tab", rows[3][1])
	assert.Equal(t, `Two, "Student"`, rows[2][1])
	for _, row := range rows {
		for _, cell := range row {
			assert.False(t, cell != "" && strings.ContainsAny(cell[:1], "=+-@\t\r"), "%q", cell)
		}
	}
}

// Marks that leave add up.

type classroomResult struct {
	Version  *int
	Status   string
	MaxScore *float64 `json:"max_score"`
	Tests    []struct {
		Name, Status, Message string
		Score                 *float64
	}
}

type decoded struct {
	Text          []byte
	Status        string
	MaxScore, Sum float64
}

// decodeClassroom reads a result as the reporter does: base64, JSON, the sum of
// the tests' scores.
func decodeClassroom(t *testing.T, line []byte) decoded {
	t.Helper()
	assert.Equal(t, 1, bytes.Count(line, []byte("\n")), "one line")
	text, err := base64.StdEncoding.DecodeString(string(bytes.TrimSpace(line)))
	require.NoError(t, err)
	var r classroomResult
	in := json.NewDecoder(bytes.NewReader(text))
	in.DisallowUnknownFields()
	require.NoError(t, in.Decode(&r))
	require.NotNil(t, r.Version)
	require.NotNil(t, r.MaxScore)
	assert.Equal(t, 1, *r.Version)
	assert.Contains(t, []string{"pass", "fail", "error"}, r.Status)
	assert.NotEmpty(t, r.Tests, "the reporter divides by their number")
	d := decoded{Text: text, Status: r.Status, MaxScore: *r.MaxScore}
	for _, test := range r.Tests {
		assert.Contains(t, []string{"pass", "fail", "error"}, test.Status)
		require.NotNil(t, test.Score)
		d.Sum += *test.Score
	}
	return d
}

func TestWhatLeavesAddsUpToTheMark(t *testing.T) {
	for _, feedback := range []string{"full", "rule", "verdict"} {
		for _, c := range []*report.Class{class("\nfeedback: " + feedback), bigClass(40)} {
			for _, m := range c.Marks {
				var b bytes.Buffer
				require.NoError(t, report.Classroom(&b, c, m))
				r := decodeClassroom(t, b.Bytes())
				if len(m.Open) > 0 {
					continue
				}
				assert.InDelta(t, m.Points, r.Sum, 1e-6, m.Entry.ID)
				assert.Equal(t, m.Of, r.MaxScore)

				b.Reset()
				require.NoError(t, report.Gradescope(&b, c, m))
				var g struct {
					Score float64
					Tests []struct {
						Score    float64
						MaxScore float64 `json:"max_score"`
					}
				}
				require.NoError(t, json.Unmarshal(b.Bytes(), &g))
				var sum, of float64
				for _, test := range g.Tests {
					sum += test.Score
					of += test.MaxScore
					assert.GreaterOrEqual(t, test.Score, 0.0)
				}
				assert.Equal(t, m.Points, g.Score)
				assert.InDelta(t, m.Points, sum, 1e-6, m.Entry.ID)
				assert.InDelta(t, m.Of, of, 1e-6, m.Entry.ID)
			}
		}
	}
}

func TestAClassroomResultFitsIntoOneVariable(t *testing.T) {
	c := bigClass(1)
	for i := range c.Marks[0].Lessons {
		for j := range c.Marks[0].Lessons[i].Tasks {
			for k := range c.Marks[0].Lessons[i].Tasks[j].Task.Tests {
				test := &c.Marks[0].Lessons[i].Tasks[j].Task.Tests[k]
				test.Verdict, test.Message = runner.Fail, strings.Repeat("ä long message ", 300)
			}
		}
	}
	var b bytes.Buffer
	require.NoError(t, report.Classroom(&b, c, c.Marks[0]))
	assert.Less(t, b.Len(), 128<<10)
	decodeClassroom(t, b.Bytes())
}

// Gradescope: only fields that its specification names.
func TestGradescopeUsesDocumentedFieldsOnly(t *testing.T) {
	c := class()
	for _, m := range c.Marks {
		if len(m.Open) > 0 {
			continue
		}
		var b bytes.Buffer
		require.NoError(t, report.Gradescope(&b, c, m))
		var doc struct {
			Score            *float64 `json:"score"`
			ExecutionTime    *float64 `json:"execution_time"`
			Output           string   `json:"output"`
			OutputFormat     string   `json:"output_format"`
			TestOutputFormat string   `json:"test_output_format"`
			TestNameFormat   string   `json:"test_name_format"`
			Visibility       string   `json:"visibility"`
			StdoutVisibility string   `json:"stdout_visibility"`
			Tests            []struct {
				Score        *float64 `json:"score"`
				MaxScore     *float64 `json:"max_score"`
				Status       string   `json:"status"`
				Name         string   `json:"name"`
				NameFormat   string   `json:"name_format"`
				Number       string   `json:"number"`
				Output       string   `json:"output"`
				OutputFormat string   `json:"output_format"`
				Tags         []string `json:"tags"`
				Visibility   string   `json:"visibility"`
			} `json:"tests"`
		}
		in := json.NewDecoder(&b)
		in.DisallowUnknownFields()
		require.NoError(t, in.Decode(&doc))
		require.NotNil(t, doc.Score)
		formats := []string{"text", "html", "simple_format", "md", "ansi"}
		assert.Subset(t, formats, []string{doc.OutputFormat, doc.TestOutputFormat, doc.TestNameFormat})
		assert.Subset(t, []string{"hidden", "after_due_date", "after_published", "visible"}, []string{doc.Visibility, doc.StdoutVisibility})
		for _, test := range doc.Tests {
			require.NotNil(t, test.Score)
			assert.Contains(t, []string{"", "passed", "failed"}, test.Status)
		}
	}
}

// JUnit: the form that gotestsum writes, read from a file that gotestsum wrote.

func TestJUnitHasTheFormThatGotestsumWrites(t *testing.T) {
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "gotest.tools/gotestsum").Output()
	require.NoError(t, err)
	theirs, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(out)), "internal", "junitxml", "testdata", "junitxml-report.golden"))
	require.NoError(t, err)
	known := shape(t, theirs)

	var b bytes.Buffer
	require.NoError(t, report.JUnit(&b, class()))
	ours := shape(t, b.Bytes())
	extra := map[string]bool{ // the JUnit schema has them, gotestsum does not need them
		"testsuites/testsuite@errors":                 true,
		"testsuites/testsuite@skipped":                true,
		"testsuites/testsuite/testcase/error":         true,
		"testsuites/testsuite/testcase/error@message": true,
		"testsuites/testsuite/testcase/error@type":    true,
	}
	for path := range ours {
		assert.True(t, known[path] || extra[path], "gotestsum does not write %s", path)
	}
	for path := range known {
		assert.True(t, ours[path] || strings.HasPrefix(path, "testsuites/testsuite/testcase/properties"), "gotestsum writes %s", path)
	}
}

// shape lists the paths of all elements and attributes of an XML file.
func shape(t *testing.T, text []byte) map[string]bool {
	t.Helper()
	found := map[string]bool{}
	var path []string
	in := xml.NewDecoder(bytes.NewReader(text))
	for {
		token, err := in.Token()
		if errors.Is(err, io.EOF) {
			return found
		}
		require.NoError(t, err)
		switch token := token.(type) {
		case xml.StartElement:
			path = append(path, token.Name.Local)
			at := strings.Join(path, "/")
			found[at] = true
			for _, a := range token.Attr {
				found[at+"@"+a.Name.Local] = true
			}
		case xml.EndElement:
			path = path[:len(path)-1]
		}
	}
}

func TestJUnitCountsWhatItHolds(t *testing.T) {
	var b bytes.Buffer
	require.NoError(t, report.JUnit(&b, class()))
	type counts struct {
		Tests    int `xml:"tests,attr"`
		Failures int `xml:"failures,attr"`
		Errors   int `xml:"errors,attr"`
		Skipped  int `xml:"skipped,attr"`
	}
	var doc struct {
		counts
		Suites []struct {
			counts
			Cases []struct {
				Failure *string `xml:"failure"`
				Error   *string `xml:"error"`
				Skipped *string `xml:"skipped"`
			} `xml:"testcase"`
		} `xml:"testsuite"`
	}
	require.NoError(t, xml.Unmarshal(b.Bytes(), &doc))
	var total counts
	for _, s := range doc.Suites {
		var have counts
		for _, c := range s.Cases {
			have.Tests++
			switch {
			case c.Failure != nil:
				have.Failures++
			case c.Error != nil:
				have.Errors++
			case c.Skipped != nil:
				have.Skipped++
			}
		}
		assert.Equal(t, s.counts, have)
		total.Tests += have.Tests
		total.Failures += have.Failures
		total.Errors += have.Errors
	}
	assert.Equal(t, doc.Tests, total.Tests)
	assert.Equal(t, doc.Failures, total.Failures)
	assert.Equal(t, doc.Errors, total.Errors)
	assert.Equal(t, 3, total.Errors, "s05, s06 and s08")
}

// The schema is that of testdata/junit.xsd.
func TestJUnitIsValid(t *testing.T) {
	lint, err := exec.LookPath("xmllint")
	if err != nil {
		t.Skip("skipped, because xmllint is not there (Debian's package libxml2-utils)")
	}
	out, err := exec.Command(lint, "--nonet", "--noout", "--schema", filepath.Join("testdata", "junit.xsd"), filepath.Join("testdata", "junit.xml")).CombinedOutput()
	assert.NoError(t, err, string(out))
}

// Feedback levels.

func TestFeedbackSaysNoMoreThanThePolicyAllows(t *testing.T) {
	const line, rule, verdict = "queues.go:69", "Put must block while maxsize items wait", "deadlock"
	for _, c := range []struct {
		level               string
		line, rule, verdict bool
	}{
		{"full", true, true, true},
		{"rule", false, true, true},
		{"verdict", false, false, true},
	} {
		class := class("\nfeedback: " + c.level)
		m := one(t, class, "s02")
		// The first task that fails decides the task's verdict.
		m.Lessons[0].Tasks[1].Task.Tests[3].Verdict = runner.Deadlock
		m.Lessons[0].Tasks[1].Task.Tests[3].Name = "TestQueue/TestPutBlocksWhileFull"
		for _, f := range report.Forms() {
			if f.Each == nil {
				continue
			}
			var b bytes.Buffer
			require.NoError(t, f.Each(&b, class, m))
			text := b.String()
			if f.Name == "classroom" {
				raw, err := base64.StdEncoding.DecodeString(strings.TrimSpace(text))
				require.NoError(t, err)
				text = string(raw)
			}
			assert.Equal(t, c.line, strings.Contains(text, line), "%s %s: the line", f.Name, c.level)
			assert.Equal(t, c.rule, strings.Contains(text, rule), "%s %s: the rule", f.Name, c.level)
			assert.Equal(t, c.verdict, strings.Contains(text, verdict), "%s %s: the verdict", f.Name, c.level)
		}
	}
}

func TestTheSeedOfAFailedRepeatIsReported(t *testing.T) {
	c := class()
	var b bytes.Buffer
	require.NoError(t, report.Markdown(&b, c, one(t, c, "s09")))
	assert.Contains(t, b.String(), "it passed 3 of 4 runs; one that failed ran with GOMAXPROCS=2 and seed 77")
}

// Nothing from a submission can pose as a part of a report.

func TestNothingFromASubmissionBreaksOut(t *testing.T) {
	c := class()
	m := one(t, c, "s02")
	for _, f := range report.Forms() {
		var b bytes.Buffer
		if f.Class != nil {
			require.NoError(t, f.Class(&b, c))
		} else {
			require.NoError(t, f.Each(&b, c, m))
		}
		assert.NotContains(t, b.String(), "\x1b", f.Name)
		if f.Name == "html" {
			assert.NotContains(t, b.String(), "<6>")
			assert.Contains(t, b.String(), "student &lt;6&gt; &amp; co")
		}
		if f.Name == "markdown" {
			// The message holds three backticks and a line that would be a heading.
			assert.Contains(t, b.String(), "\n````text\n")
		}
	}
}

func TestRulesAreThoseOfTheTexts(t *testing.T) {
	for _, l := range lessons.All() {
		rules := l.Rules()
		assert.NotEmpty(t, rules, l.Name)
		for _, task := range l.Tasks {
			assert.NotEmpty(t, testNames(l)[task.Test], task.Test)
		}
	}
}

// HTML: one page that needs nothing else.

func TestThePageNeedsNothingElse(t *testing.T) {
	for _, c := range []*report.Class{class(), bigClass(60), report.New(policy.Default(), nil)} {
		var b bytes.Buffer
		require.NoError(t, report.HTML(&b, c))
		in := xml.NewDecoder(&b) // the page is XML as well, so every element must end
		for {
			token, err := in.Token()
			if errors.Is(err, io.EOF) {
				break
			}
			require.NoError(t, err)
			e, ok := token.(xml.StartElement)
			if !ok {
				continue
			}
			assert.NotContains(t, []string{"script", "link", "img", "iframe", "object", "use", "image"}, e.Name.Local)
			for _, a := range e.Attr {
				assert.NotContains(t, []string{"src", "href", "style"}, a.Name.Local)
				assert.False(t, strings.HasPrefix(a.Name.Local, "on"), a.Name.Local)
				assert.NotContains(t, a.Value, "ZgotmplZ", "the template did not trust what it was given")
			}
		}
	}
	page, err := os.ReadFile("class.html")
	require.NoError(t, err)
	for _, want := range []string{"prefers-color-scheme: dark", "@media print", "print-color-adjust: exact"} {
		assert.Contains(t, string(page), want)
	}
	assert.NotContains(t, string(page), "http")
	assert.NotContains(t, string(page), "url(")
}
