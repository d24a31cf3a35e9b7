package executor

import (
	"container/heap"
	"time"
)

const (
	// credit is how much slot time a function may be behind the others: what it can use at once after it was idle or slow,
	// before it waits for its share again.
	credit = 10 * time.Millisecond
	// lasting is for how many times as long as another function one has wanted slots without a break to pay dear for them, and
	// dear how many times as much. Otherwise one that needs half of the slots would be at its limit beside one that burns, as it
	// would get no more than that.
	lasting  = 2
	dear     = 4
	patience = 10 * time.Millisecond // for less than this nobody does
	// memory is for how long it counts that a function had calls.
	memory = 100 * time.Millisecond
)

// function names what has a share of the slots: all revisions of a function together.
type function struct{ namespace, name string }

// tier is a set of slots, with the functions whose calls take turns to have them. Its fields are guarded by queue.mu.
type tier struct {
	turns   turns         // those with a call that may have a slot
	holding members       // those whose calls have slots
	taken   int           // slots that calls have, but for lost ones
	virtual time.Duration // see advance
}

// account is what a function has used of the slots: the time for which its calls had them. Whose function has used least is
// next. Its fields are guarded by queue.mu.
type account struct {
	function function
	lines    []*line
	tier     *tier

	used       time.Duration // compared with that of others; never more than credit behind tier.virtual
	spent      time.Duration // all of it, for the metrics
	since      time.Time     // up to when both are counted
	slots      int           // that its calls have now
	price      int           // how many times the time of each it uses
	live       int           // calls that wait or run
	away       int           // of these, those whose guests wait for calls of their own
	from       time.Time     // since when there are live ones
	demand     demand
	wentBehind time.Time // when it was put behind others

	returning []*job // calls that have run and want a slot again, first come, first served
	turn      int    // index in tier.turns, -1 if no call of it waits that may have a slot
	ticket    uint64 // orders those that have used the same
	index     [2]int // in tier.holding and in queue.compared, -1 if it is not there
}

// members is a set of accounts, in no order.
type members []*account

// The sets that an account may be in have an index there each.
const (
	inHolding = iota
	inCompared
)

func (m *members) add(a *account, set int) {
	if a.index[set] < 0 {
		a.index[set] = len(*m)
		*m = append(*m, a)
	}
}

func (m *members) remove(a *account, set int) {
	last := len(*m) - 1
	moved := (*m)[last]
	(*m)[a.index[set]], moved.index[set] = moved, a.index[set]
	(*m)[last] = nil
	*m = (*m)[:last]
	a.index[set] = -1
}

// turns is a heap of accounts with a call that may have a slot.
type turns []*account

func (t *turns) Len() int { return len(*t) }
func (t *turns) Less(i, k int) bool {
	a, b := (*t)[i], (*t)[k]
	if a.used != b.used {
		return a.used < b.used
	}
	return a.ticket < b.ticket
}
func (t *turns) Swap(i, k int) {
	a, b := (*t)[i], (*t)[k]
	(*t)[i], (*t)[k] = b, a
	a.turn, b.turn = k, i
}
func (t *turns) Push(x any) {
	a := x.(*account) //nolint:forcetypeassert // refresh pushes nothing else
	a.turn = len(*t)
	*t = append(*t, a)
}
func (t *turns) Pop() any {
	last := len(*t) - 1
	a := (*t)[last]
	(*t)[last] = nil
	*t = (*t)[:last]
	a.turn = -1
	return a
}

// count brings up to date what a function has used. q.mu is held, for all that follows.
func (q *queue) count(a *account, now time.Time) {
	if a.slots > 0 {
		d := now.Sub(a.since)
		a.spent += d * time.Duration(a.slots)
		a.used += d * time.Duration(a.slots*a.price)
	}
	a.since = now
	a.used = max(a.used, a.tier.virtual-credit)
	if a.turn >= 0 {
		heap.Fix(&a.tier.turns, a.turn)
	}
}

// charge counts one slot more for a function, from now on.
func (q *queue) charge(a *account, now time.Time) {
	q.count(a, now)
	a.price = q.price(a, now)
	a.tier.taken++
	if a.slots++; a.slots == 1 {
		a.tier.holding.add(a, inHolding)
	}
}

