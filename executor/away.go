package executor

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// While the guest of a call waits for a call that it made itself, it is away: it keeps its goroutine, its thread and its
// instance, but not its slot. Otherwise two callers on two slots could wait for callees that wait for a slot. It takes a
// slot again before it goes on, ahead of all calls of its function that have not begun: these would only add to what waits.

// errand is what a guest waits for: String names it as its caller knows it, target as the one who answers does.
type errand interface {
	fmt.Stringer
	target() string
}

// endedError is why the call that a guest works on is over, while it waits.
type endedError struct{ err *Error }

func (e *endedError) Error() string { return e.err.Message }

// leaveSlot runs f for the guest of a job, which has no slot meanwhile. The context ends with the call that the guest works
// on. The error is that of f, or an *endedError: then the guest must trap with that.
func (x *Executor) leaveSlot(j *job, to errand, f func(context.Context) error) (err error) {
	ctx, cancel := x.lifetime(j)
	defer cancel()
	if ctx.Err() != nil {
		return x.ended(j, "waiting for "+to.target())
	}
	if !x.queue.depart(j) {
		return &endedError{&Error{Reason: WaitLimit, Message: fmt.Sprintf("%s: %s: %d guests of this node wait for calls "+
			"that they made, which is its limit", j.method.name, to, x.config.Waiting)}}
	}
	defer func() {
		if !x.queue.comeBack(j, ctx.Done()) || err != nil && ctx.Err() != nil {
			err = x.ended(j, "waiting for "+to.target())
		}
	}()
	return f(ctx)
}

// lifetime is a context that ends when nobody waits for a job any more.
func (x *Executor) lifetime(j *job) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithDeadline(j.ctx, j.deadline)
	stop := context.AfterFunc(x.stopping, cancel)
	return ctx, func() { stop(); cancel() }
}

// over tells whether nobody waits for a job any more.
func (x *Executor) over(j *job) bool {
	return j.ctx.Err() != nil || x.stopping.Err() != nil || !time.Now().Before(j.deadline)
}

// ended says why nobody waits for a job any more.
func (x *Executor) ended(j *job, doing string) *endedError {
	if j.ctx.Err() == nil && x.stopping.Err() != nil {
		return &endedError{j.closing()}
	}
	return &endedError{x.late(j.ctx, j.rev, j.method, time.Since(j.entered), doing)}
}

// depart takes its slot from a running call. It is false if as many are away as may be.
func (q *queue) depart(j *job) bool {
	j = j.base()
	now := time.Now()
	q.mu.Lock()
	defer q.mu.Unlock()
	switch {
	case j.lost:
		return true // its slot has been replaced, and it is about to be interrupted
	case q.away >= q.maxAway:
		return false
	}
	if j.parked {
		q.forget(j)
		q.unpark(j)
	} else {
		q.revoke(j, now)
	}
	q.goAway(j, now)
	q.shareAll(now)
	return true
}

// comeBack gives a call that is away or parked a slot again, once it is its turn. It is false if the call is to end without:
// left is closed, as nobody waits for its answer.
func (q *queue) comeBack(j *job, left <-chan struct{}) bool {
	j = j.base()
	now := time.Now()
	q.mu.Lock()
	switch {
	case j.lost:
		q.mu.Unlock()
		return !j.away
	case !j.away:
		q.mu.Unlock()
		return true
	case q.isIdle(j.at.account.tier):
		q.arrive(j, now)
		q.retire()
		q.mu.Unlock()
		return true
	}
	back := make(chan struct{})
	q.wait(j, back)
	q.share(j.at.account.tier, now)
	q.press(j.at.account.tier, now)
	q.mu.Unlock()
	select {
	case <-back:
		return true
	case <-left:
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	q.forget(j)
	return !j.away
}

// wait has a call wait for a slot; back is closed when it has one. q.mu is held.
func (q *queue) wait(j *job, back chan struct{}) {
	j.back = back
	a := j.at.account
	a.returning = append(a.returning, j)
	if j.away {
		q.returning++
	}
	q.refresh(a)
}

// hasSlot tells whether a running call has its slot. queue.mu is held.
func (j *job) hasSlot() bool { return !j.away && !j.parked && !j.lost }

// isAway tells whether a call, or the one in whose place it runs, has no slot.
func (q *queue) isAway(j *job) bool {
	j = j.base()
	q.mu.Lock()
	defer q.mu.Unlock()
	return j.away
}

// arrive gives a slot to a call that is away or parked. q.mu is held.
func (q *queue) arrive(j *job, now time.Time) {
	if j.away {
		q.endAway(j, now)
	} else {
		q.unpark(j)
	}
	q.grant(j, now)
}

// goAway counts a call that is away, from now on, and endAway ends that. q.mu is held.
func (q *queue) goAway(j *job, now time.Time) {
	a := j.at.account
	q.note(a, now)
	j.away = true
	a.away++
	q.away++
}

func (q *queue) endAway(j *job, now time.Time) {
	a := j.at.account
	q.note(a, now)
	j.away = false
	a.away--
	q.away--
}

// admit gives a free slot to the first of a function's calls that come back, unless nobody waits for that. q.mu is held.
func (q *queue) admit(a *account, now time.Time) {
	j := a.returning[0]
	q.forget(j)
	if j.parked && j.interrupt.Cause() != 0 {
		return // it is about to end, or blocked in the host
	}
	q.arrive(j, now)
	q.served(a)
	if j.back != nil {
		close(j.back)
	}
}

// forget takes a call out of those that come back. q.mu is held.
func (q *queue) forget(j *job) {
	a := j.at.account
	i := slices.Index(a.returning, j)
	if i < 0 {
		return
	}
	a.returning = slices.Delete(a.returning, i, i+1)
	if j.away {
		q.returning--
	}
	q.refresh(a)
}

// awayCount is how many calls are away.
func (q *queue) awayCount() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.away
}
