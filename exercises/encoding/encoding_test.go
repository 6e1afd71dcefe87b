package encoding_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/stretchr/testify/suite"

	"conclab/internal/contract/encoding"
	"conclab/internal/labtest"
)

var names = []string{"ascii", "latin-1", "utf-8", "utf-16le", "utf-16be"}

// mixed are the names of all encodings, unknown are names of none.
var (
	mixed   = []string{"ASCII", "aScii", "Latin-1", "LATIN-1", "uTf-8", "UTF-8", "UTF-16le", "utf-16LE", "utf-16BE", "Utf-16be"}
	unknown = []string{"", "utf8", "utf-16", "utf16le", "latin1", "iso-8859-1", "us-ascii", "utf_8", "utf_16le", "utf-16-le", "utf-8-sig", "latin-2", "ascii\x00", " ascii", "utf-8 ", "koi8-r"}
)

// valid has the same text in bytes and as a string.
var valid = []struct{ encoding, data, text string }{
	{"ascii", "", ""},
	{"ascii", "a\x00\x7f\r\n", "a\x00\x7f\r\n"},
	{"latin-1", "\x7f\x80\x9f\xa0\xe9\xff", "\x7f\u0080\u009f\u00a0éÿ"},
	{"utf-8", "aé€\U0001F600", "aé€\U0001F600"},
	{"utf-8", "\x7f\xc2\x80\xdf\xbf\xe0\xa0\x80\xef\xbf\xbf\xf0\x90\x80\x80", "\u007f\u0080\u07ff\u0800\uffff\U00010000"},
	{"utf-8", "\xed\x9f\xbf\xee\x80\x80\xef\xb7\x90\xf0\x9f\xbf\xbe\xf4\x8f\xbf\xbf", "\ud7ff\ue000\ufdd0\U0001fffe\U0010FFFF"},
	{"utf-16le", "a\x00\xe9\x00\xac\x20\x3d\xd8\x00\xde", "aé€\U0001F600"},
	{"utf-16be", "\x00a\x00\xe9\x20\xac\xd8\x3d\xde\x00", "aé€\U0001F600"},
	{"utf-16le", "\xff\xd7\x00\xe0\xd0\xfd\xff\xff\x00\xd8\x00\xdc\x3f\xd8\xfe\xdf\xff\xdb\xff\xdf", "\ud7ff\ue000\ufdd0\uffff\U00010000\U0001fffe\U0010FFFF"},
	{"utf-16be", "\xd7\xff\xe0\x00\xfd\xd0\xff\xff\xd8\x00\xdc\x00\xd8\x3f\xdf\xfe\xdb\xff\xdf\xff", "\ud7ff\ue000\ufdd0\uffff\U00010000\U0001fffe\U0010FFFF"},
}

// replaced has a real U+FFFD, marked a byte order mark, or what looks like one.
var (
	replaced = []struct{ encoding, data, text string }{
		{"utf-8", "a\xef\xbf\xbdb", "a\ufffdb"},
		{"utf-16le", "\xfd\xffb\x00", "\ufffdb"},
		{"utf-16be", "\xff\xfd\x00b", "\ufffdb"},
	}
	marked = []struct{ encoding, data, text string }{
		{"utf-8", "\xef\xbb\xbfa\xef\xbb\xbf", "\ufeffa\ufeff"},
		{"utf-16le", "\xff\xfea\x00\xff\xfe", "\ufeffa\ufeff"},
		{"utf-16be", "\xfe\xff\x00a\xfe\xff", "\ufeffa\ufeff"},
		{"utf-16le", "\xfe\xff\x00a", "\ufffe\u6100"},
		{"utf-16be", "\xff\xfea\x00", "\ufffe\u6100"},
	}
)

// A bad has bytes of which the first bad ones begin at offset.
type bad struct {
	encoding, data string
	offset         int
}

