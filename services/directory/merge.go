package directory

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync/atomic"

	"github.com/weft-run/weft/consensus"
	"github.com/weft-run/weft/executor"
	clusterv1 "github.com/weft-run/weft/proto/weft/cluster/v1"
	"github.com/weft-run/weft/services/placement"
)

// errGap says that news does not follow on what is known.
var errGap = errors.New("directory: changes do not follow on what is known")

// topologies numbers the topologies of all views of this process.
var topologies atomic.Uint64

// merged is a view that takes in news.
type merged struct {
	*View
	index *edit[[]string] // made when readiness changes

	// lasting tells that something changed that is worth being kept on disk.
	lasting   bool
	addresses []consensus.Address // new ones
	gone      []string            // nodes that were known and left
}

// merge gives the view after some news. An error is errGap, and leaves v as it was.
func (v *View) merge(news *clusterv1.ExchangeResponse) (*merged, error) {
	m := &merged{View: &View{
		nodes: maps.Clone(v.nodes), ready: v.ready, unplaced: v.unplaced, topology: v.topology, changed: make(chan struct{}),
	}}
	for _, id := range news.GetGone() {
		m.drop(id)
	}
	for _, s := range news.GetNodes() {
		if err := m.node(s); err != nil {
			return nil, err
		}
	}
	if set := news.GetUnplaced(); set != nil {
		m.lasting = true
		m.unplaced = make(map[executor.Key]Unplaced, len(set.GetRevisions()))
		for _, u := range set.GetRevisions() {
			k := executor.Key{Namespace: u.GetNamespace(), Function: u.GetName(), Revision: u.GetRevision()}
			m.unplaced[k] = Unplaced{Key: k, Missing: u.GetMissing(), Reason: u.GetReason()}
		}
	}
	if m.index != nil {
		m.ready, m.lasting = m.index.shards, true
	}
	return m, nil
}

func (m *merged) drop(id string) {
	n := m.nodes[id]
	if n == nil {
		return
	}
	for k, r := range n.revisions.all() {
		m.mark(id, k, r, Revision{})
	}
	delete(m.nodes, id)
	m.topology = topologies.Add(1)
	m.lasting = true
	m.gone = append(m.gone, id)
}

// node takes in what is new of one node.
func (m *merged) node(s *clusterv1.NodeState) error {
	now, before := describe(s), m.nodes[s.GetId()]
	if before != nil {
		switch {
		case now.incarnation() < before.incarnation():
			return nil
		case now.incarnation() == before.incarnation() && s.GetReport().GetNumber() < before.state.GetReport().GetNumber():
			older := before.with(nil)
			older.Alive, older.HeardUnixNanos, older.Raft = s.GetAlive(), s.GetHeardUnixNanos(), s.GetRaft()
			now = describe(older)
		}
	}
	if err := m.revisions(now, before, s.GetRevisions()); err != nil {
		return err
	}
	now.state = now.with(nil)
	m.nodes[now.ID] = now
	if moved(before, now) {
		m.topology = topologies.Add(1)
		m.lasting = true
	}
	if before == nil || before.Address != now.Address {
		m.addresses = append(m.addresses, now.Address)
	}
	return nil
}

// revisions gives the node its revisions: those that it had, changed.
func (m *merged) revisions(now, before *Node, changes *clusterv1.RevisionChanges) error {
	same := before != nil && before.incarnation() == now.incarnation()
	if before != nil {
		now.revisions, now.ready, now.sequence = before.revisions, before.ready, before.sequence
	}
	switch {
	case changes == nil && (same || before == nil):
		return nil
	case changes == nil, !same && !changes.GetWhole():
		return fmt.Errorf("%w: node %s has started anew", errGap, now.ID)
	case same && changes.GetSequence() <= before.sequence:
		return nil
	case !changes.GetWhole() && changes.GetBase() != before.sequence:
		return fmt.Errorf("%w: of node %s the changes after %d came, those up to %d are known",
			errGap, now.ID, changes.GetBase(), before.sequence)
	}
	now.sequence = changes.GetSequence()
	if changes.GetWhole() {
		m.replace(now, changes.GetChanged())
		return nil
	}
	e := now.revisions.edit()
	for _, s := range changes.GetChanged() {
		m.set(now, e, revisionOf(s))
	}
	for _, s := range changes.GetGone() {
		m.unset(now, e, keyOf(s))
	}
	now.revisions = e.shards
	return nil
}

// replace sets all revisions of a node. Those that stay as they are do not touch the index.
func (m *merged) replace(now *Node, all []*clusterv1.RevisionState) {
	wanted := make(map[executor.Key]struct{}, len(all))
	e := now.revisions.edit()
	for _, s := range all {
		wanted[keyOf(s)] = struct{}{}
		m.set(now, e, revisionOf(s))
	}
	for k := range now.revisions.all() {
		if _, ok := wanted[k]; !ok {
			m.unset(now, e, k)
		}
	}
	now.revisions = e.shards
}

func (m *merged) set(n *Node, e *edit[Revision], r Revision) {
	old, _ := e.get(r.Key)
	if old == r {
		return
	}
	e.set(r.Key, r)
	n.ready += m.mark(n.ID, r.Key, old, r)
}

func (m *merged) unset(n *Node, e *edit[Revision], k executor.Key) {
	old, ok := e.get(k)
	if !ok {
		return
	}
	e.remove(k)
	n.ready += m.mark(n.ID, k, old, Revision{})
}

// mark notes in the index that a revision has become ready on a node, or is no more. It gives by how much the number of
// those that are ready has grown.
func (m *merged) mark(node string, k executor.Key, before, now Revision) int {
	was, is := before.State == placement.StateReady, now.State == placement.StateReady
	if was == is {
		return 0
	}
	if m.index == nil {
		m.index = m.ready.edit()
	}
	ids, _ := m.index.get(k)
	at, found := slices.BinarySearch(ids, node)
	switch {
	case is && !found:
		m.index.set(k, slices.Insert(slices.Clone(ids), at, node))
	case was && found && len(ids) == 1:
		m.index.remove(k)
	case was && found:
		m.index.set(k, slices.Delete(slices.Clone(ids), at, at+1))
	}
	if is {
		return 1
	}
	return -1
}
