// Silent shows how Go reads what is not UTF-8: without a word.
package main

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

func main() {
	broken, real := "a\xffb", "a\ufffdb"
	for _, text := range []string{broken, real} {
		fmt.Printf("% x\n", text)
		for i, r := range text {
			_, size := utf8.DecodeRuneInString(text[i:])
			fmt.Printf("  index %d: %U, size %d\n", i, r, size)
		}
	}
	fmt.Println("the same string?", broken == real)
	fmt.Println("the same runes? ", string([]rune(broken)) == real)
	fmt.Printf("in upper case:   %+q\n", strings.ToUpper(broken))
}