var (
	badASCII = []bad{
		{"ascii", "ab\x80", 2},
		{"ascii", "a\xff\xff", 1},
		{"ascii", "a\xc3\xa9", 1},
	}
	badUTF8 = []bad{
		{"utf-8", "\xff", 0},
		{"utf-8", "a\x80b", 1},
		{"utf-8", "é\xc0\x80", 2},         // overlong
		{"utf-8", "a\xc1\xbf", 1},         // overlong
		{"utf-8", "a\xe0\x80\xaf", 1},     // overlong
		{"utf-8", "a\xe0\x9f\xbf", 1},     // overlong
		{"utf-8", "a\xf0\x80\x80\xaf", 1}, // overlong
		{"utf-8", "a\xf0\x8f\xbf\xbf", 1}, // overlong
		{"utf-8", "a\xed\xa0\x80", 1},     // a surrogate
		{"utf-8", "€\xed\xbf\xbf", 3},     // a surrogate
		{"utf-8", "a\xed\xa0\xbd\xed\xb8\x80", 1},
		{"utf-8", "a\xf4\x90\x80\x80", 1}, // beyond U+10FFFF
		{"utf-8", "a\xf5\x80\x80\x80", 1},
		{"utf-8", "\ufffd\xff", 3},
		{"utf-8", "a\xc3b", 1},
		{"utf-8", "a\xe2b", 1},
		{"utf-8", "a\xe2\x82b", 1},
		{"utf-8", "a\xf0b", 1},
		{"utf-8", "a\xf0\x9fb", 1},
		{"utf-8", "a\xf0\x9f\x98b", 1},
		{"utf-8", "\U0001F600\xf0\x9f\x98\U0001F600", 4},
		{"utf-8", "a\xc3", 1},                   // cut off
		{"utf-8", "é\xe2\x82", 2},               // cut off
		{"utf-8", "\U0001F600\xf0", 4},          // cut off
		{"utf-8", "€\U0001F600\xf0\x9f\x98", 7}, // cut off
	}
	badUTF16 = []bad{
		{"utf-16le", "a", 0},
		{"utf-16le", "a\x00b", 2},
		{"utf-16be", "\x00a\x00", 2},
		{"utf-16be", "\x00a\xdc", 2},
		{"utf-16le", "\x3d\xd8\x00\xdea", 4},
		{"utf-16le", "a\x00\x00\xdc", 2},                 // low alone
		{"utf-16be", "\x00a\xdc\x00", 2},                 // low alone
		{"utf-16be", "\x00a\xdf\xff\x00b", 2},            // low alone
		{"utf-16le", "\x3d\xd8\x00\xde\x00\xde", 4},      // low alone behind a pair
		{"utf-16le", "\x00\xde\x3d\xd8", 0},              // low, high
		{"utf-16le", "a\x00\x3d\xd8b\x00", 2},            // high without low
		{"utf-16be", "\x00a\xd8\x3d\x00b", 2},            // high without low
		{"utf-16be", "\x00a\xd8\x3d\xe0\x00", 2},         // high without low
		{"utf-16le", "a\x00\x3d\xd8\x3d\xd8", 2},         // high, high
		{"utf-16le", "a\x00\x3d\xd8\x3d\xd8\x00\xde", 2}, // high, pair
		{"utf-16be", "\x00a\xd8\x3d\xd8\x3d\xde\x00", 2}, // high, pair
		{"utf-16le", "\xfd\xff\x3d\xd8", 2},              // high at the end
		{"utf-16be", "\xff\xfd\xd8\x3d", 2},              // high at the end
		{"utf-16be", "\x00a\xd8\x3d\xde", 2},             // half a low
		{"utf-16le", "a\x00\x3d\xd8\x00", 2},             // half a low
		{"utf-16be", "\xdc\x00\xdc\x00", 0},              // the first low, twice
		{"utf-16le", "\x00\xdc\xff\xdf", 0},              // the first low, the last low
		{"utf-16be", "\xd8\x00\xdb\xff", 0},              // the first high, the last high
		{"utf-16le", "\xff\xdb\xff\xdb", 0},              // the last high, twice
		{"utf-16be", "\xd8\x00\xe0\x00", 0},              // the first high, and what is just no low
	}
)

// lacking has text of which the first rune that cannot be encoded is at offset.
var lacking = []struct {
	encoding, text string
	offset         int
}{
	{"ascii", "ab\u0080", 2},
	{"ascii", "aé", 1},
	{"ascii", "aéb€", 1},
	{"ascii", "\u0161", 0}, // its low byte is a letter
	{"ascii", "\U00010041", 0},
	{"ascii", "a\ufffd", 1},
	{"latin-1", "é\u0100", 2},
	{"latin-1", "éa€", 3},
	{"latin-1", "éÿ\U0001F600é", 4},
	{"latin-1", "\ufffd", 0},
	{"latin-1", "\ufeffa", 0},
}

func isError(t *labtest.T, err error, name string, offset int, format string, args ...any) {
	call := fmt.Sprintf(format, args...)
	e := encoding.NewError()
	require.ErrorAs(t, err, e.Target(), "%s: no *Error", call)
	assert.Equal(t, int64(offset), e.Offset(), "%s: wrong Offset", call)
	assert.Equal(t, name, strings.ToLower(e.Encoding()), "%s: wrong Encoding", call)
}

// Task 1: bytes to text.

type DecodeSuite struct{ labtest.Suite }

func TestDecode(t *testing.T) { suite.Run(t, new(DecodeSuite)) }

func decodes(t *labtest.T, name, data, text string) {
	got, err := encoding.Decode(name, []byte(data))
	require.NoError(t, err, "%s, %+q: Decode failed", name, data)
	assert.Equal(t, text, got, "%s, %+q: another text", name, data)
}

// decodeFails has the first case once more, far behind what blocks would cut in two.
func decodeFails(t *labtest.T, cases []bad, before string) {
	for _, v := range cases {
		_, err := encoding.Decode(v.encoding, []byte(v.data))
		isError(t, err, v.encoding, v.offset, "%s, %+q", v.encoding, v.data)
	}
	v, before := cases[0], strings.Repeat(before, 24_000)
	_, err := encoding.Decode(v.encoding, []byte(before+v.data))
	isError(t, err, v.encoding, len(before)+v.offset, "%s, %+q behind %d bytes", v.encoding, v.data, len(before))
}

func (s *DecodeSuite) TestValidBytesBecomeText() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("bytes-and-symbols", "Decode must give the text that the bytes stand for", encoding.Decode)
		for _, v := range valid {
			decodes(t, v.encoding, v.data, v.text)
		}
	})
}

