package scheduler

import (
	"slices"

	catalogv1 "github.com/weft-run/weft/proto/weft/catalog/v1"
	"github.com/weft-run/weft/services/directory"
)

// Planner makes plans, one after the other, and remembers between them what it found out. What Plan returns depends on
// its input only; inputs that share most nodes and functions with the one before, as pointers, are just faster. The
// zero value is ready for use, by one goroutine.
type Planner struct {
	ids     []string // of the nodes
	nodes   []node
	index   map[string]int32 // of the nodes, by ID
	entries []*entry
	labels  map[string]labelColumn // by key, of labels that functions are spread over

	// eager: what a waiting function found out at its last look need not hold any more.
	eager   bool
	changes []change // what the plan that is being made does to the nodes
	marks   []uint32 // by node; see mark
	stamp   uint32
}

// node is a Node with what is placed there.
type node struct {
	*Node
	hash uint64
	// load is the sum of the weights of all placements.
	load int64
	// pending is the code of placements that are not ready: it is not part of what the node says is in use.
	pending int64
}

// room is how much more code fits.
func (n *node) room() int64 { return int64(min(n.CodeBytes, 1<<62)) - n.pending }

// entry is what the planner remembers of a function.
type entry struct {
	function  *Function
	hash      uint64
	revisions []revision // ordered by number
	all       bool       // one of them is to run on every node
	mood      mood
	result    result
}

// mood says when a function is to be looked at again although it has not changed.
type mood uint8

const (
	changing mood = iota // at the next plan: the last one had something to change, or there was none
	waiting              // when a node or the room on one has changed: it would like one more node
	settled              // when one of its nodes has changed
)

// result is what a look at a function gave.
type result struct {
	placements []*catalogv1.Placement
	unplaced   []directory.Unplaced
	moves      int
}

// revision is a Revision with its nodes as indexes.
type revision struct {
	*Revision
	placed []spot // ordered by node
	// ready and failed are the nodes that say so, ordered, whether it is placed there or not.
	ready, failed []int32
}

// spot is a node where a revision is placed.
type spot struct {
	node   int32
	status status
}

type status uint8

const (
	loading status = iota // or nothing is known
	ready
	failed
)

// on gives the status of a revision on a node.
func (r *revision) on(at int32) status {
	if _, ok := slices.BinarySearch(r.ready, at); ok {
		return ready
	}
	if _, ok := slices.BinarySearch(r.failed, at); ok {
		return failed
	}
	return loading
}

// find looks for a node among those where the revision is placed.
func (r *revision) find(at int32) (i int, ok bool) {
	return slices.BinarySearchFunc(r.placed, at, func(pl spot, at int32) int { return int(pl.node - at) })
}

// change is what a plan has done to a node.
type change struct {
	node          int32
	load, pending int64
}

// weight is what a placement adds to the load of a node, in bytes. A part of it is the same for all, so that many small
// functions count too.
func (r *Revision) weight() int64 { return 4<<20 + r.code() }

func (r *Revision) code() int64 { return int64(min(r.CodeBytes, 1<<40)) }

// Plan gives the plan for an input.
func (p *Planner) Plan(in Input) Plan {
	in = in.ordered()
	touched := p.takeNodes(in.Nodes)
	p.takeFunctions(in.Functions)
	for _, e := range p.entries {
		if p.due(e, touched) {
			p.look(e)
		}
	}
	plan := p.collect()
	p.undo()
	p.eager = len(plan.Placements) > 0 // if it comes to nothing, the room that it took is free again
	return plan
}

// takeNodes takes over the nodes. It tells which of them have changed in a way that concerns what is placed there; nil
// if none has.
func (p *Planner) takeNodes(nodes []*Node) (touched []bool) {
	if !slices.EqualFunc(p.ids, nodes, func(id string, n *Node) bool { return id == n.ID }) {
		p.begin(nodes)
		return nil
	}
	for i, n := range nodes {
		old := p.nodes[i].Node
		if old == n {
			continue
		}
		p.nodes[i].Node = n
		p.eager = true
		if !sameForPlaced(old, n) {
			if touched == nil {
				touched = make([]bool, len(nodes))
			}
			touched[i] = true
		}
	}
	if touched != nil {
		clear(p.labels)
	}
	return touched
}

