package runner

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"conclab/lessons"
)

func example() *run {
	root := filepath.FromSlash("/home/ada/conclab")
	return &run{
		Options:  Options{Root: root},
		lesson:   lessons.Lesson{Name: "queues"},
		exercise: filepath.Join(root, "exercises", "queues", "queues.go"),
		file:     "exercises/queues/queues.go",
		dir:      filepath.FromSlash("/tmp/conclab-1"),
	}
}

const mapCrash = `some words
panic: merely printed
fatal error: concurrent map writes

goroutine 21 [running, synctest bubble 1]:
internal/runtime/maps.fatal({0x5d3f2a?, 0x0?})
	/usr/local/go/src/runtime/panic.go:1181 +0x18
conclab/exercises/queues.(*Queue[go.shape.struct { conclab/x.a int }]).Put(...)
	/home/ada/conclab/exercises/queues/queues.go:41
conclab/exercises/queues.(*QueueSuite).TestOrder.func1()
	/home/ada/conclab/exercises/queues/queues_test.go:91 +0x1d
created by conclab/exercises/queues.(*QueueSuite).TestOrder in goroutine 8
	/home/ada/conclab/exercises/queues/queues_test.go:90 +0x1d
`

const overflow = `runtime: goroutine stack exceeds 1000000000-byte limit
runtime: sp=0xc0200e0390 stack=[0xc0200e0000, 0xc0400e0000]
fatal error: stack overflow

runtime stack:
runtime.throw({0x4c5a2b?, 0x0?})
	/usr/local/go/src/runtime/panic.go:1023 +0x5c

goroutine 7 [running]:
conclab/exercises/queues.New[...](0x1)
	/home/ada/conclab/exercises/queues/queues.go:48 +0x25 fp=0xc0200e03a0 sp=0xc0200e0398 pc=0x467a25
`

const repanicked = `--- FAIL: TestPlain (0.00s)
panic: runtime error: index out of range [3] with length 3 [recovered, repanicked]

goroutine 7 [running]:
testing.tRunner.func1.2({0x52f1a0, 0xc00001c0a8})
	/usr/local/go/src/testing/testing.go:1872 +0x237
panic({0x52f1a0?, 0xc00001c0a8?})
	/usr/local/go/src/runtime/panic.go:783 +0x132
conclab/exercises/queues.Work.func1.2()
	/home/ada/conclab/exercises/queues/queues.go:30 +0x1d
`

func TestACrashIsAFewLines(t *testing.T) {
	for output, want := range map[string]outcome{
		mapCrash:   {Race, "fatal error: concurrent map writes: two goroutines use the map, and nothing orders them\n    at queues.go:41 (Queue.Put)\n    see lessons/processes/README.md#what-a-goroutine-is-not"},
		overflow:   {Panic, "fatal error: stack overflow\n    at queues.go:48 (New)"},
		repanicked: {Panic, "panic: runtime error: index out of range [3] with length 3\n    at queues.go:30 (Work)"},
		"fatal error: close of synctest channel from outside bubble\n\ngoroutine 7 [running, synctest bubble 5]:\nmain.main()\n\t/x/main.go:3 +0x1\n": {
			Panic, "fatal error: close of synctest channel from outside bubble: it was made in one test and is used in another, as a variable at package level is: make it where it is used\n    at main.go:3 (main)",
		},
		"fatal error: all goroutines are asleep - deadlock!\n\ngoroutine 1 [chan receive]:\nmain.main()\n\t/x/main.go:3 +0x1\n": {
			Deadlock, "fatal error: all goroutines are asleep - deadlock!\n    at main.go:3 (main)",
		},
	} {
		got, ok := example().crash(output, "")
		assert.True(t, ok)
		assert.Equal(t, want, got)
	}
	_, ok := example().crash("panic: merely printed\nand on\n", "")
	assert.False(t, ok)
}