func (s *DecodeSuite) TestEachByteOfLatin1IsASymbol() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("bytes-and-symbols", "In Latin-1 each byte must be the symbol of that number", encoding.Decode)
		for b := range 256 {
			decodes(t, "latin-1", string([]byte{byte(b)}), string(rune(b)))
		}
	})
}

func (s *DecodeSuite) TestASCIIHas128Symbols() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("bytes-and-symbols", "In ASCII a byte below 0x80 must be a symbol, and every other byte an *Error", encoding.Decode)
		for b := range 128 {
			decodes(t, "ascii", string(rune(b)), string(rune(b)))
		}
		decodeFails(t, badASCII, "abc")
	})
}

func (s *DecodeSuite) TestInvalidUTF8IsAnError() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("strict", "Invalid UTF-8 must give an *Error with the offset of the first bad sequence", encoding.Decode)
		decodeFails(t, badUTF8, "€")
	})
}

func (s *DecodeSuite) TestInvalidUTF16IsAnError() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("surrogates", "An odd byte or a lone surrogate must give an *Error with its offset", encoding.Decode)
		decodeFails(t, badUTF16, "a\x00\x3d\xd8\x00\xde")
	})
}

func (s *DecodeSuite) TestAReplacementCharacterIsText() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("two-faces-of-ufffd", "Decode must take a real U+FFFD like any other character", encoding.Decode)
		for _, v := range replaced {
			decodes(t, v.encoding, v.data, v.text)
		}
	})
}

func (s *DecodeSuite) TestAByteOrderMarkIsText() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("the-mark", "Decode must take a byte order mark for text like any other", encoding.Decode)
		for _, v := range marked {
			decodes(t, v.encoding, v.data, v.text)
		}
	})
}

func (s *DecodeSuite) TestNamesInAnyLetterCase() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("bytes-and-symbols", "Decode must know its encodings in any letter case, and no others", encoding.Decode)
		for _, name := range mixed {
			_, err := encoding.Decode(name, nil)
			assert.NoError(t, err, "%s: Decode failed", name)
		}
		_, err := encoding.Decode("UTF-16BE", []byte("\x00"))
		isError(t, err, "utf-16be", 0, `UTF-16BE, "\x00", which is half a unit`)
		for _, name := range unknown {
			for _, data := range []string{"", "a", "\xff"} {
				_, err := encoding.Decode(name, []byte(data))
				assert.ErrorIs(t, err, encoding.ErrUnknown, "Decode(%q, %+q): the error is not ErrUnknown", name, data)
			}
		}
	})
}

// Task 2: text to bytes.

type EncodeSuite struct{ labtest.Suite }

func TestEncode(t *testing.T) { suite.Run(t, new(EncodeSuite)) }

func encodes(t *labtest.T, name, text, data string) {
	got, err := encoding.Encode(name, text)
	require.NoError(t, err, "%s, %+q: Encode failed", name, text)
	assert.Equal(t, data, string(got), "%s, %+q: other bytes", name, text)
}

func (s *EncodeSuite) TestTextBecomesBytes() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("bytes-and-symbols", "Encode must give the bytes that stand for the text", encoding.Encode)
		for _, v := range valid {
			encodes(t, v.encoding, v.text, v.data)
		}
		for b := range 256 {
			encodes(t, "latin-1", string(rune(b)), string([]byte{byte(b)}))
		}
		for b := range 128 {
			encodes(t, "ascii", string(rune(b)), string([]byte{byte(b)}))
		}
	})
}

func (s *EncodeSuite) TestALackingRuneIsAnError() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("strict", "A rune that the encoding lacks must give an *Error with its byte index", encoding.Encode)
		for _, v := range lacking {
			_, err := encoding.Encode(v.encoding, v.text)
			isError(t, err, v.encoding, v.offset, "%s, %+q", v.encoding, v.text)
		}
	})
}

func (s *EncodeSuite) TestInvalidTextIsAnError() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("strict", "Invalid UTF-8 in text must give an *Error with its byte index", encoding.Encode)
		for _, name := range names {
			for _, text := range []string{"ab\xffc", "ab\xe2\x82", "ab\xc0\x80", "ab\xed\xa0\x80"} {
				_, err := encoding.Encode(name, text)
				isError(t, err, name, 2, "%s, %+q", name, text)
			}
		}
		for _, name := range names[1:] {
			_, err := encoding.Encode(name, strings.Repeat("é", 35_000)+"\x80")
			isError(t, err, name, 70_000, "%s, %+q behind 70000 bytes", name, "\x80")
		}
		for _, name := range names[2:] {
			_, err := encoding.Encode(name, "\ufffd\xff")
			isError(t, err, name, 3, "%s, %+q", name, "\ufffd\xff")
		}
	})
}

func (s *EncodeSuite) TestAReplacementCharacterIsText() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("two-faces-of-ufffd", "Encode must take a real U+FFFD like any other character", encoding.Encode)
		for _, v := range replaced {
			encodes(t, v.encoding, v.text, v.data)
		}
	})
}

func (s *EncodeSuite) TestAByteOrderMarkIsText() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("the-mark", "Encode must take a byte order mark for text like any other, and add none", encoding.Encode)
		for _, v := range marked {
			encodes(t, v.encoding, v.text, v.data)
		}
		for _, v := range valid {
			encodes(t, v.encoding, v.text, v.data)
		}
	})
}

