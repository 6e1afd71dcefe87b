package encoding_test

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"sync/atomic"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/stretchr/testify/suite"

	"conclab/exercises/encoding"
	"conclab/internal/labtest"
)

// valid has the same text in bytes and as a string.
var valid = []struct{ encoding, data, text string }{
	{"ascii", "", ""},
	{"ascii", "a\x00\x7f\r\n", "a\x00\x7f\r\n"},
	{"latin-1", "\x7f\x80\x9f\xa0\xe9\xff", "\x7f\u0080\u009f\u00a0éÿ"},
	{"utf-8", "aé€\U0001F600", "aé€\U0001F600"},
	{"utf-8", "\xef\xbb\xbfa\xef\xbf\xbd\U0010FFFF", "\ufeffa\ufffd\U0010FFFF"},
	{"utf-16le", "a\x00\xe9\x00\xac\x20\x3d\xd8\x00\xde", "aé€\U0001F600"},
	{"utf-16be", "\x00a\x00\xe9\x20\xac\xd8\x3d\xde\x00", "aé€\U0001F600"},
	{"utf-16le", "\xff\xfe\xfd\xff\xff\xd7\x00\xe0\x00\xd8\x00\xdc\xff\xdb\xff\xdf", "\ufeff\ufffd\ud7ff\ue000\U00010000\U0010FFFF"},
	{"utf-16be", "\xfe\xff\xff\xfd\xd7\xff\xe0\x00\xd8\x00\xdc\x00\xdb\xff\xdf\xff", "\ufeff\ufffd\ud7ff\ue000\U00010000\U0010FFFF"},
	{"utf-16le", "\xfe\xff", "\ufffe"},
}

// invalid has bytes of which the first bad ones begin at offset.
var invalid = []struct {
	encoding, data string
	offset         int
}{
	{"ascii", "ab\x80", 2},
	{"ascii", "a\xff\xff", 1},
	{"utf-8", "a\x80b", 1},
	{"utf-8", "é\xc0\x80", 2},         // overlong
	{"utf-8", "a\xe0\x80\xaf", 1},     // overlong
	{"utf-8", "a\xf0\x80\x80\xaf", 1}, // overlong
	{"utf-8", "a\xed\xa0\x80", 1},     // a surrogate
	{"utf-8", "a\xed\xa0\xbd\xed\xb8\x80", 1},
	{"utf-8", "a\xf4\x90\x80\x80", 1}, // beyond U+10FFFF
	{"utf-8", "\ufffd\xff", 3},
	{"utf-8", "a\xe2\x82b", 1},
	{"utf-8", "a\xe2\x82", 1},
	{"utf-16le", "a", 0},
	{"utf-16le", "a\x00b", 2},
	{"utf-16be", "\x00a\x00", 2},
	{"utf-16le", "a\x00\x00\xdc", 2},         // low alone
	{"utf-16be", "\x00a\xdc\x00", 2},         // low alone
	{"utf-16le", "a\x00\x3d\xd8b\x00", 2},    // high without low
	{"utf-16be", "\x00a\xd8\x3d\x00b", 2},    // high without low
	{"utf-16le", "a\x00\x3d\xd8\x3d\xd8", 2}, // high, high
	{"utf-16le", "\xfd\xff\x3d\xd8", 2},      // high at the end
	{"utf-16be", "\xff\xfd\xd8\x3d", 2},      // high at the end
	{"utf-16be", "\x00a\xd8\x3d\xde", 2},     // half a low
}

// lacking has text of which the first rune that cannot be encoded is at offset.
var lacking = []struct {
	encoding, text string
	offset         int
}{
	{"ascii", "ab\u0080", 2},
	{"ascii", "aé", 1},
	{"latin-1", "é\u0100", 2},
	{"latin-1", "éa€", 3},
	{"latin-1", "\ufffd", 0},
	{"latin-1", "\ufeff", 0},
	{"ascii", "\U00010041", 0},
}

func isError(t *labtest.T, err error, name string, offset int, call string) {
	var e *encoding.Error
	require.ErrorAs(t, err, &e, "%s: no *Error", call)
	assert.EqualValues(t, offset, e.Offset, "%s: wrong Offset", call)
	assert.Equal(t, name, strings.ToLower(e.Encoding), "%s: wrong Encoding", call)
}

// Task 1: bytes to text.

type DecodeSuite struct{ labtest.Suite }

func TestDecode(t *testing.T) { suite.Run(t, new(DecodeSuite)) }