const raceReport = `==================
WARNING: DATA RACE
Read at 0x00c000014118 by goroutine 9:
  runtime.mapaccess1()
      /usr/local/go/src/runtime/map.go:1 +0x44
  conclab/exercises/queues.(*Queue[...]).Len()
      /home/ada/conclab/exercises/queues/queues.go:44 +0x44
  conclab/exercises/queues.(*QueueSuite).TestOrder()
      /home/ada/conclab/exercises/queues/queues_test.go:97 +0x1

Previous write at 0x00c000014118 by goroutine 8:
  conclab/exercises/queues.(*Queue[go.shape.int]).Put.func1()
      /home/ada/conclab/exercises/queues/queues.go:31 +0x54
  sync.(*WaitGroup).Go.func1()
      /usr/local/go/src/sync/waitgroup.go:258 +0x54

Goroutine 9 (running) created at:
  testing.(*T).Run()
      /usr/local/go/src/testing/testing.go:2101 +0x4c5
==================
`

func TestARaceReportIsOneSentence(t *testing.T) {
	const sentence = "data race: a read at queues.go:44 (Queue.Len) and a write at queues.go:31 (Queue.Put) happen without anything that orders them"
	const see = "\n    see lessons/processes/README.md#what-a-goroutine-is-not"
	const notice = "    testing.go:1712: race detected during execution of test\n"

	f, message := example().explain("=== RUN   TestQueue/TestOrder\n" + raceReport + raceReport + notice)
	assert.Equal(t, Race, f.verdict())
	assert.Equal(t, sentence+see, message)

	f, message = example().explain(raceReport + "    Put must block\n        see exercises/queues/queues.go:41\n" + notice)
	assert.Equal(t, Fail, f.verdict())
	assert.Equal(t, "Put must block\n    see exercises/queues/queues.go:41\n"+sentence+see, message)

	f, message = example().explain("==================\nWARNING: DATA RACE\n" + notice)
	assert.Equal(t, Race, f.verdict())
	assert.Equal(t, "data race: the race detector saw one while this test ran"+see, message)
}

func TestARaceOfAWaitGroupNamesItsMethods(t *testing.T) {
	_, message := example().explain(`==================
WARNING: DATA RACE
Write at 0x00c000014118 by goroutine 9:
  runtime.racewrite()
      <autogenerated>:1 +0x1e
  sync.(*WaitGroup).Wait()
      /usr/local/go/src/sync/waitgroup.go:200 +0x44
  conclab/exercises/queues.(*Queue[...]).Close()
      /home/ada/conclab/exercises/queues/queues.go:61 +0x44

Previous read at 0x00c000014118 by goroutine 8:
  runtime.raceread()
      <autogenerated>:1 +0x1e
  sync.(*WaitGroup).Add()
      /usr/local/go/src/sync/waitgroup.go:99 +0x44
  conclab/exercises/queues.(*Queue[...]).Put()
      /home/ada/conclab/exercises/queues/queues.go:31 +0x54
==================
`)
	assert.Contains(t, message, "data race: WaitGroup.Wait at queues.go:61 (Queue.Close) and WaitGroup.Add at queues.go:31 (Queue.Put) happen")
}

func TestARaceOfWhatTheTestDoesIsTheCandidates(t *testing.T) {
	_, message := example().explain(strings.ReplaceAll(raceReport, "/queues.go", "/queues_test.go"))
	assert.Contains(t, message, "happen without anything that orders them; both are the test's, and it is your code that must order them")
}

func TestAPanicThatTheSuiteCaughtIsTwoLines(t *testing.T) {
	f, message := example().explain(`    queues_test.go:16: test panicked: boom
        goroutine 10 [running]:
        runtime/debug.Stack()
        	/usr/local/go/src/runtime/debug/stack.go:26 +0x5e
        conclab/exercises/queues.(*Queue[...]).Close(0x0?)
        	/home/ada/conclab/exercises/queues/queues.go:61 +0x25
--- FAIL: TestQueue/TestOrder (0.00s)
`)
	assert.Equal(t, Panic, f.verdict())
	assert.Equal(t, "panic: boom\n    at queues.go:61 (Queue.Close)", message)
}

