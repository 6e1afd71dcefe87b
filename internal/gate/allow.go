package gate

import (
	"fmt"
	"slices"
	"strings"
)

// This file is what the gate knows about the course and about Go's packages. It
// is a list of what is allowed, because nobody can list all that is not.

// allowance says which lessons may import a package, and what of it they may
// name.
type allowance struct {
	path string

	// lessons that may import it; nil means all.
	lessons []string

	// only are the names that may be used, or their beginnings, with a star;
	// nil means all but never.
	only, never []string
}

var (
	servers  = []string{"echo", "ping", "finals"}
	crashing = []string{"processes", "futures", "finals"}
)

// allowances holds every package that any lesson may import. What is here
// neither reads files nor ends the process, starts no program and shows no
// test, as far as its names go that may be used.
var allowances = []allowance{
	{path: "bufio"},
	{path: "bytes"},
	{path: "cmp"},
	{path: "container/heap"},
	{path: "container/list"},
	{path: "container/ring"},
	{path: "context"},
	{path: "encoding/binary"},
	{path: "errors"},
	{path: "fmt"},
	{path: "io"},
	{path: "iter"},
	{path: "log", only: []string{
		"Print", "Printf", "Println", "Panic", "Panicf", "Panicln", "New", "Logger",
		"LstdFlags", "Ldate", "Ltime", "Lmicroseconds", "Llongfile", "Lshortfile", "LUTC", "Lmsgprefix",
	}},
	{path: "maps"},
	{path: "math"},
	{path: "math/bits"},
	{path: "math/rand"},
	{path: "math/rand/v2"},
	{path: "net", lessons: servers, only: []string{
		"Addr", "AddrError", "Buffers", "Conn", "DNSError", "DefaultResolver", "Err*", "IP*", "InvalidAddrError", "JoinHostPort", "Listener",
		"Lookup*", "OpError", "Parse*", "Pipe", "ResolveIPAddr", "ResolveTCPAddr", "Resolver", "SplitHostPort", "TCPAddr", "TCPConn",
		"TCPListener", "UnknownNetworkError",
	}},
	{path: "net/http", lessons: []string{"finals"}, only: []string{
		"Client", "DefaultClient", "Err*", "Header", "MaxBytes*", "Method*", "NewRequest", "NewRequestWithContext", "NoBody", "ProtocolError",
		"Request", "Response", "RoundTripper", "Status*", "Transport",
	}},
	{path: "net/netip", lessons: []string{"coroutines", "echo", "ping", "finals"}},
	{path: "net/textproto", lessons: []string{"finals"}, only: []string{"Reader", "NewReader", "TrimString", "TrimBytes", "ProtocolError"}},
	{path: "net/url", lessons: []string{"coroutines", "ping", "finals"}},
	{path: "os", lessons: servers, only: []string{"Err*", "IsPermission", "IsTimeout"}},
	{path: "path"},
	{path: "regexp"},
	{path: "runtime", only: []string{
		"Error", "GOARCH", "GOOS", "Goexit", "Gosched", "KeepAlive", "NumCPU", "NumGoroutine", "PanicNilError", "Stack", "TypeAssertionError",
	}},
	{path: "runtime/debug", lessons: crashing, only: []string{"PrintStack", "Stack"}},
	{path: "slices"},
	{path: "sort"},
	{path: "strconv"},
	{path: "strings"},
	{path: "sync"},
	{path: "sync/atomic"},
	{path: "time", never: []string{"LoadLocation"}},
	{path: "unicode"},
	{path: "unicode/utf16"},
	{path: "unicode/utf8"},

	{path: "golang.org/x/sync/errgroup"},
	{path: "golang.org/x/sync/semaphore"},
	{path: "golang.org/x/text/encoding", lessons: []string{"encoding"}},
	{path: "golang.org/x/text/encoding/charmap", lessons: []string{"encoding"}},
	{path: "golang.org/x/text/encoding/unicode", lessons: []string{"encoding"}},
	{path: "golang.org/x/text/encoding/unicode/utf32", lessons: []string{"encoding"}},
	{path: "golang.org/x/text/runes", lessons: []string{"encoding"}},
	{path: "golang.org/x/text/transform", lessons: []string{"encoding"}},
	{path: "github.com/go-ping/ping", lessons: []string{"ping"}},
}

// reasons say what is wrong with a package that someone may want to import.
var reasons = map[string]string{
	"C":             "it is not Go",
	"embed":         "it reads files",
	"flag":          "it reads and changes how the tests were started",
	"io/fs":         "it reads files",
	"io/ioutil":     "it reads files",
	"log/slog":      "log does the same here",
	"os":            "it reads files and ends the program",
	"os/exec":       "it starts other programs",
	"os/signal":     "it changes how the program can be stopped",
	"path/filepath": "it reads files",
	"plugin":        "it loads code that nobody has read",
	"reflect":       "it changes what belongs to others",
	"runtime/debug": "it changes how the program runs",
	"syscall":       "it calls the operating system behind Go's back",
	"testing":       "it belongs to the tests",
	"unsafe":        "it changes what belongs to others",
}

