package executor

import (
	"errors"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"github.com/weft-run/weft/executor/wasmtime"
)

const (
	// sampled is of how many instances that are cheap to start the time is taken of one.
	sampled = 8
	// mostFailed is after how many calls in a row whose instances could not be restored it is not tried any more.
	mostFailed = 16
)

// pool holds instances of one form of a revision that wait for a call: those that were never called, made in advance where starting
// one takes long, those that were put back to what they were like before a call, and those that may be called again as they are
// (Revision.Reuse).
type pool struct {
	all      *pools
	rev      *revision
	template *wasmtime.Template
	path     string                               // of the file with the code
	samples  atomic.Int32                         // instances that were timed
	copies   atomic.Pointer[[]*wasmtime.Template] // by lane; nil: all have the template
	// lasting is set when an instance can't be put back to what it was like (wasmtime.Instance.Restore), or so many that were called one
	// after the other (failed) could not.
	lasting atomic.Bool
	failed  atomic.Int32

	// count is len(waiting), and cost what starting an instance takes on average, in nanoseconds: to be read without a lock.
	count atomic.Int32
	cost  atomic.Int64

	// Guarded by all.mu.
	waiting []seat // the one to be taken next is the last
	used    time.Time
	wanted  bool // in all.fills
}

// seat is one instance that waits.
type seat struct {
	instance *wasmtime.Instance
	calls    int  // that it has answered since it was new or restored
	restored bool // it was put back to what it was like when it was new
}

// take gives an instance for a call, and how many calls it has answered.
func (p *pool) take(in *guestCall) (i *wasmtime.Instance, calls int, err error) {
	m, lane := p.rev.metrics, in.job.lane()
	s, room, ok := p.pop()
	if ok {
		s.instance.Assign(in, in.job.interrupt, in.outer())
		switch {
		case s.calls > 0:
			m.reused.Add(lane, 1)
		case s.restored:
			m.restored.Add(lane, 1)
		default:
			m.ready.Add(lane, 1)
		}
		return s.instance, s.calls, nil
	}
	in.restorable = room && p.restores()
	if p.cost.Load() != 0 && !p.pays() && rand.Uint32()%sampled != 0 { //nolint:gosec // nothing is secret about it
		i, err = p.instantiate(in)
	} else {
		began := time.Now()
		i, err = p.instantiate(in)
		if err == nil {
			p.took(time.Since(began))
			p.timed()
		}
	}
	if err == nil {
		m.fresh.Add(lane, 1)
	}
	return i, 0, err
}

// instantiate makes an instance for a call. Those that wait, of whatever revision, give way to it where the engine has no more.
func (p *pool) instantiate(in *guestCall) (*wasmtime.Instance, error) {
	for {
		i, err := p.create(in)
		if !errors.Is(err, wasmtime.ErrBusy) || !p.all.giveWay() {
			return i, err
		}
	}
}

// create makes an instance, and notes if none can be restored.
func (p *pool) create(in *guestCall) (*wasmtime.Instance, error) {
	i, err := p.rev.instantiate(p.of(in.job.lane()), in)
	if err == nil && in.restorable && !i.Restores() {
		p.lasting.Store(true)
	}
	return i, err
}

// took notes what starting an instance took.
func (p *pool) took(d time.Duration) {
	const weight = 8
	average := p.cost.Load()
	if average == 0 {
		average = int64(d)
	}
	p.cost.Store(average + (int64(d)-average)/weight)
}

// pays tells whether instances are worth being made in advance.
func (p *pool) pays() bool { return time.Duration(p.cost.Load()) >= p.all.pays }

// restores tells whether instances are restored after their calls, as far as is known.
func (p *pool) restores() bool {
	return !p.lasting.Load() && p.rev.reuse <= 1 && !p.all.x.config.FreshInstances
}

// pop takes an instance that waits, and asks for more where that pays. Room tells whether one could wait after the call: there was another
// call of late, and nobody has to give way.
func (p *pool) pop() (s seat, room, ok bool) {
	if p.count.Load() == 0 && !p.pays() && !p.restores() && p.rev.reuse <= 1 { // none waits, and none will
		return seat{}, false, false
	}
	a := p.all
	a.mu.Lock()
	defer a.mu.Unlock()
	if n := len(p.waiting); n > 0 {
		s, ok = p.waiting[n-1], true
		p.waiting[n-1] = seat{}
		p.waiting = p.waiting[:n-1]
		a.left(p, s)
	}
	return s, a.called(p) && a.fits(p, a.waiting, a.bytes), ok
}

// put keeps an instance, in the place of others if need be, which are to be closed. It is false if it can't be kept; then it is to be
// closed itself.
func (p *pool) put(s seat) (displaced []seat, ok bool) {
	a := p.all
	a.mu.Lock()
	defer a.mu.Unlock()
	if !a.hasRoom(p, s) {
		return nil, false
	}
	displaced = a.makeRoom(p)
	s.instance.Assign(nil, nil, nil)
	p.waiting = append(p.waiting, s)
	a.came(p)
	return displaced, true
}

// keep has an instance that has answered one more call wait for another, if it may answer one, as put does.
func (p *pool) keep(i *wasmtime.Instance, calls int) (displaced []seat, ok bool) {
	if calls++; calls >= p.rev.reuse {
		return nil, false
	}
	return p.put(seat{instance: i, calls: calls})
}

// restore has an instance that has answered a call well be as it was before, and wait for another call. It closes the result, if there is
// one. It is false if the instance can't wait; then it is to be closed.
func (p *pool) restore(i *wasmtime.Instance, result *wasmtime.Result) (displaced []seat, ok bool) {
	if !i.Restore(result) {
		if p.failed.Add(1) == mostFailed {
			p.lasting.Store(true)
		}
		return nil, false
	}
	if p.failed.Load() > 0 {
		p.failed.Store(0)
	}
	return p.put(seat{instance: i, restored: true})
}

// unused tells whether the instance was made in advance, and never called.
func (s seat) unused() bool { return s.calls == 0 && !s.restored }

// close drops all instances. None is taken or put any more.
func (p *pool) close() {
	drop(p.all.empty(p))
	if copies := p.copies.Load(); copies != nil {
		closeAll((*copies)[1:]) // the template is its owner's
	}
}
