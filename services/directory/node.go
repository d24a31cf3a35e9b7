package directory

import (
	"iter"
	"maps"
	"time"

	"github.com/weft-run/weft/consensus"
	"github.com/weft-run/weft/executor"
	clusterv1 "github.com/weft-run/weft/proto/weft/cluster/v1"
	"github.com/weft-run/weft/services/placement"
)

// The labels that say where a node is.
const (
	LabelZone   = "zone"
	LabelRegion = "region"
)

// Revision is how a revision does on a node.
type Revision = placement.State

// Node is what is known of a node. It never changes, nor must what it holds be changed.
type Node struct {
	ID, Name            string
	Labels              map[string]string
	Address             consensus.Address
	Scheduler, Executor bool

	// Alive is what the leader thinks: it has heard of the node lately. Stopping means that the node has said that it
	// will end and takes no calls.
	Alive, Stopping bool
	// Heard is when the leader last heard of the node, by the leader's clock; ClockOffset is by how much the node's clock
	// is ahead of that, give or take half the time between the nodes.
	Heard       time.Time
	ClockOffset time.Duration
	// Started is when the process began, by the node's clock.
	Started time.Time

	Version, Engine string
	// Level is the highest format level that its build knows.
	Level uint32
	// Applied is the log index of its catalog, Hash the state hash there. Diverged means that the leader had another
	// hash at the same index.
	Applied  uint64
	Hash     []byte
	Diverged bool
	// Raft is "leader", "voter", "standby" or empty.
	Raft string

	// Memory is how many bytes functions may use; Code how many bytes are free for compiled code.
	Memory, Code uint64
	Cores, Calls uint32
	// SecretKeys are the IDs of the keys for secrets that it has.
	SecretKeys []string
	// Fault says what is wrong with the node; empty if all is well.
	Fault string

	state     *clusterv1.NodeState // without revisions
	revisions shards[Revision]
	ready     int
	sequence  uint64 // how many changes of its revisions are known
}

// Usable tells whether calls may be sent to the node.
func (n *Node) Usable() bool { return n.Alive && !n.Stopping }

// Zone is the node's label zone, Region its label region; empty if it has none.
func (n *Node) Zone() string { return n.Labels[LabelZone] }

// Region is the node's label region.
func (n *Node) Region() string { return n.Labels[LabelRegion] }

// Revision tells how a revision does there; ok is false if it is not loaded, loading or failed there.
func (n *Node) Revision(k executor.Key) (r Revision, ok bool) { return n.revisions.get(k) }

// Revisions ranges over the revisions of the node, in no order.
func (n *Node) Revisions() iter.Seq[Revision] {
	return func(yield func(Revision) bool) {
		for _, r := range n.revisions.all() {
			if !yield(r) {
				return
			}
		}
	}
}

// SameRevisions tells whether the revisions are as they were in another value of the same node. It may fail to notice that
// they are, never that they are not.
func (n *Node) SameRevisions(other *Node) bool { return n.revisions == other.revisions }

// Ready counts the revisions that are ready there.
func (n *Node) Ready() int { return n.ready }

func (n *Node) incarnation() uint64 { return n.Address.Incarnation }

// describe makes a node of a state, without revisions.
func describe(s *clusterv1.NodeState) *Node {
	r := s.GetReport()
	a := r.GetAddress()
	return &Node{
		ID: s.GetId(), Name: r.GetName(), Labels: r.GetLabels(),
		Address: consensus.Address{
			Node: s.GetId(), Incarnation: a.GetIncarnation(), Cluster: a.GetCluster(), GRPC: a.GetGrpc(),
		},
		Scheduler: r.GetScheduler(), Executor: r.GetExecutor(),
		Alive: s.GetAlive(), Stopping: r.GetStopping(),
		Heard: time.Unix(0, s.GetHeardUnixNanos()), ClockOffset: time.Duration(s.GetClockOffsetNanos()),
		Started: time.Unix(0, r.GetStartedUnixNanos()),
		Version: r.GetVersion(), Engine: r.GetEngine(), Level: r.GetLevel(),
		Applied: r.GetAppliedIndex(), Hash: r.GetStateHash(), Diverged: s.GetDiverged(), Raft: s.GetRaft(),
		Memory: r.GetMemoryBytes(), Code: r.GetCodeBytes(), Cores: r.GetCores(), Calls: r.GetCalls(),
		SecretKeys: r.GetSecretKeys(), Fault: r.GetFault(),
		state: s,
	}
}

// moved tells whether calls may take another way for what has changed of a node. Before is nil for a new one.
func moved(before, now *Node) bool {
	return before == nil || before.Alive != now.Alive || before.Stopping != now.Stopping || before.Name != now.Name ||
		before.Address != now.Address || before.Cores != now.Cores || !maps.Equal(before.Labels, now.Labels)
}

func keyOf(s *clusterv1.RevisionState) executor.Key {
	return executor.Key{Namespace: s.GetNamespace(), Function: s.GetName(), Revision: s.GetRevision()}
}

func revisionOf(s *clusterv1.RevisionState) Revision {
	return Revision{Key: keyOf(s), State: s.GetState(), Reason: s.GetReason(), CodeBytes: int64(s.GetCodeBytes()), Plain: s.GetPlain()}
}

func messageOf(r Revision) *clusterv1.RevisionState {
	return &clusterv1.RevisionState{
		Namespace: r.Key.Namespace, Name: r.Key.Function, Revision: r.Key.Revision,
		State: r.State, Reason: r.Reason, CodeBytes: uint64(max(r.CodeBytes, 0)), Plain: r.Plain,
	}
}

// whole gives the state with all revisions.
func (n *Node) whole() *clusterv1.NodeState {
	all := &clusterv1.RevisionChanges{Sequence: n.sequence, Whole: true}
	for _, r := range n.revisions.all() {
		all.Changed = append(all.Changed, messageOf(r))
	}
	return n.with(all)
}

// with gives the state with some changes of revisions; nil for none.
func (n *Node) with(changes *clusterv1.RevisionChanges) *clusterv1.NodeState {
	s := n.state
	return &clusterv1.NodeState{
		Id: s.GetId(), Report: s.GetReport(), Alive: s.GetAlive(), HeardUnixNanos: s.GetHeardUnixNanos(),
		ClockOffsetNanos: s.GetClockOffsetNanos(), Raft: s.GetRaft(), Diverged: s.GetDiverged(), Revisions: changes,
	}
}