func TestAMessageIsShortAndHarmless(t *testing.T) {
	_, message := example().explain("    \x1b[2J" + strings.Repeat("é", 1000) + "\n" + strings.Repeat("    line\n", 100))
	lines := strings.Split(message, "\n")
	assert.Len(t, lines, maxMessage)
	assert.Len(t, []rune(lines[0]), maxWidth)
	assert.NotContains(t, message, "\x1b")

	_, message = example().explain("")
	assert.Equal(t, "the test failed without a word", message)
}

func TestWhatIsKeptOfOutputIsBounded(t *testing.T) {
	c := &clip{limit: 100}
	for i := range 10_000 {
		_, _ = fmt.Fprintf(c, "line %d\n", i)
	}
	text := c.String()
	assert.LessOrEqual(t, cap(c.head)+cap(c.tail), 500)
	assert.True(t, strings.HasPrefix(text, "line 0\nline 1\n"), text)
	assert.Contains(t, text, "\n…\n")
	assert.True(t, strings.HasSuffix(text, "line 9998\nline 9999\n"), text)

	c = &clip{limit: 100}
	_, _ = fmt.Fprint(c, strings.Repeat("a", 60), "\nend")
	assert.Equal(t, strings.Repeat("a", 60)+"\nend", c.String())
}

func TestFindingsAreKeptOnceAndInOrder(t *testing.T) {
	r := example()
	r.file = "submissions/ada.go"
	findings, err := r.findings(strings.NewReader(`{"conclab/exercises/queues": {
		"copylocks": [{"posn": "/tmp/conclab-9/queues.go:50:9", "message": "Len passes lock by value"}],
		"waitgroup": [{"posn": "/home/ada/conclab/exercises/queues/queues.go:9:20", "message": "Add"}]}}
	{"conclab/exercises/queues [conclab/exercises/queues.test]": {
		"copylocks": [{"posn": "/tmp/conclab-9/queues.go:50:9", "message": "Len passes lock by value"}]}}`))
	require.NoError(t, err)
	assert.Equal(t, []Finding{
		{"submissions/ada.go", 9, 20, "Add", "waitgroup", "lessons/processes/README.md#start-all-then-wait"},
		{"submissions/ada.go", 50, 9, "Len passes lock by value", "copylocks", "lessons/locks/README.md#the-lock-must-come-back"},
	}, findings)

	_, err = r.findings(strings.NewReader(`{"p": {"copylocks": {"error": "no types"}}}`))
	assert.ErrorContains(t, err, "no types")
}

func TestTheRaceDetectorIsUsedWhereItWorks(t *testing.T) {
	for _, c := range []struct{ platform, cgo, cc, want string }{
		{"darwin/arm64", "0", "no-such-compiler", ""},
		{"linux/386", "1", "go", "it does not exist for linux/386"},
		{"linux/amd64", "1", "go -v", ""},
		{"linux/amd64", "0", "go", "CGO_ENABLED is 0"},
		{"linux/amd64", "0", "no-such-compiler", "no-such-compiler was not found"},
	} {
		goos, goarch, _ := strings.Cut(c.platform, "/")
		tools := tools{env: map[string]string{"GOOS": goos, "GOARCH": goarch, "CGO_ENABLED": c.cgo, "CC": c.cc}}
		assert.Equal(t, c.want, tools.raceObstacle(), c.platform)
	}
}

func TestVersionsAreCompared(t *testing.T) {
	for version, old := range map[string]bool{
		"go1.22.3": true, "go1.25rc1": true, "go1.26": false, "go1.26.8 X:nodwarf5": false, "go1.30.1": false,
		"devel go1.27-0a1b2c": false,
	} {
		assert.Equal(t, old, tooOld(version), version)
	}
}

func TestTheUsersRaceSettingsAreKept(t *testing.T) {
	env := example().testEnv([]string{"HOME=/", "GORACE=history_size=7"})
	assert.Contains(t, env, "GORACE=history_size=7 atexit_sleep_ms=0 log_path=stderr")
}
