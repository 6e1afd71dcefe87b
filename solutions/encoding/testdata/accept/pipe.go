// A goroutine decodes into an io.Pipe, its caller reads runes from there and encodes them.

// Package encoding translates bytes to text and back.
package encoding

import (
	"bufio"
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

// Transcode has UTF-8 in the middle.
func Transcode(dst io.Writer, to string, src io.Reader, from string) error {
	source, err := known(from)
	if err != nil {
		return err
	}
	target, err := known(to)
	if err != nil {
		return err
	}
	r, w := io.Pipe()
	defer r.Close()
	go func() { w.CloseWithError(decode(w, source, src, from)) }()

	in, out := bufio.NewReader(r), bufio.NewWriterSize(dst, 2048)
	var offset int64
	for {
		char, _, err := in.ReadRune()
		if err != nil {
			if failed := out.Flush(); failed != nil {
				return failed
			}
			if err == io.EOF {
				return nil
			}
			return err
		}
		data, ok := bytesOf(target, char)
		if !ok {
			if err := out.Flush(); err != nil {
				return err
			}
			return &Error{to, offset, "not in this encoding"}
		}
		if _, err := out.Write(data); err != nil {
			return err
		}
		before, _ := bytesOf(source, char)
		offset += int64(len(before))
	}
}

func decode(w io.Writer, name string, src io.Reader, from string) error {
	buf := make([]byte, 0, 512)
	var offset int64
	for {
		n, readErr := src.Read(buf[len(buf):cap(buf)])
		buf = buf[:len(buf)+n]
		n = whole(name, buf)
		bad := n < 0
		if bad {
			n = -1 - n
		}
		if _, err := io.WriteString(w, text(name, buf[:n])); err != nil {
			return err
		}
		offset += int64(n)
		buf = buf[:copy(buf, buf[n:])]
		if bad || readErr == io.EOF && len(buf) > 0 {
			return &Error{from, offset, "not valid or not complete"}
		}
		if readErr != nil {
			return readErr
		}
	}
}
