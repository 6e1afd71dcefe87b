package report

import (
	"encoding/xml"
	"fmt"
	"io"
	"time"

	"conclab/internal/gradebook"
)

// The form is gotestsum's, which is that of Jenkins and most others:
// https://github.com/gotestyourself/gotestsum (package junitxml). Only
// what no test of gotestsum's can have is added: the element error, and its
// count.
type junitSuites struct {
	XMLName  xml.Name     `xml:"testsuites"`
	Name     string       `xml:"name,attr"`
	Tests    int          `xml:"tests,attr"`
	Failures int          `xml:"failures,attr"`
	Errors   int          `xml:"errors,attr"`
	Time     string       `xml:"time,attr"`
	Suites   []junitSuite `xml:"testsuite"`
}

type junitSuite struct {
	Tests      int             `xml:"tests,attr"`
	Failures   int             `xml:"failures,attr"`
	Errors     int             `xml:"errors,attr"`
	Skipped    int             `xml:"skipped,attr"`
	Time       string          `xml:"time,attr"`
	Name       string          `xml:"name,attr"`
	Timestamp  string          `xml:"timestamp,attr"`
	Properties []junitProperty `xml:"properties>property"`
	Cases      []junitCase     `xml:"testcase"`
}

type junitProperty struct {
	Name  string `xml:"name,attr"`
	Value string `xml:"value,attr"`
}

type junitCase struct {
	Classname string        `xml:"classname,attr"`
	Name      string        `xml:"name,attr"`
	Time      string        `xml:"time,attr"`
	Skipped   *junitMessage `xml:"skipped"`
	Error     *junitMessage `xml:"error"`
	Failure   *junitMessage `xml:"failure"`
}

type junitMessage struct {
	Message string `xml:"message,attr"`
	Type    string `xml:"type,attr,omitempty"`
	Text    string `xml:",chardata"`
}

// JUnit writes JUnit XML: a suite a submission and lesson, a case a test. What
// the grader could not judge is an error, not a failure; a lesson that was not
// submitted is skipped.
func JUnit(w io.Writer, c *Class) error {
	doc := junitSuites{Name: "conclab", Time: seconds(0)}
	var total float64
	for _, m := range c.Marks {
		total += m.Entry.Seconds
		for _, l := range m.Lessons {
			s := junitSuite{
				Name: m.Entry.ID + "/" + l.Lesson.Lesson, Time: seconds(0), Timestamp: m.Entry.Graded.UTC().Format(time.RFC3339),
				Properties: []junitProperty{
					{"go.version", m.Entry.Made.Go + " " + m.Entry.Made.Platform},
					{"isolation", m.Entry.Made.Isolation},
				},
			}
			add := func(name string, is func(*junitCase)) {
				one := junitCase{Classname: m.Entry.ID + "." + l.Lesson.Lesson, Name: name, Time: seconds(0)}
				is(&one)
				s.Tests++
				switch {
				case one.Skipped != nil:
					s.Skipped++
				case one.Error != nil:
					s.Errors++
				case one.Failure != nil:
					s.Failures++
				}
				s.Cases = append(s.Cases, one)
			}
			if l.Status != gradebook.Graded {
				add(l.Lesson.Lesson, func(one *junitCase) {
					text := &junitMessage{Message: string(l.Status), Type: string(l.Status), Text: detail(l.Lesson)}
					switch l.Status {
					case gradebook.NotSubmitted:
						one.Skipped = &junitMessage{Message: string(l.Status)}
					case gradebook.GraderError, gradebook.Tampered:
						one.Error = text
					default:
						one.Failure = text
					}
				})
			} else {
				for _, t := range l.Tasks {
					for _, test := range t.Task.Tests {
						add(test.Name, func(one *junitCase) {
							switch {
							case !test.Counts():
								one.Skipped = &junitMessage{Message: Line(test.Message)}
							case !test.Passed():
								one.Failure = &junitMessage{Message: "Failed", Type: string(test.Verdict), Text: Text(test.Message)}
							}
						})
					}
				}
			}
			doc.Tests += s.Tests
			doc.Failures += s.Failures
			doc.Errors += s.Errors
			doc.Suites = append(doc.Suites, s)
		}
	}
	doc.Time = seconds(total)
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	out := xml.NewEncoder(w)
	out.Indent("", "\t")
	if err := out.Encode(doc); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n")
	return err
}

func seconds(s float64) string { return fmt.Sprintf("%f", s) }
