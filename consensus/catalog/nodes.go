package catalog

import (
	"iter"

	catalogv1 "github.com/weft-run/weft/proto/weft/catalog/v1"
	"google.golang.org/protobuf/proto"
)

// Node returns a member of the cluster by its ID; nil if there is none. Like a function it is shared by all readers.
func (v *View) Node(id string) *catalogv1.Node {
	n, _ := v.state.nodes.Get(id)
	return n
}

// NodeByName returns the member that has a name; nil if there is none.
func (v *View) NodeByName(name string) *catalogv1.Node {
	n, _ := v.state.nodeNames.Get(name)
	return n
}

// Nodes ranges over the members of the cluster, ordered by name.
func (v *View) Nodes() iter.Seq[*catalogv1.Node] { return values(v.state.nodeNames) }

// Removed reports whether the node of an ID was taken out of the cluster. It never comes back under this ID.
func (v *View) Removed(id string) bool {
	_, ok := v.state.removed.Get(id)
	return ok
}

func (s *state) doPutNode(put *catalogv1.PutNode) *catalogv1.Result {
	id, name := put.GetNode().GetId(), put.GetNode().GetName()
	if refusal := s.refuseRemoved(id); refusal != nil {
		return refusal
	}
	if other, ok := s.nodeNames.Get(name); ok && other.GetId() != id {
		return refuse(catalogv1.Refusal_REASON_TAKEN, "the name %q belongs to node %s; give this one another name, or remove that one", name, other.GetId())
	}
	n := proto.CloneOf(put.GetNode())
	n.ProtoReflect().SetUnknown(nil) // as in a revision
	n.Draining, n.JoinedIndex = false, s.index
	if old, ok := s.nodes.Get(id); ok {
		n.Draining, n.JoinedIndex = old.GetDraining(), old.GetJoinedIndex()
		if old.GetScheduler() && !n.GetScheduler() && s.isLastScheduler(id) {
			return refuseLastScheduler(old)
		}
		if old.GetExecutor() && !n.GetExecutor() {
			s.unplaceNode(id)
		}
	}
	s.putNode(n)
	return &catalogv1.Result{}
}

func (s *state) doRemoveNode(remove *catalogv1.RemoveNode) *catalogv1.Result {
	n, refusal := s.member(remove.GetNode())
	if refusal != nil {
		return refusal
	}
	if n.GetScheduler() && s.isLastScheduler(n.GetId()) {
		return refuseLastScheduler(n)
	}
	s.unplaceNode(n.GetId())
	s.drop(nodeRow(n))
	s.nodes = s.nodes.Delete(n.GetId())
	s.nodeNames = s.nodeNames.Delete(n.GetName())
	s.add(removedRow(n.GetId(), n.GetName()))
	s.removed = s.removed.Set(n.GetId(), n.GetName())
	return &catalogv1.Result{}
}

func (s *state) doSetDrain(set *catalogv1.SetDrain) *catalogv1.Result {
	old, refusal := s.member(set.GetNode())
	if refusal != nil {
		return refusal
	}
	n := proto.CloneOf(old)
	n.Draining = set.GetDraining()
	s.putNode(n)
	return &catalogv1.Result{}
}

// putNode stores a node that is new or changed.
func (s *state) putNode(n *catalogv1.Node) {
	if old, ok := s.nodes.Get(n.GetId()); ok {
		s.drop(nodeRow(old))
		s.nodeNames = s.nodeNames.Delete(old.GetName())
	}
	s.add(nodeRow(n))
	s.nodes = s.nodes.Set(n.GetId(), n)
	s.nodeNames = s.nodeNames.Set(n.GetName(), n)
}

// member returns the node of an ID, or why there is none.
func (s *state) member(id string) (*catalogv1.Node, *catalogv1.Result) {
	if refusal := s.refuseRemoved(id); refusal != nil {
		return nil, refusal
	}
	n, ok := s.nodes.Get(id)
	if !ok {
		return nil, refuse(catalogv1.Refusal_REASON_NOT_FOUND, "there is no node %s", id)
	}
	return n, nil
}

func (s *state) refuseRemoved(id string) *catalogv1.Result {
	name, removed := s.removed.Get(id)
	if !removed {
		return nil
	}
	return refuse(catalogv1.Refusal_REASON_REMOVED, "node %s, which was %q, was removed for good; it may join anew with an empty data directory", id, name)
}

// isLastScheduler reports whether no node but the one of an ID is a scheduler.
func (s *state) isLastScheduler(id string) bool {
	for other, n := range entries(s.nodes) {
		if n.GetScheduler() && other != id {
			return false
		}
	}
	return true
}

func refuseLastScheduler(n *catalogv1.Node) *catalogv1.Result {
	return refuse(catalogv1.Refusal_REASON_IN_USE, "node %q is the last scheduler; without one the cluster could change nothing any more", n.GetName())
}
