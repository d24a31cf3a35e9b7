package scheduler

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/weft-run/weft/consensus/catalog"
	"github.com/weft-run/weft/executor"
	catalogv1 "github.com/weft-run/weft/proto/weft/catalog/v1"
	"github.com/weft-run/weft/services/directory"
	"github.com/weft-run/weft/services/placement"
)

// collector makes the input of plans in one term of leadership. It makes anew what has changed and nothing else, which
// is what the planner goes by. All times are this process's own; no other node's clock counts.
type collector struct {
	timing timing
	began  time.Time // of the term

	nodes     map[string]*member
	reports   map[name]reports
	dirty     map[name]bool      // functions of which something else is reported now
	failing   map[name]time.Time // functions with a placement that will count as failed then
	functions []*cached          // in order
	first     *catalog.View      // of the term
	last      *catalog.View
	held      bool      // some functions are
	input     Input     // the last one; its slices are written to
	next      time.Time // when the input changes by itself; zero if it does not
}

// timing is how long the scheduler waits for what may come right by itself.
type timing struct {
	settle  time.Duration // after the beginning of a term, for nodes to be heard of
	grace   time.Duration // for a silent node
	failing time.Duration // for a revision that fails on a node, which tries again by itself
}

// member is a node as the collector knows it.
type member struct {
	node        *Node
	known       *directory.Node // nil if the directory does not know it
	silentSince time.Time       // zero while it is alive
	reported    map[executor.Key]*report
	round       int // counts the changes of reported
	present     bool
}

// cached is a function with the row that it was made from.
type cached struct {
	row      *catalogv1.Function
	function *Function
}

func newCollector(t timing, now time.Time) *collector {
	return &collector{
		timing: t, began: now,
		nodes: map[string]*member{}, reports: map[name]reports{}, dirty: map[name]bool{}, failing: map[name]time.Time{},
	}
}

// collect makes the input of a plan, whose slices the next one overwrites. At next it changes without newer views, unless
// that is zero.
func (c *collector) collect(view *catalog.View, known *directory.View, now time.Time) (in Input, next time.Time) {
	c.next = time.Time{}
	if c.first == nil {
		c.first = view
	}
	heard := c.collectNodes(view, known, now)
	hold := !heard && now.Before(c.began.Add(c.timing.settle))
	flips := hold != c.held
	changed, follows := view.ChangedSince(c.last)
	c.held, c.last = hold, view
	if hold {
		c.wake(c.began.Add(c.timing.settle))
	}
	for n, due := range c.failing {
		if now.Before(due) {
			c.wake(due)
		} else {
			c.dirty[n] = true
		}
	}
	if !follows {
		c.collectFunctions(now)
	} else {
		c.collectChanged(changed, flips, now)
	}
	clear(c.dirty)
	return c.input, c.next
}

// wake makes sure that the next input is made by then.
func (c *collector) wake(at time.Time) {
	if c.next.IsZero() || at.Before(c.next) {
		c.next = at
	}
}

func nameOf(f *catalogv1.Function) name { return name{f.GetNamespace(), f.GetName()} }

// collectNodes tells whether every executor was heard of in this term.
func (c *collector) collectNodes(view *catalog.View, known *directory.View, now time.Time) (allHeard bool) {
	allHeard = true
	for _, m := range c.nodes {
		m.present = false
	}
	nodes := c.input.Nodes[:0]
	for row := range view.Nodes() {
		m := c.nodes[row.GetId()]
		if m == nil {
			m = &member{reported: map[executor.Key]*report{}}
			c.nodes[row.GetId()] = m
		}
		m.present = true
		c.hear(row.GetId(), m, known.Node(row.GetId()), now)
		n := describe(row, m.known, c.health(m, now))
		if m.node == nil || !sameNode(m.node, n) {
			m.node = n
		}
		nodes = append(nodes, m.node)
		allHeard = allHeard && (m.node.Health == Alive || !m.node.Executor)
	}
	for id, m := range c.nodes {
		if !m.present {
			c.hear(id, m, nil, now)
			delete(c.nodes, id)
		}
	}
	slices.SortFunc(nodes, compareNodes)
	c.input.Nodes = nodes
	return allHeard
}

// health judges a node's silence. It is called each time an input is made.
func (c *collector) health(m *member, now time.Time) Health {
	if m.known != nil && m.known.Usable() {
		m.silentSince = time.Time{}
		return Alive
	}
	if m.silentSince.IsZero() {
		m.silentSince = now
	}
	lost := m.silentSince.Add(c.timing.grace)
	if settled := c.began.Add(c.timing.settle); lost.Before(settled) {
		lost = settled
	}
	if !now.Before(lost) {
		return Lost
	}
	c.wake(lost)
	return Silent
}

