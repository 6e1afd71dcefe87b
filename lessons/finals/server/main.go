// Server is a first try: it does as it is told, until Ctrl+C. Try it with
//
//	nc 127.0.0.1 8888
//
// and a line such as "get http://127.0.0.1:8888/".
package main

import (
	"bufio"
	"context"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"sync"
)

var ops = map[string]func(arg string, w io.Writer) error{
	"get":   get,
	"upper": upper,
}

func get(url string, w io.Writer) error {
	resp, err := http.Get(url)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	_, err = io.Copy(w, resp.Body)
	return err
}

func upper(text string, w io.Writer) error {
	_, err := fmt.Fprintln(w, strings.ToUpper(text))
	return err
}

func handle(conn net.Conn) {
	defer conn.Close()
	line, _ := bufio.NewReader(conn).ReadString('\n')
	name, arg, _ := strings.Cut(strings.TrimSpace(line), " ")
	if err := ops[name](arg, conn); err != nil {
		fmt.Fprintln(conn, "error:", err)
	}
}

func main() {
	addr := flag.String("addr", "127.0.0.1:8888", "where to listen")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()

	ln, err := net.Listen("tcp", *addr)
	if err != nil {
		log.Fatalf("cannot listen, try another -addr: %v", err)
	}
	fmt.Printf("Serving on %v.\n", ln.Addr())
	context.AfterFunc(ctx, func() { _ = ln.Close() })

	var clients sync.WaitGroup
	for {
		conn, err := ln.Accept()
		if err != nil {
			break
		}
		clients.Go(func() { handle(conn) })
	}
	clients.Wait()
	fmt.Println("Closed.")
}