func (s *EncodeSuite) TestNamesInAnyLetterCase() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("bytes-and-symbols", "Encode must know its encodings in any letter case, and no others", encoding.Encode)
		for _, name := range mixed {
			_, err := encoding.Encode(name, "a")
			assert.NoError(t, err, "%s: Encode failed", name)
		}
		_, err := encoding.Encode("LATIN-1", "€")
		isError(t, err, "latin-1", 0, "LATIN-1")
		for _, name := range unknown {
			for _, text := range []string{"", "a", "\xff"} {
				_, err := encoding.Encode(name, text)
				assert.ErrorIs(t, err, encoding.ErrUnknown, "Encode(%q, %+q): the error is not ErrUnknown", name, text)
			}
		}
	})
}

// Task 3: the Unicode sandwich.

type SandwichSuite struct{ labtest.Suite }

func TestSandwich(t *testing.T) { suite.Run(t, new(SandwichSuite)) }

func (s *SandwichSuite) TestTruncateCutsNoRune() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("the-unicode-sandwich", "Truncate must give the longest prefix of at most max bytes that cuts no rune in two", encoding.Truncate)
		for _, text := range []string{"aé€\ufffd\U0001F600e\u0301\u0308", "\U0001F600\U0001F600", "ééé", "\ufeffabc", ""} {
			for max := range len(text) {
				want := ""
				for i, r := range text {
					if end := i + len(string(r)); end <= max {
						want = text[:end]
					}
				}
				assert.Equal(t, want, encoding.Truncate(text, max), "%+q, max is %d", text, max)
			}
		}
	})
}

func (s *SandwichSuite) TestTruncateLeavesWhatFits() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("the-unicode-sandwich", "Truncate must return the whole text if max bytes are enough", encoding.Truncate)
		for _, text := range []string{"aé€\U0001F600", "é", "abc", ""} {
			for _, max := range []int{len(text), len(text) + 1, len(text) + 100, math.MaxInt} {
				assert.Equal(t, text, encoding.Truncate(text, max), "%+q, max is %d", text, max)
			}
		}
	})
}

func (s *SandwichSuite) TestTruncateToNothing() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("the-unicode-sandwich", "Truncate must return an empty text if max is 0 or less", encoding.Truncate)
		for _, text := range []string{"abc", "é", ""} {
			for _, max := range []int{0, -1, -5, math.MinInt} {
				assert.Empty(t, encoding.Truncate(text, max), "%+q, max is %d", text, max)
			}
		}
	})
}

func (s *SandwichSuite) TestDecodeWorkEncode() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("the-unicode-sandwich", "Sandwich must decode, work on the text, and encode it in the same encoding", encoding.Declared.Sandwich)
		for _, v := range valid {
			var seen []string
			name := strings.ToUpper(v.encoding)
			f := encoding.Sandwich(name, func(text string) string {
				seen = append(seen, text)
				return text + "!"
			})
			want, err := encoding.Encode(v.encoding, v.text+"!")
			require.NoError(t, err, "Encode failed")
			got, err := f([]byte(v.data))
			call := fmt.Sprintf("%s, %+q, work appends \"!\"", name, v.data)
			require.NoError(t, err, "%s: the sandwich failed", call)
			require.Equal(t, 1, len(seen), "%s: so many times work was called", call)
			assert.Equal(t, v.text, seen[0], "%s: work got another text", call)
			assert.Equal(t, string(want), string(got), "%s: other bytes came out", call)
		}

		for _, text := range []string{"\ufeffa", "e\u0301", "abc"} {
			for _, name := range []string{"utf-8", "utf-16le", "utf-16be"} {
				data, err := encoding.Encode(name, text)
				require.NoError(t, err, "Encode failed")
				in := bytes.Clone(data)
				got, err := encoding.Sandwich(name, func(s string) string {
					assert.Equal(t, text, s, "%s: work got another text", name)
					return strings.ToUpper(text)
				})(in)
				require.NoError(t, err, "%s: the sandwich of %+q failed", name, text)
				want, err := encoding.Encode(name, strings.ToUpper(text))
				require.NoError(t, err, "Encode failed")
				assert.Equal(t, string(want), string(got), "%s: work gave %+q, and other bytes came out", name, strings.ToUpper(text))
				assert.Equal(t, string(data), string(in), "%s: the sandwich has changed the bytes that it was given", name)
			}
		}
	})
}

