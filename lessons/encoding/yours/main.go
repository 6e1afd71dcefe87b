// Yours is the Transcode that you wrote in exercises/encoding, as a filter:
// yours FROM TO reads the standard input and writes the standard output.
package main

import (
	"fmt"
	"os"
	"strings"

	"conclab/exercises/encoding"
)

func main() {
	defer func() {
		switch r := recover(); {
		case r == nil:
		case strings.HasPrefix(fmt.Sprint(r), "TODO"):
			fmt.Fprintf(os.Stderr, "exercises/encoding/encoding.go still has a %v\n", r)
			os.Exit(1)
		default:
			panic(r)
		}
	}()

	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: yours FROM TO")
		os.Exit(2)
	}
	if err := encoding.Transcode(os.Stdout, os.Args[2], os.Stdin, os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
