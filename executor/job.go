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
	buffer  Buffer // what it is in, nil if that is not known
	reading sync.Mutex

	// outer is the guest in whose place the job runs (place.go), nil if it has a worker of its own; then nobody waits for
	// done, which is nil. Depth is how many guests are below it on its thread.
	outer *guestCall
	depth int
	// worker is the lane of its worker, once it has one: whoever answers in its stead may ask before that.
	worker atomic.Int32

	// fills is the pool that the instance is for, where the job only makes one.
	fills *pool

	interrupt *wasmtime.Interrupt // nil if it is stopped only together with outer
	settled   atomic.Bool
	done      chan struct{} // closed when response and err are set; nil if no goroutine waits
	begun     *begun        // told of response and err; nil if a goroutine waits

	response []byte
	err      error

	// form is the second form of the revision's component while that runs.
	form *bulk

	apart bool // its guest is to run on a thread that Go does not know
	used  use  // what it has used, as far as that was measured; set when it has run

	entered, started time.Time
	deadline         time.Time // when the time limit of the revision is over; ctx may end before
	due              time.Time // when either is

	// Guarded by queue.mu. Those of a job that runs in another's place are not used, but for ended.
	inLine      bool
	index       int    // in the line
	number      uint64 // the order in which calls came
	ended, lost bool
	away        bool // the guest waits for a call of its own
	parked      bool // the slot was taken from it, for calls of others
	parkedAt    time.Time
	nap         time.Duration // for how long the guest is to sleep after each spell, with a low priority; 0: it has its own
	measured    bool          // it is measured what the guest uses of the processors
	counted     use           // of that
	shared      bool          // guests of other functions have run in its place
	back        chan struct{} // closed when a call that comes back has a slot
	at          *line         // that of the call that runs: of the job, or of one in its place
	lostAt      *line         // at, when it was lost
	granted     time.Time     // when it got its slot
	held        time.Duration // how long it had one, before that
}

// method is an export that can be called.
type method struct {
	name   string
	export int
	plan   *transcode.Plan
	// direct is true if its arguments and results go to the guest and come back as the bytes that they are.
	direct bool
	// returned is the size of its last response, in bytes, and imported that of the messages of the calls that its guest made, of
	// those that a transcoder can pass on.
	returned, imported atomic.Int64
	// overflows is true once a result had too many values to be unfolded, or what its guest passed to an import: the transcoder is to
	// answer all calls, if there is one.
	overflows atomic.Bool
}

// The causes of an interrupt.
const (
	causeDeadline int32 = iota + 1
	causeCanceled
	causeClosing
)

func newJob(ctx context.Context, rev *revision, m *method, r Request) *job {
	j := new(job)
	j.set(ctx, rev, m, r, time.Now())
	return j
}

// set makes a job of a zero one, whose time runs since it entered.
func (j *job) set(ctx context.Context, rev *revision, m *method, r Request, entered time.Time) {
	j.rev, j.line, j.method, j.callID = rev, rev.line, m, r.CallID
	j.ctx, j.metadata, j.message, j.buffer = ctx, r.Metadata, r.Message, r.Buffer
	j.interrupt = wasmtime.NewInterrupt()
	j.entered = entered
	j.deadline = j.entered.Add(rev.limits.Timeout)
	j.due = j.deadline
	if d, ok := ctx.Deadline(); ok && d.Before(j.due) {
		j.due = d
	}
	j.reading.Lock()
}

// base is the job that has the worker on which this one runs: itself, unless it runs in another's place.
func (j *job) base() *job {
	for j.outer != nil {
		j = j.outer.job
	}
	return j
}

// lane is that of the worker on which the job runs; 0 if it has none yet.
func (j *job) lane() int { return int(j.base().worker.Load()) }

// interrupted tells whether the job was interrupted, by itself or together with a guest in whose place it runs.
func (j *job) interrupted() bool {
	for {
		if j.interrupt != nil && j.interrupt.Cause() != 0 {
			return true
		}
		if j.outer == nil {
			return false
		}
		j = j.outer.job
	}
}

// answer ends the job with its result, unless the caller has left.
func (j *job) answer(response []byte, err error) {
	if !j.settled.Swap(true) {
		j.response, j.err = response, err
		switch {
		case j.begun != nil:
			j.begun.answered()
		case j.done != nil:
			close(j.done)
		}
	}
}

// leave is called by the caller that wants to wait no longer. It is false if the answer is there.
func (j *job) leave() bool { return !j.settled.Swap(true) }

// decoded lets the caller have its message back.
func (j *job) decoded() {
	j.message = nil
	j.reading.Unlock()
}

// keep lets the caller go, and gives the message until release is called.
func (j *job) keep() (message []byte, release func()) {
	message, release = j.message, func() {}
	if b := j.buffer; b != nil {
		b.Ref()
		release = b.Free
	} else {
		message = append([]byte(nil), message...)
	}
	j.decoded()
	return message, release
}
