package labtest_test

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/stretchr/testify/suite"

	"conclab/internal/labtest"
)

// processors returns what a thread may run on.
func processors(t require.TestingT, thread string) string {
	status, err := os.ReadFile(filepath.Join(thread, "status"))
	require.NoError(t, err)
	_, list, found := strings.Cut(string(status), "Cpus_allowed_list:")
	require.True(t, found)
	list, _, _ = strings.Cut(list, "\n")
	return strings.TrimSpace(list)
}

func TestSeats(t *testing.T) {
	suite.Run(t, new(SeatsSuite))

	// Nothing is left of it in any thread.
	threads, err := filepath.Glob("/proc/self/task/*")
	require.NoError(t, err)
	require.NotEmpty(t, threads)
	all := processors(t, "/proc/self")
	for _, thread := range threads {
		assert.Equal(t, all, processors(t, thread), thread)
	}
}

type SeatsSuite struct{ labtest.Suite }

func (s *SeatsSuite) TestRacersAreApart() {
	if min(runtime.NumCPU(), runtime.GOMAXPROCS(0)) < 2 {
		s.T().Skip("skipped, because two racers do not fit on one processor")
	}
	s.Bubble(func(t *labtest.T) {
		t.Race(func() labtest.Heat {
			var at [2][2]string
			return labtest.Heat{Rounds: 2, Racers: []func(int){
				func(round int) { at[0][round] = processors(t, "/proc/thread-self") },
				func(round int) { at[1][round] = processors(t, "/proc/thread-self") },
			}, Check: func() {
				assert.Equal(t, at[0][0], at[0][1], "a racer has moved")
				assert.NotEqual(t, at[0][1], at[1][1], "two racers are on one processor")
				assert.NotContains(t, at[0][1]+at[1][1], "-", "a racer may move")
				assert.NotContains(t, at[0][1]+at[1][1], ",", "a racer may move")
			}}
		})
	})
}
