package executor

import (
	"maps"
	"slices"
)

// An instance that is kept for another call (Revision.Reuse) uses room that nobody needs. It gives way at once to what a function
// that was called later has to keep or to make in advance, and every instance that waits does to a call that the engine has none for.

// roomFor tells whether an instance of a pool that has answered so many calls may wait, and of which pools one instance each is to be
// dropped for it first; a pool may be among them several times. a.mu is held.
func (a *pools) roomFor(p *pool, calls int) (victims []*pool, ok bool) {
	if a.short || calls == 0 && a.unused >= a.room/2 {
		return nil, false
	}
	waiting, bytes := a.waiting, a.bytes
	fits := func() bool { return waiting < a.room && bytes+p.rev.limits.Memory <= a.memory }
	if fits() {
		return nil, true
	}
	for _, other := range a.staleThan(p) {
		for range other.waiting {
			victims = append(victims, other)
			waiting--
			bytes -= other.rev.limits.Memory
			if fits() {
				return victims, true
			}
		}
	}
	return nil, false
}

// staleThan gives the pools of kept instances that were called longer ago than p, first those for which it is longest. a.mu is held.
func (a *pools) staleThan(p *pool) []*pool {
	var all []*pool
	for other := range a.nonempty {
		if other.rev.reuse > 1 && other.used.Before(p.used) {
			all = append(all, other)
		}
	}
	slices.SortFunc(all, longestAgo)
	return all
}

func longestAgo(a, b *pool) int { return a.used.Compare(b.used) }

// takeOldest takes, for each of some pools, the instance that has waited longest. They are to be closed. a.mu is held.
func (a *pools) takeOldest(victims []*pool) []seat {
	taken := make([]seat, 0, len(victims))
	for _, p := range victims {
		s := p.waiting[0]
		p.waiting = slices.Delete(p.waiting, 0, 1)
		a.left(p, s)
		taken = append(taken, s)
	}
	return taken
}

// giveWay drops an instance of the revision that was called longest ago, as the engine has no more for a call. It is false if none waits.
func (a *pools) giveWay() bool {
	a.mu.Lock()
	var victims []*pool
	if len(a.nonempty) > 0 {
		victims = append(victims, slices.MinFunc(slices.Collect(maps.Keys(a.nonempty)), longestAgo))
	}
	dropped := a.takeOldest(victims)
	a.mu.Unlock()
	drop(dropped)
	return len(dropped) > 0
}

// empty takes all instances out of a pool.
func (a *pools) empty(p *pool) []seat {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.takeAll(p)
}

// takeAll is empty for those who hold a.mu.
func (a *pools) takeAll(p *pool) []seat {
	all := p.waiting
	p.waiting = nil
	for _, s := range all {
		a.left(p, s)
	}
	return all
}

// drop closes instances that have left their pools. No lock is held: it takes a while.
func drop(seats []seat) {
	for _, s := range seats {
		s.instance.Close()
	}
}
