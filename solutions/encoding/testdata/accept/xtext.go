// golang.org/x/text does it: one transform.Transformer lies under Decode, Encode and Transcode.

// Package encoding translates bytes to text and back.
package encoding

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"
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

var charsets = map[string]encoding.Encoding{
	"ascii":    charmap.ISO8859_1,
	"latin-1":  charmap.ISO8859_1,
	"utf-8":    encoding.Nop,
	"utf-16le": unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM),
	"utf-16be": unicode.UTF16(unicode.BigEndian, unicode.IgnoreBOM),
}

// toText is a Transformer from an encoding to UTF-8, toBytes one from UTF-8.
type toText struct {
	transform.NopResetter
	name   string
	offset int64
	widths *widths
}

type toBytes struct {
	transform.NopResetter
	name   string
	offset int64
	widths *widths
}

// widths counts how many bytes of src the text so far stands for.
type widths struct{ encoding string }

func (w *widths) of(r rune) int {
	switch strings.ToLower(w.encoding) {
	case "utf-8":
		return utf8.RuneLen(r)
	case "utf-16le", "utf-16be":
		if r > 0xFFFF {
			return 4
		}
		return 2
	}
	return 1
}

func (t *toText) Transform(dst, src []byte, atEOF bool) (nDst, nSrc int, err error) {
	defer func() { t.offset += int64(nSrc) }()
	for nSrc < len(src) {
		size := t.size(src[nSrc:])
		if size == 0 && !atEOF {
			return nDst, nSrc, transform.ErrShortSrc
		}
		if size <= 0 {
			return nDst, nSrc, &Error{t.name, t.offset + int64(nSrc), "not valid"}
		}
		text, err := charsets[strings.ToLower(t.name)].NewDecoder().Bytes(src[nSrc : nSrc+size])
		if err != nil {
			return nDst, nSrc, err
		}
		if len(text) > len(dst)-nDst {
			return nDst, nSrc, transform.ErrShortDst
		}
		nDst += copy(dst[nDst:], text)
		nSrc += size
	}
	return nDst, nSrc, nil
}

// size is that of the first character: 0 if cut off, -1 if not valid.
func (t *toText) size(p []byte) int {
	name := strings.ToLower(t.name)
	switch name {
	case "ascii":
		if p[0] >= utf8.RuneSelf {
			return -1
		}
		return 1
	case "latin-1":
		return 1
	case "utf-8":
		if !utf8.FullRune(p) {
			return 0
		}
		r, size := utf8.DecodeRune(p)
		if r == utf8.RuneError && size == 1 {
			return -1
		}
		return size
	}
	high := 0
	if name == "utf-16le" {
		high = 1
	}
	switch {
	case len(p) < 2:
		return 0
	case p[high]&0xF8 != 0xD8:
		return 2
	case p[high]&0xFC == 0xDC:
		return -1
	case len(p) < 4:
		return 0
	case p[2+high]&0xFC != 0xDC:
		return -1
	}
	return 4
}

func (t *toBytes) Transform(dst, src []byte, atEOF bool) (nDst, nSrc int, err error) {
	name := strings.ToLower(t.name)
	for nSrc < len(src) {
		if !utf8.FullRune(src[nSrc:]) && !atEOF {
			return nDst, nSrc, transform.ErrShortSrc
		}
		r, size := utf8.DecodeRune(src[nSrc:])
		if r == utf8.RuneError && size == 1 {
			return nDst, nSrc, &Error{t.name, t.offset, "not UTF-8"}
		}
		data, err := charsets[name].NewEncoder().Bytes(src[nSrc : nSrc+size])
		if err != nil || name == "ascii" && r >= utf8.RuneSelf {
			return nDst, nSrc, &Error{t.name, t.offset, "no such character"}
		}
		if len(data) > len(dst)-nDst {
			return nDst, nSrc, transform.ErrShortDst
		}
		nDst += copy(dst[nDst:], data)
		nSrc += size
		t.offset += int64(t.widths.of(r))
	}
	return nDst, nSrc, nil
}

func known(encoding string) error {
	if charsets[strings.ToLower(encoding)] == nil {
		return fmt.Errorf("%q: %w", encoding, ErrUnknown)
	}
	return nil
}

// Decode translates bytes to text.
func Decode(encoding string, data []byte) (string, error) {
	if err := known(encoding); err != nil {
		return "", err
	}
	text, _, err := transform.Bytes(&toText{name: encoding}, data)
	return string(text), err
}

// Encode translates text to bytes.
func Encode(encoding, text string) ([]byte, error) {
	if err := known(encoding); err != nil {
		return nil, err
	}
	data, _, err := transform.Bytes(&toBytes{name: encoding, widths: &widths{"utf-8"}}, []byte(text))
	return data, err
}

// Truncate drops bytes from the end until what is left is whole.
func Truncate(text string, max int) string {
	text = text[:min(len(text), maximum(max))]
	for !utf8.ValidString(text) {
		text = text[:len(text)-1]
	}
	return text
}

func maximum(n int) int { return max(n, 0) }

// Sandwich decodes, works, encodes.
func Sandwich(encoding string, work func(string) string) func([]byte) ([]byte, error) {
	return func(data []byte) ([]byte, error) {
		text, err := Decode(encoding, data)
		if err != nil {
			return nil, err
		}
		return Encode(encoding, work(text))
	}
}

// Transcode copies through two readers that transform.
func Transcode(dst io.Writer, to string, src io.Reader, from string) error {
	if err := errors.Join(known(from), known(to)); err != nil {
		return err
	}
	text := transform.NewReader(src, &toText{name: from})
	_, err := io.Copy(dst, transform.NewReader(text, &toBytes{name: to, widths: &widths{from}}))
	return err
}
