package consensus

import (
	"context"
	"fmt"
	"time"

	"github.com/weft-run/weft/consensus/catalog"
	catalogv1 "github.com/weft-run/weft/proto/weft/catalog/v1"
)

// raise raises the format level by one, if every node knows the next.
func (s *session) raise(ctx context.Context, view *catalog.View) bool {
	if s.node.config.quiet || view.Level() >= min(s.node.knownLevel(view), catalog.Level) {
		return false
	}
	if err := s.raiseTo(ctx, view.Level()+1); err != nil {
		if ctx.Err() == nil {
			s.node.log.Warn("the format level could not be raised; trying again", "level", view.Level()+1, "error", err)
		}
		return false
	}
	return true
}

func (s *session) raiseTo(ctx context.Context, level uint32) error {
	entry, err := encodeEntry(&catalogv1.Command{
		RequestId: randomID(), Level: 1, TimeUnixNanos: time.Now().UnixNano(),
		Action: &catalogv1.Command_RaiseLevel{RaiseLevel: &catalogv1.RaiseLevel{Level: level}},
	})
	if err != nil {
		return err
	}
	result, err := s.propose(ctx, entry, s.node.config.patience)
	if err == nil && result.GetRefusal() != nil {
		err = fmt.Errorf("consensus: refused: %s", result.GetRefusal().GetMessage())
	}
	return err
}

// knownLevel returns the highest level that every node of the cluster knows, as far as this one can tell.
func (n *Node) knownLevel(view *catalog.View) uint32 {
	n.mu.Lock()
	levels := n.levels
	n.mu.Unlock()
	for node := range view.Nodes() {
		if node.GetId() == n.identity.ID {
			continue
		}
		if levels == nil {
			return view.Level()
		}
		level, ok := levels()
		if !ok {
			return view.Level()
		}
		return level
	}
	return catalog.Level
}
