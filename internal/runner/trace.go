package runner

import (
	"fmt"
	"path"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"conclab/internal/funcname"
)

// frame is one line of a stack trace, as the runtime and the race detector
// print it.
type frame struct {
	function string
	file     string
	line     int
}

func (f frame) String() string {
	return fmt.Sprintf("%s:%d (%s)", path.Base(filepath.ToSlash(f.file)), f.line, funcname.Short(f.function))
}

var locationLine = regexp.MustCompile(`^\s+(\S.*\.\w+):(\d+)( \+0x[0-9a-f]+)?( .*)?$`)

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
