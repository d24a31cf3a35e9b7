package catalog

import (
	"encoding/binary"
	"iter"
	"slices"

	catalogv1 "github.com/weft-run/weft/proto/weft/catalog/v1"
)

// Key names one revision of one function.
type Key struct {
	Namespace, Function string
	Revision            uint32
}

// Placement returns the IDs of the executors on which a revision is to run, ordered; none if it is placed nowhere. They
// are shared by all readers: they must not be changed.
func (v *View) Placement(namespace, name string, revision uint32) []string {
	p, _ := v.state.placements.Get(placementKey(namespace, name, revision))
	return p.GetNodes()
}

// Placements ranges over the revisions of a function that are placed, ordered by number, with the IDs of their
// executors.
func (v *View) Placements(namespace, name string) iter.Seq2[uint32, []string] {
	return func(yield func(uint32, []string) bool) {
		for _, p := range prefixed(v.state.placements, namespace, name) {
			if !yield(p.GetRevision(), p.GetNodes()) {
				return
			}
		}
	}
}

// AllPlacements ranges over the placements of all functions, ordered by namespace, name and revision. They are shared
// by all readers: they must not be changed.
func (v *View) AllPlacements() iter.Seq[*catalogv1.Placement] { return values(v.state.placements) }

// Placed ranges over the revisions that are placed on a node, ordered by namespace, name and number.
func (v *View) Placed(node string) iter.Seq[Key] {
	return func(yield func(Key) bool) {
		for placement := range prefixed(v.state.placed, node) {
			if !yield(splitPlacementKey(placement)) {
				return
			}
		}
	}
}

// placementKey sorts by namespace, name and revision number.
func placementKey(namespace, name string, revision uint32) string {
	return string(binary.BigEndian.AppendUint32([]byte(key(namespace, name, "")), revision))
}

// splitPlacementKey undoes placementKey. It allocates nothing.
func splitPlacementKey(k string) Key {
	number := []byte(k[len(k)-4:])
	namespace, name := splitKey(k[:len(k)-5])
	return Key{namespace, name, binary.BigEndian.Uint32(number)}
}

// placedKey sorts by node, then like the placement.
func placedKey(node, placement string) string { return key(node, placement) }

func (s *state) doSetPlacements(set *catalogv1.SetPlacements) *catalogv1.Result {
	for _, p := range set.GetPlacements() {
		f, ok := s.functions.Get(key(p.GetNamespace(), p.GetName()))
		if !ok || revision(f, p.GetRevision()) == nil {
			continue
		}
		s.putPlacement(f, p.GetRevision(), s.executors(p.GetNodes()))
	}
	return &catalogv1.Result{}
}

// executors returns those of some nodes that are executors, as strings that the nodes' own rows hold: an ID that is in
// many placements is in memory once.
func (s *state) executors(ids []string) []string {
	executors := make([]string, 0, len(ids))
	for _, id := range ids {
		if n, ok := s.nodes.Get(id); ok && n.GetExecutor() {
			executors = append(executors, n.GetId())
		}
	}
	return executors
}

// putPlacement places a revision on some nodes and nowhere else. It keeps the slice.
func (s *state) putPlacement(f *catalogv1.Function, number uint32, nodes []string) {
	k := placementKey(f.GetNamespace(), f.GetName(), number)
	old, _ := s.placements.Get(k)
	if slices.Equal(old.GetNodes(), nodes) {
		return
	}
	s.changed(f)
	if old != nil {
		s.drop(placementRow(old))
	}
	if len(nodes) > 0 {
		p := &catalogv1.Placement{Namespace: f.GetNamespace(), Name: f.GetName(), Revision: number, Nodes: nodes}
		s.add(placementRow(p))
		s.placements = s.placements.Set(k, p)
	} else {
		s.placements = s.placements.Delete(k)
	}
	// Only what differs: a revision may be on a thousand nodes, of which one goes.
	for _, id := range missing(old.GetNodes(), nodes) {
		s.placed = s.placed.Delete(placedKey(id, k))
	}
	for _, id := range missing(nodes, old.GetNodes()) {
		s.placed = s.placed.Set(placedKey(id, k), struct{}{})
	}
}

// missing returns what of some ordered strings others do not have, which are ordered as well.
func missing(some, others []string) []string {
	var differ []string
	for _, s := range some {
		for len(others) > 0 && others[0] < s {
			others = others[1:]
		}
		if len(others) == 0 || others[0] != s {
			differ = append(differ, s)
		}
	}
	return differ
}

// unplaceFunction drops all placements of a function.
func (s *state) unplaceFunction(f *catalogv1.Function) {
	for _, p := range prefixed(s.placements, f.GetNamespace(), f.GetName()) { // of the tree as it is now
		s.putPlacement(f, p.GetRevision(), nil)
	}
}

// unplaceNode takes a node out of all placements.
func (s *state) unplaceNode(id string) {
	for placement := range prefixed(s.placed, id) { // of the tree as it is now
		p, _ := s.placements.Get(placement)
		f, _ := s.functions.Get(key(p.GetNamespace(), p.GetName()))
		others := slices.DeleteFunc(slices.Clone(p.GetNodes()), func(other string) bool { return other == id })
		s.putPlacement(f, p.GetRevision(), others)
	}
}
