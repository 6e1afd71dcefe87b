// Chunks decodes each read by itself, which is wrong.
package main

import (
	"fmt"
	"io"
	"log"
	"strings"
)

func main() {
	src := strings.NewReader("a€b😀")
	buf := make([]byte, 3)
	for {
		n, err := src.Read(buf)
		if n > 0 {
			text := strings.ToValidUTF8(string(buf[:n]), "\ufffd")
			fmt.Printf("% -9x %+q\n", buf[:n], text)
		}
		if err == io.EOF {
			return
		}
		if err != nil {
			log.Fatal(err)
		}
	}
}
