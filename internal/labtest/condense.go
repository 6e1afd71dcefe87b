package labtest

import "strings"

// The most that a failure may show of what was expected and what came.
const (
	maxDetails = 8
	maxWidth   = 240
)

// condense cuts testify's report (error trace, error, test, messages, diff) down
// to its message and the lines that say what was expected and what came. Any
// other text is taken as it is: first line, further lines.
func condense(text string) (what string, details []string) {
	label, sections := "", map[string][]string{}
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\r\n")
		rest, labelled := strings.CutPrefix(line, "\t")
		if name, content, ok := strings.Cut(rest, ":"); labelled && ok && isLabel(name) {
			label, line = name, strings.TrimLeft(content, " ")
		}
		sections[label] = append(sections[label], strings.Trim(line, "\t "))
	}
	if sections["Error Trace"] == nil {
		lines := strings.Split(strings.TrimSpace(text), "\n")
		return lines[0], limit(lines[1:])
	}

	what = strings.Join(sections["Messages"], " ")
	prefix := ""
	for _, line := range sections["Error"] {
		if line == "Diff:" {
			break
		}
		switch line = strings.TrimSpace(line); line {
		case "", "Not equal:", "Should be true", "Should be false":
		case "Received unexpected error:":
			prefix = "the error: "
		default:
			if prefix != "" && line == "<nil>" {
				line = "a nil pointer in a variable of type error, which is not nil: return nil itself"
			}
			details = append(details, prefix+line)
			prefix = ""
		}
	}
	if what == "" {
		what = "not so:"
	}
	return what, limit(details)
}

func isLabel(name string) bool {
	switch name {
	case "Error Trace", "Error", "Test", "Messages":
		return true
	}
	return false
}

func limit(lines []string) []string {
	if len(lines) > maxDetails {
		lines = append(lines[:maxDetails-1:maxDetails-1], "…")
	}
	return lines
}

// cut shortens a line that nobody would read to its end.
func cut(line string) string {
	runes := []rune(line)
	if len(runes) <= maxWidth {
		return line
	}
	return string(runes[:maxWidth-1]) + "…"
}
