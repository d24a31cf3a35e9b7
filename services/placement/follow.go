package placement

import (
	"maps"
	"slices"
	"time"

	"github.com/weft-run/weft/consensus/catalog"
	"github.com/weft-run/weft/executor"
)

// follow brings the table in line with the catalog, whenever that changes or a pause is over, until the table closes.
func (t *Table) follow() {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		now := time.Now()
		changed, gone := t.reconcile(now)
		for _, f := range gone {
			if t.config.Gone != nil {
				t.config.Gone(f.Namespace, f.Function)
			}
		}
		timer.Reset(t.nextLook(now))
		select {
		case <-changed:
		case <-timer.C:
		case <-t.settled:
		case <-t.ctx.Done():
			return
		}
	}
}

// reconcile starts the loads that are due and unloads what is not wanted. It looks at what has changed since the last time, and at
// what time alone changes. It returns a channel that is closed when the catalog has changed since, and the functions that are gone.
func (t *Table) reconcile(now time.Time) (changed <-chan struct{}, gone []catalog.FunctionName) {
	t.mu.Lock()
	defer t.mu.Unlock()
	view := t.config.Catalog.View()
	functions, known := view.ChangedSince(t.view)
	if !known {
		functions = t.everything(view)
	}
	for _, f := range functions {
		t.look(view, f, now)
		if t.view != nil && t.view.Function(f.Namespace, f.Function) != nil && view.Function(f.Namespace, f.Function) == nil {
			gone = append(gone, f)
		}
	}
	t.view = view
	for e := range t.timed {
		t.tend(e, now)
	}
	return view.Changed(), gone
}

// everything gives each function that is, or was, of interest to this node. It is called with mu held.
func (t *Table) everything(view *catalog.View) []catalog.FunctionName {
	all := maps.Clone(t.of)
	for k := range view.Placed(t.config.Node) {
		all[catalog.FunctionName{Namespace: k.Namespace, Function: k.Function}] = nil
	}
	if t.view != nil {
		for f := range t.view.All() {
			all[catalog.FunctionName{Namespace: f.GetNamespace(), Function: f.GetName()}] = nil
		}
	}
	return slices.Collect(maps.Keys(all))
}

// look brings the entries of a function in line with the catalog. It is called with mu held.
func (t *Table) look(view *catalog.View, f catalog.FunctionName, now time.Time) {
	for _, e := range slices.Clone(t.of[f]) { // without those that are removed meanwhile
		switch {
		case row(view, e.key) == nil: // numbers of revisions never come back
			t.remove(e)
		case e.placed && !t.isPlaced(view, e.key):
			e.placed, e.until = false, now.Add(t.config.Linger)
			t.timed[e] = struct{}{}
		}
	}
	for revision := range view.Placements(f.Namespace, f.Function) {
		if k := (executor.Key{Namespace: f.Namespace, Function: f.Function, Revision: revision}); t.isPlaced(view, k) {
			t.see(view, k, now)
		}
	}
}

func (t *Table) isPlaced(view *catalog.View, k executor.Key) bool {
	_, here := slices.BinarySearch(view.Placement(k.Namespace, k.Function, k.Revision), t.config.Node)
	return here
}

// see takes in that a revision is placed here, and starts its load if that is due. What an earlier process had is ready at once,
// and loaded when it is called. It is called with mu held.
func (t *Table) see(view *catalog.View, k executor.Key, now time.Time) {
	e := t.entries[k]
	if e == nil {
		stored := row(view, k)
		if stored == nil {
			return
		}
		e = t.add(k, stored)
		t.admit(e)
	}
	e.placed, e.until = true, time.Time{}
	t.tend(e, now)
}

// tend does what is due for an entry: to unload it, or to try again to load it. It is called with mu held.
func (t *Table) tend(e *entry, now time.Time) {
	switch {
	case !e.placed:
		if t.isOver(e, now) {
			t.remove(e)
		}
		return
	case e.state == StateReady, e.attempt != nil: // it is timed again if that fails
	case now.Before(e.retry):
		return
	default:
		t.try(e)
		t.inBackground(e)
	}
	delete(t.timed, e)
}

// isOver tells whether a revision that is not placed here may be unloaded: some while after it was placed here last, or,
// if it was loaded for a call alone, after its last use. It is called with mu held.
func (t *Table) isOver(e *entry, now time.Time) bool {
	due := e.until
	if due.IsZero() {
		due = e.lastUse().Add(t.config.Idle)
	}
	return !now.Before(due) && e.giveUp()
}

// giveUp ends an attempt that has not begun. It is false if there is one that has: it ends by itself, and until then the
// entry stays, so that there are never two for one key. It is called with mu held.
func (e *entry) giveUp() bool {
	if e.attempt == nil {
		return true
	}
	if !e.attempt.claimed.CompareAndSwap(false, true) {
		return false
	}
	close(e.attempt.done)
	e.attempt = nil
	return true
}

// nextLook is how long until something is due without a change of the catalog. What was due at now is under way.
func (t *Table) nextLook(now time.Time) time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	next := t.config.Idle
	for e := range t.timed {
		due := e.retry
		if !e.placed {
			due = e.until // nobody tries again but a call
			if due.IsZero() {
				due = e.lastUse().Add(t.config.Idle)
			}
		}
		if pause := due.Sub(now); pause > 0 {
			next = min(next, pause)
		}
	}
	return next
}
