package executor

import (
	"sync"
	"time"
)

// spareSlots is how many lost slots are replaced; see queue.lose.
const spareSlots = 64

// lostPerLine is how many lost slots one revision may have before its calls wait until one comes back, so that a
// function whose guests can't be interrupted can't take all spares.
const lostPerLine = 8

// queue decides which call runs next. Every revision has a line of waiting calls, first come, first served; the lines
// that may run take turns, so that a busy function does not keep another waiting longer than its turn.
//
// Workers are goroutines that run one call after the other, as many at a time as there are slots. A call whose caller has
// left and that can't be interrupted, as its guest is blocked in the host, keeps its goroutine and its thread. Its slot is
// then lost, and a spare takes its place until the call ends. A call whose guest waits for a call that it made itself is
// away and has no slot (away.go).
type queue struct {
	slots, maxAway int
	run            func(*job)

	mu      sync.Mutex
	work    sync.Cond // what idle workers wait for
	lines   map[*line]struct{}
	turns   []*line // those with a call that may run, in turn
	workers int
	idle    int // workers that wait and were not woken
	busy    int // calls that run, those included that are lost or away
	waiting int
	lost    int // lost calls that hold a slot
	closed  bool
	hasten  bool          // whatever waits may run, as it will be refused
	empty   chan struct{} // closed when closed is true and all workers have ended but lost ones
	running map[*job]struct{}

	away      int // calls whose guests wait for calls of their own
	stuck     int // those of them that are lost
	returning []*job
}

// line holds the calls of one revision. Its fields are guarded by queue.mu.
type line struct {
	concurrency, limit int // calls that run; calls that run or wait

	first, last   *job
	waiting       int
	running, lost int
	queued        bool // in queue.turns
}

func newQueue(slots, maxAway int, run func(*job)) *queue {
	q := &queue{slots: slots, maxAway: maxAway, run: run, lines: make(map[*line]struct{}), empty: make(chan struct{}),
		running: make(map[*job]struct{})}
	q.work.L = &q.mu
	q.mu.Lock()
	defer q.mu.Unlock()
	for range slots {
		q.spawn()
	}
	return q
}

// join makes the line of a revision, which is to leave.
func (q *queue) join(l Limits) *line {
	q.mu.Lock()
	defer q.mu.Unlock()
	out := &line{concurrency: l.Concurrency, limit: l.Concurrency + l.Queue}
	q.lines[out] = struct{}{}
	return out
}

func (q *queue) leave(l *line) {
	q.mu.Lock()
	defer q.mu.Unlock()
	delete(q.lines, l)
}

// spawn starts a worker. q.mu is held.
func (q *queue) spawn() {
	q.workers++
	go func() {
		for j := q.take(); j != nil; j = q.take() {
			q.run(j)
			q.finish(j)
		}
	}()
}

// add puts a call in its line. It tells whether there was room; ok is false if the queue is closed.
func (q *queue) add(j *job) (room, ok bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return false, false
	}
	l := j.line
	if l.waiting+l.running >= l.limit {
		return false, true
	}
	if j.prev = l.last; j.prev == nil {
		l.first = j
	} else {
		j.prev.next = j
	}
	l.last = j
	l.waiting++
	q.waiting++
	j.inLine = true
	q.offer(l)
	return true, true
}

// offer gives a line its turn, if it may run a call. q.mu is held.
func (q *queue) offer(l *line) {
	if l.queued || l.waiting == 0 || !q.mayRun(l) {
		return
	}
	l.queued = true
	q.turns = append(q.turns, l)
	q.wake()
}

// wake has a worker take a call, if a slot is free. q.mu is held.
func (q *queue) wake() {
	switch {
	case q.waiting == 0 || len(q.turns) == 0 || !q.free(): // a line keeps its turn when its last call leaves
	case q.idle > 0:
		q.idle--
		q.work.Signal()
	case q.workers < q.wanted():
		q.spawn()
	}
}

// wakeAll has all idle workers look whether they are to end. q.mu is held.
func (q *queue) wakeAll() {
	q.idle = 0
	q.work.Broadcast()
}

