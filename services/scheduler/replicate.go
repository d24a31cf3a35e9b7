package scheduler

import "slices"

// spares is how many nodes more than it should have a revision gets while it fails on some. It bounds how far a
// revision that fails everywhere is carried.
const spares = 2

// replicate places a revision on as many nodes as its scheduling says. What is placed stays where it can; what leaves
// is replaced first.
func (p *Planner) replicate(e *entry, r *revision) outcome {
	want := max(1, int(r.Scheduling.GetReplicas()))
	s := p.stand(r)
	switch up := len(s.ready) + len(s.loading); {
	case len(s.ready) >= want: // nothing else is needed
		s.ready = p.pick(e, r, s.ready, nil, want)
		s.loading, s.failed = nil, nil
	case up > want:
		s.loading = p.pick(e, r, s.loading, s.ready, want-len(s.ready))
	case up < want:
		more := min(want-up, want+spares-up-len(s.failed))
		if more > 0 {
			s.take(r, p.pick(e, r, p.free(e, r), slices.Concat(s.ready, s.loading), more))
		}
	}
	o := outcome{
		nodes:   slices.Concat(s.ready, s.loading, s.failed),
		waiting: len(s.ready)+len(s.loading) < want,
	}
	o.missing = max(0, want-len(o.nodes))

	// Those that leave stay as long as they answer calls and their replacements do not; the others, while they have none.
	o.nodes = append(o.nodes, first(s.leaving, want-len(s.ready))...)
	o.nodes = append(o.nodes, first(s.gone, want-len(o.nodes))...)
	slices.Sort(o.nodes)
	return o
}

func first(nodes []int32, n int) []int32 { return nodes[:max(0, min(len(nodes), n))] }

// standing are the nodes where a revision is placed and still may run.
type standing struct {
	ready   []int32 // answering calls
	loading []int32 // to be ready soon, or silent
	failed  []int32
	leaving []int32 // draining, and answering calls
	gone    []int32 // draining and not answering, then the lost ones
}

func (p *Planner) stand(r *revision) standing {
	var s standing
	var lost []int32
	for _, pl := range r.placed {
		n := &p.nodes[pl.node]
		switch {
		case !n.mayRun(r.Revision): // what is required is not bent, not for a moment
		case n.Health == Lost:
			lost = append(lost, pl.node)
		case n.Draining && p.runs(pl):
			s.leaving = append(s.leaving, pl.node)
		case n.Draining:
			s.gone = append(s.gone, pl.node)
		case p.runs(pl):
			s.ready = append(s.ready, pl.node)
		case pl.status == failed:
			s.failed = append(s.failed, pl.node)
		default:
			s.loading = append(s.loading, pl.node)
		}
	}
	s.gone = append(s.gone, lost...)
	return s
}

// take adds nodes that are alive. The revision may be ready there from an earlier time.
func (s *standing) take(r *revision, nodes []int32) {
	for _, at := range nodes {
		if r.on(at) == ready {
			s.ready = append(s.ready, at)
		} else {
			s.loading = append(s.loading, at)
		}
	}
}

// runs tells whether a placement answers calls, as far as is known.
func (p *Planner) runs(pl spot) bool {
	return pl.status == ready && p.nodes[pl.node].Health == Alive
}

// everywhere places a revision on every node that may run it.
func (p *Planner) everywhere(e *entry, r *revision) outcome {
	var o outcome
	s := p.stand(r)
	p.mark(r.placed)
	for i := range p.nodes {
		n := &p.nodes[i]
		switch {
		case p.marked(int32(i)) || !n.Executor || n.Draining || n.Health != Alive || lacks(n.Node, r.Scheduling.GetRequire()) != "":
		case n.fits(r.Revision) && p.holds(e, r, int32(i)):
			s.take(r, []int32{int32(i)})
		default:
			o.missing++
		}
	}
	o.nodes = slices.Concat(s.ready, s.loading, s.failed)
	if len(o.nodes) == 0 {
		o.missing = max(1, o.missing)
	}
	o.waiting = o.missing > 0

	// One that is ready is enough to let go of those that leave.
	if len(s.ready) == 0 {
		o.nodes = append(o.nodes, s.leaving...)
	}
	if len(o.nodes) == 0 {
		o.nodes = append(o.nodes, s.gone...)
	}
	slices.Sort(o.nodes)
	return o
}