// begin forgets everything and starts over with other nodes.
func (p *Planner) begin(nodes []*Node) {
	*p = Planner{
		ids:    make([]string, len(nodes)),
		nodes:  make([]node, len(nodes)),
		index:  make(map[string]int32, len(nodes)),
		labels: map[string]labelColumn{},
		marks:  make([]uint32, len(nodes)),
	}
	for i, n := range nodes {
		p.ids[i] = n.ID
		p.nodes[i] = node{Node: n, hash: hashOf(n.ID)}
		p.index[n.ID] = int32(i)
	}
}

// takeFunctions takes over the functions, and what they put on the nodes.
func (p *Planner) takeFunctions(functions []*Function) {
	old := p.entries
	p.entries = make([]*entry, 0, len(functions))
	for _, f := range functions {
		for len(old) > 0 && compareFunctions(old[0].function, f) < 0 {
			p.count(old[0], -1)
			old = old[1:]
		}
		if len(old) > 0 && old[0].function == f {
			p.entries = append(p.entries, old[0])
			old = old[1:]
			continue
		}
		if len(old) > 0 && compareFunctions(old[0].function, f) == 0 {
			p.count(old[0], -1)
			old = old[1:]
		}
		e := p.newEntry(f)
		p.count(e, 1)
		p.entries = append(p.entries, e)
	}
	for _, e := range old {
		p.count(e, -1)
	}
}

// count adds what is placed of a function to its nodes, or takes it away.
func (p *Planner) count(e *entry, sign int64) {
	for i := range e.revisions {
		r := &e.revisions[i]
		for _, pl := range r.placed {
			n := &p.nodes[pl.node]
			n.load += sign * r.weight()
			if pl.status != ready {
				n.pending += sign * r.code()
				p.eager = p.eager || sign < 0 && r.code() > 0
			}
		}
	}
}

func (p *Planner) newEntry(f *Function) *entry {
	e := &entry{function: f, hash: hashOf(f.Namespace + "/" + f.Name), revisions: make([]revision, len(f.Revisions))}
	for i := range f.Revisions {
		r := &f.Revisions[i]
		e.all = e.all || r.Scheduling.GetAll()
		own := &e.revisions[i]
		own.Revision, own.ready, own.failed = r, p.indexes(r.Ready), p.indexes(r.Failed)
		for _, at := range p.indexes(r.Placed) {
			own.placed = append(own.placed, spot{at, own.on(at)})
		}
	}
	return e
}

// indexes gives the indexes of nodes, without those that are not in the catalog.
func (p *Planner) indexes(ids []string) []int32 {
	if len(ids) == 0 {
		return nil
	}
	indexes := make([]int32, 0, len(ids))
	for _, id := range ids {
		if at, ok := p.index[id]; ok {
			indexes = append(indexes, at)
		}
	}
	return indexes
}

// due tells whether a function must be looked at.
func (p *Planner) due(e *entry, touched []bool) bool {
	switch {
	case e.mood == changing, e.mood == waiting && p.eager, e.all && touched != nil:
		return true
	case touched == nil:
		return false
	}
	for i := range e.revisions {
		for _, pl := range e.revisions[i].placed {
			if touched[pl.node] {
				return true
			}
		}
	}
	return false
}

func (p *Planner) collect() Plan {
	var plan Plan
	for _, e := range p.entries {
		plan.Placements = append(plan.Placements, e.result.placements...)
		plan.Unplaced = append(plan.Unplaced, e.result.unplaced...)
		plan.Moves += e.result.moves
	}
	return plan
}

// change does something to a node.
func (p *Planner) change(c change) {
	p.changes = append(p.changes, c)
	p.nodes[c.node].load += c.load
	p.nodes[c.node].pending += c.pending
}

// undo takes the plan away from the nodes again: between plans they count what is, not what shall be.
func (p *Planner) undo() {
	for _, c := range p.changes {
		p.nodes[c.node].load -= c.load
		p.nodes[c.node].pending -= c.pending
	}
	p.changes = p.changes[:0]
}