func describe(row *catalogv1.Node, known *directory.Node, h Health) *Node {
	n := &Node{ID: row.GetId(), Labels: row.GetLabels(), Executor: row.GetExecutor(), Draining: row.GetDraining(), Health: h}
	if known != nil {
		n.Engine, n.MemoryBytes = known.Engine, known.Memory
		n.CodeBytes = known.Code &^ (1<<20 - 1) // a disk's free space is never still
	}
	return n
}

func sameNode(a, b *Node) bool {
	return sameForPlaced(a, b) && a.Engine == b.Engine && a.CodeBytes == b.CodeBytes
}

// collectFunctions describes all functions anew.
func (c *collector) collectFunctions(now time.Time) {
	clear(c.failing)
	c.functions = make([]*cached, 0, c.last.Len())
	c.input.Functions = c.input.Functions[:0]
	for row := range c.last.All() {
		made := c.build(row, now)
		c.functions = append(c.functions, made)
		c.input.Functions = append(c.input.Functions, made.function)
	}
}

// collectChanged describes those functions anew that have changed, of which something else is reported, or that are held no more, or
// are now.
func (c *collector) collectChanged(changed []catalog.FunctionName, flips bool, now time.Time) {
	for _, f := range changed {
		c.dirty[name{f.Namespace, f.Function}] = true
	}
	if flips {
		for _, f := range c.functions {
			if f.function.Held != c.holds(f.row) {
				c.dirty[nameOf(f.row)] = true
			}
		}
	}
	for n := range c.dirty {
		c.refresh(n, now)
	}
}

// refresh describes a function anew, which may be new or gone.
func (c *collector) refresh(n name, now time.Time) {
	at, there := slices.BinarySearchFunc(c.functions, n, func(f *cached, n name) int {
		return cmp.Or(strings.Compare(f.row.GetNamespace(), n.namespace), strings.Compare(f.row.GetName(), n.function))
	})
	row := c.last.Function(n.namespace, n.function)
	switch {
	case row == nil && there:
		delete(c.failing, n)
		c.functions = slices.Delete(c.functions, at, at+1)
		c.input.Functions = slices.Delete(c.input.Functions, at, at+1)
	case row == nil:
	case there:
		c.functions[at] = c.build(row, now)
		c.input.Functions[at] = c.functions[at].function
	default:
		made := c.build(row, now)
		c.functions = slices.Insert(c.functions, at, made)
		c.input.Functions = slices.Insert(c.input.Functions, at, made.function)
	}
}

// holds tells whether a function is to be left alone for now: it was there when the term began, so it has waited
// already, and placed on the few nodes that are heard of by now it would stay there.
func (c *collector) holds(row *catalogv1.Function) bool {
	return c.held && c.first.Function(row.GetNamespace(), row.GetName()) == row
}

// build describes a function to the planner.
func (c *collector) build(row *catalogv1.Function, now time.Time) *cached {
	n := nameOf(row)
	f := &Function{Namespace: row.GetNamespace(), Name: row.GetName(), Current: row.GetCurrent(), Held: c.holds(row)}
	delete(c.failing, n)
	for _, r := range row.GetRevisions() {
		nodes := c.last.Placement(row.GetNamespace(), row.GetName(), r.GetNumber())
		if len(nodes) > 0 || r.GetNumber() == row.GetCurrent() {
			f.Revisions = append(f.Revisions, c.revision(n, row, r, nodes, now))
		}
	}
	return &cached{row: row, function: f}
}

func (c *collector) revision(n name, row *catalogv1.Function, r *catalogv1.Revision, placed []string, now time.Time) Revision {
	out := Revision{
		Number: r.GetNumber(), Scheduling: r.GetScheduling(), MemoryBytes: r.GetMemoryBytes(),
		CodeBytes: cmp.Or(uint64(max(0, c.reports[n].code(row, r))), r.GetSizeBytes()), Placed: placed,
	}
	copy(out.Digest[:], r.GetDigest())
	of := c.reports[n][r.GetNumber()]
	for _, id := range slices.Sorted(maps.Keys(of)) {
		switch s := of[id]; s.state {
		case placement.StateReady:
			out.Ready = append(out.Ready, id)
		case placement.StateFailed:
			if due := s.since.Add(c.timing.failing); now.Before(due) {
				c.fails(n, due)
			} else {
				out.Failed = append(out.Failed, id)
			}
		}
	}
	return out
}

// fails notes that a placement of a function counts as failed from then on.
func (c *collector) fails(n name, due time.Time) {
	if at, ok := c.failing[n]; !ok || due.Before(at) {
		c.failing[n] = due
	}
	c.wake(due)
}