// discharge ends what charge began.
func (q *queue) discharge(a *account, now time.Time) {
	q.advance(a.tier, now)
	q.count(a, now)
	a.tier.taken--
	if a.slots--; a.slots == 0 {
		a.tier.holding.remove(a, inHolding)
	}
}

// transfer counts the slot of a call for another function than so far.
func (q *queue) transfer(from, to *account, now time.Time) {
	if from != to {
		q.discharge(from, now)
		q.charge(to, now)
	}
}

// grant gives a call a slot.
func (q *queue) grant(j *job, now time.Time) {
	a := j.at.account
	j.granted = now
	q.charge(a, now)
	q.prioritize(j)
}

// revoke takes the slot from a call.
func (q *queue) revoke(j *job, now time.Time) {
	j.held += now.Sub(j.granted)
	q.discharge(j.at.account, now)
}

// price is how many times its slot time a function uses of its share.
func (q *queue) price(a *account, now time.Time) int {
	young := q.youngest
	if young == nil || young == a || young.live == 0 && now.Sub(q.enlivened) > memory {
		return 1
	}
	wanted := now.Sub(a.from)
	if young.live > 0 && wanted < lasting*now.Sub(young.from) || wanted < patience {
		return 1
	}
	return dear
}

// advance moves the virtual time, which is what a function has used that is served fairly: the least of those that run or wait,
// and not less than that of the one whose turn it was last (served).
func (q *queue) advance(t *tier, now time.Time) {
	if len(t.holding) == 0 {
		return
	}
	least := time.Duration(1<<63 - 1)
	for _, a := range t.holding {
		q.count(a, now)
		least = min(least, a.used)
	}
	if len(t.turns) > 0 {
		least = min(least, t.turns[0].used)
	}
	t.virtual = max(t.virtual, least)
}

// enliven counts one call more of a function. One that was idle has saved up no more than its credit.
func (q *queue) enliven(a *account, now time.Time) {
	q.note(a, now)
	if a.live++; a.live > 1 {
		return
	}
	a.from = now
	q.youngest, q.enlivened = a, now
	q.compared.add(a, inCompared)
	q.compare(now)
	q.advance(a.tier, now)
	q.count(a, now)
}

// expire counts one call less.
func (q *queue) expire(a *account, now time.Time) {
	q.note(a, now)
	if a.live--; a.live > 0 {
		return
	}
	if a.tier == &q.front {
		q.light = now
		q.compared.remove(a, inCompared)
	}
}

// refresh has a function wait for its turn if it has a call that may have a slot, and not otherwise.
func (q *queue) refresh(a *account) {
	switch wants := len(a.returning) > 0 || q.lineOf(a) != nil; {
	case wants && a.turn < 0:
		q.tickets++
		a.ticket = q.tickets
		heap.Push(&a.tier.turns, a)
	case !wants && a.turn >= 0:
		heap.Remove(&a.tier.turns, a.turn)
	}
}

// refreshAll does so for all functions, when a bound for all lines allows more than it did.
func (q *queue) refreshAll() {
	for _, a := range q.accounts {
		q.refresh(a)
	}
}

// lineOf gives the line of a function that has the call with the earliest deadline, of those that may run one.
func (q *queue) lineOf(a *account) *line {
	var first *line
	for _, l := range a.lines {
		if len(l.calls) > 0 && q.mayRun(l) && (first == nil || l.calls[0].before(first.calls[0])) {
			first = l
		}
	}
	return first
}

// first gives the function whose turn it is, nil if none has a call that may have a slot.
func (q *queue) first(t *tier, now time.Time) *account {
	for len(t.turns) > 0 {
		a := t.turns[0]
		q.refresh(a) // the bounds for all lines may have changed
		if a.turn < 0 {
			continue
		}
		if q.count(a, now); t.turns[0] == a {
			return a
		}
	}
	return nil
}

// served moves a function behind those that have used as much, as it has had its turn.
func (q *queue) served(a *account) {
	a.tier.virtual = max(a.tier.virtual, a.used)
	q.tickets++
	a.ticket = q.tickets
	if a.turn >= 0 {
		heap.Fix(&a.tier.turns, a.turn)
	}
	q.refresh(a)
}
