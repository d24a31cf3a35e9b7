package node

import (
	"runtime"
	"syscall"

	"google.golang.org/grpc"

	"github.com/weft-run/weft/consensus"
	"github.com/weft-run/weft/consensus/catalog"
	"github.com/weft-run/weft/executor"
	clusterv1 "github.com/weft-run/weft/proto/weft/cluster/v1"
	"github.com/weft-run/weft/services/control"
	"github.com/weft-run/weft/services/directory"
	"github.com/weft-run/weft/services/placement"
)

// report is what this node says of itself to the leader. The directory adds the rest.
func (n *Node) report() *clusterv1.Report {
	status := n.consensus.Status()
	r := &clusterv1.Report{
		Version: n.config.Version, Engine: n.executor.Fingerprint(), Level: catalog.Level,
		Name: n.config.Name, Labels: n.config.Labels, Scheduler: n.config.Roles.Scheduler, Executor: n.config.Roles.Executor,
		StartedUnixNanos: n.started.UnixNano(),
		AppliedIndex:     status.Applied, StateHash: status.Hash,
		MemoryBytes: n.memory, CodeBytes: freeBytes(n.config.DataDir), Cores: uint32(runtime.GOMAXPROCS(0)),
		Calls: uint32(n.router.InFlight()), SecretKeys: n.config.SecretKeys.IDs(),
	}
	for _, a := range n.consensus.Addresses() {
		if a.Node == status.ID {
			r.Address = &clusterv1.Address{Node: a.Node, Incarnation: a.Incarnation, Cluster: a.Cluster, Grpc: a.GRPC}
		}
	}
	r.Fault = fault(status)
	return r
}

// fault says what is wrong with a node; empty if all is well.
func fault(status consensus.Status) (text string) {
	for _, err := range []error{status.Fault, status.Fork} {
		if err != nil {
			text = err.Error()
		}
	}
	return text
}

// known is what the directory knows of a node, nil if nothing. What is wrong with this one is as of now: reports go through a leader, and
// what is wrong may be why there is none.
func (n *Node) known(id string) *directory.Node {
	found := n.directory.View().Node(id)
	if found == nil || id != n.consensus.ID() {
		return found
	}
	self := *found
	self.Fault = fault(n.consensus.Status())
	return &self
}

// freeBytes is what the disk of a directory has left; 0 if that is not known.
func freeBytes(dir string) uint64 {
	var info syscall.Statfs_t
	if syscall.Statfs(dir, &info) != nil {
		return 0
	}
	return info.Bavail * uint64(info.Bsize)
}

// leadership tells the directory who leads.
type leadership struct{ node *consensus.Node }

// Leader implements directory.Leadership.
func (l leadership) Leader() (id string, changed <-chan struct{}) { return l.node.LeaderID() }

// seen tells the API how revisions do on all nodes. What this node knows of itself is newer than what the directory says.
type seen struct {
	node      string
	table     *placement.Table
	directory *directory.Directory
}

// On implements control.Placements.
func (s seen) On(node string, k executor.Key) (state, reason string) {
	if node == s.node {
		state, reason = s.table.State(k)
		if state == placement.StateIdle {
			state = control.StateLoading // the table has not come to it yet
		}
		return state, reason
	}
	n := s.directory.View().Node(node)
	if n == nil || !n.Alive {
		return control.StateLost, ""
	}
	r, ok := n.Revision(k)
	if !ok {
		return control.StateLoading, ""
	}
	return r.State, r.Reason
}

// Plain implements control.Placements.
func (s seen) Plain(node string, k executor.Key) string {
	if node == s.node {
		return s.table.Plain(k)
	}
	if n := s.directory.View().Node(node); n != nil {
		r, _ := n.Revision(k)
		return r.Plain
	}
	return ""
}

// Unplaced implements control.Placements.
func (s seen) Unplaced(k executor.Key) string {
	u, _ := s.directory.View().Unplaced(k)
	return u.Reason
}

// Changed implements control.Placements.
func (s seen) Changed() (here, elsewhere <-chan struct{}) {
	return s.table.Changed(), s.directory.Changed()
}

// others are the other nodes as the API needs them.
type others struct {
	node      string
	directory *directory.Directory
	peers     interface {
		Conn(node string) (grpc.ClientConnInterface, error)
	}
}

// Executors implements control.Peers.
func (o others) Executors() (all []control.Peer) {
	for n := range o.directory.View().Nodes() {
		if n.Executor && n.Alive && n.ID != o.node {
			all = append(all, control.Peer{ID: n.ID, Name: n.Name})
		}
	}
	return all
}

// Conn implements control.Peers.
func (o others) Conn(node string) (grpc.ClientConnInterface, error) { return o.peers.Conn(node) }
