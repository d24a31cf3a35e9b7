package executor

import "time"

// A call that runs gives way to calls of functions that have used less: it is parked. Its slot is taken from it at once, but its
// guest goes on, with a low priority. It has its slot again when none of those waits any more, which is mostly
// some microseconds later: neither has a thread waited for another then. A guest that is parked for longer is to rest: it
// notices at its next look at the epoch, which the queue advances for that, unless it is in the host.

const (
	// maxParked is how many calls may be parked. Each keeps its instance and its thread.
	maxParked = 64
	// slice is by how much slot time the function of a running call must be ahead of one that waits, to give way to it.
	slice = 5 * time.Millisecond
	// leastWait is how soon it is looked again whether a call is to give way.
	leastWait = 20 * time.Microsecond
	// linger is how long a parked guest goes on before it is to rest.
	linger = time.Millisecond
)

// press has calls that run give way to those that wait. q.mu is held, for all that follows but pace.
func (q *queue) press(t *tier, now time.Time) {
	if len(t.turns) == 1 && len(t.holding) == 1 && t.turns[0] == t.holding[0] {
		return // calls of one function don't give way to each other
	}
	for len(t.turns) > 0 && !q.free(t) && q.parked < maxParked {
		most := q.most(t, now)
		a := q.first(t, now)
		if a == most {
			a = t.second() // it is not behind now, and will be
		}
		if a == nil || most == nil {
			return
		}
		j := q.longest(most)
		if j == nil {
			return
		}
		if ahead := most.used - a.used; ahead < slice {
			q.arm(now.Add(max((slice-ahead)/time.Duration(most.slots*most.price), leastWait)))
			return
		}
		q.park(j, now)
		q.share(t, now)
	}
}

// most gives the function that has used most of those that have slots, nil if none has.
func (q *queue) most(t *tier, now time.Time) (most *account) {
	for _, a := range t.holding {
		q.count(a, now)
		if a.price = q.price(a, now); most == nil || a.used > most.used {
			most = a
		}
	}
	return most
}

// second gives the function that is next after the first one, nil if there is none.
func (t *tier) second() *account {
	switch len(t.turns) {
	case 0, 1:
		return nil
	case 2:
		return t.turns[1]
	}
	if t.turns.Less(2, 1) {
		return t.turns[2]
	}
	return t.turns[1]
}

// longest gives the call of a function that has had its slot for the longest time.
func (q *queue) longest(a *account) *job {
	var first *job
	for j := range q.running {
		if j.hasSlot() && j.at.account == a && (first == nil || j.granted.Before(first.granted)) {
			first = j
		}
	}
	return first
}

// park takes the slot from a running call, which has a low priority until it has one again.
func (q *queue) park(j *job, now time.Time) {
	q.revoke(j, now)
	j.parked, j.parkedAt = true, now
	q.parked++
	q.wait(j, nil)
	q.arm(now.Add(linger))
	if q.prioritize(j) {
		q.tick()
	}
}

// prioritize has the guest of a running call, and those below it on its thread, run with a low priority where its function is behind
// others or it is parked, and not otherwise. It tells whether the guest has to notice.
func (q *queue) prioritize(j *job) (changed bool) {
	nap := time.Duration(0)
	switch {
	case j.at.account.tier == &q.behind:
		nap = q.nap
	case j.parked:
		nap = leastNap
	}
	if nap == j.nap {
		return false
	}
	changed = (nap > 0) != (j.nap > 0)
	if j.nap = nap; nap > 0 {
		j.interrupt.Lower(nap)
	} else {
		j.interrupt.Raise()
	}
	return changed
}

// unpark ends that a call is parked.
func (q *queue) unpark(j *job) {
	j.interrupt.Resume()
	j.parked = false
	q.parked--
}

// arm has pace called at some time, if not before.
func (q *queue) arm(at time.Time) {
	if q.armed && !at.Before(q.alarm) || q.over {
		return
	}
	q.armed, q.alarm = true, at
	q.pacer.Reset(time.Until(at))
}

// pace looks again whether calls are to give way, and guests to rest.
func (q *queue) pace() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.armed = false
	now := time.Now()
	q.review(now)
	q.rest(now)
	for _, t := range q.tiers() {
		q.press(t, now)
	}
}

// rest has the guests rest that are parked for long. It reminds those that have not noticed, ever more seldom, as they may
// have come out of the host meanwhile.
func (q *queue) rest(now time.Time) {
	if q.parked == 0 {
		return
	}
	remind, next := false, slowTick
	for j := range q.running {
		if !j.parked || j.lost || j.interrupt.Rests() {
			continue
		}
		age := now.Sub(j.parkedAt)
		if age < linger {
			next = min(next, linger-age)
			continue
		}
		j.interrupt.Pause()
		remind = true
		next = min(next, age)
	}
	if remind {
		q.tick()
	}
	if remind || next < slowTick {
		q.arm(now.Add(next))
	}
}
