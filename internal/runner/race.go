package runner

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// raceBorder is the line above and below each report of the race detector.
const raceBorder = "=================="

var accessLine = regexp.MustCompile(`(?i)^\s*(?:previous )?((?:atomic )?(?:read|write)) at 0x[0-9a-f]+ by `)

// race puts a report of the race detector into one sentence: the two accesses,
// each with its place. It is empty if the report is incomplete.
func (r *run) race(report []string) string {
	var accesses []string
	inTest := 0
	for i, line := range report {
		m := accessLine.FindStringSubmatch(line)
		if m == nil {
			continue
		}
		stack := report[i+1:]
		if end := slices.IndexFunc(stack, func(l string) bool { return strings.TrimSpace(l) == "" }); end >= 0 {
			stack = stack[:end]
		}
		access := "a " + strings.ToLower(m[1])
		if strings.HasPrefix(access, "a atomic") {
			access = "an" + access[1:]
		}
		if method, ok := strings.CutPrefix(accessor(frames(stack)), "sync.(*WaitGroup)."); ok {
			access = "WaitGroup." + method // whoever calls it knows of no variable
		}
		if at, ok := r.place(stack); ok {
			access += " at " + at.String()
			if strings.HasSuffix(at.file, "_test.go") {
				inTest++
			}
		}
		accesses = append(accesses, access)
	}
	if len(accesses) != 2 {
		return ""
	}
	sentence := fmt.Sprintf("data race: %s and %s happen without anything that orders them", accesses[0], accesses[1])
	if inTest == 2 {
		sentence += "; both are the test's, and it is your code that must order them"
	}
	return sentence
}

// accessor returns the name of the function that an access is in. The detector's
// own functions may be above it.
func accessor(stack []frame) string {
	for _, f := range stack {
		if !strings.HasPrefix(f.function, "runtime.") && !strings.HasPrefix(f.function, "internal/race.") {
			return f.function
		}
	}
	return ""
}
