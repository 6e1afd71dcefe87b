// Yours runs what you wrote in exercises/processes: three tasks, two spiders,
// and a process that crashes without taking the others along.
package main

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"conclab/exercises/processes"
)

func main() {
	defer func() {
		if r := recover(); r != nil {
			if todo := fmt.Sprint(r); strings.HasPrefix(todo, "TODO") {
				fmt.Fprintln(os.Stderr, "exercises/processes/processes.go is not finished:", todo)
				os.Exit(1)
			}
			panic(r)
		}
	}()

	processes.RunTasks(os.Stdout, "shrimping", "trawling", "sorting")

	first := processes.Spawn(&processes.Spider{Addr: "www.fanbase.com", Out: os.Stdout})
	second := processes.Spawn(&processes.Spider{Addr: "www.com", Out: os.Stdout})
	for _, spider := range []*processes.Process{first, second} {
		if err := spider.Join(); err != nil {
			fmt.Println("a spider fell:", err)
		}
	}

	// If you have not been brave yet, the next lines end the program.
	unlucky := processes.NewProcess(func() { panic("out of shrimps") })
	if err := unlucky.Start(); err != nil {
		fmt.Println("it does not start:", err)
	}
	err := unlucky.Join()
	if crashed, ok := errors.AsType[*processes.CrashError](err); ok {
		fmt.Println("it crashed, and we are still here:", crashed.Value)
	}
}
