// Table calls functions by their names.
package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

func reverse(s string) string {
	r := []rune(s)
	slices.Reverse(r)
	return string(r)
}

func main() {
	ops := map[string]func(string) string{
		"upper":   strings.ToUpper,
		"reverse": reverse,
		"twice":   func(s string) string { return s + s },
	}
	for _, line := range []string{"upper hello", "reverse hello", "twice hello", "hide hello"} {
		name, arg, _ := strings.Cut(line, " ")
		op, ok := ops[name]
		if !ok {
			fmt.Printf("%s? There are %s.\n", name, strings.Join(slices.Sorted(maps.Keys(ops)), ", "))
			continue
		}
		fmt.Println(op(arg))
	}
}
