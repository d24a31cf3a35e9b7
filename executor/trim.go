package executor

import (
	"runtime/debug"
	"sync"
	"time"

	"github.com/weft-run/weft/executor/wasmtime"
)

const (
	// trimAfter is how long after a call with large messages the memory that it freed goes back to the system. One
	// that comes in the meantime waits with it.
	trimAfter = time.Second
	// largeMessage is from what size on a message counts: a list of records takes 50 to 1,000 times its size while it
	// is a value.
	largeMessage = 64 << 10
)

// trimmer gives memory back to the system after calls with large messages. The engine holds arguments and results in
// many small pieces, which the C allocator keeps for the next such call, of which there may never be one.
type trimmer struct {
	trim func()

	mu     sync.Mutex
	timer  *time.Timer // nil: none is due
	closed bool
}

func newTrimmer() *trimmer { return &trimmer{trim: wasmtime.Trim} }

// large notes that a call with large messages has ended.
func (t *trimmer) large() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.timer == nil && !t.closed {
		t.timer = time.AfterFunc(trimAfter, t.run)
	}
}

// releaseMemory gives back to the system what revisions had that left memory, of Go's heap too: with the collector set for much
// garbage, that keeps several times what is in use.
func releaseMemory() {
	wasmtime.Trim()
	debug.FreeOSMemory()
}

func (t *trimmer) run() {
	t.mu.Lock()
	t.timer = nil
	t.mu.Unlock()
	t.trim()
}

func (t *trimmer) close() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.closed = true
	if t.timer != nil {
		t.timer.Stop()
	}
}
