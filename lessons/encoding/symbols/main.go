// Symbols shows one text as bytes, as code points, and in other encodings.
package main

import (
	"fmt"
	"unicode/utf16"
	"unicode/utf8"
)

func main() {
	text := "aé€😀"
	fmt.Printf("bytes:       % x\n", text)
	fmt.Printf("code points: %U\n", []rune(text))
	fmt.Printf("UTF-16:      %04x\n", utf16.Encode([]rune(text)))
	fmt.Printf("cut at 4:    %q, valid: %t\n", text[:4], utf8.ValidString(text[:4]))
}
