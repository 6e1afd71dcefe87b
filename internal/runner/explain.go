package runner

import (
	"cmp"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"gotest.tools/gotestsum/testjson"

	"conclab/lessons"
)

// maxWidth is where a line of a message ends, in characters.
const maxWidth = 300

// aboutRaces is the line that says where to read what a data race is.
var aboutRaces = "    see " + lessons.Section(lessons.Race)

// found is what a test's output gives away.
type found struct {
	own      []string // what the test itself says
	printed  []string // what the code under test printed
	races    []string // each data race in a sentence
	raced    bool     // also where the report itself is lost
	panicked bool     // in the test's own goroutine, and recovered
}

// judgeTest settles what a test that ended says, and whether it said anything.
func (p *record) judgeTest(action testjson.Action, t *progress) (o outcome, spoke bool) {
	if action == testjson.ActionPass {
		return outcome{Pass, ""}, false
	}
	f, message := p.explain(t.output.String())
	if action == testjson.ActionSkip {
		return outcome{Skip, message}, true
	}
	if f.raced && len(f.own) == 0 {
		message = t.broke(message)
	}
	return outcome{cmp.Or(named(t.attr), f.verdict()), message}, len(f.own) > 0
}

// named returns the verdict of that name, if a test may give it to itself.
func named(attr string) Verdict {
	v := Verdict(attr)
	if slices.Contains([]Verdict{Fail, Panic, Deadlock, Leak, Timeout, DidNotRun}, v) {
		return v
	}
	return ""
}

func (f found) verdict() Verdict {
	switch {
	case f.panicked:
		return Panic
	case f.raced && len(f.own) == 0:
		return Race
	}
	return Fail
}

// explain turns the output of a failed test into what the learner should read:
// the test's own words, then the data races, then what was printed.
func (r *run) explain(output string) (found, string) {
	f := r.sort(strings.Split(r.rename(output), "\n"))
	message := slices.Concat(dedent(f.own), f.races)
	if f.raced && len(f.races) == 0 {
		message = append(message, "data race: the race detector saw one while this test ran")
	}
	if f.raced {
		message = append(message, aboutRaces)
	}
	if len(message) == 0 {
		message = append(message, "the test failed without a word")
	}
	if room := maxMessage - len(message) - 1; room > 0 && len(f.printed) > 0 {
		message = append(message, "it printed:")
		if over := len(f.printed) - room; over > 0 {
			f.printed = append([]string{"…"}, f.printed[over+1:]...)
		}
		for _, line := range f.printed {
			message = append(message, "    "+line)
		}
	}
	return f, clean(message)
}

var (
	framing    = regexp.MustCompile(`^(=== (RUN|PAUSE|CONT|NAME|PASS|FAIL|SKIP|ATTR|ARTIFACTS) |\s*--- (PASS|FAIL|SKIP|BENCH): |(PASS|FAIL)$|exit status \d+$)`)
	raceNotice = regexp.MustCompile(`(^|: )(race detected during execution of test|race detected outside of test execution)$`)
	panicNote  = regexp.MustCompile(`^\s*\S+\.go:\d+: test panicked: `) // testify's
)

// sort tells apart who said what.
func (r *run) sort(lines []string) found {
	var f found
	for i := 0; i < len(lines); i++ {
		line := strings.Trim(lines[i], "\r\x16")
		switch {
		case line == raceBorder && i+1 < len(lines) && strings.HasPrefix(lines[i+1], "WARNING: DATA RACE"):
			end := slices.Index(lines[i+1:], raceBorder)
			if end < 0 {
				end = len(lines) - i - 1
			}
			f.raced = true
			if sentence := r.race(lines[i+1 : i+1+end]); sentence != "" && !slices.Contains(f.races, sentence) && len(f.races) < 3 {
				f.races = append(f.races, sentence)
			}
			i += end + 1
		case raceNotice.MatchString(line):
			f.raced = true
		case framing.MatchString(line):
		case panicNote.MatchString(line):
			value := panicNote.ReplaceAllString(line, "")
			if f.panicked = !strings.HasPrefix(value, "TODO"); f.panicked {
				value = "panic: " + value
			}
			f.own = append(f.own, "    "+value)
			rest := lines[i+1:]
			if at, ok := r.place(rest); ok {
				f.own = append(f.own, "        at "+at.String())
			}
			// The rest of this test's words is the stack.
			for i+1 < len(lines) && strings.HasPrefix(lines[i+1], "    ") {
				i++
			}
		case strings.HasPrefix(line, "    "):
			line = strings.Replace(line, "panic: unexpected call to os.Exit(0) during test", exited("0", " in the middle of this test").message, 1)
			f.own = append(f.own, strings.TrimRight(line, " \t"))
		case strings.TrimSpace(line) != "":
			f.printed = append(f.printed, strings.TrimRight(line, " \t"))
		}
	}
	return f
}

// dedent takes off the white space that all lines begin with.
func dedent(lines []string) []string {
	indent := -1
	for _, line := range lines {
		if n := len(line) - len(strings.TrimLeft(line, " ")); indent < 0 || n < indent {
			indent = n
		}
	}
	out := make([]string, len(lines))
	for i, line := range lines {
		out[i] = line[indent:]
	}
	return out
}

// clean makes a message of the lines: not too many, not too long, and without
// anything that a terminal would obey.
func clean(lines []string) string {
	for i, line := range lines {
		line = strings.Map(func(c rune) rune {
			if unicode.IsControl(c) && c != '\t' {
				return unicode.ReplacementChar
			}
			return c
		}, line)
		if chars := []rune(line); len(chars) > maxWidth {
			line = string(chars[:maxWidth-1]) + "…"
		}
		lines[i] = line
	}
	return firstLines(strings.Join(lines, "\n"), maxMessage)
}
