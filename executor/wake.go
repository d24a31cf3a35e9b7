package executor

import (
	"context"
	"errors"
	"fmt"
	"time"
)

const (
	// wakeWait is how long a call waits for its revision to be loaded. Loading maps code and takes milliseconds; what takes
	// longer is code that has to be compiled again, which goes on without the call.
	wakeWait = 5 * time.Second
	// maxWaking bounds the calls that wait for one revision, whose own limits are not known before.
	maxWaking = DefaultConcurrency + DefaultQueue
)

// waking is one load of a dormant revision, for all calls that come meanwhile.
type waking struct {
	waiting int           // guarded by resident.mu
	done    chan struct{} // closed at its end
	err     error         // set before that
}

// wake returns once a dormant revision was loaded, by this call or another one. Calls of other revisions are not held up: few
// revisions are loaded at a time, by goroutines of their own.
func (x *Executor) wake(ctx context.Context, p *resident) error {
	w, err := x.waking(p)
	if w == nil {
		return err
	}
	timer := time.NewTimer(wakeWait)
	defer timer.Stop()
	defer func() {
		p.mu.Lock()
		w.waiting--
		p.mu.Unlock()
	}()
	select {
	case <-w.done:
		return w.err
	case <-timer.C:
		return &Error{Reason: NotLoaded, Message: fmt.Sprintf("%s is still being loaded after %v; try again", p.key, wakeWait)}
	case <-ctx.Done():
	}
	if errors.Is(ctx.Err(), context.Canceled) {
		return &Error{Reason: Canceled, Err: ctx.Err(), Message: fmt.Sprintf("the caller left while %s was being loaded", p.key)}
	}
	return &Error{Reason: Deadline, Err: ctx.Err(), Message: fmt.Sprintf("the caller's deadline passed while %s was being loaded", p.key)}
}

// waking gives the load of a dormant revision, with this call among those that wait. Neither a load nor an error means that it
// is in memory.
func (x *Executor) waking(p *resident) (*waking, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.gone:
		return nil, notLoaded(p.key)
	case p.waking == nil && p.rev.Load() != nil:
		return nil, nil //nolint:nilnil // see above
	case p.waking == nil:
		w := &waking{done: make(chan struct{})}
		if !x.background(func() { x.load(p, w) }) {
			return nil, closingError()
		}
		p.waking = w
	case p.waking.waiting >= maxWaking:
		return nil, &Error{Reason: QueueFull, Message: fmt.Sprintf("%d calls of %s wait for it to be loaded already", maxWaking, p.key)}
	}
	p.waking.waiting++
	return p.waking, nil
}

// background runs f, and Close waits for it; false if the executor is closed.
func (x *Executor) background(f func()) bool {
	x.loading.Lock()
	defer x.loading.Unlock()
	if x.closed {
		return false
	}
	x.wakes.Go(f)
	return true
}

// load loads a dormant revision again when its turn comes. One that can't be loaded is forgotten, and Config.Failed told.
func (x *Executor) load(p *resident, w *waking) {
	err := x.reload(p)
	p.mu.Lock()
	p.waking = nil
	gone := p.gone
	p.mu.Unlock()
	switch {
	case err == nil:
	case x.stopping.Err() != nil:
		err = closingError()
	case gone: // unloaded meanwhile
		err = notLoaded(p.key)
	default:
		x.evict(p)
		if x.config.Failed != nil {
			x.config.Failed(p.key, err)
		}
		err = &Error{Reason: NotLoaded, Err: err, Message: fmt.Sprintf("%s could not be loaded again: %v", p.key, err)}
	}
	w.err = err
	close(w.done)
}

func (x *Executor) reload(p *resident) error {
	ctx := x.stopping
	select {
	case x.waken <- struct{}{}:
		defer func() { <-x.waken }()
	case <-ctx.Done():
		return ctx.Err()
	}
	began := time.Now()
	r, err := x.config.Describe(ctx, p.key)
	if err != nil {
		return err
	}
	rev, err := x.construct(ctx, r, x.config.Log)
	if err != nil {
		return err
	}
	if p.overflowed(rev) {
		x.addBulk(r, rev) // at once, as calls would fail without it
	} else {
		x.makeBulkLater(r, rev)
	}
	if !x.take(p, rev) {
		rev.release()
		return notLoaded(p.key)
	}
	x.metrics.loads.WithLabelValues(loadedForCall).Observe(time.Since(began).Seconds())
	return nil
}

func closingError() *Error { return &Error{Reason: Closing, Message: "the node is shutting down"} }
