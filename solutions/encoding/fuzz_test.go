package encoding_test

import (
	"bytes"
	"errors"
	"io"
	"testing"

	"conclab/solutions/encoding"
)

var names = []string{"ascii", "latin-1", "utf-8", "utf-16le", "utf-16be"}

// pieces hands out at most size bytes a Read.
type pieces struct {
	io.Reader
	size int
}

func (p pieces) Read(b []byte) (int, error) { return p.Reader.Read(b[:min(len(b), p.size)]) }

func FuzzRoundTrip(f *testing.F) {
	f.Add("aé€\U0001F600\ufffd\ufeff")
	f.Add("\xed\xa0\x80")
	f.Fuzz(func(t *testing.T, text string) {
		for _, name := range names {
			data, err := encoding.Encode(name, text)
			if err != nil {
				continue
			}
			if back, err := encoding.Decode(name, data); err != nil || back != text {
				t.Errorf("%s: %+q came back as %+q, %v", name, text, back, err)
			}
		}
	})
}

func FuzzTranscode(f *testing.F) {
	f.Add([]byte("aé€\U0001F600"), uint8(1))
	f.Add([]byte("a\x00\x3d\xd8\x00\xde\x3d"), uint8(3))
	f.Fuzz(func(t *testing.T, data []byte, size uint8) {
		for _, from := range names {
			for _, to := range names {
				var want []byte
				text, wantErr := encoding.Decode(from, data)
				if wantErr == nil {
					want, wantErr = encoding.Encode(to, text)
				}
				var got bytes.Buffer
				err := encoding.Transcode(&got, to, pieces{bytes.NewReader(data), int(size) + 1}, from)
				if (err == nil) != (wantErr == nil) {
					t.Fatalf("%s to %s, %q: %v, want %v", from, to, data, err, wantErr)
				}
				var e *encoding.Error
				if err != nil && !errors.As(err, &e) {
					t.Fatalf("%s to %s, %q: %v is no *Error", from, to, data, err)
				}
				if err == nil && !bytes.Equal(got.Bytes(), want) {
					t.Fatalf("%s to %s, %q: %q, want %q", from, to, data, got.Bytes(), want)
				}
			}
		}
	})
}