func (s *SandwichSuite) TestEachCallIsByItself() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("the-unicode-sandwich", "The function may be called any number of times, also at the same time, and each call must be by itself", encoding.Declared.Sandwich)
		letters := []string{"a", "b", "c", "d"}
		together, inside, all := false, atomic.Int64{}, make(chan struct{})
		f := encoding.Sandwich("utf-16be", func(text string) string {
			if together {
				if int(inside.Add(1)) == len(letters) {
					close(all)
				}
				t.Beside(func() { <-all })
			}
			return text + "!"
		})
		var first []byte
		before := ""
		for _, letter := range []string{"a", "b", "c"} {
			got, err := f([]byte("\x00" + letter))
			require.NoError(t, err, "a call with %+q%s failed", "\x00"+letter, before)
			assert.Equal(t, "\x00"+letter+"\x00!", string(got), "a call with %+q%s: other bytes came out", "\x00"+letter, before)
			if first == nil {
				first = got
			}
			_, err = f([]byte("\x00"))
			isError(t, err, "utf-16be", 0, "an odd byte")
			before = ", right after a call with an odd byte,"
		}
		assert.Equal(t, "\x00a\x00!", string(first), "a later call changed what an earlier one had returned")
		together = true
		var calls []*labtest.Call
		for _, letter := range letters {
			calls = append(calls, t.Go(func() {
				got, err := f([]byte("\x00" + letter))
				assert.NoError(t, err, "a call failed")
				assert.Equal(t, "\x00"+letter+"\x00!", string(got), "with other calls at the same time: other bytes came out")
			}))
		}
		for _, c := range calls {
			c.Join()
		}
		for range 3 {
			f := encoding.Sandwich("utf-16be", strings.ToUpper)
			call := func() {
				got, err := f([]byte("\x00a"))
				assert.NoError(t, err, "its first two calls, at the same time: one failed")
				assert.Equal(t, "\x00A", string(got), "its first two calls, at the same time: other bytes came out")
			}
			t.Collide(call, call)
		}
	})
}

func (s *SandwichSuite) TestErrorsOfBothComeThrough() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("the-unicode-sandwich", "The errors of Decode and Encode must come through", encoding.Declared.Sandwich)
		calls := 0
		same := func(text string) string {
			calls++
			return text
		}
		_, err := encoding.Sandwich("utf-16le", same)([]byte("a\x00b"))
		isError(t, err, "utf-16le", 2, `utf-16le, "a\x00b", whose last byte is odd`)
		_, err = encoding.Sandwich("latin-1", func(text string) string { return text + "€" })([]byte("\xe9"))
		isError(t, err, "latin-1", 2, `latin-1, "\xe9", work appends "€", which latin-1 lacks`)
		_, err = encoding.Sandwich("utf-8", func(text string) string { return text[:2] })([]byte("aé"))
		isError(t, err, "utf-8", 1, `utf-8, "aé", work returns its first 2 bytes, the last of which is half an é`)
		for _, name := range unknown {
			_, err = encoding.Sandwich(name, same)([]byte("a"))
			assert.ErrorIs(t, err, encoding.ErrUnknown, "Sandwich(%q): the error of its function is not ErrUnknown", name)
		}
		assert.Equal(t, 0, calls, "of %d calls there was no text to work on, since Decode failed, and so many times work was called", 1+len(unknown))
	})
}

// Task 4: a stream.

type TranscodeSuite struct{ labtest.Suite }

func TestTranscode(t *testing.T) { suite.Run(t, new(TranscodeSuite)) }

// slices hands out at most size bytes a Read, and before each of them it idles:
// so many Reads give nothing. An error at its end comes once, then io.EOF does.
type slices struct {
	data  string
	size  int
	end   error
	idles int
	idle  int
}

func (r *slices) Read(p []byte) (int, error) {
	if r.idle++; r.idle <= r.idles {
		return 0, nil
	}
	r.idle = 0
	if r.data == "" {
		end := r.end
		r.end = io.EOF
		return 0, end
	}
	n := copy(p[:min(len(p), r.size)], r.data)
	r.data = r.data[n:]
	return n, nil
}

// transcodes wants data to come out as text in every encoding that can hold it,
// for reads of each size. How says what else is special about src.
func transcodes(t *labtest.T, from, data, text string, sizes int, how string, src func(size int) io.Reader) {
	for _, to := range names {
		want, err := encoding.Encode(to, text)
		if err != nil {
			continue
		}
		for size := 1; size <= sizes; size++ {
			t.Progress()
			var out bytes.Buffer
			call := fmt.Sprintf("%s to %s, %+q, %d bytes a read%s", from, to, data, size, how)
			require.NoError(t, encoding.Transcode(&out, to, src(size), from), "%s: it failed", call)
			require.Equal(t, string(want), out.String(), "%s: other bytes", call)
		}
	}
}

func (s *TranscodeSuite) TestReadsMayHaveAnySize() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("streams", "The outcome must be the same whatever the size of the reads", encoding.Transcode)
		for _, v := range valid {
			transcodes(t, v.encoding, v.data, v.text, 9, "", func(size int) io.Reader {
				return &slices{data: v.data, size: size, end: io.EOF}
			})
		}
		for name, symbols := range map[string]int{"ascii": 128, "latin-1": 256} {
			var data []byte
			var text []rune
			for n := range symbols {
				data, text = append(data, byte(n)), append(text, rune(n))
			}
			transcodes(t, name, string(data), string(text), 2, "", func(size int) io.Reader {
				return &slices{data: string(data), size: size, end: io.EOF}
			})
		}
	})
}

func (s *TranscodeSuite) TestAReadOfNothingIsNotTheEnd() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("streams", "A read of no bytes and no error must not count as the end", encoding.Transcode)
		for _, v := range valid {
			transcodes(t, v.encoding, v.data, v.text, 3, ", each after 10 reads of nothing", func(size int) io.Reader {
				return &slices{data: v.data, size: size, end: io.EOF, idles: 10} // bufio bears 100 in a row
			})
		}
	})
}

func (s *TranscodeSuite) TestDataMayComeWithTheEnd() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("streams", "Bytes that come together with io.EOF must be translated", encoding.Transcode)
		for _, v := range valid {
			transcodes(t, v.encoding, v.data, v.text, 3, ", the last ones together with io.EOF", func(size int) io.Reader {
				return iotest.DataErrReader(&slices{data: v.data, size: size, end: io.EOF})
			})
		}
	})
}

