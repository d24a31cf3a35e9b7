package membership

import (
	"context"

	"google.golang.org/grpc/codes"

	"github.com/weft-run/weft/consensus/catalog"
	catalogv1 "github.com/weft-run/weft/proto/weft/catalog/v1"
	weftv1 "github.com/weft-run/weft/proto/weft/v1"
	"github.com/weft-run/weft/services/failure"
)

// The reasons for not removing a node.
const (
	lastScheduler failure.Reason = "LAST_SCHEDULER"
	quorum        failure.Reason = "QUORUM"
)

// Remove takes a node out of the cluster for good. A node that is alive needs no force, nor need it be drained: calls that
// run there may fail then, as if it had crashed. What can't be undone is refused: to remove the last scheduler, or one
// without which too few voters would be alive to change anything any more.
func (s *Service) Remove(ctx context.Context, r *weftv1.RemoveRequest) (*weftv1.RemoveResponse, error) {
	if err := s.config.Node.Linearize(ctx); err != nil {
		return nil, err
	}
	view := s.config.Node.Catalog().View()
	node, err := find(view, r.GetNode())
	if err != nil {
		return nil, err
	}
	if err := s.dispensable(view, node); err != nil {
		return nil, err
	}
	if _, err := s.apply(ctx, r.GetRequestId(), &catalogv1.Command{
		Action: &catalogv1.Command_RemoveNode{RemoveNode: &catalogv1.RemoveNode{Node: node.GetId()}},
	}); err != nil {
		return nil, err
	}
	s.config.Logger.Info("removed a node", "name", node.GetName(), "node", node.GetId())
	return &weftv1.RemoveResponse{Id: node.GetId(), Name: node.GetName()}, nil
}

// dispensable returns an error if the cluster could not go on without a node.
func (s *Service) dispensable(view *catalog.View, node *catalogv1.Node) error {
	if !node.GetScheduler() {
		return nil
	}
	schedulers, voters, alive := 0, 0, 0
	for n := range view.Nodes() {
		if !n.GetScheduler() || n.GetId() == node.GetId() {
			continue
		}
		schedulers++
		if known := s.config.Known(n.GetId()); known != nil && (known.Raft == "leader" || known.Raft == "voter") {
			voters++
			if known.Alive {
				alive++
			}
		}
	}
	switch known := s.config.Known(node.GetId()); {
	case schedulers == 0:
		return failure.Newf(codes.FailedPrecondition, lastScheduler,
			"%s is the last scheduler: without one the cluster can change nothing any more; let another one join first", node.GetName())
	case known != nil && known.Raft == "standby" || voters == 0:
		return nil
	case alive <= voters/2:
		return failure.Newf(codes.FailedPrecondition, quorum,
			"without %s only %d of %d voters would be alive, too few to change anything; remove the lost ones first, or bring them back",
			node.GetName(), alive, voters)
	}
	return nil
}
