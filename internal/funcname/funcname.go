// Package funcname turns the names that the Go runtime has for functions into
// those that their writer knows. It has no state, and may be used by any number
// of goroutines.
package funcname

import (
	"regexp"
	"strings"
)

// closure is what the compiler adds to a function's name for one inside of it.
var closure = regexp.MustCompile(`^(func|gowrap|deferwrap)?\d+$`)

// Short turns conclab/exercises/queues.(*Queue[...]).Put.func1 into Queue.Put.
//
// The closures of a function that was inlined carry the name of its caller in
// front: of queues_test.TestPut.func1.Compact[...].func2 only Compact is left.
func Short(function string) string {
	function = withoutTypes(function)
	function = function[strings.LastIndexByte(function, '/')+1:]
	if _, name, ok := strings.Cut(function, "."); ok {
		function = name
	}
	function = strings.NewReplacer("(*", "", "(", "", ")", "").Replace(function)
	var name []string
	ended := false
	for part := range strings.SplitSeq(function, ".") {
		switch {
		case len(name) > 0 && closure.MatchString(part):
			ended = true
		case ended:
			name, ended = []string{part}, false
		default:
			name = append(name, part)
		}
	}
	return strings.Join(name, ".")
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
