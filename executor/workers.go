package executor

import (
	"slices"
	"time"
)

// Workers are goroutines that run one call after the other, as many at a time as there are slots. q.mu is held for all that
// follows but take.

// spawn starts a worker.
func (q *queue) spawn() {
	q.workers++
	go func() {
		for j := q.take(nil); j != nil; j = q.take(j) {
			q.run(j)
		}
	}()
}

// free tells whether a call may have a slot.
func (q *queue) free() bool { return q.busy-q.away-q.parked-min(q.lost, spareSlots) < q.slots }

// wanted is how many workers there may be.
func (q *queue) wanted() int { return q.slots + q.away + q.parked + min(q.lost, spareSlots) }

// take ends the call that a worker has done, if any, and waits for another. It gives nil when the worker is to end.
func (q *queue) take(done *job) *job {
	now := time.Now()
	q.mu.Lock()
	defer q.mu.Unlock()
	if done != nil {
		q.finish(done, now)
	}
	for {
		if len(q.begun) > 0 {
			return q.start(now)
		}
		if q.workers > q.wanted() || q.closed && q.waiting == 0 {
			q.workers--
			q.wake() // what woke this worker may be for another
			q.retire()
			q.settle()
			return nil
		}
		if q.free() {
			if a := q.first(now); a != nil && len(a.returning) > 0 {
				q.admit(a, now)
				continue
			} else if a != nil {
				return q.next(a, now)
			}
		}
		q.idle++
		q.work.Wait()
		now = time.Now()
	}
}

// start gives a worker the first call that has begun without one.
func (q *queue) start(now time.Time) *job {
	j := q.begun[0]
	q.begun = slices.Delete(q.begun, 0, 1)
	if j.hasSlot() {
		j.granted = now // what a call takes is measured without what its worker took to come
	}
	return j
}

// next begins the first call of a function, for which there is a slot.
func (q *queue) next(a *account, now time.Time) *job {
	l := q.lineOf(a)
	j := l.calls[0]
	q.unlink(j)
	q.begin(j, now)
	q.served(a)
	if len(q.turns) > 0 {
		q.share(now)
		q.press(now)
	}
	return j
}

// wake has a worker take a call, if a slot is free and somebody waits for it.
func (q *queue) wake() {
	if len(q.turns) > 0 && q.free() {
		q.rouse()
	}
}

// rouse has a worker look what there is to do. If none is idle and no more may be, one that is on its way will.
func (q *queue) rouse() {
	switch {
	case q.idle > 0:
		q.idle--
		q.work.Signal()
	case q.workers < q.wanted():
		q.spawn()
	}
}

// wakeAll has all idle workers look whether they are to end.
func (q *queue) wakeAll() {
	q.idle = 0
	q.work.Broadcast()
}

// share gives free slots to whoever is next.
func (q *queue) share(now time.Time) {
	for len(q.turns) > 0 && q.free() {
		a := q.first(now)
		if a == nil {
			break
		}
		if len(a.returning) == 0 {
			q.wake()
			break
		}
		q.admit(a, now)
	}
	q.retire()
}

// retire has an idle worker end, if there are more workers than may be.
func (q *queue) retire() {
	if q.idle > 0 && q.workers > q.wanted() {
		q.idle--
		q.work.Signal()
	}
}
