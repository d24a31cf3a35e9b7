package executor

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/weft-run/weft/executor/transcode"
	"github.com/weft-run/weft/executor/wasmtime"
)

// job is one call on its way. The goroutine of the caller makes it and waits; a worker runs it. Whoever is first to
// set settled decides: the worker gives the answer, or the caller leaves without.
type job struct {
	rev    *revision
	line   *line
	method *method
	callID string

	// ctx is the caller's, and metadata what it sent along: calls that the guest makes get them.
	ctx      context.Context //nolint:containedctx // it is read by the worker that runs the job
	metadata map[string][]string

	// message is the request. The worker holds reading, which the caller has locked for it, until it is decoded.
	message []byte
	reading sync.Mutex

	interrupt *wasmtime.Interrupt
	settled   atomic.Bool
	done      chan struct{} // closed when response and err are set

	response []byte
	err      error

	entered, started time.Time

	// Guarded by queue.mu.
	prev, next  *job
	inLine      bool
	ended, lost bool
	away        bool          // the guest waits for a call of its own
	back        chan struct{} // closed when a call that comes back has a slot
}

// method is an export that can be called.
type method struct {
	name   string
	export int
	plan   *transcode.Plan
}

// The causes of an interrupt.
const (
	causeDeadline int32 = iota + 1
	causeCanceled
	causeClosing
)

func newJob(ctx context.Context, rev *revision, m *method, r Request) *job {
	j := &job{rev: rev, line: rev.line, method: m, callID: r.CallID, message: r.Message, ctx: ctx, metadata: r.Metadata,
		interrupt: wasmtime.NewInterrupt(), done: make(chan struct{}), entered: time.Now()}
	j.reading.Lock()
	return j
}

// answer ends the job with its result, unless the caller has left.
func (j *job) answer(response []byte, err error) {
	if !j.settled.Swap(true) {
		j.response, j.err = response, err
		close(j.done)
	}
}

// leave is called by the caller that wants to wait no longer. It is false if the answer is there.
func (j *job) leave() bool { return !j.settled.Swap(true) }

// decoded lets the caller have its message back.
func (j *job) decoded() {
	j.message = nil
	j.reading.Unlock()
}
