package lessons

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
