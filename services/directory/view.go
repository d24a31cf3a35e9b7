package directory

import (
	"cmp"
	"iter"
	"slices"

	"github.com/weft-run/weft/executor"
	clusterv1 "github.com/weft-run/weft/proto/weft/cluster/v1"
)

// Unplaced says why a revision runs on fewer executors than it should.
type Unplaced struct {
	Key executor.Key
	// Missing is how many replicas there should be in addition.
	Missing uint32
	// Reason is "of 3 executors: 2 lack region=eu, 1 is draining".
	Reason string
}

// View is what is known at one moment. It never changes and is safe for concurrent use.
type View struct {
	nodes    map[string]*Node
	ready    shards[[]string] // IDs, ordered
	unplaced map[executor.Key]Unplaced
	topology uint64
	changed  chan struct{} // closed when a newer view is there
}

func newView() *View {
	return &View{nodes: map[string]*Node{}, unplaced: map[executor.Key]Unplaced{}, changed: make(chan struct{})}
}

// ViewOf gives a view of what a message says of all nodes; nil makes an empty one. No newer view follows it.
func ViewOf(all *clusterv1.ExchangeResponse) (*View, error) {
	m, err := newView().merge(all)
	if err != nil {
		return nil, err
	}
	return m.View, nil
}

// Changed returns a channel that is closed when there is a newer view than this one. That is the case once a second where
// a leader is known, and whenever readiness changes.
func (v *View) Changed() <-chan struct{} { return v.changed }

// Topology is a number that changes when a node comes, goes, becomes lost, alive or about to stop, moves, or gets other
// labels. Readiness does not change it.
func (v *View) Topology() uint64 { return v.topology }

// Len counts the nodes.
func (v *View) Len() int { return len(v.nodes) }

// Node gives a node by ID; nil if it is not known.
func (v *View) Node(id string) *Node { return v.nodes[id] }

// Named gives a node by name; nil if there is none.
func (v *View) Named(name string) *Node {
	for _, n := range v.nodes {
		if n.Name == name {
			return n
		}
	}
	return nil
}

// Nodes ranges over all nodes, in no order.
func (v *View) Nodes() iter.Seq[*Node] {
	return func(yield func(*Node) bool) {
		for _, n := range v.nodes {
			if !yield(n) {
				return
			}
		}
	}
}

// Ready gives the IDs of the nodes on which a revision is ready, ordered, whether they are alive or not. The slice must
// not be changed; it is the same one until the revision's readiness changes.
func (v *View) Ready(k executor.Key) []string {
	ids, _ := v.ready.get(k)
	return ids
}

// ReadyAnywhere tells whether a revision is ready on a node that calls may be sent to.
func (v *View) ReadyAnywhere(k executor.Key) bool {
	for _, id := range v.Ready(k) {
		if n := v.nodes[id]; n != nil && n.Usable() {
			return true
		}
	}
	return false
}

// OnNode is how a revision does on one node.
type OnNode struct {
	Node *Node
	Revision
}

// StateOf tells how a revision does on each node where it is ready, loading or failed, ordered by the nodes' names.
func (v *View) StateOf(k executor.Key) []OnNode {
	var all []OnNode
	for _, n := range v.nodes {
		if r, ok := n.Revision(k); ok {
			all = append(all, OnNode{n, r})
		}
	}
	slices.SortFunc(all, func(a, b OnNode) int {
		return cmp.Or(cmp.Compare(a.Node.Name, b.Node.Name), cmp.Compare(a.Node.ID, b.Node.ID))
	})
	return all
}

// Unplaced tells why a revision runs on fewer executors than it should; ok is false if nothing is known of that.
func (v *View) Unplaced(k executor.Key) (u Unplaced, ok bool) {
	u, ok = v.unplaced[k]
	return u, ok
}

// known lists how much of each node is known.
func (v *View) known() []*clusterv1.Known {
	all := make([]*clusterv1.Known, 0, len(v.nodes))
	for id, n := range v.nodes {
		all = append(all, &clusterv1.Known{Id: id, Incarnation: n.incarnation(), Sequence: n.sequence})
	}
	return all
}

// whole gives everything as news.
func (v *View) whole() *clusterv1.ExchangeResponse {
	all := &clusterv1.ExchangeResponse{Unplaced: v.unplacedSet()}
	for _, n := range v.nodes {
		all.Nodes = append(all.Nodes, n.whole())
	}
	return all
}

func (v *View) unplacedSet() *clusterv1.UnplacedSet {
	set := &clusterv1.UnplacedSet{}
	for k, u := range v.unplaced {
		set.Revisions = append(set.Revisions, &clusterv1.Unplaced{
			Namespace: k.Namespace, Name: k.Function, Revision: k.Revision, Missing: u.Missing, Reason: u.Reason,
		})
	}
	return set
}