// names say what is wrong with a name that an allowed package has, and what to
// use instead.
var names = map[string]string{
	"log.Fatal":          "it ends the whole program: return the error",
	"log.Fatalf":         "it ends the whole program: return the error",
	"log.Fatalln":        "it ends the whole program: return the error",
	"net.Dial":           "nothing in this lesson calls out: use the connections that you are given",
	"net.Listen":         "use the listener that you are given",
	"net/http.Get":       "it uses a client of its own: use the one that you are given",
	"os.Exit":            "it ends the whole program: return instead",
	"os.Stderr":          "println and log.Println print as well",
	"os.Stdout":          "fmt.Println prints as well",
	"runtime.Breakpoint": "it stops the program",
	"runtime.GOMAXPROCS": "it changes how the tests run: runtime.NumCPU tells how many processors there are",
}

// methods are those that no file may call, on whatever value, nor ask for by an
// interface: they lead to where the names above lead.
var methods = map[string]string{
	"Fatal":       "it ends the whole program: return the error",
	"Fatalf":      "it ends the whole program: return the error",
	"Fatalln":     "it ends the whole program: return the error",
	"Fd":          "it leads to the operating system behind Go's back",
	"File":        "it leads to the operating system behind Go's back",
	"SyscallConn": "it leads to the operating system behind Go's back",
	"FailNow":     "it belongs to the tests",
	"SkipNow":     "it belongs to the tests",
}

// instruments are the methods by which a file could tell the tests' own
// writers, listeners and contexts from others.
var instruments = []string{
	"Attend", "Blocks", "Came", "Cancel", "Closed", "Dial", "Enter", "Fail", "FailOnce", "Max", "Missing", "Now", "Open", "Overlapped", "Pass",
	"Returned", "Returns", "Rule", "Times", "Unaccepted", "Waiting", "Writes",
}

// atStart are functions that may run before the tests, to make a package-level
// variable, and pureAtStart the packages all of whose functions may. None of
// them does anything that lasts.
var (
	atStart = []string{
		"context.Background", "context.TODO", "errors.New", "fmt.Errorf", "regexp.MustCompile", "sync.NewCond",
		"golang.org/x/text/encoding/unicode.UTF16", "golang.org/x/text/encoding/unicode/utf32.UTF32",
	}
	pureAtStart = []string{
		"bytes", "cmp", "encoding/binary", "maps", "math", "math/bits", "slices", "sort", "strconv", "strings",
		"unicode", "unicode/utf16", "unicode/utf8",
	}
)

// given are what a starter gives and the suites count on: constants with their
// values, durations in nanoseconds, and errors.
var given = map[string]struct {
	constants map[string]string
	errors    []string
}{
	"processes": {errors: []string{"ErrStarted", "ErrNotStarted"}},
	"queues":    {errors: []string{"ErrClosed"}},
	"pipes":     {constants: map[string]string{"Workers": "2", "Nap": "100000000"}},
	"locks":     {constants: map[string]string{"Workers": "2", "Nap": "100000000"}},
	"eventloop": {
		constants: map[string]string{"Cut": "60000000000", "HalfDone": "120000000000", "Done": "240000000000"},
		errors:    []string{"ErrRunning", "ErrClosed"},
	},
	"coroutines": {errors: []string{"ErrNoDomain"}},
	"futures":    {errors: []string{"ErrDone"}},
	"echo":       {constants: map[string]string{"MaxMessage": "100"}},
	"encoding":   {errors: []string{"ErrUnknown"}},
	"ping":       {constants: map[string]string{"MaxHost": "100", "DefaultTimeout": "5000000000"}, errors: []string{"ErrTimeout"}},
	"finals":     {constants: map[string]string{"MaxRequest": "1024", "MaxBody": "1048576", "DefaultTimeout": "5000000000"}},
}

// Imports returns the packages that the lesson's file may import, sorted.
func Imports(lesson string) []string {
	var paths []string
	for _, a := range allowances {
		if a.allows(lesson) {
			paths = append(paths, a.path)
		}
	}
	slices.Sort(paths)
	return paths
}

func (a allowance) allows(lesson string) bool {
	return a.lessons == nil || slices.Contains(a.lessons, lesson)
}

// find returns what the lesson is allowed of the package, if it may import it.
func find(lesson, path string) (allowance, bool) {
	i := slices.IndexFunc(allowances, func(a allowance) bool { return a.path == path && a.allows(lesson) })
	if i < 0 {
		return allowance{}, false
	}
	return allowances[i], true
}

// objects says why the name may not be used; empty means that it may.
func (a allowance) objects(name string) string {
	stands := func(pattern string) bool {
		beginning, star := strings.CutSuffix(pattern, "*")
		return pattern == name || star && strings.HasPrefix(name, beginning)
	}
	if !slices.Contains(a.never, name) && (a.only == nil || slices.ContainsFunc(a.only, stands)) {
		return ""
	}
	if reason, ok := names[a.path+"."+name]; ok {
		return reason
	}
	return "the lesson can be solved without it"
}

func whyNotImport(path string) string {
	reason, ok := reasons[path]
	switch {
	case ok:
	case strings.HasPrefix(path, "testing/"):
		reason = reasons["testing"]
	case path == module || strings.HasPrefix(path, module+"/"):
		reason = "a solution stands on its own, without the rest of the lab"
	default:
		reason = "the lesson can be solved without it"
	}
	return fmt.Sprintf("the package %q may not be imported here, %s: leave it out", path, reason)
}

// module is the path of the lab's module.
const module = "conclab"
