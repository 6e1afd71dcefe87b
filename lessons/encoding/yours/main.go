// Yours is the Transcode that you wrote in exercises/encoding, as a filter: it
// reads the standard input in one encoding and writes it to the standard output
// in another one, while it comes in.
package main

import (
	"errors"
	"flag"
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

	from := flag.String("from", "utf-8", "the `encoding` of the input")
	to := flag.String("to", "utf-8", "the `encoding` of the output")
	flag.Parse()
	if flag.NArg() > 0 {
		fmt.Fprintln(os.Stderr, "Files are given as standard input: yours -from latin-1 <FILE")
		os.Exit(2)
	}

	err := encoding.Transcode(os.Stdout, *to, os.Stdin, *from)
	var bad *encoding.Error
	switch {
	case err == nil:
	case errors.Is(err, encoding.ErrUnknown):
		fmt.Fprintln(os.Stderr, "The encodings are ascii, latin-1, utf-8, utf-16le and utf-16be:", err)
		os.Exit(2)
	case errors.As(err, &bad):
		fmt.Fprintf(os.Stderr, "\nStopped at byte %d of the input: %s, %s\n", bad.Offset, bad.Encoding, bad.Reason)
		os.Exit(1)
	default:
		fmt.Fprintln(os.Stderr, "\nStopped:", err)
		os.Exit(1)
	}
}
