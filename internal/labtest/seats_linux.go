package labtest

import (
	"math/rand/v2"
	"runtime"
	"syscall"
	"unsafe"
)

// seat is a processor of the machine for one racer, and all those that its
// process may run on.
type seat struct{ own, all cpuSet }

// cpuSet is a set of the machine's processors, as the kernel has it.
type cpuSet [1024 / 64]uint64

// ask gets or sets the processors of the calling thread.
func (s *cpuSet) ask(trap uintptr) bool {
	_, _, err := syscall.RawSyscall(trap, 0, unsafe.Sizeof(*s), uintptr(unsafe.Pointer(s)))
	return err == 0
}

// seats returns n seats, no two of them on the same processor, or none if the
// process may not run on that many. They are drawn by lot: others may race on this
// machine as well.
func seats(n int) []seat {
	var allowed cpuSet
	if !allowed.ask(syscall.SYS_SCHED_GETAFFINITY) {
		return make([]seat, n)
	}
	var free []seat
	for cpu := range len(allowed) * 64 {
		s := seat{all: allowed}
		s.own[cpu/64] = allowed[cpu/64] & (1 << (cpu % 64))
		if s.own != (cpuSet{}) {
			free = append(free, s)
		}
	}
	if len(free) < n {
		return nil
	}
	rand.Shuffle(len(free), func(i, j int) { free[i], free[j] = free[j], free[i] })
	return free[:n]
}

// take binds the calling goroutine to the seat until leave is called. Where the
// kernel refuses, it runs wherever it likes.
func (s *seat) take() (leave func()) {
	runtime.LockOSThread()
	if !s.own.ask(syscall.SYS_SCHED_SETAFFINITY) {
		return runtime.UnlockOSThread
	}
	return func() {
		s.all.ask(syscall.SYS_SCHED_SETAFFINITY)
		runtime.UnlockOSThread()
	}
}