func (s *DecodeSuite) TestValidBytesBecomeText() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("bytes-and-symbols", "Decode must give the text that the bytes stand for", encoding.Decode)
		for _, v := range valid {
			text, err := encoding.Decode(v.encoding, []byte(v.data))
			require.NoError(t, err, "%s, %+q: Decode failed", v.encoding, v.data)
			assert.Equal(t, v.text, text, "%s, %+q: another text", v.encoding, v.data)
		}
	})
}

func (s *DecodeSuite) TestInvalidBytesAreAnError() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("strict", "Invalid bytes must give an *Error with the offset of the first bad sequence", encoding.Decode)
		for _, v := range invalid {
			_, err := encoding.Decode(v.encoding, []byte(v.data))
			isError(t, err, v.encoding, v.offset, "Decode of "+v.encoding)
		}
	})
}

func (s *DecodeSuite) TestNamesInAnyLetterCase() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("bytes-and-symbols", "Decode must know its encodings in any letter case, and no others", encoding.Decode)
		for _, name := range []string{"ASCII", "Latin-1", "uTf-8", "UTF-16le", "utf-16BE"} {
			_, err := encoding.Decode(name, nil)
			assert.NoError(t, err, "%s: Decode failed", name)
		}
		for _, name := range []string{"", "utf8", "utf-16", "latin1", " ascii", "koi8-r"} {
			_, err := encoding.Decode(name, []byte("a"))
			assert.ErrorIs(t, err, encoding.ErrUnknown, "%q: another error", name)
		}
	})
}

// Task 2: text to bytes.

type EncodeSuite struct{ labtest.Suite }

func TestEncode(t *testing.T) { suite.Run(t, new(EncodeSuite)) }

func (s *EncodeSuite) TestTextBecomesBytes() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("bytes-and-symbols", "Encode must give the bytes that stand for the text", encoding.Encode)
		for _, v := range valid {
			data, err := encoding.Encode(v.encoding, v.text)
			require.NoError(t, err, "%s, %+q: Encode failed", v.encoding, v.text)
			assert.Equal(t, v.data, string(data), "%s, %+q: other bytes", v.encoding, v.text)
		}
	})
}

func (s *EncodeSuite) TestALackingRuneIsAnError() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("strict", "A rune that the encoding lacks must give an *Error with its byte index", encoding.Encode)
		for _, v := range lacking {
			_, err := encoding.Encode(v.encoding, v.text)
			isError(t, err, v.encoding, v.offset, "Encode to "+v.encoding)
		}
	})
}

func (s *EncodeSuite) TestInvalidTextIsAnError() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("strict", "Invalid UTF-8 in text must give an *Error with its byte index", encoding.Encode)
		for _, name := range []string{"ascii", "latin-1", "utf-8", "utf-16le", "utf-16be"} {
			_, err := encoding.Encode(name, "ab\xffc")
			isError(t, err, name, 2, "Encode to "+name)
		}
		_, err := encoding.Encode("utf-16le", "\ufffd\xed\xa0\x80")
		isError(t, err, "utf-16le", 3, "Encode to utf-16le")
	})
}

func (s *EncodeSuite) TestNamesInAnyLetterCase() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("bytes-and-symbols", "Encode must know its encodings in any letter case, and no others", encoding.Encode)
		for _, name := range []string{"ASCII", "Latin-1", "uTf-8", "UTF-16le", "utf-16BE"} {
			_, err := encoding.Encode(name, "a")
			assert.NoError(t, err, "%s: Encode failed", name)
		}
		for _, name := range []string{"", "utf8", "utf-16", "koi8-r"} {
			_, err := encoding.Encode(name, "a")
			assert.ErrorIs(t, err, encoding.ErrUnknown, "%q: another error", name)
		}
	})
}

// Task 3: the Unicode sandwich.

type SandwichSuite struct{ labtest.Suite }

func TestSandwich(t *testing.T) { suite.Run(t, new(SandwichSuite)) }

func (s *SandwichSuite) TestTruncateCutsNoRune() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("the-unicode-sandwich", "Truncate must give the longest prefix of at most max bytes that cuts no rune in two", encoding.Truncate)
		text := "aé€\ufffd\U0001F600e\u0301"
		for max := -2; max <= len(text)+2; max++ {
			want := ""
			for i, r := range text {
				if end := i + len(string(r)); end <= max {
					want = text[:end]
				}
			}
			assert.Equal(t, want, encoding.Truncate(text, max), "max is %d", max)
		}
		assert.Empty(t, encoding.Truncate("", 3), "the text is empty")
	})
}