// mayRun tells whether a line may have one more of its calls run. When there are no spares left, a line that has lost a
// slot waits until it comes back; the others go on. q.mu is held.
func (q *queue) mayRun(l *line) bool {
	if q.hasten {
		return true
	}
	if l.running >= l.concurrency || l.lost >= lostPerLine {
		return false
	}
	return l.lost == 0 || q.lost < spareSlots
}

// remove takes a waiting call out of its line. It is false if the call is no longer there.
func (q *queue) remove(j *job) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if !j.inLine {
		return false
	}
	q.unlink(j)
	return true
}

func (q *queue) unlink(j *job) {
	l := j.line
	if j.prev == nil {
		l.first = j.next
	} else {
		j.prev.next = j.next
	}
	if j.next == nil {
		l.last = j.prev
	} else {
		j.next.prev = j.prev
	}
	j.prev, j.next, j.inLine = nil, nil, false
	l.waiting--
	q.waiting--
	if q.closed && q.waiting == 0 {
		q.wakeAll()
	}
}

// take waits for a call to run. It gives nil when the worker is to end.
func (q *queue) take() *job {
	q.mu.Lock()
	defer q.mu.Unlock()
	for {
		if q.workers > q.wanted() || q.closed && q.waiting == 0 {
			q.workers--
			q.wake() // what woke this worker may be for another
			q.retire()
			q.settle()
			return nil
		}
		for len(q.turns) > 0 && q.free() {
			l := q.turns[0]
			q.turns = q.turns[1:]
			l.queued = false
			j := l.first
			if j == nil || !q.mayRun(l) {
				continue
			}
			q.unlink(j)
			l.running++
			q.busy++
			j.started, j.at = time.Now(), l
			q.running[j] = struct{}{}
			q.offer(l)
			return j
		}
		q.idle++
		q.work.Wait()
	}
}

// finish ends a call that take gave.
func (q *queue) finish(j *job) {
	q.mu.Lock()
	defer q.mu.Unlock()
	l := j.line
	l.running--
	q.busy--
	delete(q.running, j)
	j.ended = true
	if j.lost {
		j.lostAt.lost--
		q.offer(j.lostAt)
		if j.away {
			q.stuck--
		} else {
			q.lost--
		}
	}
	if j.away {
		q.away--
	}
	q.offer(l)
	q.share()
	q.settle()
}

// free tells whether a call may have a slot. q.mu is held.
func (q *queue) free() bool { return q.busy-q.away-min(q.lost, spareSlots) < q.slots }

// wanted is how many workers there may be. q.mu is held.
func (q *queue) wanted() int { return q.slots + q.away + min(q.lost, spareSlots) }

// share gives a slot that was given back to whoever is next. q.mu is held.
func (q *queue) share() {
	q.admit()
	q.wake()
	q.retire()
}

// retire has an idle worker end, if there are more workers than may be. q.mu is held.
func (q *queue) retire() {
	if q.idle > 0 && q.workers > q.wanted() {
		q.idle--
		q.work.Signal()
	}
}

// over tells whether a call has ended.
func (q *queue) over(j *job) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return j.ended
}

// lose marks the slot of a call as lost, if the call still runs: a spare worker takes its place, up to spareSlots of
// them. A call that runs in another's place has no slot of its own that could be lost.
func (q *queue) lose(j *job) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if j.ended || j.lost || j.outer != nil {
		return
	}
	j.lost, j.lostAt = true, j.at
	j.lostAt.lost++
	if j.away {
		q.stuck++ // it holds no slot
		q.forget(j)
	} else {
		q.lost++
		q.share()
	}
	q.settle()
}

// settle closes q.empty when there is nothing left to wait for. q.mu is held.
func (q *queue) settle() {
	if !q.closed || q.workers > q.lost+q.stuck {
		return
	}
	select {
	case <-q.empty:
	default:
		close(q.empty)
	}
}

// close refuses further calls. q.empty is closed once those that wait and run are done, but for lost ones.
func (q *queue) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
	q.wakeAll()
	q.settle()
}

// abort lets all waiting calls run at once, to be refused, and calls f with each call that runs now.
func (q *queue) abort(f func(*job)) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.hasten = true
	for l := range q.lines {
		q.offer(l)
	}
	for j := range q.running {
		f(j)
	}
}

// counts gives what the metrics show.
func (q *queue) counts() (waiting, busy, lost int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.waiting, q.busy, q.lost
}
