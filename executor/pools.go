package executor

import (
	"context"
	"errors"
	"sync"
	"time"
)

const (
	// worthwhile is what starting an instance must take for others to be made in advance. A component in C or Rust takes 10 µs,
	// which is about what it costs to have another thread do it.
	worthwhile = 50 * time.Microsecond
	// idleAfter is how long after the last call of a revision its waiting instances are dropped. A revision is hot, and gets some,
	// when it is called twice in that time.
	idleAfter = 10 * time.Second
	// sweepEvery is how often it is looked for those, as long as any instance waits.
	sweepEvery = time.Second
	// waitingPerSlot is how many instances may wait, for each slot of the node, and waitingAtFew how many of these there are on a node with
	// few slots at least. Half of them may be such that were never called.
	waitingPerSlot = 4
	waitingAtFew   = 64
	// memoryShare is the part of the machine's memory that instances may have while they wait, each counted with all that its
	// revision may use.
	memoryShare = 8
)

// pools are all pools of an executor. Instances are made in advance by workers, as jobs of their revision that wait for no call:
// only while a slot is free and no call waits, so that they take nothing from calls. Whoever asks before that waits for it, for a
// while.
type pools struct {
	x    *Executor
	pays time.Duration

	mu       sync.Mutex
	waiting  int // instances
	unused   int // those that were never called
	bytes    uint64
	room     int
	memory   uint64
	nonempty map[*pool]struct{}
	short    bool // the machine is short of memory
	sweeping bool // the loop looks every sweepEvery, or is about to

	stir  chan struct{} // has an element when it is to begin with that
	fills chan *pool    // bounded by a place for each pool that is wanted, else it is not asked for
	stop  chan struct{}
	done  chan struct{}
}

func newPools(x *Executor) *pools {
	a := &pools{x: x, pays: worthwhile, room: waitingRoom(x.config.Slots), memory: TotalMemory() / memoryShare,
		nonempty: make(map[*pool]struct{}), stir: make(chan struct{}, 1),
		fills: make(chan *pool, 64), stop: make(chan struct{}), done: make(chan struct{})}
	go a.loop()
	return a
}

// waitingRoom is how many instances may wait on a node with so many slots.
func waitingRoom(slots int) int { return max(waitingPerSlot*slots, waitingAtFew) }

// called notes a call of a revision, and asks for an instance where that pays. It tells whether there was another one of late. a.mu is
// held.
func (a *pools) called(p *pool) (hot bool) {
	now := time.Now()
	hot = now.Sub(p.used) < idleAfter
	p.used = now
	if hot && !p.wanted && p.pays() && a.wants(p) {
		select {
		case a.fills <- p:
			p.wanted = true
			p.rev.retain()
		default:
		}
	}
	return hot
}

// wants tells whether a pool should have one more instance that was never called: as many as calls can run at once are enough.
// Instances that may be called again come by themselves. a.mu is held.
func (a *pools) wants(p *pool) bool {
	return p.rev.reuse <= 1 && len(p.waiting) < min(a.x.config.Slots, p.rev.limits.Concurrency) && a.hasRoom(p, seat{})
}

// came counts an instance that was put at the end of a pool. a.mu is held.
func (a *pools) came(p *pool) {
	a.waiting++
	a.bytes += p.rev.limits.Memory
	if p.waiting[len(p.waiting)-1].unused() {
		a.unused++
	}
	p.count.Store(int32(len(p.waiting)))
	a.nonempty[p] = struct{}{}
	if !a.sweeping {
		a.sweeping = true
		select {
		case a.stir <- struct{}{}:
		default: // the loop has not seen the one before
		}
	}
}

// left counts an instance that was taken out of a pool. a.mu is held.
func (a *pools) left(p *pool, s seat) {
	a.waiting--
	a.bytes -= p.rev.limits.Memory
	if s.unused() {
		a.unused--
	}
	p.count.Store(int32(len(p.waiting)))
	if len(p.waiting) == 0 {
		delete(a.nonempty, p)
	}
}

// loop fills and empties pools. It sleeps while nothing waits and nothing is wanted.
func (a *pools) loop() {
	defer close(a.done)
	var sweep <-chan time.Time
	var next *pool // the one that is filled, once a slot is free
	for {
		fills := a.fills
		if next != nil {
			fills = nil
		}
		select {
		case next = <-fills:
		case <-a.x.queue.spare:
		case <-a.stir:
		case <-sweep:
			a.sweep(time.Now())
			sweep = nil
			if next != nil { // while all slots are taken it must not keep its revision in memory: the next call asks again
				a.filled(next)
				next = nil
			}
		case <-a.stop:
			if next != nil {
				a.filled(next)
			}
			return
		}
		if next != nil && a.fill(next) {
			a.filled(next)
			next = nil
		}
		if sweep == nil && a.sweeps(next != nil) {
			sweep = time.After(sweepEvery)
		}
	}
}

// sweeps tells whether there is anything to look for: instances that wait, memory that is short, or a pool that is to be filled.
func (a *pools) sweeps(fills bool) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.sweeping = a.waiting > 0 || a.short || fills
	return a.sweeping
}

// fill has instances made as long as a pool wants them. It is false if a slot must be free first.
func (a *pools) fill(p *pool) bool {
	for a.next(p) {
		if !a.x.queue.hasSpare() {
			return false
		}
		j := newJob(a.x.stopping, p.rev, &method{name: p.rev.key.String(), export: startOnly}, Request{})
		j.fills = p
		if _, _, err := a.x.await(context.Background(), j); err != nil {
			return true
		}
	}
	return true
}

// next tells whether a pool wants one more instance. If not, the next call may ask again.
func (a *pools) next(p *pool) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	p.wanted = a.wants(p)
	return p.wanted
}

// filled ends that a pool is filled, whatever it wants.
func (a *pools) filled(p *pool) {
	a.mu.Lock()
	p.wanted = false
	a.mu.Unlock()
	p.rev.release()
}

// sweep drops the instances of revisions that are not called any more, and all if memory is short.
func (a *pools) sweep(now time.Time) {
	short := memoryIsShort()
	var dropped []seat
	a.mu.Lock()
	a.short = short
	for p := range a.nonempty {
		if short || now.Sub(p.used) >= idleAfter {
			dropped = append(dropped, a.takeAll(p)...)
		}
	}
	a.mu.Unlock()
	drop(dropped)
}

// counts gives what the metrics show.
func (a *pools) counts() (waiting int, bytes uint64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.waiting, a.bytes
}

// close ends filling. What waits goes with its revisions.
func (a *pools) close() {
	close(a.stop)
	<-a.done
	for {
		select {
		case p := <-a.fills:
			p.rev.release()
		default:
			return
		}
	}
}

// errNoRoom is the error of an instance that was made in advance when the place for it was gone.
var errNoRoom = errors.New("no room for an instance that waits")

// hasSpare tells whether a slot is free that no call waits for. If not, spare has an element once a call has left one.
func (q *queue) hasSpare() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.wanting = !q.isSpare()
	return !q.wanting
}

// isSpare is hasSpare for those who hold q.mu.
func (q *queue) isSpare() bool { return !q.closed && q.isIdle(&q.front) }

// offer tells who wants a spare slot that there is one. q.mu is held.
func (q *queue) offer() {
	if !q.wanting || !q.isSpare() {
		return
	}
	q.wanting = false
	select {
	case q.spare <- struct{}{}:
	default:
	}
}
