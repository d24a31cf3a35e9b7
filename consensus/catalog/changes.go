package catalog

import (
	"cmp"
	"slices"
	"strings"
)

// maxChanges is how many changes of functions are remembered, at least: more than come while somebody looks at those before.
const maxChanges = 2048

// FunctionName names a function.
type FunctionName struct{ Namespace, Function string }

func (f FunctionName) compare(g FunctionName) int {
	return cmp.Or(strings.Compare(f.Namespace, g.Namespace), strings.Compare(f.Function, g.Function))
}

// changes remembers which functions have changed lately. A copy is a snapshot: elements of the log are never changed, and the one
// that goes on appending is that of the catalog's state.
type changes struct {
	lineage *lineage
	after   uint64   // the log has every change of a higher index
	log     []change // by index
}

// lineage tells states apart that do not follow on each other, by its address.
type lineage struct{ _ byte }

type change struct {
	index    uint64
	function FunctionName
}

func newChanges() changes { return changes{lineage: new(lineage)} }

// note remembers that the command at an index has changed something about a function.
func (c *changes) note(index uint64, f FunctionName) {
	if n := len(c.log); n > 0 && c.log[n-1] == (change{index, f}) {
		return
	}
	if n := len(c.log); n == 2*maxChanges {
		c.after = c.log[n-maxChanges-1].index
		c.log = append(make([]change, 0, 2*maxChanges), c.log[n-maxChanges:]...)
	}
	c.log = append(c.log, change{index, f})
}

// ChangedSince gives the functions about which something has changed since an older view: new and deleted ones, and those with
// other revisions, another current one, or other placements. They are ordered by namespace and name. It is not ok where that is not
// known, as older is nil, too old, or from before the state was replaced as a whole: then anything may have changed.
func (v *View) ChangedSince(older *View) (functions []FunctionName, ok bool) {
	c := &v.state.changes
	if older == nil || older.state.changes.lineage != c.lineage || older.Index() < c.after {
		return nil, false
	}
	at, _ := slices.BinarySearchFunc(c.log, older.Index()+1, func(e change, index uint64) int { return cmp.Compare(e.index, index) })
	for _, e := range c.log[at:] {
		functions = append(functions, e.function)
	}
	slices.SortFunc(functions, FunctionName.compare)
	return slices.Compact(functions), true
}
