// Files reads a file that is not UTF-8. Nobody complains unless asked.
package main

import (
	"fmt"
	"log"
	"os"
	"path/filepath"
	"unicode/utf8"
)

func main() {
	dir, err := os.MkdirTemp("", "files")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	name := filepath.Join(dir, "name.txt")
	if err := os.WriteFile(name, []byte("Ren\xe9"), 0o600); err != nil {
		log.Fatal(err)
	}

	data, err := os.ReadFile(name)
	text := string(data)
	fmt.Printf("read:    %q, error: %v\n", text, err)
	fmt.Println("valid:  ", utf8.ValidString(text))
	fmt.Printf("latin-1: %q\n", latin1(data))
}

// latin1 decodes: in Latin-1 each byte is the code point of that number.
func latin1(data []byte) string {
	runes := make([]rune, len(data))
	for i, b := range data {
		runes[i] = rune(b)
	}
	return string(runes)
}
