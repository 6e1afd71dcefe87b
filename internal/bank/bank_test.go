package bank_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"conclab/internal/bank"
	"conclab/internal/runner"
	"conclab/lessons"
)

var lesson = lessons.Lesson{Name: "tiny"}

// load writes a tiny lesson's bank, with the given variants, and reads it.
func load(t *testing.T, variants map[string]string) ([]bank.Variant, error) {
	root := t.TempDir()
	files := map[string]string{
		"exercises/tiny/tiny.go": "package tiny\n",
		"solutions/tiny/tiny.go": "package tiny\n\nfunc One() int {\n\treturn 1\n}\n",
	}
	for name, text := range variants {
		files["solutions/tiny/testdata/"+name] = text
	}
	for name, text := range files {
		file := filepath.Join(root, filepath.FromSlash(name))
		require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o700))
		require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
	}
	return bank.Load(root, lesson)
}

const header = "It returns\ntwo.\n\ntest: TestTiny/TestOne\n"

func TestRejectIsAnEditOfTheReference(t *testing.T) {
	all, err := load(t, map[string]string{"reject/two.txtar": header + "-- old --\n\treturn 1\n-- new --\n\treturn 2\n"})
	require.NoError(t, err)

	require.Len(t, all, 3)
	v := all[2]
	assert.Equal(t, "tiny/reject/two", v.String())
	assert.Equal(t, "It returns two.", v.Note)
	assert.Equal(t, "TestTiny/TestOne", v.Test)
	assert.False(t, v.Race)
	assert.Equal(t, "package tiny\n\nfunc One() int {\n\treturn 2\n}\n", string(v.Source))
	assert.Equal(t, []bank.Kind{bank.Starter, bank.Reference, bank.Reject}, []bank.Kind{all[0].Kind, all[1].Kind, all[2].Kind})
}

func TestRejectMayEditAnAccept(t *testing.T) {
	all, err := load(t, map[string]string{
		"accept/sum.go":    "// Adds.\n\npackage tiny\n\nfunc One() int { return 0 + 1 }\n",
		"reject/two.txtar": "It adds too much.\n\nof: accept/sum\ntest: TestTiny/TestOne race\nchance: a coin\n-- old --\nfunc One() int { return 0 + 1 }\n-- new --\nfunc One() int { return 1 + 1 }\n",
	})
	require.NoError(t, err)

	assert.Equal(t, "Adds.", all[2].Note)
	assert.Equal(t, "// Adds.\n\npackage tiny\n\nfunc One() int { return 1 + 1 }\n", string(all[3].Source))
	assert.True(t, all[3].Race)
	assert.True(t, all[3].Chance)
}

func TestWhatIsNotWrittenAsItShouldBe(t *testing.T) {
	for name, c := range map[string]struct{ file, text, want string }{
		"not there":      {"reject/x.txtar", header + "-- old --\nreturn 3\n-- new --\n\n", "must be there once, and is 0 times"},
		"twice there":    {"reject/x.txtar", header + "-- old --\n\n-- new --\n\n", "must be there once"},
		"no pair":        {"reject/x.txtar", header + "-- old --\n\treturn 1\n", "in pairs"},
		"no edit":        {"reject/x.txtar", header, "nothing is edited"},
		"no test":        {"reject/x.txtar", "Wrong.\n\n-- old --\n\treturn 1\n-- new --\n\n", `the line "test: NAME"`},
		"no sentence":    {"reject/x.go", "package tiny\n", "the first sentence"},
		"of nothing":     {"reject/x.txtar", "Wrong.\n\nof: accept/none\ntest: T\n-- old --\n\treturn 1\n-- new --\n\n", "nothing is known"},
		"accept as edit": {"accept/x.txtar", header, "is not written as"},
		"another ending": {"reject/x.txt", header, "is not written as"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := load(t, map[string]string{c.file: c.text})
			assert.ErrorContains(t, err, c.want)
			assert.ErrorContains(t, err, "solutions/tiny/testdata/"+c.file, "the file is named")
		})
	}
}

// result is a result with one test.
func result(verdict runner.Verdict, message string) *runner.Result {
	return &runner.Result{Tasks: []runner.TaskResult{{Tests: []runner.Test{{Name: "TestTiny/TestOne", Verdict: verdict, Message: message}}}}}
}

func TestSkippedSaysWhy(t *testing.T) {
	assert.Equal(t, "skipped, because there is no tea", bank.Skipped(result(runner.Skip, "skipped, because there is no tea\n    buy some")))
	assert.Empty(t, bank.Skipped(result(runner.Skip, "")))
	assert.Empty(t, bank.Skipped(result(runner.Fail, "skipped, because there is no tea")))
}

