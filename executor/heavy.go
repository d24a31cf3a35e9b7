package executor

import (
	"container/heap"
	"slices"
	"time"

	"github.com/weft-run/weft/executor/wasmtime"
)

// Turns alone don't make a function fast beside one that burns all that it gets. What a node does besides running guests (reading,
// writing, collecting garbage) has no slot, and a thread that burns has a core for milliseconds before the kernel takes it away. So
// a heavy function, whose calls are long and as many as there are slots, is behind the others while these have calls: its guests
// have slots of their own, and a low priority, with which the kernel has them run on the cores that nobody else wants. Heavy
// functions take turns among each other.

const (
	// window is for how long what functions want and use is measured before it is compared.
	window = 20 * time.Millisecond
	// longCall is what a call uses of a processor that counts as long, and lastingCall what one uses that is apart from the others
	// even where only one function has calls.
	longCall    = 200 * time.Microsecond
	lastingCall = 5 * time.Millisecond
	// leastNap is for how long guests that are behind nap at least after each spell. Where others have the processors for more than
	// contendedLeast of the time for which the guests want them, they nap for longer; where for contendedMost, they are awake for leastDuty.
	leastNap       = 20 * time.Microsecond
	contendedLeast = 0.4
	contendedMost  = 0.8
	leastDuty      = 0.05
	// behindAlone is for how long a heavy function stays behind when no other has calls any more.
	behindAlone = time.Second
	// behindAtMost is for how long a heavy function is behind before it is tried in front again: it may be that it is only there that
	// its calls have piled up.
	behindAtMost = 30 * time.Second
	// part is which part of its equal share a heavy function has used at least.
	part = 4
	// To read the clock of a thread is a system call, of some 0.3 µs. So one call in oneIn is measured where they are short.
	oneIn = 64
)

// demand is what a function wanted and used in a window.
type demand struct {
	noted   time.Time     // up to when crowded is counted
	crowded time.Duration // for how long it had as many calls as there are slots, or more, but for those that were away
	before  time.Duration // account.spent when the window began
	use                   // by its calls, as far as that is known
	long    time.Duration // as much of that as is of long calls
}

// use is what calls have used.
type use struct {
	cpu  time.Duration // of the processors
	naps time.Duration // for which guests had slots and napped
}

// comparison is what the queue needs to compare functions. queue.mu is held.
type comparison struct {
	lowers  bool           // a guest can have a low priority; else no function is behind others
	uses    func(*job) use // what a call that runs has used so far
	beat    func(on bool)  // has guests with a low priority give way to others all the time
	heavies int            // functions that are behind

	comparing bool      // a window is measured
	since     time.Time // when that began
	light     time.Time // when a function that is in front had done all its calls, for the last time

	nap       time.Duration // of guests that are behind
	had, want float64       // what these got of the processors lately, and for how long they wanted them
}

// compare begins to compare functions if several have calls.
func (q *queue) compare(now time.Time) {
	if q.comparing || !q.lowers || len(q.compared) < 2 {
		return
	}
	q.comparing = true
	q.open(now)
}

// open begins a window.
func (q *queue) open(now time.Time) {
	q.since = now
	for _, a := range q.compared {
		q.count(a, now)
		a.demand = demand{noted: now, before: a.spent}
	}
	for j := range q.running {
		if j.measured {
			j.counted = q.uses(j)
		}
	}
	q.arm(now.Add(window))
}

// note counts for how long a function has wanted all slots. It is to be called before the number of its calls changes.
func (q *queue) note(a *account, now time.Time) {
	if a.demand.noted.Before(q.since) { // It had no calls when the window began.
		a.demand = demand{noted: q.since, before: a.spent}
	}
	if a.live-a.away >= q.slots {
		a.demand.crowded += now.Sub(a.demand.noted)
	}
	a.demand.noted = now
}

// meter decides whether it is measured what a call uses, and where its guest is to run.
func (q *queue) meter(j *job) {
	l := j.line
	l.begun++
	j.measured = l.use == 0 || l.use > longCall/2 || l.begun%oneIn == 0
	if j.measured {
		j.interrupt.Measure()
	}
	j.apart = l.use > longCall && q.comparing || l.use > lastingCall
}

// read counts what a call has used that has run.
func (q *queue) read(j *job) {
	l := j.line
	if !j.measured {
		l.account.demand.cpu += l.use
		return
	}
	q.spend(j, j.used)
	if !j.shared && j.method.export != startOnly {
		l.learn(j.used.cpu)
	}
}

