package scheduler

import (
	"slices"

	"github.com/weft-run/weft/executor"
	catalogv1 "github.com/weft-run/weft/proto/weft/catalog/v1"
	"github.com/weft-run/weft/services/directory"
)

// outcome is where a revision is to be placed.
type outcome struct {
	nodes []int32 // ordered
	// missing is how many executors it should have and does not get.
	missing int
	// waiting: it would take another node if there were one.
	waiting bool
}

// look finds out what is to change for a function.
func (p *Planner) look(e *entry) {
	e.result = result{}
	if e.function.Held {
		e.mood = settled
		return
	}
	outcomes := make([]outcome, len(e.revisions))
	for i := range outcomes {
		outcomes[i] = stay(&e.revisions[i])
	}
	current := slices.IndexFunc(e.revisions, func(r revision) bool { return r.Number == e.function.Current })
	takenOver := false
	if current >= 0 {
		outcomes[current] = p.place(e, &e.revisions[current])
		takenOver = p.takenOver(&e.revisions[current], outcomes[current])
	}
	p.placeOlder(e, current, takenOver, outcomes)

	e.mood = settled
	for i := range outcomes {
		if outcomes[i].waiting {
			e.mood = waiting
		}
		p.report(e, &e.revisions[i], outcomes[i])
	}
	if len(e.result.placements) > 0 {
		e.mood = changing
	}
}

// place decides where a revision runs, as its scheduling says.
func (p *Planner) place(e *entry, r *revision) outcome {
	if r.Scheduling.GetAll() {
		return p.everywhere(e, r)
	}
	return p.replicate(e, r)
}

// stay leaves a revision where it is.
func stay(r *revision) outcome {
	o := outcome{nodes: make([]int32, len(r.placed))}
	for i, pl := range r.placed {
		o.nodes[i] = pl.node
	}
	return o
}

// takenOver tells whether the current revision runs as it should, so that no older one is needed. It is ready on every
// node where it is to run, but for those that are lost, on their way out, or have failed for long; and it does not
// fail on half of them or more.
func (p *Planner) takenOver(r *revision, o outcome) bool {
	running, failing := 0, 0
	for _, at := range o.nodes {
		n := &p.nodes[at]
		if n.Health == Lost || n.Draining {
			continue
		}
		switch pl := (spot{at, r.on(at)}); {
		case pl.status == failed:
			failing++
		case p.runs(pl):
			running++
		default:
			return false
		}
	}
	return running > failing
}

// placeOlder decides on the revisions that are placed and not current. Until the current one has taken over, one of
// them is kept, and kept as its scheduling says: the newest that is ready. If none is, as far as is known, it is the
// oldest: when that became ready, those before it went, so it is the last that is known to have answered calls.
func (p *Planner) placeOlder(e *entry, current int, takenOver bool, outcomes []outcome) {
	kept, proven := -1, false
	for i := range slices.Backward(e.revisions) {
		r := &e.revisions[i]
		if i == current || len(r.placed) == 0 || takenOver {
			continue
		}
		if p.answers(r) {
			kept, proven = i, true
			break
		}
		kept = i
	}
	if kept >= 0 {
		r := &e.revisions[kept]
		outcomes[kept] = p.place(e, r)
		proven = proven || slices.ContainsFunc(outcomes[kept].nodes, func(at int32) bool { return p.runs(spot{at, r.on(at)}) })
	}
	for i := range e.revisions {
		switch r := &e.revisions[i]; {
		case i == current || i == kept || len(r.placed) == 0:
		case takenOver || proven || p.allHeard(r):
			outcomes[i] = outcome{}
		default: // it may turn out to be the one that answers calls
		}
	}
}

// answers tells whether a revision is ready on a node that is alive.
func (p *Planner) answers(r *revision) bool {
	return slices.ContainsFunc(r.placed, p.runs)
}

// allHeard tells whether the state of a revision is known wherever it is placed.
func (p *Planner) allHeard(r *revision) bool {
	return !slices.ContainsFunc(r.placed, func(pl spot) bool { return p.nodes[pl.node].Health != Alive })
}

// report writes down what is to change for a revision, and counts it on the nodes.
func (p *Planner) report(e *entry, r *revision, o outcome) {
	f := e.function
	if o.missing > 0 {
		e.result.unplaced = append(e.result.unplaced, directory.Unplaced{
			Key:     executor.Key{Namespace: f.Namespace, Function: f.Name, Revision: r.Number},
			Missing: uint32(o.missing), Reason: p.why(r, o),
		})
	}
	for _, pl := range r.placed {
		if _, stays := slices.BinarySearch(o.nodes, pl.node); !stays {
			// The room that this makes is for the next plan: the node may be loading the code right now.
			p.change(change{node: pl.node, load: -r.weight()})
		}
	}
	ids := make([]string, len(o.nodes))
	for i, at := range o.nodes {
		ids[i] = p.ids[at]
		if _, was := r.find(at); !was {
			c := change{node: at, load: r.weight()}
			if r.on(at) != ready {
				c.pending = r.code()
			}
			p.change(c)
			e.result.moves++
		}
	}
	if !slices.Equal(ids, r.Placed) {
		e.result.placements = append(e.result.placements, &catalogv1.Placement{
			Namespace: f.Namespace, Name: f.Name, Revision: r.Number, Nodes: ids,
		})
	}
}
