package scheduler

import (
	"maps"
	"slices"
)

// mayRun tells whether a node meets what a revision requires of it, whatever its health and load.
func (n *Node) mayRun(r *Revision) bool {
	return n.Executor && n.fits(r) && lacks(n, r.Scheduling.GetRequire()) == ""
}

// fits tells whether an instance at its limit fits into the memory of the node.
func (n *Node) fits(r *Revision) bool { return n.MemoryBytes == 0 || r.MemoryBytes <= n.MemoryBytes }

// lacks gives the first required label that a node does not have, "" if it has all.
func lacks(n *Node, require map[string]string) string {
	if len(require) == 0 {
		return ""
	}
	first := ""
	for k, v := range require {
		if has, ok := n.Labels[k]; (!ok || has != v) && (first == "" || k+"="+v < first) {
			first = k + "=" + v
		}
	}
	return first
}

// sameForPlaced tells whether nothing has changed about a node that concerns what is placed there.
func sameForPlaced(a, b *Node) bool {
	return a.Executor == b.Executor && a.Draining == b.Draining && a.Health == b.Health && a.MemoryBytes == b.MemoryBytes &&
		maps.Equal(a.Labels, b.Labels)
}

// free gives the nodes that a revision could be placed on in addition. One that has just failed to load it is not asked
// again before it has forgotten that.
func (p *Planner) free(e *entry, r *revision) []int32 {
	p.mark(r.placed)
	var free []int32
	for i := range p.nodes {
		n := &p.nodes[i]
		if n.Health == Alive && !n.Draining && !p.marked(int32(i)) && n.mayRun(r.Revision) && p.holds(e, r, int32(i)) &&
			r.on(int32(i)) != failed {
			free = append(free, int32(i))
		}
	}
	return free
}

// holds tells whether a node has the code of a revision, or room for it.
func (p *Planner) holds(e *entry, r *revision, at int32) bool {
	return p.nodes[at].room() >= r.code() || e.codeIs(r, at)
}

// codeIs tells whether a node has the code of a revision: it has loaded it, or another one of the function with the same component.
func (e *entry) codeIs(r *revision, at int32) bool {
	return slices.ContainsFunc(e.revisions, func(other revision) bool { return other.Digest == r.Digest && other.on(at) == ready })
}

// mark marks nodes until it is called again.
func (p *Planner) mark(placed []spot) {
	p.stamp++
	for _, pl := range placed {
		p.marks[pl.node] = p.stamp
	}
}

func (p *Planner) marked(at int32) bool { return p.marks[at] == p.stamp }

// pick chooses up to n of some nodes, one after the other: each time the one with the fewest others beside it under its
// values of the labels to spread over, counting beside as well; of equal ones that with the least load; of those one
// whose engine has the code compiled already; of those the one that rendezvous hashing gives. It orders from.
func (p *Planner) pick(e *entry, r *revision, from, beside []int32, n int) []int32 {
	if len(from) <= n {
		return from
	}
	keys := r.Scheduling.GetSpread()
	columns := make([]labelColumn, len(keys))
	counts := make([][]int32, len(keys))
	for k, key := range keys {
		columns[k] = p.column(key)
		counts[k] = make([]int32, columns[k].values)
		for _, at := range beside {
			counts[k][columns[k].of[at]]++
		}
	}
	engines := p.engines(e, r)
	better := func(a, b int32) bool {
		for k := range keys {
			if ca, cb := counts[k][columns[k].of[a]], counts[k][columns[k].of[b]]; ca != cb {
				return ca < cb
			}
		}
		na, nb := &p.nodes[a], &p.nodes[b]
		if na.load != nb.load {
			return na.load < nb.load
		}
		if ha, hb := slices.Contains(engines, na.Engine), slices.Contains(engines, nb.Engine); ha != hb {
			return ha
		}
		ra, rb := mix(e.hash^na.hash), mix(e.hash^nb.hash)
		return ra > rb || ra == rb && a < b
	}
	for i := range n {
		best := i
		for j := i + 1; j < len(from); j++ {
			if better(from[j], from[best]) {
				best = j
			}
		}
		from[i], from[best] = from[best], from[i]
		for k := range keys {
			counts[k][columns[k].of[from[i]]]++
		}
	}
	return from[:n]
}

// engines gives the engines that have compiled the code of a revision, as far as its own function shows.
func (p *Planner) engines(e *entry, r *revision) []string {
	var engines []string
	for i := range e.revisions {
		other := &e.revisions[i]
		if other.Digest != r.Digest {
			continue
		}
		for _, at := range other.ready {
			if engine := p.nodes[at].Engine; engine != "" && !slices.Contains(engines, engine) {
				engines = append(engines, engine)
			}
		}
	}
	return engines
}

// labelColumn numbers the values that nodes have for a label. Nodes without the label have a value of their own.
type labelColumn struct {
	of     []int32 // by node
	values int
}

func (p *Planner) column(key string) labelColumn {
	if c, ok := p.labels[key]; ok {
		return c
	}
	numbers := map[string]int32{}
	c := labelColumn{of: make([]int32, len(p.nodes))}
	for i := range p.nodes {
		value, ok := p.nodes[i].Labels[key]
		if ok {
			value = "=" + value
		}
		number, known := numbers[value]
		if !known {
			number = int32(len(numbers))
			numbers[value] = number
		}
		c.of[i] = number
	}
	c.values = len(numbers)
	p.labels[key] = c
	return c
}

// hashOf is FNV-1a, mixed: the same on all nodes and in all versions, so that a new leader breaks ties alike.
func hashOf(s string) uint64 {
	h := uint64(14695981039346656037)
	for i := range len(s) {
		h = (h ^ uint64(s[i])) * 1099511628211
	}
	return mix(h)
}

// mix is the finalizer of splitmix64.
func mix(h uint64) uint64 {
	h = (h ^ h>>30) * 0xbf58476d1ce4e5b9
	h = (h ^ h>>27) * 0x94d049bb133111eb
	return h ^ h>>31
}
