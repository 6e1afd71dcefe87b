// Whole chunks go through Decode and Encode, and a character that is cut off is carried over to the next one.

// Package encoding translates bytes to text and back.
package encoding

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"
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

// Decode leaves the work to the standard library and looks afterwards.
func Decode(encoding string, data []byte) (string, error) {
	name, err := known(encoding)
	if err != nil {
		return "", err
	}
	n := whole(name, data)
	switch {
	case n < 0:
		return "", &Error{encoding, int64(-n - 1), "not valid"}
	case n < len(data):
		return "", &Error{encoding, int64(n), "cut off"}
	}
	return text(name, data), nil
}

func text(name string, data []byte) string {
	if name == "utf-8" {
		return string(data)
	}
	var units []uint16
	for i := 0; i < len(data); i++ {
		switch name {
		case "utf-16le":
			units = append(units, binary.LittleEndian.Uint16(data[i:]))
			i++
		case "utf-16be":
			units = append(units, binary.BigEndian.Uint16(data[i:]))
			i++
		default:
			units = append(units, uint16(data[i]))
		}
	}
	return string(utf16.Decode(units))
}

// whole returns how many bytes of data are whole characters, the rest being the
// beginning of one; or -1-n, if n bytes are and then come bad ones.
func whole(name string, data []byte) int {
	switch name {
	case "ascii":
		if i := strings.IndexFunc(text("latin-1", data), func(r rune) bool { return r > 0x7F }); i >= 0 {
			return -1 - i
		}
		return len(data)
	case "latin-1":
		return len(data)
	case "utf-8":
		i := 0
		for i < len(data) {
			r, size := utf8.DecodeRune(data[i:])
			if r == utf8.RuneError && size < 2 {
				if utf8.FullRune(data[i:]) {
					return -1 - i
				}
				return i
			}
			i += size
		}
		return i
	}
	order := binary.ByteOrder(binary.LittleEndian)
	if name == "utf-16be" {
		order = binary.BigEndian
	}
	i := 0
	for len(data)-i >= 2 {
		r := rune(order.Uint16(data[i:]))
		if !utf16.IsSurrogate(r) {
			i += 2
			continue
		}
		if r >= 0xDC00 {
			return -1 - i
		}
		if len(data)-i < 4 {
			return i
		}
		if utf16.DecodeRune(r, rune(order.Uint16(data[i+2:]))) == utf8.RuneError {
			return -1 - i
		}
		i += 4
	}
	return i
}

// Encode looks at one rune after the other.
func Encode(encoding, text string) ([]byte, error) {
	name, err := known(encoding)
	if err != nil {
		return nil, err
	}
	data := []byte{}
	for i := 0; i < len(text); {
		r, size := utf8.DecodeRuneInString(text[i:])
		if r == utf8.RuneError && size == 1 {
			return nil, &Error{encoding, int64(i), "text is not UTF-8"}
		}
		more, ok := bytesOf(name, r)
		if !ok {
			return nil, &Error{encoding, int64(i), "not in this encoding"}
		}
		data = append(data, more...)
		i += size
	}
	return data, nil
}

func known(encoding string) (string, error) {
	for _, name := range []string{"ascii", "latin-1", "utf-8", "utf-16le", "utf-16be"} {
		if strings.EqualFold(name, encoding) {
			return name, nil
		}
	}
	return "", ErrUnknown
}

func bytesOf(name string, r rune) ([]byte, bool) {
	switch name {
	case "ascii":
		return []byte{byte(r)}, r < 0x80
	case "latin-1":
		return []byte{byte(r)}, r < 0x100
	case "utf-8":
		return []byte(string(r)), true
	}
	var data []byte
	for _, unit := range utf16.Encode([]rune{r}) {
		if name == "utf-16le" {
			data = append(data, byte(unit), byte(unit>>8))
		} else {
			data = append(data, byte(unit>>8), byte(unit))
		}
	}
	return data, true
}

// Truncate takes runes as long as they fit.
func Truncate(text string, max int) string {
	n := 0
	for i, r := range text {
		if n = i; n+utf8.RuneLen(r) > max {
			return text[:n]
		}
	}
	return text
}

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

// Transcode decodes what is whole of each chunk.
func Transcode(dst io.Writer, to string, src io.Reader, from string) error {
	name, err := known(from)
	if err != nil {
		return err
	}
	if _, err := known(to); err != nil {
		return err
	}
	var rest []byte
	var offset int64
	for {
		chunk := make([]byte, 32<<10)
		n, readErr := src.Read(chunk)
		rest = append(rest, chunk[:n]...)
		bad := false
		n = whole(name, rest)
		if n < 0 {
			n, bad = -1-n, true
		}
		translated := text(name, rest[:n])
		data, err := Encode(to, translated)
		var lacking *Error
		if errors.As(err, &lacking) {
			data, _ = Encode(to, translated[:lacking.Offset])
			before, _ := Encode(from, translated[:lacking.Offset])
			lacking.Offset = offset + int64(len(before))
		}
		if _, err := dst.Write(data); err != nil {
			return err
		}
		if lacking != nil {
			return lacking
		}
		offset += int64(n)
		rest = rest[n:]
		switch {
		case bad, readErr == io.EOF && len(rest) > 0:
			return &Error{from, offset, "not valid or not complete"}
		case readErr == io.EOF:
			return nil
		case readErr != nil:
			return readErr
		}
	}
}
