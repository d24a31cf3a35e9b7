package executor

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// resident is the place of a revision that calls of are answered here. The revision itself, which is its code and what was made
// of it, need not be in memory: without calls it is dropped after a while (residency.go), and the next call brings it back
// (wake.go). A dormant one is no more than this.
type resident struct {
	key  Key
	code int64 // bytes of compiled code

	rev atomic.Pointer[revision] // nil while dormant

	mu     sync.Mutex
	waking *waking // guarded by mu: the load that goes on; nil if none does
	gone   bool    // guarded by mu: nobody finds it any more

	overflows sync.Map // the names of its methods that do, which it keeps while dormant
}

// resident gives the place of a revision, nil if calls of it are not answered here.
func (x *Executor) resident(k Key) *resident {
	found, _ := x.residents.Load(k)
	p, _ := found.(*resident)
	return p
}

// awake gives the revision to a call, to be released, if it is in memory.
func (p *resident) awake(now time.Time) *revision {
	rev := p.rev.Load()
	if rev == nil || !rev.tryRetain() {
		return nil
	}
	rev.used.Store(now.UnixNano())
	return rev
}

// acquire gives a revision to a call, to be released. A dormant one is loaded first. Its errors are *Error.
func (x *Executor) acquire(ctx context.Context, k Key, now time.Time) (*revision, error) {
	p := x.resident(k)
	if p == nil {
		return nil, notLoaded(k)
	}
	for {
		if rev := p.awake(now); rev != nil {
			return rev, nil
		}
		if err := x.wake(ctx, p); err != nil { // where nothing fails, it may have gone again meanwhile
			return nil, err
		}
	}
}

// here gives a revision that is in memory to a call, to be released, or nil.
func (x *Executor) here(k Key, now time.Time) *revision {
	if p := x.resident(k); p != nil {
		return p.awake(now)
	}
	return nil
}

func notLoaded(k Key) *Error {
	return &Error{Reason: NotLoaded, Message: fmt.Sprintf("%s is not loaded on this node", k)}
}

// take puts a revision that was just loaded in its place. It is false if that is gone; the revision is still the caller's then.
func (x *Executor) take(p *resident, rev *revision) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.gone {
		return false
	}
	rev.used.Store(time.Now().UnixNano())
	rev.metrics = x.metrics.of(p.key)
	x.residency.add(p, rev)
	p.rev.Store(rev)
	return true
}

// rest makes a revision dormant, unless it has calls.
func (x *Executor) rest(p *resident, why string) bool {
	p.mu.Lock()
	rev := p.rev.Load()
	if rev == nil || !rev.refs.CompareAndSwap(1, 0) {
		p.mu.Unlock()
		return false
	}
	last := x.leave(p, rev, why)
	p.mu.Unlock()
	rev.close()
	if x.config.Dormant != nil {
		x.config.Dormant(p.key, last)
	}
	return true
}

// evict takes a revision out of its place for good. Calls that have it keep it.
func (x *Executor) evict(p *resident) {
	x.residents.CompareAndDelete(p.key, p)
	p.mu.Lock()
	p.gone = true
	rev := p.rev.Load()
	if rev != nil {
		x.leave(p, rev, unloadedGone)
	}
	p.mu.Unlock()
	if rev != nil {
		rev.release()
	}
}

// leave takes a revision out of its place, and tells whether it was the last one in memory of its function. The caller holds mu.
func (x *Executor) leave(p *resident, rev *revision, why string) (last bool) {
	p.rev.Store(nil)
	x.residency.remove(p, rev)
	x.metrics.unloads.WithLabelValues(why).Inc()
	return x.metrics.forget(p.key)
}

// Admit makes a revision ready for calls without loading it, if an earlier process has left its compiled code in the cache: a
// restart need not load what nobody calls. It is false if there is none, if the executor is closed, or without Config.Describe.
// Nothing is read: code that is damaged is compiled again by the call that needs it.
func (x *Executor) Admit(k Key, digest [32]byte) bool {
	if x.config.Describe == nil {
		return false
	}
	size, ok := x.cache.inherited(digest)
	if !ok {
		return false
	}
	x.loading.Lock()
	defer x.loading.Unlock()
	if x.closed {
		return false
	}
	x.residents.LoadOrStore(k, &resident{key: k, code: size})
	return true
}

// Unload forgets a revision. It waits for nothing: running calls finish, and what they use is freed after the last.
func (x *Executor) Unload(k Key) {
	if p := x.resident(k); p != nil {
		x.evict(p)
	}
}

// Loaded tells whether a revision is ready for calls, dormant or not.
func (x *Executor) Loaded(k Key) bool { return x.resident(k) != nil }

// CodeBytes is how much compiled code a revision has that is ready for calls, whether that is in memory or not; 0 if it is not ready.
func (x *Executor) CodeBytes(k Key) int64 {
	if p := x.resident(k); p != nil {
		return p.code
	}
	return 0
}
