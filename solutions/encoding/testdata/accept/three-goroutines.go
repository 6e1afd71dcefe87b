// Reading, decoding and encoding are three goroutines with pipes of the io package between them.
package encoding

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strings"
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

// machine takes a byte at a time. feed gives a rune when one is complete.
type machine interface {
	feed(b byte) (r rune, complete, ok bool)
	pending() int // bytes of an incomplete rune
}

type single struct{ max rune }

func (s single) feed(b byte) (rune, bool, bool) { return rune(b), true, rune(b) <= s.max }
func (single) pending() int                     { return 0 }

type dfa8 struct {
	n, need int
	r       rune
	lo, hi  byte
}

func (d *dfa8) pending() int { return d.n }
func (d *dfa8) feed(b byte) (rune, bool, bool) {
	if d.n == 0 {
		d.lo, d.hi = 0x80, 0xbf
		switch {
		case b < 0x80:
			return rune(b), true, true
		case b < 0xc2:
			return 0, false, false
		case b < 0xe0:
			d.need, d.r = 2, rune(b&0x1f)
		case b < 0xf0:
			d.need, d.r = 3, rune(b&0xf)
			switch b {
			case 0xe0:
				d.lo = 0xa0
			case 0xed:
				d.hi = 0x9f
			}
		case b < 0xf5:
			d.need, d.r = 4, rune(b&7)
			switch b {
			case 0xf0:
				d.lo = 0x90
			case 0xf4:
				d.hi = 0x8f
			}
		default:
			return 0, false, false
		}
		d.n = 1
		return 0, false, true
	}
	if b < d.lo || b > d.hi {
		return 0, false, false
	}
	d.lo, d.hi = 0x80, 0xbf
	d.r = d.r<<6 | rune(b&0x3f)
	if d.n++; d.n == d.need {
		d.n = 0
		return d.r, true, true
	}
	return 0, false, true
}

type dfa16 struct {
	big bool
	buf [4]byte
	n   int
}

func (d *dfa16) pending() int { return d.n }
func (d *dfa16) unit(i int) rune {
	if d.big {
		return rune(d.buf[i])<<8 | rune(d.buf[i+1])
	}
	return rune(d.buf[i+1])<<8 | rune(d.buf[i])
}

func (d *dfa16) feed(b byte) (rune, bool, bool) {
	d.buf[d.n] = b
	d.n++
	switch d.n {
	case 2:
		u := d.unit(0)
		if u&0xfc00 == 0xdc00 {
			return 0, false, false
		}
		if u&0xfc00 == 0xd800 {
			return 0, false, true
		}
		d.n = 0
		return u, true, true
	case 4:
		if d.unit(2)&0xfc00 != 0xdc00 {
			return 0, false, false
		}
		d.n = 0
		return 0x10000 + (d.unit(0)&0x3ff)<<10 + d.unit(2)&0x3ff, true, true
	}
	return 0, false, true
}

func newMachine(name string) (machine, error) {
	switch strings.ToLower(name) {
	case "ascii":
		return single{0x7f}, nil
	case "latin-1":
		return single{0xff}, nil
	case "utf-8":
		return &dfa8{}, nil
	case "utf-16le":
		return &dfa16{}, nil
	case "utf-16be":
		return &dfa16{big: true}, nil
	}
	return nil, ErrUnknown
}

func put(name string, r rune) ([]byte, bool) {
	two := func(r rune) []byte {
		if strings.EqualFold(name, "utf-16be") {
			return []byte{byte(r >> 8), byte(r)}
		}
		return []byte{byte(r), byte(r >> 8)}
	}
	switch strings.ToLower(name) {
	case "ascii":
		return []byte{byte(r)}, r < 0x80
	case "latin-1":
		return []byte{byte(r)}, r < 0x100
	case "utf-8":
		return []byte(string(r)), true
	}
	if r < 0x10000 {
		return two(r), true
	}
	r -= 0x10000
	return append(two(0xd800+r>>10), two(0xdc00+r&0x3ff)...), true
}

