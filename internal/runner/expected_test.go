package runner

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"conclab/lessons"
)

const suiteSource = `package queues

import (
	"testing"

	"github.com/stretchr/testify/suite"
)

type Common struct{ suite.Suite }

func (s *Common) TestShared() {}

type QueueSuite struct {
	Common
	max int
}

func TestQueue(t *testing.T) { suite.Run(t, new(QueueSuite)) }

func (s *QueueSuite) SetupTest()      {}
func (s *QueueSuite) TestOrder()      {}
func (s *QueueSuite) helper()         {}
func (s *QueueSuite) TestAfterClose() {}

type CloseSuite struct{ suite.Suite }

func TestClose(t *testing.T) {
	t.Parallel()
	suite.Run(t, &CloseSuite{})
}

func (s *CloseSuite) TestTwice() {}

func TestPlain(t *testing.T) { t.Run("inner", func(t *testing.T) {}) }
`

func suiteRoot(t *testing.T) string {
	t.Helper()
	root := t.TempDir()
	dir := filepath.Join(root, "exercises", "queues")
	require.NoError(t, os.MkdirAll(dir, 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "queues_test.go"), []byte(suiteSource), 0o600))
	return root
}

func queues(tests ...string) lessons.Lesson {
	l := lessons.Lesson{Name: "queues"}
	for _, test := range tests {
		l.Tasks = append(l.Tasks, lessons.Task{Test: test})
	}
	return l
}

func TestExpectedTestsComeFromTheSuite(t *testing.T) {
	l := queues("TestQueue", "TestClose", "TestPlain")
	expected, err := Tests(suiteRoot(t), l)
	require.NoError(t, err)
	assert.Equal(t, []Expected{
		{l.Tasks[0], []string{"TestQueue/TestShared", "TestQueue/TestOrder", "TestQueue/TestAfterClose"}},
		{l.Tasks[1], []string{"TestClose/TestTwice"}},
		{l.Tasks[2], []string{"TestPlain"}},
	}, expected)

	_, err = Tests(suiteRoot(t), queues("TestNone"))
	assert.EqualError(t, err, "the suite exercises/queues/queues_test.go has no function TestNone")
	_, err = Tests(t.TempDir(), queues("TestQueue"))
	assert.ErrorContains(t, err, "the suite exercises/queues/queues_test.go cannot be read")
}

func TestAPatternSelectsTests(t *testing.T) {
	all, err := Tests(suiteRoot(t), queues("TestQueue", "TestClose", "TestPlain"))
	require.NoError(t, err)
	for pattern, want := range map[string][]string{
		"Queue/After":                   {"TestQueue/TestAfterClose"},
		"Close|Plain":                   {"TestClose/TestTwice", "TestPlain"},
		"/Shared|Twice":                 {"TestQueue/TestShared", "TestClose/TestTwice"},
		Exactly("TestQueue/TestOrder"):  {"TestQueue/TestOrder"},
		Exactly("TestQueue/TestOrder2"): nil,
		"(":                             nil,
	} {
		selected, err := matching(all, pattern)
		var names []string
		for _, e := range selected {
			names = append(names, e.Names...)
		}
		assert.Equal(t, want, names, pattern)
		assert.Equal(t, want == nil, err != nil, pattern)
	}
	assert.Equal(t, "^TestQueue$/^TestOrder$|^TestPlain$", runPattern([]string{"TestQueue/TestOrder", "TestPlain"}))
}
