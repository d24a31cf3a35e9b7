package membership

import (
	"context"
	"strings"

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
// run there may fail then, as if it had crashed. What can't be undone is refused: to remove the last scheduler, or, by the
// leader, one without which most of the voters would not answer.
func (s *Service) Remove(ctx context.Context, r *weftv1.RemoveRequest) (*weftv1.RemoveResponse, error) {
	if err := s.config.Node.Linearize(ctx); err != nil {
		return nil, err
	}
	view := s.config.Node.Catalog().View()
	node, err := find(view, r.GetNode())
	if err != nil {
		return nil, err
	}
	if node.GetScheduler() && !otherScheduler(view, node.GetId()) {
		return nil, failure.Newf(codes.FailedPrecondition, lastScheduler,
			"%s is the last scheduler: without one the cluster can change nothing any more; let another one join first", node.GetName())
	}
	result, err := s.propose(ctx, r.GetRequestId(), &catalogv1.Command{
		Action: &catalogv1.Command_RemoveNode{RemoveNode: &catalogv1.RemoveNode{Node: node.GetId()}},
	})
	if err != nil {
		return nil, err
	}
	switch refusal := result.GetRefusal(); {
	case refusal.GetReason() == catalogv1.Refusal_REASON_IN_USE:
		return nil, failure.New(codes.FailedPrecondition, quorum, strings.ReplaceAll(refusal.GetMessage(), node.GetId(), node.GetName()))
	case refusal != nil:
		return nil, failure.Refused(refusal)
	}
	s.config.Logger.Info("removed a node", "name", node.GetName(), "node", node.GetId())
	return &weftv1.RemoveResponse{Id: node.GetId(), Name: node.GetName()}, nil
}

func otherScheduler(view *catalog.View, id string) bool {
	for n := range view.Nodes() {
		if n.GetScheduler() && n.GetId() != id {
			return true
		}
	}
	return false
}
