// Domain takes URLs apart: what a host is, the parser knows better.
package main

import (
	"fmt"
	"net/url"
)

func main() {
	for _, rawURL := range []string{"https://me@www.example.com:8080/x", "http://[2001:db8::1]:8080/", "www.example.com", "http://[::1"} {
		u, err := url.Parse(rawURL)
		if err != nil {
			fmt.Println("error:", err)
			continue
		}
		fmt.Printf("Host %q, Hostname() %q\n", u.Host, u.Hostname())
	}
}