// spend counts what a call has used in all, less what was counted before.
func (q *queue) spend(j *job, used use) {
	d, more := &j.line.account.demand, max(used.cpu-j.counted.cpu, 0)
	d.naps += max(used.naps-j.counted.naps, 0)
	d.cpu += more
	if used.cpu > longCall {
		d.long += more
	}
	j.counted = use{j.counted.cpu + more, max(used.naps, j.counted.naps)}
}

// review ends a window, puts the functions where they belong, and begins the next if there is something left to compare.
func (q *queue) review(now time.Time) {
	if !q.comparing {
		return
	}
	if q.since.Add(window).After(now) {
		q.arm(q.since.Add(window))
		return
	}
	q.look(now)
	q.adjust(now)
	length := now.Sub(q.since)
	var total time.Duration
	light := now.Sub(q.light) < behindAlone
	for _, a := range q.compared {
		q.note(a, now)
		total += a.demand.cpu
		if !a.demand.isHeavy(length) && a.tier == &q.front {
			light, q.light = true, now
		}
	}
	for _, a := range slices.Backward(q.compared) { // move may take one out
		switch isHeavy := a.demand.isHeavy(length); {
		case !light, a.demand.crowded < length/2, now.Sub(a.wentBehind) > behindAtMost && a.tier == &q.behind:
			q.move(a, &q.front, now)
		case isHeavy && a.tier == &q.front && a.demand.long*time.Duration(part*len(q.compared)) >= total:
			q.move(a, &q.behind, now)
			a.wentBehind = now
		}
	}
	if q.comparing = len(q.compared) > 1 || q.heavies > 0; q.comparing {
		q.open(now)
	}
}

// adjust has guests that are behind nap for longer where others want the processors that they use. They get next to nothing there
// anyway, and each time that one runs costs those that wait.
func (q *queue) adjust(now time.Time) {
	var had, want time.Duration
	for _, a := range q.compared {
		if a.tier == &q.behind {
			q.count(a, now)
			had += a.demand.cpu
			want += a.spent - a.demand.before - a.demand.naps
		}
	}
	const latest = 0.1 // what this window counts
	q.had += latest * (float64(had) - q.had)
	q.want += latest * (float64(want) - q.want)
	if q.want < float64(leastNap) {
		return
	}
	contended := 1 - q.had/q.want
	duty := 1 - (contended-contendedLeast)/(contendedMost-contendedLeast)
	nap := time.Duration(float64(wasmtime.Spell) * (1/min(max(duty, leastDuty), 1) - 1))
	if nap = max(nap, leastNap); nap == q.nap {
		return
	}
	q.nap = nap
	for j := range q.running {
		if !j.lost {
			q.prioritize(j)
		}
	}
}

// look counts what the calls have used so far that run. One that turns out to be long is measured from now on.
func (q *queue) look(now time.Time) {
	late := false
	for j := range q.running {
		switch {
		case j.measured:
			q.spend(j, q.uses(j))
		case j.hasSlot() && now.Sub(j.granted) > longCall:
			j.measured, late = true, true
			j.interrupt.Measure()
		}
	}
	if late {
		q.tick()
	}
}

// isHeavy tells whether a function has wanted all slots for the better part of a window of that length, mostly for long calls.
func (d *demand) isHeavy(length time.Duration) bool {
	return d.crowded >= length/2 && d.long >= d.cpu/2 && d.long > 0
}

// behindCount is how many functions are behind others.
func (q *queue) behindCount() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.heavies
}

// move has a function take its turns in a tier, and with it those of its calls that run.
func (q *queue) move(a *account, to *tier, now time.Time) {
	from := a.tier
	if from == to {
		return
	}
	q.count(a, now)
	if a.turn >= 0 {
		heap.Remove(&from.turns, a.turn)
	}
	if a.slots > 0 {
		from.holding.remove(a, inHolding)
		to.holding.add(a, inHolding)
	}
	from.taken -= a.slots
	to.taken += a.slots
	a.used += to.virtual - from.virtual
	a.tier = to
	if to == &q.behind {
		if q.heavies++; q.heavies == 1 {
			q.beat(true)
		}
	} else if q.heavies--; q.heavies == 0 {
		q.beat(false)
	}
	if to == &q.front && a.live == 0 {
		q.compared.remove(a, inCompared)
	}
	q.refresh(a)
	changed := false
	for j := range q.running {
		if j.at.account == a && !j.lost {
			changed = q.prioritize(j) || changed
		}
	}
	if changed {
		q.tick()
	}
	for to.taken > q.slots && a.slots > 0 && q.parked < maxParked {
		q.park(q.longest(a), now)
	}
	q.shareAll(now)
	q.press(&q.front, now)
	q.press(&q.behind, now)
}
