package executor

import (
	"cmp"
	"slices"
	"sync"
	"time"
)

const (
	// loadedOverhead is what a loaded revision is taken to need beside its code: what the engine makes of the code, and links.
	loadedOverhead = 256 << 10
	// looksPerIdle is how often revisions are looked at in the time after which they rest.
	looksPerIdle = 4
	// keepShare is how much of the limit stays in use when it was exceeded, in eighths: so not every load evicts.
	keepShare = 7
	// retryShrink is how soon it is tried again to get below the limit, where calls have kept revisions in memory.
	retryShrink = time.Second
)

// residency keeps in memory what is called, within limits, and makes the rest dormant: what had no call for some time, and, where
// all of it is too much, what was called longest ago. It never touches a revision with calls.
type residency struct {
	idle  time.Duration // 0: for ever
	limit int64         // bytes
	rest  func(p *resident, why string) bool

	full chan struct{} // has an element when the limit is exceeded
	done chan struct{}
	wait sync.WaitGroup

	mu     sync.Mutex
	loaded map[*resident]*revision // guarded by mu
	used   int64                   // guarded by mu: bytes that they are taken to need
}

func newResidency(idle time.Duration, limit int64, rest func(p *resident, why string) bool) *residency {
	return &residency{idle: idle, limit: limit, rest: rest, full: make(chan struct{}, 1), done: make(chan struct{}),
		loaded: make(map[*resident]*revision)}
}

// start begins to look. It is not called where nothing can be loaded again.
func (r *residency) start() { r.wait.Go(r.run) }

func (r *residency) close() {
	close(r.done)
	r.wait.Wait()
}

// add counts a revision that was loaded.
func (r *residency) add(p *resident, rev *revision) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.loaded[p] = rev
	rev.counted = true
	r.used += rev.size()
	if r.used > r.limit {
		select {
		case r.full <- struct{}{}:
		default:
		}
	}
}

// remove counts out a revision that is in memory no more, or only for calls that have it.
func (r *residency) remove(p *resident, rev *revision) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.loaded, p)
	rev.counted = false
	r.used -= rev.size()
}

// grow counts what a revision in memory needs more than when it was loaded. It is false if there is no room for that.
func (r *residency) grow(rev *revision, bytes int64) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if bytes > 0 && r.used+bytes > r.limit {
		return false
	}
	rev.grown += bytes
	if rev.counted {
		r.used += bytes
	}
	return true
}

// size is how much memory a revision is taken to need, without its instances. residency.mu is held.
func (r *revision) size() int64 { return r.code + r.grown + loadedOverhead }

// count gives how many revisions are in memory.
func (r *residency) count() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.loaded)
}

func (r *residency) run() {
	var look <-chan time.Time
	if r.idle > 0 {
		ticker := time.NewTicker(max(r.idle/looksPerIdle, time.Millisecond))
		defer ticker.Stop()
		look = ticker.C
	}
	var again <-chan time.Time
	for {
		select {
		case now := <-look:
			r.restIdle(now)
			continue
		case <-r.full:
		case <-again:
		case <-r.done:
			return
		}
		if again = nil; !r.shrink() {
			again = time.After(retryShrink)
		}
	}
}

// candidate is a revision that may be made dormant.
type candidate struct {
	resident *resident
	used     int64 // when it was last called, Unix nanoseconds
	size     int64
}

// candidates lists the revisions without calls. Those with calls count as used now.
func (r *residency) candidates(now time.Time) []candidate {
	r.mu.Lock()
	defer r.mu.Unlock()
	all := make([]candidate, 0, len(r.loaded))
	for p, rev := range r.loaded {
		if rev.refs.Load() > 1 {
			rev.used.Store(now.UnixNano())
			continue
		}
		all = append(all, candidate{p, rev.used.Load(), rev.size()})
	}
	return all
}

// restIdle makes those dormant that had no call for long enough.
func (r *residency) restIdle(now time.Time) {
	rested := 0
	for _, c := range r.candidates(now) {
		if now.UnixNano()-c.used >= r.idle.Nanoseconds() && r.rest(c.resident, unloadedIdle) {
			rested++
		}
	}
	if rested > 0 {
		releaseMemory()
	}
}

// shrink makes those dormant that were called longest ago, until what is left keeps some distance from the limit. It is false
// if the limit is still exceeded.
func (r *residency) shrink() bool {
	r.mu.Lock()
	excess := r.used - r.limit/8*keepShare
	r.mu.Unlock()
	if excess <= 0 {
		return true
	}
	all := r.candidates(time.Now())
	slices.SortFunc(all, func(a, b candidate) int { return cmp.Compare(a.used, b.used) })
	for _, c := range all {
		if excess <= 0 {
			break
		}
		if r.rest(c.resident, unloadedMemory) {
			excess -= c.size
		}
	}
	return excess <= r.limit-r.limit/8*keepShare
}
