package catalog

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	catalogv1 "github.com/weft-run/weft/proto/weft/catalog/v1"
	"pgregory.net/rapid"
)

func names(changed []FunctionName) string {
	var all []string
	for _, f := range changed {
		all = append(all, f.Function)
	}
	return fmt.Sprint(all)
}

func TestChangedSince(t *testing.T) {
	l := newCluster(t, 2)
	var older *View
	since := func(want string) {
		t.Helper()
		now := l.c.View()
		got, ok := now.ChangedSince(older)
		if !ok || names(got) != want {
			t.Fatalf("changed %s (known: %t), want %s", names(got), ok, want)
		}
		if again, ok := now.ChangedSince(now); !ok || len(again) > 0 {
			t.Fatalf("a view differs from itself in %v", again)
		}
		older = now
	}
	older = l.c.View()
	l.must(put(deploy{name: "orders"}))
	l.must(put(deploy{name: "calc"}))
	since("[calc orders]")
	l.must(place(on("orders", 1, 1)))
	since("[orders]")
	l.must(place(on("orders", 1, 1), on("calc", 1, 2)))
	since("[calc]") // the other stays where it is
	l.must(drain(2, true))
	since("[]")
	l.refused(catalogv1.Refusal_REASON_NOT_FOUND, "nobody", del("nobody"))
	since("[]")
	l.must(removal(1))
	since("[orders]")
	l.must(del("calc"))
	l.must(put(deploy{name: "calc"}))
	since("[calc]")
}

// TestChangesAreForgotten remembers a bounded number of changes, and says so where older ones are asked for.
func TestChangesAreForgotten(t *testing.T) {
	l := newLog(t)
	var views []*View
	for i := range 5 * maxChanges {
		views = append(views, l.c.View())
		l.c.Apply(uint64(i+1), typical(i))
	}
	now := l.c.View()
	if n := cap(now.state.changes.log); n > 2*maxChanges {
		t.Fatalf("room for %d changes", n)
	}
	for i, older := range views {
		got, ok := now.ChangedSince(older)
		if missing := len(views) - i; ok && len(got) != missing || !ok && missing <= maxChanges {
			t.Fatalf("%d changes before the end: %d are known (%t)", missing, len(got), ok)
		}
	}
	if _, ok := now.ChangedSince(views[0]); ok {
		t.Error("what was forgotten is known")
	}
	if _, ok := now.ChangedSince(nil); ok {
		t.Error("what changed since nothing is known")
	}
}

// TestChangesOfAnotherLineage knows nothing across a restore or a replay, whatever the indexes are.
func TestChangesOfAnotherLineage(t *testing.T) {
	c := many(3)
	older := c.View()
	other := reload(t, c)
	if _, ok := other.View().ChangedSince(older); ok {
		t.Error("the changes since a view of another catalog are known")
	}
	restored := other.View()
	other.Apply(4, typical(4))
	if got, ok := other.View().ChangedSince(restored); !ok || len(got) != 1 {
		t.Errorf("since the restore %v has changed (%t)", got, ok)
	}
	c.Replay()
	for i := 1; i <= 4; i++ {
		c.Apply(uint64(i), typical(i))
	}
	if _, ok := c.View().ChangedSince(older); ok || c.View() == older {
		t.Error("the changes since a view of before a replay are known")
	}
}

// checkChanged wants every function that differs between two views among those that have changed.
func checkChanged(t *rapid.T, older, now *View) {
	changed, ok := now.ChangedSince(older)
	if !ok || !slices.IsSortedFunc(changed, FunctionName.compare) {
		t.Fatalf("%v have changed (%t)", changed, ok)
	}
	for _, name := range someFunctions {
		before, after := older.Function(ns, name), now.Function(ns, name)
		same := before == after && maps.EqualFunc(maps.Collect(older.Placements(ns, name)), maps.Collect(now.Placements(ns, name)), slices.Equal[[]string])
		if !same && !slices.Contains(changed, FunctionName{ns, name}) {
			t.Fatalf("%s has changed from %v to %v, but only %v are said to", name, before, after, changed)
		}
	}
}

// checkCallers compares who calls a function with what a walk through all functions finds.
func checkCallers(t *rapid.T, m *model, v *View) {
	for _, name := range someFunctions {
		var got []string
		for call := range v.Callers(ns, name) {
			got = append(got, call.Function)
		}
		var want []string
		for caller, f := range m.functions {
			for _, callee := range calledBy(f.current()) {
				if callee == name {
					want = append(want, caller)
				}
			}
		}
		if slices.Sort(want); !slices.Equal(got, want) {
			t.Fatalf("%s is called by %v, model %v", name, got, want)
		}
	}
}
