package membership

import (
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/weft-run/weft/consensus/catalog"
	catalogv1 "github.com/weft-run/weft/proto/weft/catalog/v1"
	weftv1 "github.com/weft-run/weft/proto/weft/v1"
	"github.com/weft-run/weft/services/directory"
	"github.com/weft-run/weft/services/failure"
	"github.com/weft-run/weft/services/near"
	"github.com/weft-run/weft/services/secrets"
)

// The states of a node, as people see them.
const (
	stateAlive    = "alive"
	stateLost     = "lost"     // the leader has not heard of it for some seconds
	stateDraining = "draining" // placements move away
	stateDrained  = "drained"  // none is left
	stateJoining  = "joining"  // it has not reported yet, or is not in raft's configuration yet
)

// maxClockOffset is how far a clock may be off without a word about it.
const maxClockOffset = 500 * time.Millisecond

// List tells of every node of the catalog, ordered by name, with what is known of it right now; and of this node, last, if
// it is not there yet.
func (s *Service) List(view *catalog.View) *weftv1.ListNodesResponse {
	response := &weftv1.ListNodesResponse{Level: view.Level()}
	leader := s.leader(view)
	if leader != nil {
		response.Leader = leader.GetName()
	}
	roles := s.config.Node.Roles()
	for row := range view.Nodes() {
		response.Nodes = append(response.Nodes, s.describe(view, row, roles, s.config.Known(leader.GetId())))
	}
	if row := s.newcomer(view); row != nil {
		n := s.describe(view, row, roles, s.config.Known(leader.GetId()))
		n.State = stateJoining
		response.Nodes = append(response.Nodes, n)
	}
	return response
}

// newcomer is this node, where the catalog does not have it yet; nil if it has. The first node of a cluster begins like
// that.
func (s *Service) newcomer(view *catalog.View) *catalogv1.Node {
	id := s.config.Node.ID()
	if view.Node(id) != nil || view.Removed(id) {
		return nil
	}
	row := &catalogv1.Node{Id: id, Name: s.config.Node.Name()}
	if known := s.config.Known(id); known != nil {
		row.Scheduler, row.Executor, row.Labels = known.Scheduler, known.Executor, known.Labels
	}
	return row
}

// leader is the node that leads; nil if none is known to.
func (s *Service) leader(view *catalog.View) *catalogv1.Node {
	leader := s.config.Node.Leader()
	if n := view.NodeByName(leader); n != nil {
		return n
	}
	return view.Node(leader)
}

// describe puts together what is known of a node. Raft has the roles of the schedulers; it is nil on a node that has no
// log, where the directory knows them, a little later.
func (s *Service) describe(view *catalog.View, row *catalogv1.Node, raft map[string]string, leader *directory.Node) *weftv1.Node {
	n := &weftv1.Node{
		Id: row.GetId(), Name: row.GetName(), Labels: row.GetLabels(), Roles: roles(row),
		Placed: placed(view, row.GetId()), Raft: raft[row.GetId()],
	}
	known := s.config.Known(row.GetId())
	if raft == nil && known != nil {
		n.Raft = known.Raft
	}
	n.State = state(row, known, n, row.GetId() == s.config.Node.ID())
	if known == nil {
		return n
	}
	n.Version, n.Engine, n.Level = known.Version, known.Engine, known.Level
	n.ClusterAddress, n.GrpcAddress = known.Address.Cluster, known.Address.GRPC
	n.Started, n.Heard = timestamppb.New(known.Started), timestamppb.New(known.Heard)
	n.AppliedIndex, n.ClockOffset, n.Ready = known.Applied, durationpb.New(known.ClockOffset), uint32(known.Ready())
	n.StateHash = hex.EncodeToString(known.Hash)
	n.SecretKeys = known.SecretKeys
	n.Warnings = warnings(row, known, leader)
	if row.GetExecutor() {
		n.Warnings = append(n.Warnings, unreadable(view, known)...)
	}
	return n
}

func roles(row *catalogv1.Node) (names []string) {
	if row.GetScheduler() {
		names = append(names, "scheduler")
	}
	if row.GetExecutor() {
		names = append(names, "executor")
	}
	return names
}

func state(row *catalogv1.Node, known *directory.Node, n *weftv1.Node, self bool) string {
	switch {
	case known == nil && !self:
		return stateJoining
	case known != nil && !known.Alive && !self:
		return stateLost
	case row.GetDraining() && n.GetPlaced() > 0:
		return stateDraining
	case row.GetDraining():
		return stateDrained
	case row.GetScheduler() && n.GetRaft() == "":
		return stateJoining
	}
	return stateAlive
}

// warnings is what the operator should know about a node, seen from the leader.
func warnings(row *catalogv1.Node, n, leader *directory.Node) (all []string) {
	warn := func(format string, args ...any) { all = append(all, fmt.Sprintf(format, args...)) }
	if n.Fault != "" {
		warn("%s", n.Fault)
	}
	if n.Diverged {
		warn("its catalog at index %d is not the leader's: stop it, remove it, and let it join again with an empty data directory", n.Applied)
	}
	switch offset := n.ClockOffset.Abs().Round(time.Millisecond); {
	case n.ClockOffset > maxClockOffset:
		warn("its clock is %v ahead of the leader's", offset)
	case n.ClockOffset < -maxClockOffset:
		warn("its clock is %v behind the leader's", offset)
	}
	if leader == nil || leader.ID == n.ID {
		return all
	}
	if n.Version != leader.Version {
		warn("it runs weft %s, the leader %s", n.Version, leader.Version)
	}
	if n.Level != leader.Level {
		warn("it knows format level %d, the leader %d: the cluster stays at the lower one", n.Level, leader.Level)
	}
	if row.GetExecutor() && n.Engine != leader.Engine {
		warn("its engine is %s, the leader's %s: it can't take code that others have compiled", n.Engine, leader.Engine)
	}
	return all
}

// unreadable warns of an executor whose functions ask for secrets in vain.
func unreadable(view *catalog.View, n *directory.Node) []string {
	missing := secrets.Missing(view.AllSecrets(), n.SecretKeys)
	if len(missing) == 0 {
		return nil
	}
	return []string{fmt.Sprintf("functions can't read secrets there that are encrypted with a key it lacks (%s): start it with --secrets-key, as the others",
		strings.Join(missing, ", "))}
}

// find resolves the name or ID of a node.
func find(view *catalog.View, name string) (*catalogv1.Node, error) {
	if name == "" {
		return nil, invalid("no node is named")
	}
	if n := view.NodeByName(name); n != nil {
		return n, nil
	}
	if n := view.Node(name); n != nil {
		return n, nil
	}
	if view.Removed(name) {
		return nil, failure.Newf(codes.NotFound, failure.NotFound, "node %s was removed", name)
	}
	names := func(yield func(string) bool) {
		for n := range view.Nodes() {
			if !yield(n.GetName()) {
				return
			}
		}
	}
	return nil, failure.Newf(codes.NotFound, failure.NotFound, "no node %s in the cluster%s", name, near.Hint(near.Names(name, names)))
}
