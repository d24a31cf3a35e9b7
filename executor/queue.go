package executor

import (
	"maps"
	"slices"
	"sync"
	"time"
)

// spareSlots is how many lost slots are replaced; see queue.lose.
const spareSlots = 64

// lostPerLine is how many lost slots one revision may have before its calls wait until one comes back, so that a
// function whose guests can't be interrupted can't take all spares.
const lostPerLine = 8

// queue decides which call runs next. Every revision has a line of waiting calls, by their deadlines (line.go). The function
// whose calls have used the least slot time is next (fair.go), so that a busy one does not keep another waiting, and calls
// that run give way to it (park.go). A call that finds a free slot while nobody waits is in no line.
//
// Workers run one call after the other, as many at a time as there are slots (workers.go). A call whose caller has
// left and that can't be interrupted, as its guest is blocked in the host, keeps its goroutine and its thread. Its slot is
// then lost, and a spare takes its place until the call ends. A call whose guest waits for a call that it made itself is
// away and has no slot (away.go), nor has one that is parked.
type queue struct {
	slots, maxAway int
	run            func(*job)
	tick           func() // has guests look at their interrupts

	mu      sync.Mutex
	work    sync.Cond // what idle workers wait for
	workers int
	lanes   []int // workers in each; see copies.go
	idle    int   // workers that wait and were not woken
	busy    int   // calls that run, those included that are lost, away or parked
	waiting int
	lost    int // lost calls that hold a slot
	closed  bool
	hasten  bool          // whatever waits may run, as it will be refused
	empty   chan struct{} // closed when closed is true and all workers have ended but lost ones
	running map[*job]struct{}
	begun   []*job // those of them that no worker has taken yet
	numbers uint64 // of calls

	accounts map[function]*account
	compared members // those with calls that wait or run, or that are behind, in no order
	tickets  uint64

	front, behind tier // most functions are in front; see heavy.go
	both          [2]*tier
	comparison    // of the functions; decides who is where

	youngest  *account  // the last that had no calls before
	enlivened time.Time // when it got one

	away      int // calls whose guests wait for calls of their own
	stuck     int // lost calls that are away or parked
	returning int // calls that are away and wait for a slot

	wanting bool          // spare is waited for
	spare   chan struct{} // see hasSpare

	parked int         // calls that are
	pacer  *time.Timer // calls pace
	armed  bool        // it runs
	alarm  time.Time   // when it ends, if armed
	over   bool
}

func newQueue(slots, maxAway int, run func(*job), tick func()) *queue {
	q := &queue{slots: slots, maxAway: maxAway, run: run, tick: tick, accounts: make(map[function]*account),
		empty: make(chan struct{}), spare: make(chan struct{}, 1), running: make(map[*job]struct{})}
	q.uses = func(j *job) use { return use{j.interrupt.Used(), j.interrupt.Napped()} }
	q.beat, q.nap = func(bool) {}, leastNap
	q.both = [...]*tier{&q.front, &q.behind}
	q.lanes = make([]int, min(slots, mostLanes))
	q.work.L = &q.mu
	q.mu.Lock()
	defer q.mu.Unlock()
	q.pacer = time.AfterFunc(time.Hour, q.pace)
	q.pacer.Stop()
	for range slots {
		q.spawn()
	}
	return q
}

// join makes the line of a revision of a function, which is to leave.
func (q *queue) join(f function, l Limits) *line {
	q.mu.Lock()
	defer q.mu.Unlock()
	a := q.accounts[f]
	if a == nil {
		a = q.account(f)
		q.accounts[f] = a
	}
	out := &line{account: a, concurrency: l.Concurrency, limit: l.Concurrency + l.Queue}
	a.lines = append(a.lines, out)
	return out
}

// single makes a line for one call that takes turns with those of all functions. It need not leave.
func (q *queue) single() *line {
	q.mu.Lock()
	defer q.mu.Unlock()
	l := &line{account: q.account(function{}), concurrency: 1, limit: 1}
	l.account.lines = []*line{l}
	return l
}

// account makes one. q.mu is held.
func (q *queue) account(f function) *account {
	return &account{function: f, tier: &q.front, used: q.front.virtual - credit, turn: -1, index: [...]int{-1, -1}}
}

func (q *queue) leave(l *line) {
	q.mu.Lock()
	defer q.mu.Unlock()
	a := l.account
	a.lines = slices.DeleteFunc(a.lines, func(other *line) bool { return other == l })
	if len(a.lines) == 0 {
		delete(q.accounts, a.function)
		q.move(a, &q.front, time.Now())
		if q.youngest == a {
			q.youngest = nil
		}
	}
}

