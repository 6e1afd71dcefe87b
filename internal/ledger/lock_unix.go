//go:build unix

package ledger

import (
	"errors"
	"os"
	"syscall"
)

var errLocked = errors.New("locked")

// lock locks a file until the process ends, however it ends, or unlock is
// called.
func lock(name string) (unlock func(), err error) {
	f, err := os.OpenFile(name, os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		_ = f.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, errLocked
		}
		return func() {}, nil // a file system without locks is no reason to stop
	}
	return func() { _ = f.Close() }, nil
}

// syncDir makes a change of the folder itself last.
func syncDir(dir string) {
	if d, err := os.Open(dir); err == nil {
		_ = d.Sync()
		_ = d.Close()
	}
}