func TestCheck(t *testing.T) {
	notBuilt := &runner.Result{Build: "tiny.go:1: no"}
	vetted := result(runner.Pass, "")
	vetted.Vet = []runner.Finding{{File: "tiny.go", Line: 1, Message: "no"}}
	const test = "TestTiny/TestOne"

	for name, c := range map[string]struct {
		variant bank.Variant
		result  *runner.Result
		want    string // empty: as it should be
	}{
		"a reference passes":            {bank.Variant{Kind: bank.Reference}, result(runner.Pass, ""), ""},
		"a reference fails":             {bank.Variant{Kind: bank.Reference}, result(runner.Fail, "no"), "must pass"},
		"an accept is not built":        {bank.Variant{Kind: bank.Accept}, notBuilt, "is not built"},
		"an accept has a finding":       {bank.Variant{Kind: bank.Accept}, vetted, "go vet says tiny.go:1"},
		"an accept is skipped":          {bank.Variant{Kind: bank.Accept}, result(runner.Skip, ""), "must pass"},
		"an accept cannot be tested":    {bank.Variant{Kind: bank.Accept}, result(runner.Skip, "skipped, because there is no tea"), ""},
		"a reject cannot be tested":     {bank.Variant{Kind: bank.Reject, Test: test}, result(runner.Skip, "skipped, because there is no tea"), "must fail in"},
		"a starter says TODO":           {bank.Variant{Kind: bank.Starter}, result(runner.Fail, "TODO: one"), ""},
		"a starter says it twice":       {bank.Variant{Kind: bank.Starter}, result(runner.Fail, "TODO: TODO"), "one TODO line"},
		"a starter passes":              {bank.Variant{Kind: bank.Starter}, result(runner.Pass, ""), "one TODO line"},
		"a starter hangs":               {bank.Variant{Kind: bank.Starter}, result(runner.Timeout, "TODO"), "one TODO line"},
		"a reject fails":                {bank.Variant{Kind: bank.Reject, Test: test}, result(runner.Deadlock, "no"), ""},
		"a reject passes":               {bank.Variant{Kind: bank.Reject, Test: test}, result(runner.Pass, ""), "must fail in TestTiny/TestOne"},
		"a reject did not run":          {bank.Variant{Kind: bank.Reject, Test: test}, result(runner.DidNotRun, "no"), "must fail in"},
		"a reject fails elsewhere":      {bank.Variant{Kind: bank.Reject, Test: "TestTiny/TestTwo"}, result(runner.Fail, "no"), "is no test of the lesson"},
		"a reject fails without a word": {bank.Variant{Kind: bank.Reject, Test: test}, result(runner.Fail, ""), "without a message"},
		"a reject fails at length":      {bank.Variant{Kind: bank.Reject, Test: test}, result(runner.Fail, "1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n11\n12\n13\n14\n15\n16"), "16 lines"},
		"a reject is not built":         {bank.Variant{Kind: bank.Reject, Test: test}, notBuilt, "is not even built"},
		"vet finds it":                  {bank.Variant{Kind: bank.Reject, Test: bank.Vet}, vetted, ""},
		"vet does not find it":          {bank.Variant{Kind: bank.Reject, Test: bank.Vet}, result(runner.Fail, "no"), "found by go vet"},
		"a race nobody could have seen": {bank.Variant{Kind: bank.Reject, Test: test, Race: true}, result(runner.Pass, ""), ""},
	} {
		t.Run(name, func(t *testing.T) {
			err := c.variant.Check(c.result)
			if c.want == "" {
				assert.NoError(t, err)
			} else {
				assert.ErrorContains(t, err, c.want)
			}
		})
	}
}

// TestEveryOtherRightWaySaysWhatItDoes reads what lab solution prints about the
// accepts of the course: a sentence each, that is not the next one's.
func TestEveryOtherRightWaySaysWhatItDoes(t *testing.T) {
	for _, l := range lessons.All() {
		variants, err := bank.Load("../..", l)
		require.NoError(t, err)
		seen := map[string]string{}
		for _, v := range variants {
			if v.Kind != bank.Accept {
				continue
			}
			assert.Regexp(t, `^[A-Za-z].{25,200}\.$`, v.Note, "the first line of %s", v.File)
			assert.NotRegexp(t, `^(Package|Style|Accept|This file)`, v.Note, "the first line of %s", v.File)
			assert.Empty(t, seen[v.Note], "%s says the same", v.File)
			seen[v.Note] = v.File
		}
	}
}
