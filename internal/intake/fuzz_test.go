package intake

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"path"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"conclab/internal/gate"
	"conclab/internal/gradebook"
)

// What an archive holds is the student's to choose, byte by byte.
func FuzzArchive(f *testing.F) {
	names := []string{"queues.go", "a/exercises/queues/queues.go", "../x", "/queues.go", "inner.zip", "a\xff"}
	var zipped, tarred bytes.Buffer
	z, t := zip.NewWriter(&zipped), tar.NewWriter(&tarred)
	for _, name := range names {
		w, err := z.Create(name)
		require.NoError(f, err)
		_, err = w.Write([]byte("package queues"))
		require.NoError(f, err)
		require.NoError(f, t.WriteHeader(&tar.Header{Name: name, Typeflag: tar.TypeReg, Size: 1, Format: tar.FormatGNU}))
		_, err = t.Write([]byte("\n"))
		require.NoError(f, err)
	}
	require.NoError(f, t.WriteHeader(&tar.Header{Name: "pipes.go", Typeflag: tar.TypeSymlink, Linkname: "/etc/passwd"}))
	require.NoError(f, z.Close())
	require.NoError(f, t.Close())
	f.Add(true, zipped.Bytes())
	f.Add(false, tarred.Bytes())
	f.Fuzz(func(t *testing.T, isZip bool, b []byte) {
		name := "a.zip"
		if !isZip {
			// A mutated checksum would keep the fuzzer from the tar inside.
			name = "a.tgz"
			var g bytes.Buffer
			w, err := gzip.NewWriterLevel(&g, gzip.NoCompression)
			require.NoError(t, err)
			_, err = w.Write(b)
			require.NoError(t, err)
			require.NoError(t, w.Close())
			b = g.Bytes()
		}
		r := &reader{ctx: t.Context(), lessons: []string{"queues", "pipes"}}
		s := gradebook.Submission{Files: map[string]gradebook.File{}}
		require.NoError(t, r.archive(name, b))
		r.choose(&s)
		for lesson, file := range s.Files {
			assert.Equal(t, lesson+".go", path.Base(file.Path))
			assert.True(t, filepath.IsLocal(filepath.FromSlash(file.Path)), file.Path)
			assert.LessOrEqual(t, len(file.Source), gate.MaxSize)
		}
		assert.LessOrEqual(t, len(s.Refused), maxRefused+1)
	})
}
