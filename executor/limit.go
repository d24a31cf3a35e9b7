package executor

import (
	"math"
	"sync"
	"sync/atomic"
	"time"
)

// To set a timer and to stop it costs a small call more than its place in line, and nearly all are done long before their time is over.
// So one that was started gets a timer when it has less than nearlyOver left. Until then all of them are looked at every lookEvery.
const (
	nearlyOver = 200 * time.Millisecond
	lookEvery  = nearlyOver / 2
)

// lookout gives those calls their timers whose time is nearly over. It rests while no call has been started.
type lookout struct {
	queue *queue
	timer *time.Timer
	set   atomic.Bool // the timer will look
}

func newLookout(q *queue) *lookout {
	l := &lookout{queue: q}
	l.timer = time.AfterFunc(math.MaxInt64, l.look)
	return l
}

// watch has the lookout look at a call that is in the queue.
func (l *lookout) watch() {
	if !l.set.Load() && l.set.CompareAndSwap(false, true) {
		l.timer.Reset(lookEvery)
	}
}

// look gives timers to calls, and sees to it that the others are looked at again.
func (l *lookout) look() {
	l.set.Store(false) // before the queue is read: who comes later sees that, and sets it again
	now := time.Now()
	soon, later := l.queue.started(now.Add(nearlyOver))
	if later {
		l.watch()
	}
	for _, s := range soon {
		s.within(s.job.due.Sub(now))
	}
}

// started gives the calls without a timer whose time is over before that, and whether there are any others.
func (q *queue) started(before time.Time) (soon []*begun, later bool) {
	see := func(j *job) {
		switch {
		case j.begun == nil || j.settled.Load():
		case j.due.Before(before):
			soon = append(soon, j.begun)
		default:
			later = true
		}
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	for j := range q.running {
		see(j)
	}
	for _, a := range q.accounts {
		for _, l := range a.lines {
			for _, j := range l.calls {
				see(j)
			}
		}
	}
	return soon, later
}

// limit is a timer that abandons a call when its time is over. One that did not fire serves another call, as most do not.
type limit struct {
	timer *time.Timer
	call  *begun
}

var limits sync.Pool // of *limit

// newLimit gives a limit that is not set.
func newLimit(s *begun) *limit {
	l, ok := limits.Get().(*limit)
	if !ok {
		l = &limit{}
		l.timer = time.AfterFunc(math.MaxInt64, func() { l.call.abandon(causeDeadline) })
	}
	l.call = s
	return l
}

// within sets the limit, unless the call has one or has ended.
func (s *begun) within(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.limit == nil && !s.ended {
		s.limit = newLimit(s)
		s.limit.timer.Reset(d)
	}
}

// unlimited ends the limit.
func (s *begun) unlimited() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ended = true
	if s.limit == nil {
		return
	}
	if s.limit.timer.Stop() {
		s.limit.call = nil
		limits.Put(s.limit)
	}
	s.limit = nil
}
