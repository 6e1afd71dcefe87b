package lessons

import (
	_ "embed"
	"strings"
)

// starters.sum names the untouched starter of each lesson by what git calls its
// text. So a starter can be had from any clone's git, whatever the learner has
// committed since, and no copy of it lies anywhere.
//
//go:embed starters.sum
var starters string

// Starter returns the name of the lesson's untouched exercise file in git: the
// object ID of its text, for `git cat-file blob`. It is empty if starters.sum
// does not know it.
func (l Lesson) Starter() string {
	for line := range strings.Lines(starters) {
		if id, name, _ := strings.Cut(strings.TrimSpace(line), "  "); name == l.Name {
			return id
		}
	}
	return ""
}
