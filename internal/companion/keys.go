package companion

import (
	"slices"

	tea "charm.land/bubbletea/v2"
)

// action is what a key does.
type action int

const (
	none action = iota
	showText
	showHint
	runProgram
	runTests
	begin
	nextLesson
	previousLesson
	allLessons
	help
	quit
	up
	down
	pageUp
	pageDown
	top
	bottom
	enter
	back
)

// bindings are all keys, in the order in which help lists them. The first key of
// each is the one that is named.
var bindings = []struct {
	action action
	keys   []string
	short  string // in the last line of the screen; empty if it is not there
	long   string
}{
	{showText, []string{"t"}, "text", "read the text, where the failure sends you, and back"},
	{showHint, []string{"h"}, "hint", "a hint for the rule that fails, then the next one"},
	{runProgram, []string{"r"}, "run", "run what you wrote as a program"},
	{runTests, []string{"space"}, "", "run the tests now, without a save"},
	{begin, []string{"R"}, "", "back to the starter (asks first; your file is kept)"},
	{nextLesson, []string{"n", "right", "tab"}, "next", "next lesson"},
	{previousLesson, []string{"p", "left", "shift+tab"}, "previous", "previous lesson"},
	{allLessons, []string{"l"}, "lessons", "all lessons, to choose from"},
	{up, []string{"up", "k"}, "", "scroll up a line"},
	{down, []string{"down", "j"}, "", "scroll down a line"},
	{pageUp, []string{"pgup", "b", "ctrl+u"}, "", "scroll up a page"},
	{pageDown, []string{"pgdown", "f", "ctrl+d"}, "", "scroll down a page"},
	{top, []string{"home", "g"}, "", "to the beginning"},
	{bottom, []string{"end", "G"}, "", "to the end"},
	{enter, []string{"enter", "y"}, "", "choose; yes"},
	{back, []string{"esc", "backspace"}, "", "close what is open; no"},
	{help, []string{"?", "f1"}, "help", "these keys"},
	{quit, []string{"q", "ctrl+c"}, "quit", "end; Ctrl+C does so from everywhere"},
}

// actionOf returns what a key does.
func actionOf(k tea.KeyPressMsg) action {
	for _, b := range bindings {
		if slices.Contains(b.keys, k.String()) {
			return b.action
		}
	}
	return none
}
