// Guard keeps a client away from what is none of the outside world's business:
// it looks at the address at the last moment, when the name has been resolved and
// all redirects followed.
package main

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"syscall"
	"time"
)

var errInside = errors.New("not a public address")

// public refuses to connect to loopback, private and link-local addresses, and to
// everything else that is not one host out there, except for one address.
func public(except string) *http.Client {
	dialer := &net.Dialer{
		Timeout: 3 * time.Second,
		Control: func(_, address string, _ syscall.RawConn) error {
			addr, err := netip.ParseAddrPort(address)
			if err != nil {
				return err
			}
			ip := addr.Addr().Unmap()
			if address != except && (!ip.IsGlobalUnicast() || ip.IsPrivate()) {
				return errInside
			}
			return nil
		},
	}
	return &http.Client{Transport: &http.Transport{DialContext: dialer.DialContext, DisableKeepAlives: true}}
}

func main() {
	inside := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, "everybody's wages")
	}))
	defer inside.Close()
	// It stands for a server somewhere in the world: it alone may be reached.
	outside := httptest.NewServer(http.RedirectHandler(inside.URL, http.StatusFound))
	defer outside.Close()
	_, port, _ := net.SplitHostPort(inside.Listener.Addr().String())

	guarded := public(outside.Listener.Addr().String())
	for _, c := range []struct{ what, url string }{
		{"by address", inside.URL},
		{"by name", "http://localhost:" + port},
		{"by redirect", outside.URL},
		{"in the cloud", "http://169.254.169.254/"},
		{"at home", "http://192.168.1.1/"},
	} {
		resp, err := guarded.Get(c.url)
		if err != nil {
			fmt.Printf("%s: refused: %v\n", c.what, errors.Is(err, errInside))
			continue
		}
		body, _ := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		fmt.Printf("%s: %s\n", c.what, body)
	}

	resp, err := http.Get(outside.URL)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer resp.Body.Close()
	body, _ := io.ReadAll(resp.Body)
	fmt.Printf("without a guard: %s\n", body)
}
