package control

import (
	"cmp"
	"context"
	"slices"

	"github.com/weft-run/weft/consensus/catalog"
	"github.com/weft-run/weft/executor"
	weftv1 "github.com/weft-run/weft/proto/weft/v1"
)

// The states of a revision, and of a placement.
const (
	StateReady    = "ready"
	StateLoading  = "loading"
	StateFailed   = "failed"
	StateLost     = "lost"     // the node of a placement is not heard of
	StateUnplaced = "unplaced" // no executor runs the current revision
	StateIdle     = "idle"     // nobody runs an older one; a call that names it loads it
)

// Placements tells how revisions do on the nodes that they are placed on.
type Placements interface {
	// On gives StateReady, StateLoading, StateFailed with a reason, or StateLost.
	On(node string, k executor.Key) (state, reason string)
	// Plain says why no transcoder of a revision could be made on a node; empty if one was, or that is not known.
	Plain(node string, k executor.Key) (reason string)
	// Unplaced says why a revision runs on fewer executors than it should; "" if that is not so or not known.
	Unplaced(k executor.Key) (reason string)
	// Changed returns channels that are closed when an answer may be another one, of this node or of others. Take them
	// before asking.
	Changed() (here, elsewhere <-chan struct{})
}

// placements lists where a revision is placed, ordered by the nodes' names.
func (s *Server) placements(view *catalog.View, k executor.Key) []*weftv1.Placement {
	var all []*weftv1.Placement
	for _, node := range view.Placement(k.Namespace, k.Function, k.Revision) {
		p := &weftv1.Placement{Node: cmp.Or(view.Node(node).GetName(), node)}
		p.State, p.Reason = s.config.Placements.On(node, k)
		p.PlainReason = s.config.Placements.Plain(node, k)
		all = append(all, p)
	}
	slices.SortFunc(all, func(a, b *weftv1.Placement) int { return cmp.Compare(a.GetNode(), b.GetNode()) })
	return all
}

// plainEverywhere says why a revision has no transcoder, if none could be made on any node that it is placed on; else it is empty.
func plainEverywhere(placements []*weftv1.Placement) (reason string) {
	for _, p := range placements {
		if reason = p.GetPlainReason(); reason == "" {
			return ""
		}
	}
	return reason
}

// state sums up how a revision does: the best of its placements, and why that is not better.
func (s *Server) state(view *catalog.View, k executor.Key, placements []*weftv1.Placement) (state, reason string) {
	unplaced := s.config.Placements.Unplaced(k)
	if len(placements) == 0 {
		switch {
		case view.Function(k.Namespace, k.Function).GetCurrent() != k.Revision:
			return StateIdle, ""
		case unplaced == "":
			return StateLoading, "" // the scheduler has not come to it yet
		}
		return StateUnplaced, unplaced
	}
	for _, best := range []string{StateReady, StateLoading, StateFailed, StateLost} {
		for _, p := range placements {
			if p.GetState() == best {
				return best, cmp.Or(p.GetReason(), unplaced)
			}
		}
	}
	return StateLoading, ""
}

// await returns when a revision is ready somewhere, or has failed, found no place or been replaced, or ctx is done.
func (s *Server) await(ctx context.Context, k executor.Key) {
	for {
		here, elsewhere := s.config.Placements.Changed()
		view := s.view()
		switch state, _ := s.state(view, k, s.placements(view, k)); state {
		case StateReady, StateFailed, StateUnplaced, StateIdle:
			return
		}
		select {
		case <-here:
		case <-elsewhere:
		case <-view.Changed():
		case <-ctx.Done():
			return
		}
	}
}
