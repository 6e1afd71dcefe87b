// Endless gets a body that does not end, and takes what it can bear.
package main

import (
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"time"
)

func main() {
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		start := time.Now()
		for {
			if _, err := fmt.Fprintln(w, "and one more line"); err != nil {
				return // whoever it was has had enough
			}
			if time.Since(start) > time.Minute {
				log.Fatal("nobody stops me")
			}
		}
	}))
	defer web.Close()

	resp, err := http.Get(web.URL)
	if err != nil {
		log.Fatal(err)
	}
	defer resp.Body.Close()
	n, err := io.Copy(io.Discard, io.LimitReader(resp.Body, 1<<20))
	fmt.Println(n, "bytes,", err)
}
