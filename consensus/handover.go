package consensus

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/hashicorp/raft"

	catalogv1 "github.com/weft-run/weft/proto/weft/catalog/v1"
)

// handOverTime bounds how long a leader that stops tries to hand over. After it the others find out by themselves.
const handOverTime = 2 * time.Second

// errNoSuccessor: there is no other voter that answers.
var errNoSuccessor = errors.New("there is no other voter to lead")

// HandOver makes another voter lead, if this node leads. It returns nil if it does not lead, now or any more.
func (n *Node) HandOver(ctx context.Context) error {
	to, ok := n.leading()
	if !ok {
		return nil
	}
	if err := to.session.handOver(ctx); err != nil {
		return fmt.Errorf("consensus: the leadership can't be handed over: %w", err)
	}
	return nil
}

// handOver tries the voters that answer, the one with the longest log first.
func (s *session) handOver(ctx context.Context) error {
	members := s.members()
	err := errNoSuccessor
	for range members {
		to := successor(members, raft.ServerID(s.node.identity.ID))
		if to == "" {
			break
		}
		err = s.await(ctx, func() error { return s.raft.LeadershipTransferToServer(to, raft.ServerAddress(to)).Error() })
		if err == nil || ctx.Err() != nil {
			break
		}
		err = fmt.Errorf("node %s can't take over: %w", to, err)
		members = slices.DeleteFunc(members, func(m member) bool { return m.id == to })
	}
	return err
}

// abdicate hands over before the node stops, so that the others need not find out that it is gone.
func (n *Node) abdicate(s *session) {
	if s.leads() == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), handOverTime)
	defer cancel()
	if err := s.handOver(ctx); err != nil && !errors.Is(err, errNoSuccessor) {
		n.log.Info("stopping without a successor", "error", err)
	}
}

// beforeRemoval sees to it that the cluster survives the removal of a node, which nobody talks to once it is decided. A
// leader hands over, and the next one proposes the removal: the error is ErrNotLeader then. It is refused if most
// of the voters that would be left do not answer.
func (s *session) beforeRemoval(ctx context.Context, node string) (*catalogv1.Result, error) {
	id, self := raft.ServerID(node), raft.ServerID(s.node.identity.ID)
	members := s.members()
	votes, unsure := false, len(members) == 0
	for _, m := range members {
		votes = votes || m.id == id && m.voter
		unsure = unsure || m.voter && m.unsure
	}
	switch {
	case unsure:
		return nil, fmt.Errorf("%w: it has only just begun to, and does not know yet which voters answer", ErrNotLeader)
	case !votes:
		return nil, nil //nolint:nilnil // nothing stands against it
	case !majorityWithout(members, id):
		return &catalogv1.Result{Refusal: &catalogv1.Refusal{
			Reason: catalogv1.Refusal_REASON_IN_USE,
			Message: fmt.Sprintf("without node %q most of the schedulers that vote would not answer, and the cluster could not write any more; "+
				"bring others back or let more join first", node),
		}}, nil
	case id != self:
		return nil, nil //nolint:nilnil // nothing stands against it
	}
	ctx, cancel := context.WithTimeout(ctx, handOverTime)
	defer cancel()
	if err := s.handOver(ctx); err != nil {
		return nil, fmt.Errorf("%w: it is to be removed, and could not hand over: %w", ErrNotLeader, err)
	}
	return nil, fmt.Errorf("%w: it has handed over, as it is to be removed", ErrNotLeader)
}

// members judges the servers of raft's configuration. Without a governor, which a leader has soon, nobody is known to
// answer.
func (s *session) members() []member {
	s.mu.Lock()
	g := s.governor
	s.mu.Unlock()
	if g == nil {
		return nil
	}
	members, _ := g.members(s.raft.GetConfiguration().Configuration(), s.node.catalog.View(), time.Now())
	return members
}
