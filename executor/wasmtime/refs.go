package wasmtime

import (
	"errors"
	"sync/atomic"
)

// ErrClosed is returned for the use of an object that was closed.
var ErrClosed = errors.New("wasmtime: use of a closed object")

// refs counts the users of C memory: its owner, until that closes it, and whoever is using it. The last one frees.
// That makes Close safe while other goroutines work, without a lock held during calls.
type refs struct {
	users  atomic.Int64
	closed atomic.Bool
}

// own makes the owner the first user.
func (r *refs) own() { r.users.Store(1) }

// acquire adds a user, unless the memory is gone or about to be.
func (r *refs) acquire() bool {
	if r.closed.Load() {
		return false
	}
	for {
		n := r.users.Load()
		if n == 0 {
			return false
		}
		if r.users.CompareAndSwap(n, n+1) {
			collect()
			return true
		}
	}
}

// release takes a user away and frees after the last one.
func (r *refs) release(free func()) {
	if r.users.Add(-1) == 0 {
		free()
	}
}

// close takes the owner away, once.
func (r *refs) close(free func()) {
	if r.closed.CompareAndSwap(false, true) {
		r.release(free)
	}
}
