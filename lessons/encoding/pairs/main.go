// Pairs takes a surrogate pair apart, and shows what becomes of one alone.
package main

import (
	"fmt"
	"unicode/utf16"
	"unicode/utf8"
)

func main() {
	high, low := utf16.EncodeRune('😀')
	fmt.Printf("U+1F600 is %04X %04X\n", high, low)
	fmt.Printf("and back:  %U\n", utf16.DecodeRune(high, low))

	alone := utf16.Decode([]uint16{'a', uint16(high), 'b'})
	fmt.Printf("alone:     %U\n", alone)
	fmt.Printf("a rune?    %t, as a string: % x\n", utf8.ValidRune(high), string(high))
}
