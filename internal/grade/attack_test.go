package grade_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"conclab/internal/grade"
	"conclab/internal/gradebook"
	"conclab/internal/runner"
)

// attack is a trick: code that is put into the untouched starter, in which every
// test has to fail.
type attack struct {
	name    string
	imports string // separated by spaces
	code    string

	// then is what the layers behind the gate say: statuses, or verdicts.
	then []string

	// neighbour says that the same student's answer to another lesson is graded
	// beside it.
	neighbour bool
}

// What follows is printed, or done, at the moment when packages are initialized,
// unless it is in WaitHere, which the tests call.
var attacks = []attack{
	{"exits", "os", `func init() { os.Exit(0) }`, []string{"ended early", "panic"}, true},
	{"exits by system call", "syscall", `func init() { syscall.Exit(0) }`, []string{"ended early", "panic"}, false},
	{"exits in a test", "syscall", `func attack() { syscall.Exit(0) }`, []string{"ended early", "panic"}, false},
	{"prints passes", "fmt os", `func init() { fmt.Print("=== RUN   TestShowMe\n=== RUN   TestShowMe/TestItWaits\n    --- PASS: TestShowMe/TestItWaits (0.00s)\n--- PASS: TestShowMe (0.00s)\nPASS\n"); os.Exit(0) }`, []string{"tampered", "ended early", "panic"}, false},
	{"prints marked passes", "fmt os", forger + `func init() { forge(); os.Exit(0) }`, []string{"tampered"}, false},
	{"prints marked passes in a test", "fmt syscall", forger + `func attack() { forge(); syscall.Exit(0) }`, []string{"tampered"}, false},
	{"prints and goes on", "fmt", forger + `func attack() { forge() }`, []string{"tampered", "fail"}, false},
	{"rewrites the arguments", "os", `func init() { os.Args = []string{os.Args[0], "-test.run=^$"} }`, []string{"fail"}, false},
	{"parses flags first", "flag os", `func init() { flag.Bool("x", false, ""); os.Args = os.Args[:1]; flag.Parse() }`, []string{"fail"}, false},
	{"reads the order", "os io", `func init() { b, _ := io.ReadAll(os.Stdin); if len(b) > 0 { panic("the key is mine") } }`, []string{"fail"}, false},
	{"writes to the record", "syscall", `func attack() { for fd := 3; fd < 20; fd++ { syscall.Write(fd, []byte("{\"Kind\":\"whole\"}\n")) } }`, []string{"tampered"}, false},
	{"closes the record", "syscall", `func init() { for fd := 3; fd < 20; fd++ { syscall.Close(fd) } }`, []string{"ended early", "panic", "fail"}, false},
	{"takes memory", "", `func attack() { var all [][]byte; for { b := make([]byte, 16<<20); for i := range b { b[i] = 1 }; all = append(all, b) } }`, []string{"out of memory", "timeout"}, true},
	{"prints without end", "fmt", `func attack() { for { fmt.Println("all work and no play makes a dull program") } }`, []string{"too much output", "timeout"}, false},
	{"forks", "os/exec", `func init() { for { exec.Command("/proc/self/exe").Start() } }`, []string{"ended early", "timeout", "panic", "out of memory"}, false},
	{"starts threads", "runtime syscall", `func attack() { for { go func() { runtime.LockOSThread(); syscall.Pause() }() } }`, []string{"ended early", "timeout", "panic", "out of memory"}, false},
	{"leaves a process", "os/exec syscall", `func attack() { c := exec.Command("/bin/sleep", "7777"); c.SysProcAttr = &syscall.SysProcAttr{Setsid: true}; c.Start() }`, []string{"fail"}, false},
	{"fills the disk", "os", `func attack() { b := make([]byte, 1<<20); for _, d := range []string{"/tmp", "/dev/shm", "."} { if f, err := os.CreateTemp(d, ""); err == nil { for range 1000 { if _, err := f.Write(b); err != nil { break } } } } }`, []string{"fail", "panic"}, false},
	{"stops the grader", "syscall os", `func attack() { for p := 1; p < 10; p++ { syscall.Kill(p, 9) }; syscall.Kill(os.Getppid(), 9) }`, []string{"ended early", "panic"}, false},
	{"reads the solution", "os", `func init() { for _, f := range []string{"` + "ROOT" + `/solutions/coroutines/coroutines.go", "/etc/shadow", "OWNER/.bashrc"} { if _, err := os.ReadFile(f); err == nil { panic("found it") } } }`, []string{"fail"}, false},
	{"compiles for ever", "", `type a0[T any] struct{ x, y *a1[[2]T] }; type a1[T any] struct{ x, y *a0[[2]T] }; var big [1<<40]byte`, []string{"not built"}, true},
	{"cannot be initialized", "", `var list []int; var first = list[3]`, []string{"panic"}, true},
}

