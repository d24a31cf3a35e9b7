package executor

import (
	"context"
	"sync"
	"time"
)

// A Recipient is told the answer to a call that Start started.
type Recipient interface {
	// Answer is called once, by a goroutine that others wait for: it must not block. What it is given is what Call returns.
	Answer(Response, error)
}

// Started is a call that runs or waits in line, and for which no goroutine waits. Its methods are safe for concurrent use.
type Started interface {
	// Abandon says that nobody wants the answer any more: the guest is interrupted. The recipient is told, unless it was told the
	// answer before.
	Abandon()
}

// begun is a call that was started.
type begun struct {
	executor *Executor
	job      job
	to       Recipient

	mu    sync.Mutex
	limit *limit // guarded by mu; nil unless the time is nearly over
	ended bool   // guarded by mu
}

// Start is Call for who has nothing to wait for: to is told the answer, perhaps before Start returns, and at the latest
// when the deadline of ctx or the time limit of the revision is over. That ctx is canceled is for the caller to say, by
// Abandon. The request's message must stay as it is until to is told of a response, and for good if it is told of an error.
//
// It returns nil, and nobody is told anything, if the call can't wait in line at once, as the revision is not in memory, its
// line is full, or it would be too late: Call waits, or says why.
func (x *Executor) Start(ctx context.Context, r Request, to Recipient) Started {
	entered := r.Entered
	if entered.IsZero() {
		entered = time.Now()
	}
	rev := x.here(r.Key, entered)
	if rev == nil {
		return nil
	}
	m := rev.method(r.Service, r.Method)
	if m == nil || uint64(len(r.Message)) > rev.limits.Message || ctx.Err() != nil {
		rev.release()
		return nil
	}
	s := &begun{executor: x, to: to}
	j := &s.job
	j.set(ctx, rev, m, r, entered)
	j.begun = s
	rev.retain() // for the worker
	if result, _ := x.queue.add(j); result != admitted {
		j.interrupt.Close()
		rev.release()
		rev.release()
		return nil
	}
	if left := j.due.Sub(j.entered); left < nearlyOver {
		s.within(left) // not before: what is abandoned is in line, or runs
	} else {
		x.lookout.watch()
	}
	return s
}

// Abandon implements Started.
func (s *begun) Abandon() { s.abandon(causeCanceled) }

func (s *begun) abandon(cause int32) {
	x, j := s.executor, &s.job
	waited := time.Since(j.entered)
	if x.queue.remove(j) {
		if j.leave() {
			s.end(nil, x.late(j.ctx, j.rev, j.method, waited, "waiting in line"), Timings{Queue: waited})
		}
		j.interrupt.Close()
		j.rev.release()
		return
	}
	if !j.leave() {
		return
	}
	j.interrupt.Cancel(cause)
	x.ticker.kick(j)
	s.end(nil, x.late(j.ctx, j.rev, j.method, waited, "running"), j.timings())
}

// answered passes the answer on that the job has.
func (s *begun) answered() { s.end(s.job.response, s.job.err, s.job.timings()) }

func (s *begun) end(response []byte, err error, t Timings) {
	s.unlimited()
	rev, lane := s.job.rev, s.job.lane()
	defer rev.release()
	rev.metrics.observe(lane, err, t)
	if err != nil {
		response = nil
	}
	s.to.Answer(Response{Message: response, Timings: t, Lane: lane}, err)
}

// timings are those of a job that has left its line.
func (j *job) timings() Timings {
	return Timings{Queue: j.started.Sub(j.entered), Run: time.Since(j.started)}
}
