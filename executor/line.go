package executor

import (
	"container/heap"
	"slices"
	"time"
)

// leastSamples is how many calls must have been measured before any is refused for its deadline.
const leastSamples = 8

// line holds the calls of one revision that wait, by their deadlines. Its fields are guarded by queue.mu.
type line struct {
	account            *account
	concurrency, limit int // calls that run; calls that run or wait

	calls         calls
	running, lost int

	// For how long a call has a slot, and by how much that differs: moving averages as in RFC 6298.
	samples         int
	mean, deviation time.Duration

	// What calls use of the processors: a moving average of those that were measured, 0 if none was.
	use   time.Duration
	begun uint
}

// calls is a heap: first the call with the earliest deadline, among equals the one that came first.
type calls []*job

func (c *calls) Len() int           { return len(*c) }
func (c *calls) Less(i, k int) bool { return (*c)[i].before((*c)[k]) }
func (c *calls) Swap(i, k int) {
	a, b := (*c)[i], (*c)[k]
	(*c)[i], (*c)[k] = b, a
	a.index, b.index = k, i
}
func (c *calls) Push(x any) {
	j := x.(*job) //nolint:forcetypeassert // put pushes nothing else
	j.index = len(*c)
	*c = append(*c, j)
}
func (c *calls) Pop() any {
	last := len(*c) - 1
	j := (*c)[last]
	(*c)[last] = nil
	*c = (*c)[:last]
	return j
}

// before tells which of two calls is to run first.
func (j *job) before(k *job) bool {
	if c := j.due.Compare(k.due); c != 0 {
		return c < 0
	}
	return j.number < k.number
}

func (l *line) put(j *job) {
	heap.Push(&l.calls, j)
	j.inLine = true
}

func (l *line) remove(j *job) {
	heap.Remove(&l.calls, j.index)
	j.inLine = false
}

// takesOneInPlace tells whether one more call may run without waiting, as none waits that came before it. What only makes an
// instance is no call, but has room left beside them: it would wait for as long as one call follows the other in place.
func (l *line) takesOneInPlace() bool {
	return len(l.calls) == 0 ||
		l.running+1 < l.concurrency && !slices.ContainsFunc(l.calls, func(j *job) bool { return j.method.export != startOnly })
}

// measure takes note of how long a call had a slot.
func (l *line) measure(held time.Duration) {
	if l.samples++; l.samples == 1 {
		l.mean, l.deviation = held, held/2
		return
	}
	l.deviation += ((held - l.mean).Abs() - l.deviation) / 4
	l.mean += (held - l.mean) / 8
}

// learn takes note of what a call has used of the processors.
func (l *line) learn(used time.Duration) {
	if l.use == 0 {
		l.use = used
		return
	}
	l.use += (used - l.use) / 8
}

// late tells whether a call could not even begin before its deadline, and how long it would wait at least: if its function
// had all slots to itself and each call before it took a short time, as calls of this revision go. A call that need not wait
// for others is never refused, so there is always one that shows how long they take now.
func (l *line) late(j *job, slots int, now time.Time) (wait time.Duration, late bool) {
	short := l.mean - l.deviation
	if l.samples < leastSamples || short <= 0 || j.due.IsZero() {
		return 0, false
	}
	left := j.due.Sub(now)
	beside := min(slots, l.concurrency)
	if time.Duration(len(l.calls)/beside)*short <= left {
		return 0, false
	}
	ahead := 0
	for _, k := range l.calls {
		if !j.due.Before(k.due) {
			ahead++
		}
	}
	wait = time.Duration(ahead/beside) * short
	return wait, wait > left
}
