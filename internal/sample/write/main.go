// Command write makes a sample class, to try grading on:
//
//	go run ./internal/sample/write DIR
//
// It is run from the folder of the clone.
package main

import (
	"flag"
	"fmt"
	"os"

	"conclab/internal/sample"
)

func main() {
	students := flag.Int("students", sample.Students, "how many there are in the class")
	flag.Usage = func() {
		fmt.Fprintln(flag.CommandLine.Output(), "Usage: go run ./internal/sample/write [-students N] DIR")
		flag.PrintDefaults()
	}
	flag.Parse()
	if flag.NArg() != 1 {
		flag.Usage()
		os.Exit(2)
	}
	if err := sample.Write(flag.Arg(0), ".", *students); err != nil {
		fmt.Fprintln(os.Stderr, "the sample class:", err)
		os.Exit(1)
	}
}