func (s *TranscodeSuite) TestMarkAndReplacementAreText() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("the-mark", "In a stream, too, a byte order mark and a real U+FFFD must be text like any other", encoding.Transcode)
		for _, v := range append(marked, replaced...) {
			transcodes(t, v.encoding, v.data, v.text, 4, "", func(size int) io.Reader {
				return &slices{data: v.data, size: size, end: io.EOF}
			})
		}
	})
}

func (s *TranscodeSuite) TestNamesInAnyLetterCase() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("streams", "Transcode must know its encodings in any letter case, on both sides", encoding.Transcode)
		for _, from := range mixed {
			for _, to := range mixed {
				data, err := encoding.Encode(from, "az")
				require.NoError(t, err, "Encode failed")
				want, err := encoding.Encode(to, "az")
				require.NoError(t, err, "Encode failed")
				var out bytes.Buffer
				require.NoError(t, encoding.Transcode(&out, to, bytes.NewReader(data), from), "%s to %s: it failed", from, to)
				assert.Equal(t, string(want), out.String(), "%s to %s: other bytes", from, to)
			}
		}
		err := encoding.Transcode(io.Discard, "LATIN-1", strings.NewReader("€"), "UTF-8")
		isError(t, err, "latin-1", 0, "UTF-8 to LATIN-1, a rune that it lacks")
		err = encoding.Transcode(io.Discard, "LATIN-1", strings.NewReader("\xff"), "UTF-8")
		isError(t, err, "utf-8", 0, "UTF-8 to LATIN-1, bad input")
	})
}

// live is a long src that shows the watchdog that the test gets on.
type live struct {
	t *labtest.T
	io.Reader
}

func (l live) Read(p []byte) (int, error) {
	l.t.Progress()
	return l.Reader.Read(p)
}

// sameBytes wants got to be want, and tells where they part: of tens of thousands
// of bytes a reader can compare nothing.
func sameBytes(t *labtest.T, want, got, call string) {
	if want == got {
		return
	}
	at := 0
	for at < min(len(want), len(got)) && want[at] == got[at] {
		at++
	}
	t.Fatalf("%s: other bytes came out, from index %d on: %d bytes instead of %d", call, at, len(got), len(want))
}

func (s *TranscodeSuite) TestLongInput() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("streams", "A long input must come out whole", encoding.Transcode)
		for shift := range 4 {
			text := strings.Repeat("a", shift) + strings.Repeat("\U0001F600", 17_000)
			wide, err := encoding.Encode("utf-16le", text)
			require.NoError(t, err, "Encode failed")
			var out bytes.Buffer
			require.NoError(t, encoding.Transcode(&out, "utf-16le", live{t, strings.NewReader(text)}, "utf-8"), "it failed")
			sameBytes(t, string(wide), out.String(), "utf-8 to utf-16le")
			out.Reset()
			require.NoError(t, encoding.Transcode(&out, "utf-8", live{t, bytes.NewReader(wide)}, "utf-16le"), "it failed")
			sameBytes(t, text, out.String(), "utf-16le to utf-8")

			r, w := io.Pipe()
			t.Go(func() {
				_ = w.CloseWithError(encoding.Transcode(w, "utf-16be", live{t, strings.NewReader(text)}, "utf-8"))
			})
			out.Reset()
			require.NoError(t, encoding.Transcode(&out, "utf-8", r, "utf-16be"), "two Transcodes at the same time, the second reads what the first writes: the second failed")
			sameBytes(t, text, out.String(), "two Transcodes at the same time, the second reads what the first writes")
		}
	})
}

func (s *TranscodeSuite) TestBadInputIsAnError() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("streams", "Bad or cut off input must give an *Error, with what came before it written", encoding.Transcode)
		for _, v := range append(append(badASCII, badUTF8...), badUTF16...) {
			good, err := encoding.Decode(v.encoding, []byte(v.data[:v.offset]))
			require.NoError(t, err, "Decode failed")
			for _, to := range names {
				want, err := encoding.Encode(to, good)
				if err != nil {
					continue
				}
				check := func(to string, src io.Reader, how string) {
					call := fmt.Sprintf("%s to %s, %+q, %s", v.encoding, to, v.data, how)
					var out bytes.Buffer
					isError(t, encoding.Transcode(&out, to, src, v.encoding), v.encoding, v.offset, "%s", call)
					require.Equal(t, string(want), out.String(), "%s: wrong bytes were written before the *Error", call)
				}
				for _, size := range []int{1, 2, 3, 100} {
					how := fmt.Sprintf("%d bytes a read", size)
					src := func() io.Reader { return &slices{data: v.data, size: size, end: io.EOF} }
					check(to, src(), how)
					check(strings.ToUpper(to), src(), how)
					how += ", the last ones together with io.EOF"
					check(to, iotest.DataErrReader(src()), how)
					check(strings.ToUpper(to), iotest.DataErrReader(src()), how)
				}
			}
		}
	})
}

