// A state machine takes one byte at a time, and a bufio.Writer is flushed after every read.

// Package encoding translates bytes to text and back.
package encoding

import (
	"bufio"
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

// A machine takes one byte at a time. It writes no table of states: what it has
// of a character so far is the state.
type machine struct {
	name        string
	seen        int  // bytes of the character
	r           rune // the character so far
	need        int  // bytes that it still needs, in UTF-8
	least       rune // that need so many bytes
	first, high rune // the first byte of a unit, the high surrogate
}

// step takes a byte, and tells whether that was the last one of a character.
func (m *machine) step(b byte) (done, ok bool) {
	m.seen++
	switch m.name {
	case "ascii":
		m.r = rune(b)
		return true, b < 0x80
	case "latin-1":
		m.r = rune(b)
		return true, true
	case "utf-8":
		return m.step8(rune(b))
	}
	return m.step16(rune(b))
}

func (m *machine) step8(b rune) (done, ok bool) {
	if m.seen > 1 {
		if b&0xC0 != 0x80 {
			return false, false
		}
		m.r = m.r<<6 | b&0x3F
		m.need--
		if m.need > 0 {
			return false, true
		}
		return true, m.r >= m.least && m.r <= 0x10FFFF && (m.r < 0xD800 || m.r > 0xDFFF)
	}
	switch {
	case b < 0x80:
		m.r = b
		return true, true
	case b&0xE0 == 0xC0:
		m.r, m.need, m.least = b&0x1F, 1, 0x80
	case b&0xF0 == 0xE0:
		m.r, m.need, m.least = b&0x0F, 2, 0x800
	case b&0xF8 == 0xF0:
		m.r, m.need, m.least = b&0x07, 3, 0x10000
	default:
		return false, false
	}
	return false, true
}

func (m *machine) step16(b rune) (done, ok bool) {
	if m.seen%2 == 1 {
		m.first = b
		return false, true
	}
	unit := m.first<<8 | b
	if m.name == "utf-16le" {
		unit = b<<8 | m.first
	}
	switch low := unit >= 0xDC00 && unit <= 0xDFFF; {
	case m.seen == 4 && low:
		m.r = (m.high-0xD800)<<10 + (unit - 0xDC00) + 0x10000
		return true, true
	case m.seen == 4 || low:
		return false, false
	case unit >= 0xD800 && unit < 0xDC00:
		m.high = unit
		return false, true
	}
	m.r = unit
	return true, true
}

// Decode feeds a machine.
func Decode(encoding string, data []byte) (string, error) {
	name, err := known(encoding)
	if err != nil {
		return "", err
	}
	var text []byte
	m := machine{name: name}
	for i, b := range data {
		done, ok := m.step(b)
		if !ok {
			return "", &Error{encoding, int64(i + 1 - m.seen), "not valid"}
		}
		if done {
			text = utf8.AppendRune(text, m.r)
			m.seen = 0
		}
	}
	if m.seen > 0 {
		return "", &Error{encoding, int64(len(data) - m.seen), "cut off"}
	}
	return string(text), nil
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

// Transcode feeds a machine.
func Transcode(dst io.Writer, to string, src io.Reader, from string) error {
	source, err := known(from)
	if err != nil {
		return err
	}
	target, err := known(to)
	if err != nil {
		return err
	}
	out := bufio.NewWriter(dst)
	m := machine{name: source}
	var offset int64
	buf := make([]byte, 1000)
	for {
		n, err := src.Read(buf)
		for _, b := range buf[:n] {
			offset++
			done, ok := m.step(b)
			if !ok {
				return errors.Join(out.Flush(), &Error{from, offset - int64(m.seen), "not valid"})
			}
			if !done {
				continue
			}
			data, ok := bytesOf(target, m.r)
			if !ok {
				return errors.Join(out.Flush(), &Error{to, offset - int64(m.seen), "not in this encoding"})
			}
			out.Write(data)
			m.seen = 0
		}
		if failed := out.Flush(); failed != nil {
			return failed
		}
		if err == io.EOF && m.seen > 0 {
			return &Error{from, offset - int64(m.seen), "cut off"}
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return fmt.Errorf("reading: %w", err)
		}
	}
}
