package sample_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"conclab/internal/bank"
	"conclab/internal/gate"
	"conclab/internal/gradebook"
	"conclab/internal/intake"
	"conclab/internal/sample"
	"conclab/lessons"
)

const root = "../.."

func read(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	require.NoError(t, filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		name, _ := filepath.Rel(dir, path)
		files[name] = string(b)
		return err
	}))
	return files
}

func TestTheSameClassEveryTime(t *testing.T) {
	one, two, more := t.TempDir(), t.TempDir(), t.TempDir()
	require.NoError(t, sample.Write(one, root, 12))
	require.NoError(t, sample.Write(two, root, 12))
	require.NoError(t, sample.Write(more, root, 70))
	assert.Equal(t, read(t, one), read(t, two))
	large := read(t, more)
	for name, text := range read(t, one) {
		assert.Equal(t, text, large[name], "a small class is the beginning of a larger one")
	}
	assert.ErrorContains(t, sample.Write(one, root, 1), "is not empty")
}

func TestAClassHasSomethingOfEverything(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, sample.Write(dir, root, sample.Students))
	class, err := intake.Open(dir)
	require.NoError(t, err)
	require.Len(t, class.Entries, sample.Students)
	assert.Empty(t, class.Refused)

	chance := map[string]string{}
	for _, l := range lessons.All() {
		variants, err := bank.Load(root, l)
		require.NoError(t, err)
		for _, v := range variants {
			if v.Chance {
				chance[string(v.Source)] = v.String()
			}
		}
	}
	require.NotEmpty(t, chance)

	g := gate.New(root)
	seen := map[string]int{}
	for _, e := range class.Entries {
		assert.Regexp(t, `^student-\d\d\d$`, e.ID)
		s, err := e.Read(t.Context(), lessons.Names())
		require.NoError(t, err)
		if len(s.Refused) > 0 {
			assert.Equal(t, []gradebook.Refused{{Path: e.ID + ".tar.gz", Word: intake.Broken}}, s.Refused)
			seen["cut off"]++
		}
		for _, lesson := range lessons.Names() {
			file, ok := s.Files[lesson]
			if !ok {
				seen["not submitted"]++
				continue
			}
			assert.Empty(t, chance[string(file.Source)], "its marks are decided by chance")
			findings, build, err := g.Check(t.Context(), lesson, file)
			require.NoError(t, err)
			switch {
			case len(findings) > 0:
				seen["against the rules"]++
			case build != "":
				seen["does not compile"]++
			default:
				seen["handed in"]++
			}
		}
	}
	t.Log(seen)
	for _, kind := range []string{"cut off", "not submitted", "against the rules", "does not compile"} {
		assert.NotZero(t, seen[kind], kind)
	}
	assert.Greater(t, seen["handed in"], sample.Students*len(lessons.Names())*3/4)
}
