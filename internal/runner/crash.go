package runner

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

var (
	// crashLine is how the Go runtime begins to say why a program dies, and
	// traceLine begins what follows it. A line that was merely printed by the
	// code under test is not followed by a stack trace.
	crashLine = regexp.MustCompile(`(?m)^(panic|fatal error): `)
	traceLine = regexp.MustCompile(`(?m)^(goroutine \d+ .*\[|runtime stack:|\[signal )`)

	recovered  = regexp.MustCompile(` \[recovered[^\]]*\]`)
	exitInTest = regexp.MustCompile(`^panic: unexpected call to os\.Exit\((\d+)\) during test`)
)

// explainEnd says how a process ended that did not end well, in the middle of a
// test or not.
func (p *record) explainEnd(e ending, inside bool) outcome {
	what, where := "the program", ""
	if inside {
		what, where = "the test", " in the middle of this test"
	}
	switch {
	case e.stopped == errTooLoud:
		return outcome{TooMuchOutput, fmt.Sprintf("%s was stopped because it prints without end: %d MiB, and it went on", what, max(cmp.Or(p.run.output, maxOutput)>>20, 1))}
	case e.stopped == errTooBig:
		return outcome{OutOfMemory, what + " was stopped because it takes more and more memory"}
	case e.stopped == errTooMany:
		return outcome{EndedEarly, what + " was stopped because it starts more and more processes or threads"}
	case e.stopped == errTooSlow && e.outOfAll:
		return outcome{Timeout, what + " was stopped: the time that a candidate's tests may take together was over"}
	case e.stopped == errTooSlow:
		return outcome{Timeout, fmt.Sprintf("%s was stopped because it had not ended after %v", what, e.patience)}
	}
	if o, ok := p.crash(strings.ReplaceAll(e.output, "\x16", ""), where); ok {
		return o
	}
	if e.code >= 0 {
		return exited(fmt.Sprint(e.code), where)
	}
	return outcome{Panic, "the program was ended from outside" + where + ": " + e.how}
}

func exited(status, where string) outcome {
	return outcome{Panic, "the program ended itself with exit status " + status + where}
}

// crash says why a program died, if its output tells.
func (r *run) crash(output, where string) (outcome, bool) {
	// The last one counts: the code may have printed such lines itself.
	for _, start := range slices.Backward(crashLine.FindAllStringIndex(output, -1)) {
		text := output[start[0]:]
		trace := traceLine.FindStringIndex(text)
		if trace == nil {
			continue
		}
		reason := recovered.ReplaceAllString(strings.TrimSpace(text[:trace[0]]), "")
		at, ok := r.place(strings.Split(r.rename(text[trace[0]:]), "\n"))
		if m := exitInTest.FindStringSubmatch(reason); m != nil {
			o := exited(m[1], where)
			if ok {
				o.message += "\n    at " + at.String()
			}
			return o, true
		}
		return explainCrash(reason, at, ok), true
	}
	return outcome{}, false
}

func explainCrash(reason string, at frame, known bool) outcome {
	if todo, ok := strings.CutPrefix(reason, "panic: TODO"); ok {
		// A starter that nobody has touched fails with the words of its author.
		if known {
			todo += fmt.Sprintf(" (%s:%d)", at.file, at.line)
		}
		return outcome{Fail, clean([]string{"TODO" + todo})}
	}
	verdict := Panic
	switch {
	case strings.HasPrefix(reason, "fatal error: concurrent map "):
		verdict = Race
		reason += ": two goroutines use the map, and nothing orders them"
	case strings.HasPrefix(reason, "fatal error: ") && strings.HasSuffix(reason, "from outside bubble"):
		reason += ": it was made in one test and is used in another, as a variable at package level is: make it where it is used"
	case strings.HasPrefix(reason, "fatal error: all goroutines are asleep"):
		verdict = Deadlock
	case strings.HasPrefix(reason, "fatal error: runtime: out of memory"), strings.HasPrefix(reason, "fatal error: runtime: cannot allocate memory"):
		verdict = OutOfMemory
	}
	lines := strings.Split(reason, "\n")
	if len(lines) > 8 {
		lines = append(lines[:8:8], "…")
	}
	if known {
		lines = append(lines, "    at "+at.String())
	}
	if verdict == Race {
		lines = append(lines, aboutRaces)
	}
	return outcome{verdict, clean(lines)}
}
