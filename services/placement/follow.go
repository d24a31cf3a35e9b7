package placement

import (
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
		case <-t.failed:
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
	known := make(map[function]bool, len(t.known))
	for f := range view.All() {
		known[function{f.GetNamespace(), f.GetName()}] = true
		current := catalog.Current(f)
		if current == nil {
			continue
		}
		k := executor.Key{Namespace: f.GetNamespace(), Function: f.GetName(), Revision: current.GetNumber()}
		e := t.entries[k]
		if e == nil {
			e = t.add(k, current)
		}
		if e.state != StateReady && e.attempt == nil && !now.Before(e.retry) {
			t.try(e)
			t.inBackground(e)
		}
	}
	for k, e := range t.entries {
		if row(view, k) == nil || t.isIdle(view, e, now) {
			t.remove(e)
		}
	}
	for f := range t.known {
		if !known[f] {
			gone = append(gone, f)
		}
	}
	t.known = known
	return view.Changed(), gone
}

// isIdle tells whether an older revision may be unloaded. As long as the current one is not ready, the older ones
// answer in its place. It is called with mu held.
func (t *Table) isIdle(view *catalog.View, e *entry, now time.Time) bool {
	current := e.key
	current.Revision = view.Function(e.key.Namespace, e.key.Function).GetCurrent()
	if current == e.key || e.attempt != nil {
		return false
	}
	if c := t.entries[current]; c == nil || c.state != StateReady {
		return false
	}
	return now.Sub(time.Unix(0, e.used.Load())) >= t.config.Idle
}

// nextLook is how long until something is due without a change of the catalog. What was due at now is under way.
func (t *Table) nextLook(now time.Time) time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	next := t.config.Idle
	for _, e := range t.entries {
		if pause := e.retry.Sub(now); pause > 0 {
			next = min(next, pause)
		}
	}
	return next
}
