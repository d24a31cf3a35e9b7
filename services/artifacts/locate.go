package artifacts

import (
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/weft-run/weft/consensus/catalog"
)

// Locator is a Cluster that stands on the catalog and on what is known of nodes besides. The functions may be nil, except
// View; all are called from many goroutines.
type Locator struct {
	// Node is this node's ID, Engine the fingerprint of its engine; "" if it compiles nothing.
	Node, Engine string
	// View gives the catalog.
	View func() *catalog.View
	// Voters gives the schedulers that vote. Nil: all schedulers in the catalog.
	Voters func() []string
	// Alive tells whether a node is thought to be up; others are asked last. Nil: all are.
	Alive func(node string) bool
	// EngineOf gives the fingerprint of a node's engine; "" if it is not known. Nil: none is.
	EngineOf func(node string) string
}

var _ Cluster = (*Locator)(nil)

// zone is the label whose nodes are near each other.
const zone = "zone"

// Schedulers implements Cluster.
func (l *Locator) Schedulers() []string {
	if l.Voters != nil {
		return l.Voters()
	}
	var all []string
	for n := range l.View().Nodes() {
		if n.GetScheduler() {
			all = append(all, n.GetId())
		}
	}
	return all
}

// Name implements Cluster.
func (l *Locator) Name(node string) string {
	if name := l.View().Node(node).GetName(); name != "" {
		return name
	}
	return node
}

// Holders implements Cluster: schedulers, then executors on which a revision of the artifact is placed; those that are up
// before those that are not, in the same zone before elsewhere, otherwise in random order.
func (l *Locator) Holders(d Digest) []string {
	view := l.View()
	home := view.Node(l.Node).GetLabels()[zone]
	return l.ordered(l.candidates(view, d), func(node string) int {
		n := view.Node(node)
		rank := 0
		if !n.GetScheduler() {
			rank += 2
		}
		if home != "" && n.GetLabels()[zone] != home {
			rank++
		}
		return rank
	})
}

// Engines implements Cluster: executors on which a revision of the artifact is placed take turns with schedulers, who know
// from whom they have it. Nodes that are down are left out, as are executors with another engine.
func (l *Locator) Engines(d Digest) []string {
	view := l.View()
	placed := placedOn(view, d)
	nodes := l.candidates(view, d)
	nodes = slices.DeleteFunc(nodes, func(node string) bool {
		if l.Alive != nil && !l.Alive(node) {
			return true
		}
		if l.EngineOf == nil || view.Node(node).GetScheduler() {
			return false
		}
		engine := l.EngineOf(node)
		return engine != "" && engine != l.Engine
	})
	all := l.ordered(nodes, func(node string) int {
		if placed[node] {
			return 0
		}
		return 1
	})
	return mixed(all, func(node string) bool { return view.Node(node).GetScheduler() })
}

// mixed takes turns between those that fit and those that don't, keeping the order among each.
func mixed(all []string, fits func(string) bool) []string {
	var one, other []string
	for _, s := range all {
		if fits(s) {
			one = append(one, s)
		} else {
			other = append(other, s)
		}
	}
	out := make([]string, 0, len(all))
	for len(one) > 0 && len(other) > 0 {
		out = append(out, one[0], other[0])
		one, other = one[1:], other[1:]
	}
	return append(append(out, one...), other...)
}

// candidates are schedulers and nodes on which a revision of the artifact is placed.
func (l *Locator) candidates(view *catalog.View, d Digest) []string {
	nodes := placedOn(view, d)
	for n := range view.Nodes() {
		if n.GetScheduler() {
			nodes[n.GetId()] = true
		}
	}
	delete(nodes, l.Node)
	all := make([]string, 0, len(nodes))
	for node := range nodes {
		all = append(all, node)
	}
	return all
}

// ordered sorts nodes that are up first, then by rank, otherwise at random.
func (l *Locator) ordered(nodes []string, rank func(node string) int) []string {
	slices.SortFunc(nodes, strings.Compare)
	rand.Shuffle(len(nodes), func(i, j int) { nodes[i], nodes[j] = nodes[j], nodes[i] }) //nolint:gosec // no secret
	ranks := make(map[string]int, len(nodes))
	for _, node := range nodes {
		ranks[node] = rank(node)
		if l.Alive != nil && !l.Alive(node) {
			ranks[node] += 1000
		}
	}
	slices.SortStableFunc(nodes, func(a, b string) int { return ranks[a] - ranks[b] })
	return nodes
}

// placedOn are the nodes on which a revision of an artifact is placed.
func placedOn(view *catalog.View, d Digest) map[string]bool {
	nodes := map[string]bool{}
	for f := range view.All() {
		for _, r := range f.GetRevisions() {
			if string(r.GetDigest()) != string(d[:]) {
				continue
			}
			for _, node := range view.Placement(f.GetNamespace(), f.GetName(), r.GetNumber()) {
				nodes[node] = true
			}
		}
	}
	return nodes
}

// named are the artifacts that revisions name.
func named(view *catalog.View) map[Digest]bool {
	all := map[Digest]bool{}
	for f := range view.All() {
		for _, r := range f.GetRevisions() {
			if d := r.GetDigest(); len(d) == len(Digest{}) {
				all[Digest(d)] = true
			}
		}
	}
	return all
}

// placedHere are the artifacts of the revisions that are placed on a node.
func placedHere(view *catalog.View, node string) map[Digest]bool {
	all := map[Digest]bool{}
	for k := range view.Placed(node) {
		if d := view.Revision(k.Namespace, k.Function, k.Revision).GetDigest(); len(d) == len(Digest{}) {
			all[Digest(d)] = true
		}
	}
	return all
}
