// Sandwich works on Latin-1: on its bytes, and on its text.
package main

import (
	"fmt"
	"strings"
)

func main() {
	data := []byte("ren\xe9")
	fmt.Printf("bytes:    %+q\n", strings.ToUpper(string(data)))

	text := decode(data)
	text = strings.ToUpper(text)
	fmt.Printf("sandwich: %+q\n", encode(text))

	short := "né"[:2]
	fmt.Printf("cut:      %+q\n", short)
}

func decode(latin1 []byte) string {
	var text strings.Builder
	for _, b := range latin1 {
		text.WriteRune(rune(b))
	}
	return text.String()
}

// encode is not strict: a rune beyond U+00FF loses its high bits.
func encode(text string) []byte {
	var latin1 []byte
	for _, r := range text {
		latin1 = append(latin1, byte(r))
	}
	return latin1
}
