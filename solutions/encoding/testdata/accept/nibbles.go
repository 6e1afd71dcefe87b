// Each Read asks for one byte, without any buffer behind it, and each character is written by itself.
package encoding

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// ErrUnknown is the error for an encoding that the package does not know.
var ErrUnknown = errors.New("unknown encoding")

// Error says where bytes or text cannot be translated.
type Error struct {
	Encoding string
	Offset   int64
	Reason   string
}

func (e *Error) Error() string {
	return fmt.Sprintf("%s, offset %d: %s", e.Encoding, e.Offset, e.Reason)
}

// Decode translates data, strictly, into text. Bytes that are not valid in the
// encoding give an [*Error] with the offset of the first bad sequence.
func Decode(encoding string, data []byte) (string, error) {
	c, err := find(encoding)
	if err != nil {
		return "", err
	}
	var text strings.Builder
	for offset := 0; offset < len(data); {
		r, size := c.decode(data[offset:])
		if size <= 0 {
			return "", &Error{encoding, int64(offset), "invalid bytes"}
		}
		text.WriteRune(r)
		offset += size
	}
	return text.String(), nil
}

// Encode translates text, strictly, into bytes. Invalid UTF-8 and a rune that
// the encoding lacks give an [*Error] with its byte index in text.
func Encode(encoding, text string) ([]byte, error) {
	c, err := find(encoding)
	if err != nil {
		return nil, err
	}
	var data []byte
	for i, r := range text {
		if r == utf8.RuneError {
			if _, size := utf8.DecodeRuneInString(text[i:]); size == 1 {
				return nil, &Error{encoding, int64(i), "invalid UTF-8 in text"}
			}
		}
		if r > c.max {
			return nil, &Error{encoding, int64(i), fmt.Sprintf("has no %U", r)}
		}
		data = c.append(data, r)
	}
	return data, nil
}

// Truncate returns the longest prefix of text, which is valid UTF-8, that has
// at most max bytes and cuts no rune in two.
func Truncate(text string, max int) string {
	if max >= len(text) {
		return text
	}
	for max > 0 && !utf8.RuneStart(text[max]) {
		max--
	}
	if max <= 0 {
		return ""
	}
	return text[:max]
}

// Sandwich returns a function that decodes, works on the text, and encodes it
// again. It hands on the errors of [Decode] and [Encode].
func Sandwich(encoding string, work func(string) string) func([]byte) ([]byte, error) {
	return func(data []byte) ([]byte, error) {
		text, err := Decode(encoding, data)
		if err != nil {
			return nil, err
		}
		return Encode(encoding, work(text))
	}
}

// chunk is how much is read at once.
const chunk = 16 << 10

// Transcode reads src to its end and writes it to dst in another encoding. It
// is [Decode] and [Encode] in constant memory: what a Read has returned is
// written before the next Read, but for a character that is not yet complete.
// Offsets count from the start of src. What came before an error is written.
func Transcode(dst io.Writer, to string, src io.Reader, from string) error {
	decoder, err := find(from)
	if err != nil {
		return err
	}
	encoder, err := find(to)
	if err != nil {
		return err
	}
	buf := make([]byte, chunk)
	var out []byte
	var offset int64 // of buf[0]
	rest := 0        // bytes of a character that is not yet complete
	for {
		n, readErr := src.Read(buf[rest : rest+1])
		in := buf[:rest+n]
		out = out[:0]
		done := 0
		var bad error
		for done < len(in) && bad == nil {
			r, size := decoder.decode(in[done:])
			at := offset + int64(done)
			switch {
			case size == 0 && readErr == io.EOF:
				bad = &Error{from, at, "cut off"}
			case size < 0:
				bad = &Error{from, at, "invalid bytes"}
			case size > 0 && r > encoder.max:
				bad = &Error{to, at, fmt.Sprintf("has no %U", r)}
			case size > 0:
				out = encoder.append(out, r)
			}
			if size <= 0 {
				break
			}
			done += size
		}
		if len(out) > 0 {
			written, err := dst.Write(out)
			if err != nil {
				return err
			}
			if written < len(out) {
				return io.ErrShortWrite
			}
		}
		switch {
		case bad != nil:
			return bad
		case readErr == io.EOF:
			return nil
		case readErr != nil:
			return readErr
		}
		rest = copy(buf, in[done:])
		offset += int64(done)
	}
}

// A codec knows one encoding.
type codec struct {
	max rune // the last rune that it has

	// decode returns the first rune of p and its size in bytes: 0 if p is too
	// short to tell, -1 if it is invalid. P is not empty.
	decode func(p []byte) (r rune, size int)
	append func(p []byte, r rune) []byte
}

var codecs = map[string]codec{
	"ascii":    {unicode.MaxASCII, decodeByte(unicode.MaxASCII), appendByte},
	"latin-1":  {unicode.MaxLatin1, decodeByte(unicode.MaxLatin1), appendByte},
	"utf-8":    {unicode.MaxRune, decodeUTF8, utf8.AppendRune},
	"utf-16le": {unicode.MaxRune, decodeUTF16(binary.LittleEndian), appendUTF16(binary.LittleEndian)},
	"utf-16be": {unicode.MaxRune, decodeUTF16(binary.BigEndian), appendUTF16(binary.BigEndian)},
}

func find(encoding string) (codec, error) {
	c, ok := codecs[strings.ToLower(encoding)]
	if !ok {
		return codec{}, fmt.Errorf("%w: %q", ErrUnknown, encoding)
	}
	return c, nil
}

func decodeByte(last byte) func([]byte) (rune, int) {
	return func(p []byte) (rune, int) {
		if p[0] > last {
			return 0, -1
		}
		return rune(p[0]), 1
	}
}

func appendByte(p []byte, r rune) []byte { return append(p, byte(r)) }

func decodeUTF8(p []byte) (rune, int) {
	if !utf8.FullRune(p) {
		return 0, 0
	}
	r, size := utf8.DecodeRune(p)
	if r == utf8.RuneError && size == 1 {
		return 0, -1
	}
	return r, size
}

func decodeUTF16(order binary.ByteOrder) func([]byte) (rune, int) {
	return func(p []byte) (rune, int) {
		if len(p) < 2 {
			return 0, 0
		}
		r := rune(order.Uint16(p))
		if !utf16.IsSurrogate(r) {
			return r, 2
		}
		if r >= 0xDC00 {
			return 0, -1
		}
		if len(p) < 4 {
			return 0, 0
		}
		r = utf16.DecodeRune(r, rune(order.Uint16(p[2:])))
		if r == unicode.ReplacementChar {
			return 0, -1
		}
		return r, 4
	}
}

func appendUTF16(order binary.AppendByteOrder) func([]byte, rune) []byte {
	return func(p []byte, r rune) []byte {
		if high, low := utf16.EncodeRune(r); high != unicode.ReplacementChar {
			return order.AppendUint16(order.AppendUint16(p, uint16(high)), uint16(low))
		}
		return order.AppendUint16(p, uint16(r))
	}
}
