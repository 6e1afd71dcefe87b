// Library puts a context around something that knows none, but can be stopped.
package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// Engine stands for somebody else's library.
type Engine struct {
	once sync.Once
	stop chan struct{}
}

// NewEngine returns an engine that has not run yet.
func NewEngine() *Engine { return &Engine{stop: make(chan struct{})} }

// Run blocks for an hour, or until Stop. It says nothing of which it was.
func (e *Engine) Run() error {
	select {
	case <-time.After(time.Hour):
	case <-e.stop:
	}
	return nil
}

// Stop may be called from anywhere, at any time.
func (e *Engine) Stop() { e.once.Do(func() { close(e.stop) }) }

// run runs the engine until it ends or ctx does.
func run(ctx context.Context, e *Engine) error {
	defer context.AfterFunc(ctx, e.Stop)()
	if err := e.Run(); err != nil {
		return err
	}
	return ctx.Err()
}

func main() {
	ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
	defer cancel()
	err := run(ctx, NewEngine())
	fmt.Println("a deadline:", err, errors.Is(err, context.DeadlineExceeded))

	ctx, cancel = context.WithCancel(context.Background())
	time.AfterFunc(100*time.Millisecond, cancel)
	fmt.Println("cancelled:", run(ctx, NewEngine()))
	fmt.Println("cancelled before:", run(ctx, NewEngine()))
}
