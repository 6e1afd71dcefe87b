//go:build !linux

package labtest

// seat is nothing here: only Linux binds a thread to a processor.
type seat struct{}

func seats(n int) []seat { return make([]seat, n) }

func (*seat) take() (leave func()) { return func() {} }