func Decode(encoding string, data []byte) (string, error) {
	m, err := newMachine(encoding)
	if err != nil {
		return "", err
	}
	var s []rune
	start := 0
	for i, b := range data {
		r, complete, ok := m.feed(b)
		if !ok {
			return "", &Error{encoding, int64(start), "bad"}
		}
		if complete {
			s = append(s, r)
			start = i + 1
		}
	}
	if m.pending() > 0 {
		return "", &Error{encoding, int64(start), "cut off"}
	}
	return string(s), nil
}

func Encode(encoding, text string) ([]byte, error) {
	if _, err := newMachine(encoding); err != nil {
		return nil, err
	}
	var out []byte
	for i := 0; i < len(text); {
		r, n := utf8.DecodeRuneInString(text[i:])
		b, ok := put(encoding, r)
		if !ok || n == 1 && r == utf8.RuneError {
			return nil, &Error{encoding, int64(i), "cannot encode"}
		}
		out = append(out, b...)
		i += n
	}
	return out, nil
}

func Truncate(text string, max int) string {
	if max < 0 {
		max = 0
	}
	if len(text) > max {
		text = text[:max]
	}
	for !utf8.ValidString(text) {
		text = text[:len(text)-1]
	}
	return text
}

func Sandwich(encoding string, work func(string) string) func([]byte) ([]byte, error) {
	return func(in []byte) ([]byte, error) {
		s, err := Decode(encoding, in)
		if err != nil {
			return nil, err
		}
		return Encode(encoding, work(s))
	}
}

type item struct {
	r   rune
	off int64
}

// Transcode is three stages: this goroutine reads into a pipe, the second
// decodes, the third encodes and writes.
func Transcode(dst io.Writer, to string, src io.Reader, from string) error {
	m, err := newMachine(from)
	if err != nil {
		return err
	}
	if _, err = newMachine(to); err != nil {
		return err
	}
	pr, pw := io.Pipe()
	items := make(chan item)
	quit := make(chan struct{})
	decErr := make(chan error, 1)
	encErr := make(chan error, 1)
	go func() {
		defer close(items)
		err := func() error {
			in := bufio.NewReaderSize(pr, 512)
			var pos, start int64
			for {
				b, err := in.ReadByte()
				if err == io.EOF {
					if m.pending() > 0 {
						return &Error{from, start, "cut off by the end"}
					}
					return nil
				}
				if err != nil {
					return err
				}
				pos++
				r, complete, ok := m.feed(b)
				if !ok {
					return &Error{from, start, "bad sequence"}
				}
				if complete {
					select {
					case items <- item{r, start}:
					case <-quit:
						return nil
					}
					start = pos
				}
			}
		}()
		decErr <- err
		pr.CloseWithError(io.ErrClosedPipe)
	}()
	go func() {
		defer close(quit)
		var out []byte
		flush := func() error {
			_, err := dst.Write(out)
			out = out[:0]
			return err
		}
		for it := range items {
			b, ok := put(to, it.r)
			if !ok {
				err := flush()
				if err == nil {
					err = &Error{to, it.off, "no such character"}
				}
				encErr <- err
				return
			}
			if out = append(out, b...); len(out) >= 2048 {
				if err := flush(); err != nil {
					encErr <- err
					return
				}
			}
		}
		if len(out) > 0 {
			encErr <- flush()
			return
		}
		encErr <- nil
	}()
	// errors of the pipe's other end are the stages' own
	pump := struct{ io.Reader }{src}
	sink := struct{ io.Writer }{pw}
	_, err = io.CopyBuffer(sink, pump, make([]byte, 1024))
	if errors.Is(err, io.ErrClosedPipe) {
		err = nil
	}
	pw.CloseWithError(err)
	e1, e2 := <-encErr, <-decErr
	for _, e := range []error{e1, e2, err} {
		if e != nil {
			return e
		}
	}
	return nil
}