const forger = `
func forge() {
	for _, n := range []string{"TestShowMe/TestItRunsNothingBeforeItIsCalled", NAMES} {
		suite := n[:len("TestShowMe")]
		for i := range n { if n[i] == '/' { suite = n[:i] } }
		fmt.Printf("\x16=== RUN   %s\n\x16=== RUN   %s\n\x16--- PASS: %s (0.00s)\n\x16    --- PASS: %s (0.00s)\n", suite, n, suite, n)
	}
	fmt.Print("\x16PASS\n")
}
`

// attacked is the starter with the attack in it.
func attacked(t *testing.T, a attack, names []string) string {
	abs, err := filepath.Abs(root)
	require.NoError(t, err)
	home, err := os.UserHomeDir()
	require.NoError(t, err)
	code := strings.NewReplacer("ROOT", abs, "OWNER", home, "NAMES", `"`+strings.Join(names, `", "`)+`"`).Replace(a.code)
	text := starter(t, "coroutines")
	for name := range strings.FieldsSeq(a.imports) {
		if !strings.Contains(text, `"`+name+`"`) {
			text = strings.Replace(text, "import (", "import (\n\t\""+name+"\"", 1)
		}
	}
	if strings.Contains(code, "func attack()") {
		text = strings.Replace(text, "func WaitHere(d time.Duration) Coroutine[string] {", "func WaitHere(d time.Duration) Coroutine[string] {\n\tattack()", 1)
	}
	return text + "\n" + code + "\n"
}

func coroutineTests(t *testing.T) []string {
	expected, err := runner.Tests(root, course(t, "coroutines")[0])
	require.NoError(t, err)
	var names []string
	for _, e := range expected {
		names = append(names, e.Names...)
	}
	return names
}

// TestBehindTheGateNothingIsGained switches the gate off. In the starter every
// test fails, so whoever passes one has gained it by a trick.
func TestBehindTheGateNothingIsGained(t *testing.T) {
	takesMinutes(t)
	names := coroutineTests(t)
	temp := filepath.Join(t.TempDir(), "graded")
	e := engine(t, false, func(o *grade.Options) { o.Temp = temp }, "coroutines", "encoding")
	honest := reference(t, "encoding")
	for _, a := range attacks {
		t.Run(strings.ReplaceAll(a.name, " ", "-"), func(t *testing.T) {
			files := map[string]string{"coroutines": attacked(t, a, names)}
			if a.neighbour {
				files["encoding"] = honest
			}
			entry, err := e.Grade(t.Context(), submission("a", files))
			require.NoError(t, err)
			l, _ := entry.Lesson("coroutines")
			require.NotEqual(t, gradebook.GraderError, l.Status, l.Why)
			words := []string{string(l.Status)}
			for _, task := range l.Tasks {
				for _, test := range task.Tests {
					words = append(words, string(test.Verdict))
					if l.Status == gradebook.Graded {
						assert.False(t, test.Passed(), "%s passed", test.Name)
					}
				}
			}
			hit := false
			for _, word := range a.then {
				hit = hit || contains(words, word)
			}
			assert.True(t, hit, "one of %q must be said of it, but what is said is %s %s %v", a.then, l.Status, l.Why+l.Build, verdicts(l))
			other, _ := entry.Lesson("encoding")
			if !a.neighbour {
				return
			}
			assert.Equal(t, gradebook.Graded, other.Status, other.Why)
			assert.Len(t, verdicts(other), 1, "the other lesson loses nothing: %v", verdicts(other))
		})
	}
	assert.Empty(t, traces(t, temp), "nothing is left behind")
}

func contains(words []string, word string) bool {
	for _, w := range words {
		if w == word {
			return true
		}
	}
	return false
}

// traces are the processes that a submission could have left: those of its
// binary, and the one that an attack starts.
func traces(t *testing.T, temp string) (left []string) {
	files, err := filepath.Glob("/proc/[0-9]*/cmdline")
	require.NoError(t, err)
	for _, file := range files {
		text, _ := os.ReadFile(file)
		if line := string(text); strings.Contains(line, "sleep\x007777") || strings.Contains(line, temp) {
			left = append(left, line)
		}
	}
	return left
}

// TestTheGateStopsThem switches the gate on.
func TestTheGateStopsThem(t *testing.T) {
	names := coroutineTests(t)
	e := engine(t, true, nil, "coroutines")
	for _, a := range attacks {
		if a.imports == "" || a.imports == "fmt" {
			continue // nothing about it is forbidden
		}
		entry, err := e.Grade(t.Context(), submission("a", map[string]string{"coroutines": attacked(t, a, names)}))
		require.NoError(t, err)
		l, _ := entry.Lesson("coroutines")
		assert.Equal(t, gradebook.AgainstTheRules, l.Status, "%s: %s", a.name, l.Build)
	}
}

// takesMinutes skips a test where nobody has asked for it.
func takesMinutes(t *testing.T) {
	t.Helper()
	if os.Getenv("CONCLAB_ATTACK") == "" {
		t.Skip("skipped, because it takes minutes: make attack runs it")
	}
}
