package executor

import "slices"

// An instance that is kept for another call, restored or as it is, uses room that nobody needs. It gives way at once to what a function
// that was called later has to keep or to make in advance, and every instance that waits does to a call that the engine has none for.

// hasRoom tells whether an instance of a pool may wait, once others have given way: to one that is restored, none does. a.mu is held.
func (a *pools) hasRoom(p *pool, s seat) bool {
	if a.short || s.unused() && a.unused >= a.room/2 {
		return false
	}
	waiting, bytes := a.waiting, a.bytes
	if fits := a.fits(p, waiting, bytes); fits || s.restored {
		return fits
	}
	for other := range a.nonempty {
		for _, waits := range other.waiting {
			if other.yields(waits, p) {
				waiting--
				bytes -= other.rev.limits.Memory
			}
		}
	}
	return a.fits(p, waiting, bytes)
}

// fits tells whether one more instance of a pool may wait beside so many, which may have so much memory.
func (a *pools) fits(p *pool, waiting int, bytes uint64) bool {
	return waiting < a.room && bytes+p.rev.limits.Memory <= a.memory
}

// yields tells whether an instance that waits in a pool gives way to one of another pool. a.mu is held.
func (p *pool) yields(s seat, to *pool) bool { return !s.unused() && p.used.Before(to.used) }

// makeRoom takes what gives way to an instance of a pool, for which there is room then. It is to be closed. a.mu is held.
func (a *pools) makeRoom(p *pool) (taken []seat) {
	for !a.fits(p, a.waiting, a.bytes) {
		taken = append(taken, a.takeStalest(func(other *pool, s seat) bool { return other.yields(s, p) })...)
	}
	return taken
}

// takeStalest takes, among some, the instance that has waited longest of the pool that was called longest ago. a.mu is held.
func (a *pools) takeStalest(among func(*pool, seat) bool) []seat {
	var stalest *pool
	var at int
	for p := range a.nonempty {
		if stalest != nil && !p.used.Before(stalest.used) {
			continue
		}
		if i := slices.IndexFunc(p.waiting, func(s seat) bool { return among(p, s) }); i >= 0 {
			stalest, at = p, i
		}
	}
	if stalest == nil {
		return nil
	}
	s := stalest.waiting[at]
	stalest.waiting = slices.Delete(stalest.waiting, at, at+1)
	a.left(stalest, s)
	return []seat{s}
}

// giveWay drops an instance of the revision that was called longest ago, as the engine has no more for a call. It is false if none waits.
func (a *pools) giveWay() bool {
	a.mu.Lock()
	taken := a.takeStalest(func(*pool, seat) bool { return true })
	a.mu.Unlock()
	drop(taken)
	return len(taken) > 0
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
