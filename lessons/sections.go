package lessons

import (
	"slices"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/text"
)

// Part is one section of a lesson's text.
type Part struct {
	Anchor string // what a link to it has behind the #, such as closing-time
	Title  string
	Text   string // Markdown, heading included
}

// Parts returns the sections of the lesson's text in their order, without what
// stands before the first one.
func (l Lesson) Parts() []Part {
	source := []byte(l.Text())
	markdown := goldmark.New(goldmark.WithParserOptions(parser.WithAutoHeadingID()))
	var parts []Part
	end := len(source)
	for n := markdown.Parser().Parse(text.NewReader(source)).LastChild(); n != nil; n = n.PreviousSibling() {
		heading, ok := n.(*ast.Heading)
		if !ok || heading.Level != 2 {
			continue
		}
		title := heading.Lines().Value(source)
		start := heading.Lines().At(0).Start - len("## ")
		id, _ := heading.AttributeString("id")
		anchor, _ := id.([]byte)
		parts = append(parts, Part{string(anchor), string(title), string(source[start:end])})
		end = start
	}
	slices.Reverse(parts)
	return parts
}

// sections says where the course explains what a tool finds in a program: by the
// name of go vet's analyzer, or [Race]. Findings that have nothing to do with
// the course's subject are not in it.
var sections = map[string]string{
	Race:         "processes/README.md#what-a-goroutine-is-not",
	"atomic":     "locks/README.md#read-change-write",
	"copylocks":  "locks/README.md#the-lock-must-come-back",
	"lostcancel": "futures/README.md#asking-it-to-stop",
	"waitgroup":  "processes/README.md#start-all-then-wait",
}

// Race is what [Section] calls a finding of the race detector.
const Race = "race"

// Section returns the section of a lesson's text that explains what a tool has
// found, as a path from the module's root with an anchor. The finding is the name
// of an analyzer of go vet, or [Race]. It is empty where the course has nothing
// to say.
func Section(finding string) string {
	if section, ok := sections[finding]; ok {
		return "lessons/" + section
	}
	return ""
}
