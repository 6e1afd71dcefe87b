package lessons

import (
	"regexp"
	"strings"
)

var ruleRow = regexp.MustCompile("(?m)^\\| [^|]+ \\| (.+) \\| `(Test[^`]+)` \\|$")

// Rules returns the rules of the lesson as its text words them, by the name of
// the test that proves each, such as TestQueue/TestPutBlocksWhileFull.
func (l Lesson) Rules() map[string]string {
	rules := map[string]string{}
	for _, row := range ruleRow.FindAllStringSubmatch(l.Text(), -1) {
		rules[row[2]] = strings.ReplaceAll(row[1], "`", "")
	}
	return rules
}
