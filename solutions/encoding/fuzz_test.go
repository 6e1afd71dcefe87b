package encoding_test

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"unicode/utf8"

	xencoding "golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	xunicode "golang.org/x/text/encoding/unicode"

	"conclab/solutions/encoding"
)

var names = []string{"ascii", "latin-1", "utf-8", "utf-16le", "utf-16be"}

// others are encodings as golang.org/x/text knows them, as a second opinion.
// They are not strict: U+FFFD takes the place of what is invalid.
var others = map[string]xencoding.Encoding{
	"latin-1":  charmap.ISO8859_1,
	"utf-16le": xunicode.UTF16(xunicode.LittleEndian, xunicode.IgnoreBOM),
	"utf-16be": xunicode.UTF16(xunicode.BigEndian, xunicode.IgnoreBOM),
}

// pieces hands out at most size bytes a Read.
type pieces struct {
	io.Reader
	size int
}

func (p pieces) Read(b []byte) (int, error) { return p.Reader.Read(b[:min(len(b), p.size)]) }

func FuzzRoundTrip(f *testing.F) {
	f.Add("aé€\U0001F600\ufffd\ufeff")
	f.Add("\xed\xa0\x80")
	f.Add("é\u0100\xff")
	f.Fuzz(func(t *testing.T, text string) {
		for _, name := range names {
			data, err := encoding.Encode(name, text)
			if err != nil {
				var e *encoding.Error
				if !errors.As(err, &e) {
					t.Fatalf("%s, %+q: %v is no *Error", name, text, err)
				}
				if _, err := encoding.Encode(name, text[:e.Offset]); err != nil {
					t.Errorf("%s, %+q: %v, but what is before it fails, too: %v", name, text, e, err)
				}
				if r, size := utf8.DecodeRuneInString(text[e.Offset:]); r != utf8.RuneError || size != 1 {
					if _, err := encoding.Encode(name, string(r)); err == nil {
						t.Errorf("%s, %+q: %v, but it has %U", name, text, e, r)
					}
				}
				continue
			}
			if back, err := encoding.Decode(name, data); err != nil || back != text {
				t.Errorf("%s: %+q came back as %+q, %v", name, text, back, err)
			}
		}
	})
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte("aé€\U0001F600\xff"))
	f.Add([]byte("\xfd\xffa\x00\x3d\xd8\x00\xde"))
	f.Add([]byte("\xd8\x3d\xd8\x3d\xde\x00"))
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, name := range names {
			text, err := encoding.Decode(name, data)
			if err == nil {
				if back, err := encoding.Encode(name, text); err != nil || !bytes.Equal(back, data) {
					t.Errorf("%s: %q came back as %q, %v", name, data, back, err)
				}
			} else {
				var e *encoding.Error
				if !errors.As(err, &e) {
					t.Fatalf("%s, %q: %v is no *Error", name, data, err)
				}
				if text, err = encoding.Decode(name, data[:e.Offset]); err != nil {
					t.Fatalf("%s, %q: %v, but what is before it fails, too: %v", name, data, e, err)
				}
			}
			if other := others[name]; other != nil {
				want, otherErr := other.NewDecoder().String(string(data))
				if otherErr != nil {
					t.Fatal(otherErr)
				}
				if err == nil && len(data) > 0 && !strings.HasPrefix(want, text) {
					t.Errorf("%s, %q: %+q, and golang.org/x/text says %+q", name, data, text, want)
				}
			}
		}
	})
}

func FuzzTranscode(f *testing.F) {
	f.Add([]byte("aé€\U0001F600"), uint8(1), false)
	f.Add([]byte("a\x00\x3d\xd8\x00\xde\x3d"), uint8(3), true)
	f.Add([]byte("é\u0100\xff"), uint8(0), true)
	f.Add([]byte("é\xe2\x82"), uint8(2), false)
	f.Fuzz(func(t *testing.T, data []byte, size uint8, together bool) {
		for _, from := range names {
			for _, to := range names {
				want, wantErr := whole(from, to, data)
				var src io.Reader = pieces{bytes.NewReader(data), int(size) + 1}
				if together {
					src = iotest.DataErrReader(src)
				}
				var got bytes.Buffer
				err := encoding.Transcode(&got, to, src, from)
				if !bytes.Equal(got.Bytes(), want) {
					t.Errorf("%s to %s, %q: wrote %q, want %q", from, to, data, got.Bytes(), want)
				}
				if wantErr == nil {
					if err != nil {
						t.Errorf("%s to %s, %q: %v", from, to, data, err)
					}
					continue
				}
				var e *encoding.Error
				if !errors.As(err, &e) || e.Encoding != wantErr.Encoding || e.Offset != wantErr.Offset {
					t.Errorf("%s to %s, %q: %v, want %v", from, to, data, err, wantErr)
				}
			}
		}
	})
}

// whole is what Transcode must do, by Decode and Encode: what it writes, and the
// error after that.
func whole(from, to string, data []byte) ([]byte, *encoding.Error) {
	text, err := encoding.Decode(from, data)
	var first *encoding.Error
	if errors.As(err, &first) {
		text, _ = encoding.Decode(from, data[:first.Offset])
	}
	var lacks *encoding.Error
	out, err := encoding.Encode(to, text)
	if errors.As(err, &lacks) {
		text = text[:lacks.Offset]
		out, _ = encoding.Encode(to, text)
		before, _ := encoding.Encode(from, text)
		first = &encoding.Error{Encoding: to, Offset: int64(len(before))}
	}
	return out, first
}
