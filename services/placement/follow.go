package placement

import (
	"cmp"
	"strings"
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
				t.config.Gone(f.namespace, f.name)
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

// reconcile starts the loads that are due and unloads what is not wanted. It returns a channel that is closed when the
// catalog has changed since, and the functions that are gone.
func (t *Table) reconcile(now time.Time) (changed <-chan struct{}, gone []function) {
	t.mu.Lock()
	defer t.mu.Unlock()
	view := t.config.Catalog.View()
	t.looked++
	for p := range view.Placed(t.config.Node) {
		t.see(view, p, now)
	}
	for k, e := range t.entries {
		if e.seen != t.looked && (row(view, k) == nil || t.isOver(e, now)) { // numbers of revisions never come back
			t.remove(e)
		}
	}
	return view.Changed(), t.vanished(view)
}

// see looks at a revision that is placed here, and starts its load if that is due. What an earlier process had is ready at once,
// and loaded when it is called. It is called with mu held.
func (t *Table) see(view *catalog.View, p catalog.Key, now time.Time) {
	k := executor.Key{Namespace: p.Namespace, Function: p.Function, Revision: p.Revision}
	e := t.entries[k]
	if e == nil {
		stored := row(view, k)
		if stored == nil {
			return
		}
		e = t.add(k, stored)
		t.admit(e)
	}
	e.seen, e.placed, e.until = t.looked, true, time.Time{}
	if e.state != StateReady && e.attempt == nil && !now.Before(e.retry) {
		t.try(e)
		t.inBackground(e)
	}
}

// vanished gives the functions that are gone since the last look. Both lists are in order, so they are compared side by side: a look
// comes with every change of the catalog, and hashing ten thousand names takes most of its time. It is called with mu held.
func (t *Table) vanished(view *catalog.View) (gone []function) {
	before, now := t.known, t.spare[:0]
	for row := range view.All() {
		f := function{row.GetNamespace(), row.GetName()}
		for len(before) > 0 && before[0].compare(f) < 0 {
			gone = append(gone, before[0])
			before = before[1:]
		}
		if len(before) > 0 && before[0] == f {
			before = before[1:]
		}
		now = append(now, f)
	}
	gone = append(gone, before...)
	t.known, t.spare = now, t.known
	return gone
}

func (f function) compare(g function) int {
	return cmp.Or(strings.Compare(f.namespace, g.namespace), strings.Compare(f.name, g.name))
}

// isOver tells whether a revision that is not placed here may be unloaded: some while after it was placed here last, or,
// if it was loaded for a call alone, after its last use. It is called with mu held.
func (t *Table) isOver(e *entry, now time.Time) bool {
	if e.placed {
		e.placed, e.until = false, now.Add(t.config.Linger)
	}
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
	for _, e := range t.entries {
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
