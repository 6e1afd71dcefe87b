// Package wrong holds small wrong programs, one for each diagnosis that package
// labtest makes. Its tests run them and read what labtest says.
package wrong

import (
	"context"
	"net"
	"runtime"
	"sync"
	"time"
)

// Todo is what a starter looks like.
func Todo() { panic("TODO: do something") }

// Crash panics in the goroutine that calls it.
func Crash() {
	ch := make(chan int)
	close(ch)
	close(ch)
}

// SendAlone sends where nobody receives.
func SendAlone() { make(chan int) <- 1 }

// LeaveSender leaves a goroutine behind that sends where nobody receives.
func LeaveSender() { go func() { make(chan int) <- 1 }() }

// LeaveSleeper leaves a goroutine behind that ends by itself, much later.
func LeaveSleeper() { go time.Sleep(time.Hour) }

// LeavePoller leaves a goroutine behind that polls for ever.
func LeavePoller() {
	go func() {
		for {
			time.Sleep(time.Millisecond)
		}
	}()
}

// LeaveFor leaves a goroutine behind that ends with its context.
func LeaveFor(ctx context.Context) { go func() { <-ctx.Done() }() }

// LeaveLibrary leaves somebody else's function running.
func LeaveLibrary(signal *sync.WaitGroup) { go signal.Wait() }

// Read reads from a connection.
func Read(conn net.Conn) { _, _ = conn.Read(make([]byte, 1)) }

// Accept accepts a connection.
func Accept(ln net.Listener) { _, _ = ln.Accept() }

// LockTwice locks a mutex that it holds.
func LockTwice() {
	var mu sync.Mutex
	mu.Lock()
	mu.Lock()
}

// Lock locks what somebody else may hold.
func Lock(mu *sync.Mutex) { mu.Lock() }

// LockAndSleep holds a mutex while it sleeps and somebody else wants it.
func LockAndSleep() {
	var mu sync.Mutex
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(func() {
			mu.Lock()
			defer mu.Unlock()
			time.Sleep(time.Second)
		})
	}
	wg.Wait()
}

var global = make(chan int)

// WaitOutside waits for a channel that was made before the test began.
func WaitOutside() { <-global }

var all sync.WaitGroup

// WaitForAll is right but for where its WaitGroup is.
func WaitForAll() {
	all.Go(func() { time.Sleep(time.Second) })
	all.Wait()
}

// WaitForSenders waits for two who send to nobody.
func WaitForSenders() {
	results := make(chan int)
	var senders sync.WaitGroup
	for i := range 2 {
		senders.Go(func() { results <- i })
	}
	senders.Wait()
}

// LeaveContext makes a context that it never releases.
func LeaveContext(parent context.Context) {
	context.AfterFunc(parent, func() {})
}

// Spin waits in a loop that never gives way.
func Spin() {
	ch := make(chan int)
	for {
		select {
		case <-ch:
			return
		//lint:ignore SA5004 this is the mistake that it shows
		default:
		}
	}
}

// WaitGroupShort waits for more than will be done.
func WaitGroupShort() {
	var wg sync.WaitGroup
	wg.Add(2)
	go wg.Done()
	wg.Wait()
}

// CondAlone waits for a signal that nobody gives.
func CondAlone() {
	cond := sync.NewCond(new(sync.Mutex))
	cond.L.Lock()
	cond.Wait()
}

// NilChannel receives from a channel that was never made.
func NilChannel() {
	var ch chan int
	<-ch
}

// SelectAlone selects over what never happens.
func SelectAlone() {
	select {
	case <-make(chan int):
	case <-make(chan string):
	}
}

// Quit ends the goroutine that calls it.
func Quit() { runtime.Goexit() }

// Deaf waits, whatever its context says.
func Deaf(context.Context) { select {} }