func (s *TranscodeSuite) TestALackingRuneIsAnError() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("streams", "A rune that the target lacks must give an *Error with its offset in src, and what came before it written", encoding.Transcode)
		for _, v := range lacking {
			for _, from := range names[2:] {
				data, err := encoding.Encode(from, v.text)
				require.NoError(t, err, "Encode failed")
				before, err := encoding.Encode(from, v.text[:v.offset])
				require.NoError(t, err, "Encode failed")
				want, err := encoding.Encode(v.encoding, v.text[:v.offset])
				require.NoError(t, err, "Encode failed")
				for size := 1; size <= 5; size++ {
					var out bytes.Buffer
					err := encoding.Transcode(&out, v.encoding, &slices{data: string(data), size: size, end: io.EOF}, from)
					isError(t, err, v.encoding, len(before), "%s to %s, %+q, %d bytes a read", from, v.encoding, v.text, size)
					require.Equal(t, string(want), out.String(), "%s to %s, %+q, %d bytes a read: wrong bytes were written", from, v.encoding, v.text, size)
				}
			}
		}
		err := encoding.Transcode(io.Discard, "ascii", strings.NewReader("ab\xe9"), "latin-1")
		isError(t, err, "ascii", 2, "latin-1 to ascii")
	})
}

func (s *TranscodeSuite) TestOffsetsCountFromTheStart() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("streams", "Offset must count bytes from the start of src, also far behind it", encoding.Transcode)
		for _, from := range names[1:] {
			before, err := encoding.Encode(from, "b"+strings.Repeat("éa", 30_000))
			require.NoError(t, err, "Encode failed")
			wrong := map[string]string{"utf-8": "\xe2\x82a", "utf-16le": "\x3d\xd8a\x00", "utf-16be": "\xd8\x3d\x00a"}[from]
			if wrong != "" {
				err = encoding.Transcode(io.Discard, "utf-8", live{t, strings.NewReader(string(before) + wrong)}, from)
				isError(t, err, from, len(before), "%s, bad input", from)

				after, err := encoding.Encode(from, "€")
				require.NoError(t, err, "Encode failed")
				err = encoding.Transcode(io.Discard, "latin-1", live{t, strings.NewReader(string(before) + string(after))}, from)
				isError(t, err, "latin-1", len(before), "%s to latin-1, a rune that it lacks", from)
				continue
			}
			err = encoding.Transcode(io.Discard, "ascii", live{t, strings.NewReader(strings.Repeat("a", 90_000) + "\xe9")}, from)
			isError(t, err, "ascii", 90_000, "%s to ascii, a rune that it lacks", from)
		}
	})
}

func (s *TranscodeSuite) TestUnknownEncodings() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("streams", "An unknown encoding on either side must be ErrUnknown, and nothing be written", encoding.Transcode)
		for _, name := range unknown {
			for _, data := range []string{"", "a"} {
				var out bytes.Buffer
				assert.ErrorIs(t, encoding.Transcode(&out, name, strings.NewReader(data), "ascii"), encoding.ErrUnknown, "from \"ascii\" to %q, src is %q: the error is not ErrUnknown", name, data)
				assert.ErrorIs(t, encoding.Transcode(&out, "ascii", strings.NewReader(data), name), encoding.ErrUnknown, "from %q to \"ascii\", src is %q: the error is not ErrUnknown", name, data)
				assert.Empty(t, out.String(), "unknown encoding %q: something was written", name)
			}
		}
	})
}

func (s *TranscodeSuite) TestErrorsOfSrcComeThrough() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("errors-on-both-sides", "An error of src must come through, also after half a character, with what came before it written", encoding.Transcode)
		broken := errors.New("the cable is out")
		for _, v := range []struct{ from, data string }{
			{"ascii", "ab"},
			{"utf-8", "ab"},
			{"utf-8", "ab\xc3"},
			{"utf-8", "ab\xe2\x82"},
			{"utf-8", "ab\xf0\x9f\x98"},
			{"utf-16le", "a\x00b\x00"},
			{"utf-16le", "a\x00b\x00c"},
			{"utf-16le", "a\x00b\x00\x3d\xd8"},
			{"utf-16be", "\x00a\x00b\xd8\x3d\xde"},
		} {
			for _, end := range []error{broken, io.ErrUnexpectedEOF} {
				for _, size := range []int{1, 100} {
					var out bytes.Buffer
					err := encoding.Transcode(&out, "utf-16be", &slices{data: v.data, size: size, end: end, idles: 1}, v.from)
					require.ErrorIs(t, err, end, "%s to utf-16be, %+q, then the error %q: errors.Is does not find it", v.from, v.data, end)
					assert.Equal(t, "\x00a\x00b", out.String(), "%s to utf-16be, %+q, then the error %q: wrong bytes were written", v.from, v.data, end)

					out.Reset()
					src := iotest.DataErrReader(&slices{data: v.data, size: size, end: end})
					call := fmt.Sprintf("%s to utf-16be, %+q, %d bytes a read, the last together with the error %q", v.from, v.data, size, end)
					require.ErrorIs(t, encoding.Transcode(&out, "utf-16be", src, v.from), end, "%s: errors.Is does not find it", call)
					assert.Equal(t, "\x00a\x00b", out.String(), "%s: wrong bytes were written", call)
				}
			}
		}
	})
}

