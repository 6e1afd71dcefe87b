// Spider runs anything that has a method Run, where Python would have a
// subclass of Process.
package main

import (
	"fmt"
	"sync"
)

type runner interface{ Run() }

type spider struct{ addr string }

func (s spider) Run() { fmt.Printf("Crawling through %s.\n", s.addr) }

func main() {
	var wg sync.WaitGroup
	for _, r := range []runner{spider{"www.fanbase.com"}, spider{"www.com"}} {
		wg.Go(r.Run)
	}
	wg.Wait()
}