// admission says whether a call was put in its line.
type admission int

const (
	admitted admission = iota
	closed             // the queue is
	full               // the line is
	late               // it could not begin before its deadline
)

// add puts a call in its line. The wait is how long it would take at least until its turn, where it is late.
func (q *queue) add(j *job) (result admission, wait time.Duration) {
	q.mu.Lock()
	defer q.mu.Unlock()
	l := j.line
	switch {
	case q.closed:
		return closed, 0
	case len(l.calls)+l.running >= l.limit:
		return full, 0
	}
	if len(l.calls) > 0 {
		if wait, tooLate := l.late(j, q.slots, j.entered); tooLate {
			return late, wait
		}
	}
	q.enliven(l.account, j.entered)
	if q.isIdle(l.account.tier) && q.mayRun(l) {
		q.begin(j, j.entered)
		q.begun = append(q.begun, j)
		q.rouse()
		return admitted, 0
	}
	q.numbers++
	j.number = q.numbers
	l.put(j)
	q.waiting++
	q.refresh(l.account)
	q.wake()
	if t := l.account.tier; len(t.turns) > 0 && !q.free(t) {
		q.press(t, j.entered)
	}
	return admitted, 0
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
	q.expire(j.line.account, time.Now())
	return true
}

func (q *queue) unlink(j *job) {
	j.line.remove(j)
	q.refresh(j.line.account)
	q.waiting--
	if q.closed && q.waiting == 0 {
		q.wakeAll()
	}
}

// begin gives a call its first slot. q.mu is held.
func (q *queue) begin(j *job, now time.Time) {
	j.started, j.at = now, j.line
	j.line.running++
	q.busy++
	q.running[j] = struct{}{}
	q.grant(j, now)
	q.meter(j)
}

// finish ends a call that take gave. q.mu is held.
func (q *queue) finish(j *job, now time.Time) {
	l := j.line
	if j.hasSlot() {
		q.revoke(j, now)
	}
	q.read(j)
	if j.method.export != startOnly {
		l.measure(j.held)
	}
	l.running--
	q.busy--
	delete(q.running, j)
	j.ended = true
	if j.lost {
		j.lostAt.lost--
		q.refresh(j.lostAt.account)
		if j.away || j.parked {
			q.stuck--
		} else if q.lost--; q.lost == spareSlots-1 {
			q.refreshAll() // those that have lost a slot may go on
		}
	}
	if j.away {
		q.endAway(j, now)
	}
	q.expire(l.account, now)
	if j.parked {
		q.forget(j)
		q.unpark(j)
	}
	q.refresh(l.account)
	q.shareAll(now)
	q.offer()
	q.settle()
}

// ended tells whether a call has ended.
func (q *queue) ended(j *job) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return j.ended
}

// lose marks the slot of a call as lost, if the call still runs: a spare worker takes its place, up to spareSlots of
// them. A call that runs in another's place has no slot of its own that could be lost.
func (q *queue) lose(j *job) {
	now := time.Now()
	q.mu.Lock()
	defer q.mu.Unlock()
	if j.ended || j.lost || j.outer != nil {
		return
	}
	if j.hasSlot() {
		q.revoke(j, now)
	}
	j.lost, j.lostAt = true, j.at
	j.lostAt.lost++
	if j.away || j.parked {
		q.stuck++ // it holds no slot
		q.forget(j)
	} else {
		q.lost++
		q.shareAll(now)
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

// abort lets all waiting calls run at once, to be refused, and gives those that run now.
func (q *queue) abort() []*job {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.hasten = true
	q.refreshAll()
	q.shareAll(time.Now())
	return slices.Collect(maps.Keys(q.running))
}

// sleep ends what the queue does by itself.
func (q *queue) sleep() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.over = true
	q.pacer.Stop()
}

// counts gives what the metrics show.
func (q *queue) counts() (waiting, busy, lost int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.waiting, q.busy, q.lost
}

// parkedCount is how many calls are parked.
func (q *queue) parkedCount() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.parked
}

// spent gives for how long the calls of each function had slots.
func (q *queue) spent() map[function]time.Duration {
	now := time.Now()
	q.mu.Lock()
	defer q.mu.Unlock()
	all := make(map[function]time.Duration, len(q.accounts))
	for f, a := range q.accounts {
		q.count(a, now)
		all[f] = a.spent
	}
	return all
}
