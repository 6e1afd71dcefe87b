// Nobody pings an address where nobody answers: the loopback's broadcast address,
// on Linux. It needs raw sockets, and so root or the capability cap_net_raw.
package main

import (
	"fmt"
	"net"
	"time"

	//lint:ignore SA1019 it stays, docs/decisions/go-ping.md says why
	"github.com/go-ping/ping"
)

func main() {
	pinger := ping.New("")
	pinger.SetIPAddr(&net.IPAddr{IP: net.IPv4(127, 255, 255, 255)})
	pinger.SetPrivileged(true)
	pinger.Count = 1
	pinger.Timeout = 200 * time.Millisecond

	err := pinger.Run()
	stats := pinger.Statistics()
	fmt.Printf("error: %v\n", err)
	fmt.Printf("sent %d, received %d, on average in %v\n", stats.PacketsSent, stats.PacketsRecv, stats.AvgRtt)
}
