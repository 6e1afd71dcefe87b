package report

import (
	"bufio"
	"fmt"
	"io"
	"strings"

	"conclab/internal/gradebook"
	"conclab/internal/policy"
)

// Markdown writes what one student should read: the mark, the points of each
// lesson, and what to work on, as much as the policy allows. Everything that
// comes from a submission stands in a code block or is escaped, so that it cannot
// pose as a part of the report.
func Markdown(w io.Writer, c *Class, m policy.Marks) error {
	b := bufio.NewWriter(w)
	fmt.Fprintf(b, "# Feedback for %s\n\n", m.Entry.ID)
	if len(m.Open) > 0 {
		fmt.Fprintf(b, "There is no mark yet: a person will look at it first.\n\n")
	} else {
		fmt.Fprintf(b, "Mark: **%s of %s**\n\n", policy.Format(m.Points), policy.Format(m.Of))
	}
	for _, note := range m.Notes {
		fmt.Fprintf(b, "- %s\n", escape(Line(note)))
	}
	for _, r := range m.Entry.Refused {
		fmt.Fprintf(b, "- %s was not looked at: %s\n", code(Line(r.Path)), r.Word)
	}
	if len(m.Notes)+len(m.Entry.Refused) > 0 {
		fmt.Fprintln(b)
	}

	fmt.Fprintf(b, "| lesson | points | of | |\n| --- | ---: | ---: | --- |\n")
	for _, l := range m.Lessons {
		points, remark := policy.Format(l.Points), ""
		switch {
		case l.Open:
			points, remark = "", "a person will look at it"
		case l.Judged:
			remark = "judged by a person"
		case l.Status != gradebook.Graded:
			remark = string(l.Status)
		default:
			good, all := hold(l)
			remark = fmt.Sprintf("%d of %d rules hold", good, all)
		}
		fmt.Fprintf(b, "| %s | %s | %s | %s |\n", l.Lesson.Lesson, points, policy.Format(l.Of), remark)
	}
	for _, l := range m.Lessons {
		c.markdownLesson(b, l)
	}
	return b.Flush()
}

func (c *Class) markdownLesson(w io.Writer, l policy.LessonMarks) {
	if l.Status != gradebook.Graded {
		if text := c.lessonMessage(l); text != "" && !l.Open {
			fmt.Fprintf(w, "\n## %s: %s\n\n%s", l.Lesson.Lesson, l.Status, fence(text))
		}
		return
	}
	if good, all := hold(l); good == all {
		return
	}
	fmt.Fprintf(w, "\n## %s\n", l.Lesson.Lesson)
	rules := c.rules[l.Lesson.Lesson]
	for _, t := range l.Tasks {
		verdict := taskVerdict(t.Task)
		good, all := holding(t.Task)
		if good == all {
			continue
		}
		brave := ""
		if t.Brave {
			brave = " (for the brave)"
		}
		fmt.Fprintf(w, "\n### %s%s\n", escape(Line(t.Title)), brave)
		if c.Policy.Feedback == policy.Verdict {
			fmt.Fprintf(w, "\n%s\n", verdict)
			continue
		}
		if c.Policy.Feedback == policy.Broken {
			fmt.Fprintln(w)
		}
		for _, test := range t.Task.Tests {
			if test.Passed() || !test.Counts() {
				continue
			}
			if c.Policy.Feedback == policy.Broken {
				fmt.Fprintf(w, "- %s\n", escape(Line(c.message(rules, test))))
				continue
			}
			fmt.Fprintf(w, "\n%s (%s)\n\n%s", escape(words(rules, test.Name)), test.Verdict, fence(c.message(rules, test)))
		}
	}
}

// fence puts text into a code block that it cannot end.
func fence(text string) string {
	longest, run := 2, 0
	for _, r := range text {
		if run++; r != '`' {
			run = 0
		}
		longest = max(longest, run)
	}
	bar := strings.Repeat("`", longest+1)
	return bar + "text\n" + text + "\n" + bar + "\n"
}

// code puts one line into a code span that it cannot end.
func code(line string) string {
	if strings.Contains(line, "`") {
		return escape(line)
	}
	return "`" + line + "`"
}

var escaper = strings.NewReplacer(
	`\`, `\\`, "`", "\\`", "*", `\*`, "_", `\_`, "[", `\[`, "]", `\]`, "<", "&lt;", ">", "&gt;", "&", "&amp;", "|", `\|`, "#", `\#`, "!", `\!`, "~", `\~`)

func escape(line string) string { return escaper.Replace(line) }

// hold counts the rules of a lesson that hold, and those that could be looked at.
func hold(l policy.LessonMarks) (good, all int) {
	for _, t := range l.Tasks {
		g, a := holding(t.Task)
		good, all = good+g, all+a
	}
	return good, all
}

func holding(t gradebook.Task) (good, all int) {
	for _, test := range t.Tests {
		if test.Counts() {
			all++
			if test.Passed() {
				good++
			}
		}
	}
	return good, all
}
