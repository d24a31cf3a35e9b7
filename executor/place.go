package executor

import (
	"context"
	"fmt"
	"time"

	"github.com/weft-run/weft/executor/wasmtime"
)

// A call that a guest makes of a revision on the same node runs in the guest's place, where that may be: on its goroutine and
// thread, and in its slot. The guest could do nothing with them before the answer is there. To hand the call over to a worker
// and to take the answer back costs two switches of threads, which is more than the call itself.

// Place is that of a guest that waits for a call. It is good until the [Outgoing.Local] that it was passed to returns, and
// for the goroutine of that.
type Place interface {
	// Run runs a call there. If ran is false, it can't be run there, and nothing has happened: the revision is not in memory, or
	// one of its limits would have the call wait or refuses it. [Executor.Call] tells which. The errors of a call that ran
	// are those of [Executor.Call].
	Run(Request) (response Response, ran bool, err error)
}

// Run implements Place.
func (in *guestCall) Run(r Request) (response Response, ran bool, err error) {
	x := in.x
	rev := x.here(r.Key, time.Now())
	if rev == nil {
		return Response{}, false, nil
	}
	defer rev.release()
	m := rev.method(r.Service, r.Method)
	if m == nil || uint64(len(r.Message)) > rev.limits.Message {
		return Response{}, false, nil
	}
	j := in.inner(rev, m, r)
	if j == nil {
		return Response{}, false, nil
	}
	if j.interrupt != nil {
		defer j.interrupt.Close()
	}
	if !x.queue.enter(j) {
		return Response{}, false, nil
	}
	x.runInPlace(j)
	timings := Timings{Run: time.Since(j.started)}
	lane := j.lane()
	rev.metrics.observe(lane, j.err, timings)
	return Response{Message: j.response, Timings: timings, Lane: lane}, true, j.err
}

// inner makes the job of a call that is to run in the place of a guest. It is nil if the call must have a worker of its
// own: where the thread has no stack left.
func (in *guestCall) inner(rev *revision, m *method, r Request) *job {
	outer := in.job
	if in.instance == nil || outer.depth+1 >= in.x.nesting {
		return nil
	}
	now := time.Now()
	j := &job{rev: rev, line: rev.line, method: m, callID: r.CallID, message: r.Message, ctx: outer.ctx, metadata: r.Metadata,
		outer: in, depth: outer.depth + 1, entered: now, started: now, deadline: outer.deadline}
	if limit := now.Add(rev.limits.Timeout); limit.Before(outer.deadline) {
		j.deadline = limit
		if d, ok := j.ctx.Deadline(); !ok || limit.Before(d) { // the guest is to go on then
			j.interrupt = wasmtime.NewInterrupt()
		}
	}
	j.reading.Lock()
	return j
}

// runInPlace runs a job that has entered its place, until it has left that.
func (x *Executor) runInPlace(j *job) {
	defer x.queue.exit(j, j.outer.job.line)
	if j.interrupt != nil {
		timer := time.AfterFunc(time.Until(j.deadline), func() {
			j.interrupt.Cancel(causeDeadline)
			x.ticker.kick(j)
		})
		defer timer.Stop()
	}
	x.work(j)
	if j.err == nil {
		return
	}
	if j.interrupted() {
		j.err = x.inPlaceLate(j)
	}
	x.regain(j.outer.job)
}

// regain takes the slot again for a guest that may go on, where the call in its place was away and ended without. It gives
// up when nobody waits for the guest any more.
func (x *Executor) regain(j *job) {
	if !x.queue.isAway(j) {
		return
	}
	ctx, cancel := x.lifetime(j)
	defer cancel()
	x.queue.comeBack(j, ctx.Done())
}

// inPlaceLate is the error of a job that was interrupted in its place.
func (x *Executor) inPlaceLate(j *job) error {
	waited := time.Since(j.entered)
	switch {
	case j.outer.job.interrupted() && j.ctx.Err() == nil && x.stopping.Err() != nil:
		return j.closing()
	case j.outer.job.interrupted() && j.ctx.Err() == nil:
		return &Error{Reason: Deadline, Err: context.DeadlineExceeded, Message: fmt.Sprintf(
			"%s: the caller's deadline passed after %v, running", j.method.name, waited.Round(time.Millisecond))}
	default:
		return x.late(j.ctx, j.rev, j.method, waited, "running")
	}
}

// enter has a running call pass its slot to one that is to run in its place. It is false where that one would have to wait
// for others, or be refused. Its caller counts as away.
func (q *queue) enter(j *job) bool {
	base, l := j.base(), j.line
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed || !base.hasSlot() || q.away >= q.maxAway || q.returning > 0 || !l.takesOneInPlace() || !q.mayRun(l) ||
		base.at.account.tier != l.account.tier {
		return false
	}
	q.enliven(l.account, j.entered)
	q.transfer(base.at.account, l.account, j.entered)
	base.at, base.shared = l, true
	l.running++
	q.busy++
	q.away++
	return true
}

// exit gives the slot back to the caller, a call of the line outer.
func (q *queue) exit(j *job, outer *line) {
	now := time.Now()
	q.mu.Lock()
	defer q.mu.Unlock()
	base, a := j.base(), j.line.account
	switch {
	case base.hasSlot():
		q.transfer(a, outer.account, now)
		base.at = outer
		if q.prioritize(base) {
			q.tick()
		}
	case base.parked && !base.lost:
		q.forget(base)
		base.at = outer
		q.wait(base, nil)
	default:
		base.at = outer
	}
	j.ended = true
	j.line.running--
	q.expire(a, now)
	q.busy--
	q.away--
	q.refresh(a)
	q.shareAll(now)
}
