// Symbols shows one text as bytes, as code points, and in UTF-16.
package main

import (
	"fmt"
	"unicode/utf16"
	"unicode/utf8"
)

func main() {
	text := "aé€😀"
	fmt.Println("len:        ", len(text))
	fmt.Println("runes:      ", utf8.RuneCountInString(text))
	fmt.Printf("bytes:       % x\n", text)
	fmt.Printf("code points: %U\n", []rune(text))
	fmt.Printf("UTF-16:      %04x\n", utf16.Encode([]rune(text)))
	for i, r := range text {
		fmt.Printf("index %d:     %c\n", i, r)
	}
}
