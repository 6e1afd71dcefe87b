// Yours adds and, with arguments, does more.
package main

import (
	"fmt"
	"io"
	"os"
	"os/signal"
	"time"

	"conclab/exercises/tiny"
)

func main() {
	fmt.Println(tiny.Add(2, 3), len(os.Args)-1)
	if len(os.Args) < 2 {
		return
	}
	switch os.Args[1] {
	case "read":
		_, _ = io.Copy(os.Stdout, os.Stdin)
	case "name":
		fmt.Println(os.Args[0])
	case "fail":
		os.Exit(3)
	case "polite":
		interrupts := make(chan os.Signal, 1)
		signal.Notify(interrupts, os.Interrupt)
		fmt.Println("ready")
		<-interrupts
		fmt.Println("closed in good order")
	case "stubborn":
		signal.Ignore(os.Interrupt)
		fmt.Println("ready")
		time.Sleep(time.Hour)
	}
}