func (s *SandwichSuite) TestDecodeWorkEncode() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("the-unicode-sandwich", "Sandwich must decode, work on the text, and encode it in the same encoding", encoding.Sandwich)
		for _, v := range valid {
			var seen string
			f := encoding.Sandwich(v.encoding, func(text string) string { seen = text; return text + "!" })
			want, err := encoding.Encode(v.encoding, v.text+"!")
			require.NoError(t, err, "Encode failed")
			for range 2 {
				got, err := f([]byte(v.data))
				require.NoError(t, err, "%s: the sandwich failed", v.encoding)
				assert.Equal(t, v.text, seen, "%s: work got another text", v.encoding)
				assert.Equal(t, string(want), string(got), "%s: other bytes came out", v.encoding)
			}
		}
	})
}

func (s *SandwichSuite) TestErrorsOfBothComeThrough() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("the-unicode-sandwich", "The errors of Decode and Encode must come through", encoding.Sandwich)
		same := func(text string) string { return text }
		_, err := encoding.Sandwich("utf-16le", same)([]byte("a\x00b"))
		isError(t, err, "utf-16le", 2, "bad bytes")
		_, err = encoding.Sandwich("latin-1", func(text string) string { return text + "€" })([]byte("\xe9"))
		isError(t, err, "latin-1", 2, "a rune that is lacking")
		_, err = encoding.Sandwich("koi8-r", same)([]byte("a"))
		assert.ErrorIs(t, err, encoding.ErrUnknown, "another error")
	})
}

// Task 4: a stream.

type TranscodeSuite struct{ labtest.Suite }

func TestTranscode(t *testing.T) { suite.Run(t, new(TranscodeSuite)) }

// slices hands out at most size bytes a Read, and nothing every other time.
type slices struct {
	data string
	size int
	end  error
	idle bool
}

func (r *slices) Read(p []byte) (int, error) {
	if r.idle = !r.idle; r.idle {
		return 0, nil
	}
	if r.data == "" {
		return 0, r.end
	}
	n := copy(p[:min(len(p), r.size)], r.data)
	r.data = r.data[n:]
	return n, nil
}

func (s *TranscodeSuite) TestReadsMayHaveAnySize() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("streams", "The outcome must be the same whatever the size of the reads, empty ones included", encoding.Transcode)
		for _, v := range valid {
			for _, to := range []string{"UTF-8", "utf-16le", "utf-16be"} {
				want, err := encoding.Encode(to, v.text)
				require.NoError(t, err, "Encode failed")
				for size := 1; size <= 9; size++ {
					var out bytes.Buffer
					require.NoError(t, encoding.Transcode(&out, to, &slices{data: v.data, size: size, end: io.EOF}, v.encoding),
						"%s to %s, %d bytes a read: it failed", v.encoding, to, size)
					require.Equal(t, string(want), out.String(), "%s to %s, %d bytes a read: other bytes", v.encoding, to, size)
				}
				var out bytes.Buffer
				require.NoError(t, encoding.Transcode(&out, to, iotest.DataErrReader(strings.NewReader(v.data)), v.encoding), "data came with io.EOF: it failed")
				require.Equal(t, string(want), out.String(), "data came with io.EOF: other bytes")
			}
		}
	})
}

func (s *TranscodeSuite) TestLongInput() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("streams", "A long input must come out whole", encoding.Transcode)
		for shift := range 4 {
			text := strings.Repeat("a", shift) + strings.Repeat("\U0001F600", 40_000)
			wide, err := encoding.Encode("utf-16le", text)
			require.NoError(t, err, "Encode failed")
			var out bytes.Buffer
			require.NoError(t, encoding.Transcode(&out, "utf-16le", strings.NewReader(text), "utf-8"), "it failed")
			require.True(t, bytes.Equal(wide, out.Bytes()), "utf-8 to utf-16le: other bytes")
			out.Reset()
			require.NoError(t, encoding.Transcode(&out, "utf-8", bytes.NewReader(wide), "utf-16le"), "it failed")
			require.True(t, text == out.String(), "utf-16le to utf-8: other bytes")
		}
	})
}