func (s *TranscodeSuite) TestErrorsOfDstComeThrough() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("errors-on-both-sides", "An error of dst must come through", encoding.Transcode)
		full := errors.New("the disk is full")
		for _, length := range []int{1, 200_000} {
			for _, failing := range []int{1, 2} {
				writes, failed := 0, false
				dst := labtest.WriterFunc(func(p []byte) (int, error) {
					t.Progress()
					if writes++; writes == failing {
						failed = true
						return len(p) / 2, full
					}
					return len(p), nil
				})
				src := live{t, strings.NewReader(strings.Repeat("a", length))}
				err := encoding.Transcode(dst, "utf-8", src, "ascii")
				if failed {
					assert.ErrorIs(t, err, full, "an input of %d bytes, Write number %d returned the error %q: errors.Is does not find it", length, failing, full)
				}
			}
		}
		dst := labtest.WriterFunc(func(p []byte) (int, error) { return len(p), full })
		assert.ErrorIs(t, encoding.Transcode(dst, "utf-16le", strings.NewReader("a"), "ascii"), full, "Write took all that it was given, and returned the error %q beside it: errors.Is does not find it", full)
		for _, data := range []string{"ab\xff", "ab€", "ab\xc3"} {
			err := encoding.Transcode(dst, "latin-1", strings.NewReader(data), "utf-8")
			assert.ErrorIs(t, err, full, "utf-8 to latin-1, %+q: the Write of what comes before the bad part returned the error %q: errors.Is does not find it", data, full)
		}
		src := iotest.DataErrReader(&slices{data: "ab", size: 100, end: io.ErrUnexpectedEOF})
		assert.ErrorIs(t, encoding.Transcode(dst, "utf-8", src, "ascii"), full, "\"ab\" together with an error of src, and the Write of \"ab\" returned the error %q: errors.Is does not find it", full)
	})
}

// watched is src and dst at once, and complains when more than 64 KiB have been
// read and not been written.
type watched struct {
	t       *labtest.T
	in, out string // the one character, over and over
	left    int
	read    int
	written atomic.Int64
}

func (w *watched) Read(p []byte) (int, error) {
	w.t.Progress()
	written := int(w.written.Load()) / len(w.out)
	if written < (w.read-64<<10)/len(w.in) {
		w.t.Errorf("%d characters of %d bytes were read and %d written, and it reads on", w.read/len(w.in), len(w.in), written)
	}
	n := min(len(p), w.left, 4096)
	for i := range p[:n] {
		p[i] = w.in[(w.read+i)%len(w.in)]
	}
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
		t.Rule("memory", "What has been received must be written before another 64 KiB are read", encoding.Transcode)
		for _, v := range []struct {
			from, to, in, out string
			chars             int
		}{
			{"utf-8", "latin-1", "a", "a", 200_000},
			{"utf-16le", "latin-1", "a\x00", "a", 100_000},
			{"utf-8", "utf-16be", "€", "\x20\xac", 70_000},
			{"utf-16be", "utf-8", "\xd8\x3d\xde\x00", "\U0001F600", 50_000},
		} {
			w := &watched{t: t, in: v.in, out: v.out, left: v.chars * len(v.in)}
			require.NoError(t, encoding.Transcode(w, v.to, w, v.from), "%s to %s: it failed", v.from, v.to)
			assert.EqualValues(t, v.chars*len(v.out), w.written.Load(), "%s to %s: not everything was written", v.from, v.to)
		}
	})
}

// scales weigh the heap.
type scales struct {
	passed, next int
	first, most  uint64
}

// pass looks once in 512 KiB, of which n bytes more have come by, and at the end.
func (s *scales) pass(n int, end bool) {
	if s.passed += n; s.passed >= s.next || end {
		s.next = s.passed + 512<<10
		s.look()
	}
}

func (s *scales) look() {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	if s.first == 0 {
		s.first = m.HeapAlloc
	}
	s.most = max(s.most, m.HeapAlloc)
}

// weighed is a src that looks at the heap now and then, and at its end.
type weighed struct {
	live
	scales
}

func (w *weighed) Read(p []byte) (int, error) {
	n, err := w.live.Read(p)
	w.pass(n, err == io.EOF)
	return n, err
}

func (s *TranscodeSuite) TestMemoryDoesNotGrow() {
	s.Bubble(func(t *labtest.T) {
		t.Rule("memory", "Memory must not grow with the input", encoding.Transcode)
		text := strings.Repeat("\U0001F600", 512<<10)
		src := &weighed{live: live{t, strings.NewReader(text)}}
		require.NoError(t, encoding.Transcode(io.Discard, "utf-16le", src, "utf-8"), "it failed")
		assert.Less(t, src.most-src.first, uint64(len(text)/2), "of an input of %d bytes so many were kept", len(text))

		// This src has the method WriteTo, and io.Copy calls that, with all of it at once.
		text = text[:len(text)/2]
		var heap scales
		heap.look() // before anything can have been kept
		dst := labtest.WriterFunc(func(p []byte) (int, error) {
			t.Progress()
			heap.pass(len(p), false)
			return len(p), nil
		})
		require.NoError(t, encoding.Transcode(dst, "utf-16le", strings.NewReader(text), "utf-8"), "it failed")
		assert.Less(t, heap.most-heap.first, uint64(len(text)/2), "src is a strings.Reader with %d bytes, and io.Copy takes all of them in one Write, by its method WriteTo: so many bytes were kept", len(text))
	})
}
