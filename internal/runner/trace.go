package runner

import (
	"fmt"
	"path"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

// frame is one line of a stack trace, as the runtime and the race detector
// print it.
type frame struct {
	function string
	file     string
	line     int
}

func (f frame) String() string {
	return fmt.Sprintf("%s:%d (%s)", path.Base(filepath.ToSlash(f.file)), f.line, shortName(f.function))
}

var locationLine = regexp.MustCompile(`^\s+(\S.*\.go):(\d+)( \+0x[0-9a-f]+)?( .*)?$`)

// closure is what the compiler adds to a function's name for one inside of it.
var closure = regexp.MustCompile(`^(func|gowrap|deferwrap)?\d+$`)

// frames reads the frames that the lines hold, innermost first.
func frames(lines []string) []frame {
	var all []frame
	for i := 1; i < len(lines); i++ {
		m := locationLine.FindStringSubmatch(lines[i])
		if m == nil {
			continue
		}
		line, _ := strconv.Atoi(m[2])
		all = append(all, frame{functionName(lines[i-1]), m[1], line})
	}
	return all
}

// functionName takes what is not part of the name off a trace's line.
func functionName(line string) string {
	line = strings.TrimSpace(line)
	if creator, ok := strings.CutPrefix(line, "created by "); ok {
		creator, _, _ = strings.Cut(creator, " in goroutine ")
		return creator
	}
	if i := strings.LastIndexByte(line, '('); i > 0 {
		return line[:i]
	}
	return line
}

// shortName turns conclab/exercises/queues.(*Queue[...]).Put.func1 into
// Queue.Put.
func shortName(function string) string {
	function = withoutTypes(function)
	function = function[strings.LastIndexByte(function, '/')+1:]
	if _, name, ok := strings.Cut(function, "."); ok {
		function = name
	}
	function = strings.NewReplacer("(*", "", "(", "", ")", "").Replace(function)
	parts := strings.Split(function, ".")
	for i, part := range parts {
		if i > 0 && closure.MatchString(part) {
			return strings.Join(parts[:i], ".")
		}
	}
	return function
}

// withoutTypes leaves out the type arguments, brackets and all.
func withoutTypes(function string) string {
	depth := 0
	return strings.Map(func(c rune) rune {
		switch c {
		case '[':
			depth++
		case ']':
			depth--
			return -1
		}
		if depth > 0 {
			return -1
		}
		return c
	}, function)
}

// place picks the frame that says most to the learner: the innermost in the
// candidate, else in the exercise's package, else outside of the runtime.
func (r *run) place(lines []string) (at frame, ok bool) {
	all := frames(lines)
	pkg := "conclab/exercises/" + r.lesson.Name + "."
	for _, fits := range []func(frame) bool{
		func(f frame) bool { return f.file == r.file },
		func(f frame) bool { return strings.HasPrefix(f.function, pkg) },
		func(f frame) bool {
			return !strings.HasPrefix(f.function, "runtime.") && !strings.HasPrefix(f.function, "panic")
		},
		func(frame) bool { return true },
	} {
		for _, f := range all {
			if fits(f) {
				return f, true
			}
		}
	}
	return frame{}, false
}
