package executor

import (
	"runtime"
	"slices"
	"time"
)

// longestSpell is for how long a worker runs calls without letting others have its processor of Go's scheduler. After 10 ms the runtime's
// monitor takes that from it, mostly while it is in C: then another thread is woken to have it. The worker goes on there,
// away from the memory and the core that it has had.
const longestSpell = 5 * time.Millisecond

// Workers are goroutines that run one call after the other, as many at a time as there are slots. q.mu is held for all that
// follows but take.

// spawn starts a worker.
func (q *queue) spawn() {
	q.workers++
	lane := q.lane()
	go func() {
		defer q.leaveLane(lane)
		var spell time.Time
		for j := q.take(nil, &spell); j != nil; j = q.take(j, &spell) {
			j.worker.Store(int32(lane))
			q.run(j)
		}
	}()
}

// free tells whether a slot of a tier is free. When there are more lost calls than spares, these take slots of the front.
func (q *queue) free(t *tier) bool {
	if t == &q.behind {
		return t.taken < q.slots
	}
	return t.taken+max(q.lost-spareSlots, 0) < q.slots
}

// isIdle tells whether a slot of a tier is free that no call waits for.
func (q *queue) isIdle(t *tier) bool { return len(t.turns) == 0 && q.free(t) }

// tiers gives those that are in use.
func (q *queue) tiers() []*tier {
	if q.heavies == 0 {
		return q.both[:1]
	}
	return q.both[:]
}

// wanted is how many workers there may be.
func (q *queue) wanted() int {
	n := q.away + q.parked + min(q.lost, spareSlots)
	for _, t := range q.tiers() {
		n += max(q.slots, t.taken)
	}
	return n
}

// take ends the call that a worker has done, if any, and waits for another. It gives nil when the worker is to end. Spell is since when
// the worker has had its processor of Go's scheduler without a break.
func (q *queue) take(done *job, spell *time.Time) *job {
	now := time.Now()
	q.mu.Lock()
	defer q.mu.Unlock()
	if done != nil {
		q.finish(done, now)
		if now.Sub(*spell) >= longestSpell {
			q.mu.Unlock()
			runtime.Gosched()
			q.mu.Lock()
			now = time.Now()
			*spell = now
		}
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
		if a := q.turn(now); a != nil && len(a.returning) > 0 {
			q.admit(a, now)
			continue
		} else if a != nil {
			return q.next(a, now)
		}
		q.idle++
		q.work.Wait()
		now = time.Now()
		*spell = now
	}
}

// turn gives a function for whose call there is a free slot, nil if there is none.
func (q *queue) turn(now time.Time) *account {
	for _, t := range q.tiers() {
		if !q.free(t) {
			continue
		}
		if a := q.first(t, now); a != nil {
			return a
		}
	}
	return nil
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
	if len(a.tier.turns) > 0 {
		q.share(a.tier, now)
		q.press(a.tier, now)
	}
	q.wake() // for the other tier
	return j
}

// wake has a worker take a call, if a slot is free and somebody waits for it.
func (q *queue) wake() {
	for _, t := range q.tiers() {
		if len(t.turns) > 0 && q.free(t) {
			q.rouse()
			return
		}
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

// shareAll gives the free slots of all tiers to whoever is next.
func (q *queue) shareAll(now time.Time) {
	for _, t := range q.tiers() {
		q.share(t, now)
	}
}

// share gives the free slots of a tier to whoever is next.
func (q *queue) share(t *tier, now time.Time) {
	for len(t.turns) > 0 && q.free(t) {
		a := q.first(t, now)
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
