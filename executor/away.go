package executor

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// While the guest of a call waits for a call that it made itself, it is away: it keeps its goroutine, its thread and its
// instance, but not its slot. Otherwise two callers on two slots could wait for callees that wait for a slot. It takes a
// slot again before it goes on, ahead of all calls that have not begun: these would only add to what waits.

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
		return x.ended(j, to)
	}
	if !x.queue.depart(j) {
		return &endedError{&Error{Reason: WaitLimit, Message: fmt.Sprintf("%s: %s: %d guests of this node wait for calls "+
			"that they made, which is its limit", j.method.name, to, x.config.Waiting)}}
	}
	defer func() {
		if !x.queue.comeBack(j, ctx.Done()) || err != nil && ctx.Err() != nil {
			err = x.ended(j, to)
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
func (x *Executor) ended(j *job, to errand) error {
	if j.ctx.Err() == nil && x.stopping.Err() != nil {
		return &endedError{j.closing()}
	}
	return &endedError{x.late(j.ctx, j.rev, j.method, time.Since(j.entered), "waiting for "+to.target())}
}

// depart takes its slot from a running call. It is false if as many are away as may be.
func (q *queue) depart(j *job) bool {
	j = j.base()
	q.mu.Lock()
	defer q.mu.Unlock()
	switch {
	case j.lost:
		return true // its slot has been replaced, and it is about to be interrupted
	case q.away >= q.maxAway:
		return false
	}
	j.away = true
	q.away++
	q.share()
	return true
}

// comeBack gives a call its slot again, once one is free. It is false if the call is to end without: left is closed, as
// nobody waits for its answer.
func (q *queue) comeBack(j *job, left <-chan struct{}) bool {
	j = j.base()
	q.mu.Lock()
	switch {
	case !j.away || j.lost:
		q.mu.Unlock()
		return !j.away
	case q.free():
		q.arrive(j)
		q.share()
		q.mu.Unlock()
		return true
	}
	j.back = make(chan struct{})
	q.returning = append(q.returning, j)
	q.mu.Unlock()
	select {
	case <-j.back:
		return true
	case <-left:
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	q.forget(j)
	return !j.away
}

// isAway tells whether a call, or the one in whose place it runs, is away.
func (q *queue) isAway(j *job) bool {
	j = j.base()
	q.mu.Lock()
	defer q.mu.Unlock()
	return j.away
}

// arrive ends that a call is away. q.mu is held.
func (q *queue) arrive(j *job) {
	j.away = false
	q.away--
}

// admit gives free slots to the calls that come back. q.mu is held.
func (q *queue) admit() {
	for len(q.returning) > 0 && q.free() {
		j := q.returning[0]
		q.returning = q.returning[1:]
		q.arrive(j)
		close(j.back)
	}
}

// forget takes a call out of those that come back. q.mu is held.
func (q *queue) forget(j *job) {
	if i := slices.Index(q.returning, j); i >= 0 {
		q.returning = slices.Delete(q.returning, i, i+1)
	}
}

// awayCount is how many calls are away.
func (q *queue) awayCount() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.away
}
