package consensus

import (
	"context"
	"maps"
	"time"

	"github.com/weft-run/weft/consensus/catalog"
	catalogv1 "github.com/weft-run/weft/proto/weft/catalog/v1"
)

// introducePause is between two tries of a node to have its row put right.
const introducePause = time.Second

// introduce makes the catalog's row of this node say what the node is configured with. It ends once it does.
func (n *Node) introduce() {
	ctx, cancel := n.untilClosed()
	defer cancel()
	for !n.introduced(n.catalog.View()) {
		if n.Linearize(ctx) == nil {
			if view := n.catalog.View(); n.introduced(view) || view.Removed(n.identity.ID) {
				return
			}
			if view := n.catalog.View(); view.Level() >= nodeLevel && n.putNode(ctx) {
				return
			}
		}
		if pause(ctx, introducePause) != nil {
			return
		}
	}
}

// untilClosed returns a context that ends when the node closes.
func (n *Node) untilClosed() (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(context.Background())
	go func() { // ends with ctx
		select {
		case <-n.closing:
			cancel()
		case <-ctx.Done():
		}
	}()
	return ctx, cancel
}

const nodeLevel = 2 // from this format level on the catalog has nodes

func (n *Node) row() *catalogv1.Node {
	return &catalogv1.Node{
		Id: n.identity.ID, Name: n.Name(), Scheduler: !n.config.Follower, Executor: n.config.Executor, Labels: n.config.Labels,
	}
}

func (n *Node) introduced(view *catalog.View) bool {
	want, got := n.row(), view.Node(n.identity.ID)
	return got != nil && got.GetName() == want.GetName() && got.GetScheduler() == want.GetScheduler() &&
		got.GetExecutor() == want.GetExecutor() && maps.Equal(got.GetLabels(), want.GetLabels())
}

// putNode writes the row. A refusal is for people to read: another node has the name, most likely.
func (n *Node) putNode(ctx context.Context) bool {
	result, err := n.Apply(ctx, &catalogv1.Command{
		RequestId: randomID(), Level: nodeLevel, Action: &catalogv1.Command_PutNode{PutNode: &catalogv1.PutNode{Node: n.row()}},
	})
	switch {
	case err != nil:
		n.log.Debug("the node's row could not be written; trying again", "error", err)
		return false
	case result.GetRefusal() != nil:
		n.log.Error("the cluster does not take what this node says of itself; trying again", "name", n.Name(), "error", result.GetRefusal().GetMessage())
		return false
	}
	return true
}
