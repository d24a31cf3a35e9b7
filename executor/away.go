package executor

import "slices"

// While the guest of a call waits for a call that it made itself, it is away: it keeps its goroutine, its thread and its
// instance, but not its slot. Otherwise two callers on two slots could wait for callees that wait for a slot. It takes a
// slot again before it goes on, ahead of all calls that have not begun: these would only add to what waits.

// depart takes its slot from a running call. It is false if as many are away as may be.
func (q *queue) depart(j *job) bool {
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
