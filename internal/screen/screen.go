// Package screen is what the lab says in plain lines: the map of the course,
// the results of suites, and how a proof of the whole lab goes on. Its lines are
// at most 80 columns wide wherever the lab chooses the words itself, and the
// same on every terminal and in every file; only [Proof] rewrites one line in
// place, and only where it is told that someone watches.
//
// Nothing here decides anything: the verdicts are those of package runner.
package screen

import (
	"fmt"
	"strings"

	"conclab/lessons"
)

// Command is how texts call the lab.
const Command = "go run ./cmd/lab"

// indent puts four spaces before each line.
func indent(text string) string {
	return "    " + strings.ReplaceAll(strings.TrimRight(text, "\n"), "\n", "\n    ") + "\n"
}

// count puts a number before a word, and the word in its plural if need be.
func count(n int, word string) string {
	if n == 1 {
		return "1 " + word
	}
	return fmt.Sprintf("%d %ss", n, word)
}

// widest returns the length of the longest of the texts, in characters.
func widest[T any](all []T, text func(T) string) int {
	width := 0
	for _, one := range all {
		width = max(width, len([]rune(text(one))))
	}
	return width
}

func name(l lessons.Lesson) string  { return l.Name }
func title(l lessons.Lesson) string { return l.Title }
