package lessons

import "strings"

// Rules returns the rules of the lesson as its text words them, by the name of
// the test that proves each, such as TestQueue/TestPutBlocksWhileFull.
func (l Lesson) Rules() map[string]string {
	rules := map[string]string{}
	for line := range strings.Lines(l.Text()) {
		row := strings.Split(strings.TrimSpace(line), " | ")
		if len(row) != 3 || !strings.HasPrefix(row[0], "| ") || !strings.HasPrefix(row[2], "`Test") {
			continue
		}
		rules[strings.Trim(row[2], "` |")] = strings.ReplaceAll(row[1], "`", "")
	}
	return rules
}