func (s *TranscodeSuite) TestBadInputIsAnError() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("streams", "Bad or cut off input must give an *Error, with what came before it written", encoding.Transcode)
		before := strings.Repeat("x", 100_000)
		for _, v := range invalid {
			for _, pre := range []string{"", before} {
				head, err := encoding.Encode(v.encoding, pre)
				require.NoError(t, err, "Encode failed")
				good, err := encoding.Decode(v.encoding, []byte(v.data[:v.offset]))
				require.NoError(t, err, "Decode failed")
				for _, size := range []int{1, 2, 3, 1 << 20} {
					if pre != "" && size < 1<<20 {
						continue
					}
					var out bytes.Buffer
					err := encoding.Transcode(&out, "utf-8", &slices{data: string(head) + v.data, size: size, end: io.EOF}, v.encoding)
					isError(t, err, v.encoding, len(head)+v.offset, "from "+v.encoding)
					require.True(t, pre+good == out.String(), "from %s, %+q: what came before was not written, or more", v.encoding, v.data)
				}
			}
		}
	})
}

func (s *TranscodeSuite) TestALackingRuneIsAnError() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("streams", "A rune that the target lacks must give an *Error with its offset in src, and what came before it written", encoding.Transcode)
		for size := 1; size <= 5; size++ {
			var out bytes.Buffer
			err := encoding.Transcode(&out, "latin-1", &slices{data: "a\x00\xe9\x00\xac\x20b\x00", size: size, end: io.EOF}, "utf-16le")
			isError(t, err, "latin-1", 4, "to latin-1")
			assert.Equal(t, "a\xe9", out.String(), "wrong bytes were written")
		}
	})
}

func (s *TranscodeSuite) TestUnknownEncodings() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("streams", "An unknown encoding on either side must be ErrUnknown", encoding.Transcode)
		assert.ErrorIs(t, encoding.Transcode(io.Discard, "koi8-r", strings.NewReader("a"), "ascii"), encoding.ErrUnknown, "to")
		assert.ErrorIs(t, encoding.Transcode(io.Discard, "ascii", strings.NewReader("a"), "koi8-r"), encoding.ErrUnknown, "from")
	})
}

func (s *TranscodeSuite) TestErrorsOfSrcComeThrough() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("streams", "An error of src must come through, also after half a character, with what came before it written", encoding.Transcode)
		broken := errors.New("the cable is out")
		for _, end := range []error{broken, io.ErrUnexpectedEOF} {
			for _, data := range []string{"ab", "ab\xe2\x82"} {
				var out bytes.Buffer
				require.ErrorIs(t, encoding.Transcode(&out, "utf-16be", &slices{data: data, size: 1, end: end}, "utf-8"), end, "%+q: another error", data)
				assert.Equal(t, "\x00a\x00b", out.String(), "%+q: wrong bytes were written", data)

				out.Reset()
				src := iotest.DataErrReader(io.MultiReader(strings.NewReader(data), iotest.ErrReader(end)))
				require.ErrorIs(t, encoding.Transcode(&out, "utf-16be", src, "utf-8"), end, "%+q and the error in one read: another error", data)
				assert.Equal(t, "\x00a\x00b", out.String(), "%+q and the error in one read: wrong bytes were written", data)
			}
		}
	})
}

func (s *TranscodeSuite) TestErrorsOfDstComeThrough() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("streams", "An error of dst must come through", encoding.Transcode)
		full := errors.New("the disk is full")
		for _, length := range []int{1, 200_000} {
			dst := labtest.WriterFunc(func(p []byte) (int, error) { return len(p) / 2, full })
			assert.ErrorIs(t, encoding.Transcode(dst, "utf-8", strings.NewReader(strings.Repeat("a", length)), "ascii"), full, "%d bytes: another error", length)
		}
	})
}

// watched complains when more than 64 KiB have been read and not been written.
type watched struct {
	t       *labtest.T
	left    int
	read    int
	written atomic.Int64
}

func (w *watched) Read(p []byte) (int, error) {
	written := int(w.written.Load())
	assert.GreaterOrEqual(w.t, written, w.read-64<<10, "%d bytes were read and %d written, and it reads on", w.read, written)
	n := min(len(p), w.left, 4096)
	copy(p, strings.Repeat("a", n))
	w.left -= n
	w.read += n
	if w.left == 0 {
		return n, io.EOF
	}
	return n, nil
}

func (w *watched) Write(p []byte) (int, error) {
	w.written.Add(int64(len(p)))
	return len(p), nil
}

func (s *TranscodeSuite) TestItWritesAsItReads() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("streams", "What has been received must be written before another 64 KiB are read", encoding.Transcode)
		w := &watched{t: t, left: 1 << 20}
		require.NoError(t, encoding.Transcode(w, "latin-1", w, "utf-8"), "it failed")
		assert.EqualValues(t, 1<<20, w.written.Load(), "not everything was written")
	})
}
