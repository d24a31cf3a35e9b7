package membership

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/weft-run/weft/consensus/catalog"
	catalogv1 "github.com/weft-run/weft/proto/weft/catalog/v1"
	weftv1 "github.com/weft-run/weft/proto/weft/v1"
	"github.com/weft-run/weft/services/directory"
)

const (
	maxDrainWait = time.Hour
	drainLook    = 200 * time.Millisecond // between two looks: the catalog may change all the time
	maxNamed     = 5                      // functions in one warning
)

// Drain says that a node is to be free of placements, or no longer, and waits for it as long as the request says. The
// answer tells what is left then; a node that keeps placements because nobody else can run them is no error.
func (s *Service) Drain(ctx context.Context, r *weftv1.DrainRequest) (*weftv1.DrainResponse, error) {
	limit, err := drainWait(r.GetWait())
	if err != nil {
		return nil, err
	}
	if err := s.config.Node.Linearize(ctx); err != nil {
		return nil, err
	}
	node, err := find(s.config.Node.Catalog().View(), r.GetNode())
	if err != nil {
		return nil, err
	}
	if err := s.apply(ctx, r.GetRequestId(), &catalogv1.Command{
		Action: &catalogv1.Command_SetDrain{SetDrain: &catalogv1.SetDrain{Node: node.GetId(), Draining: !r.GetUndo()}},
	}); err != nil {
		return nil, err
	}
	s.config.Logger.Info("draining is set", "node", node.GetName(), "draining", !r.GetUndo())
	if r.GetUndo() {
		return &weftv1.DrainResponse{Left: placed(s.config.Node.Catalog().View(), node.GetId())}, nil
	}
	left, err := s.emptied(ctx, node.GetId(), limit)
	if err != nil {
		return nil, err
	}
	return &weftv1.DrainResponse{Left: left, Warnings: stranded(s.config.Node.Catalog().View(), node, s.config.Known)}, nil
}

func drainWait(d *durationpb.Duration) (time.Duration, error) {
	if d == nil {
		return 0, nil
	}
	if wait := d.AsDuration(); d.CheckValid() == nil && wait >= 0 && wait <= maxDrainWait {
		return wait, nil
	}
	return 0, invalid("wait %v: from 0 to 1 hour", d.AsDuration())
}

// emptied waits until a node has no placements, or for as long as is allowed, and returns how many are left.
func (s *Service) emptied(ctx context.Context, node string, limit time.Duration) (uint32, error) {
	over := time.NewTimer(limit)
	defer over.Stop()
	for {
		view := s.config.Node.Catalog().View()
		left := placed(view, node)
		if left == 0 || limit == 0 {
			return left, nil
		}
		select {
		case <-view.Changed():
			if err := sleep(ctx, drainLook); err != nil {
				return left, err
			}
		case <-over.C:
			return left, nil
		case <-ctx.Done():
			return left, ctx.Err()
		}
	}
}

func placed(view *catalog.View, node string) (n uint32) {
	for range view.Placed(node) {
		n++
	}
	return n
}

// stranded warns of functions that no other executor can run, and of those that too few can. Their placements stay on the node that is drained,
// or nowhere.
func stranded(view *catalog.View, node *catalogv1.Node, known func(id string) *directory.Node) []string {
	var others []*catalogv1.Node
	for n := range view.Nodes() {
		if n.GetExecutor() && !n.GetDraining() && n.GetId() != node.GetId() {
			if k := known(n.GetId()); k == nil || k.Alive {
				others = append(others, n)
			}
		}
	}
	if len(others) == 0 {
		return []string{fmt.Sprintf("no executor is left that takes what ran on %s: undo it with `weft drain %s --undo`, or add a node",
			node.GetName(), node.GetName())}
	}
	var homeless, crowded few
	for f := range view.All() {
		revision := catalog.Current(f)
		where := revision.GetScheduling()
		if !meets(node, where.GetRequire()) {
			continue
		}
		left := 0 // others that may run it
		for _, n := range others {
			if meets(n, where.GetRequire()) {
				left++
			}
		}
		switch {
		case left == 0:
			homeless.add(f.GetNamespace() + "/" + f.GetName())
		case !where.GetAll() && int(where.GetReplicas()) > left && slices.Contains(view.Placement(f.GetNamespace(), f.GetName(), revision.GetNumber()), node.GetId()):
			crowded.add(fmt.Sprintf("%s/%s (%d replicas, %d left)", f.GetNamespace(), f.GetName(), where.GetReplicas(), left))
		}
	}
	var warnings []string
	if len(homeless.names) > 0 {
		warnings = append(warnings, fmt.Sprintf("no other executor has the labels that these functions require: %s", &homeless))
	}
	if len(crowded.names) > 0 {
		warnings = append(warnings, fmt.Sprintf("these functions are to run on more nodes than would be left, so they stay on %s until there are more, or `weft update` "+
			"gives them fewer --replicas: %s", node.GetName(), &crowded))
	}
	return warnings
}

// few are the first names of a list that may be long.
type few struct {
	names []string
	more  int
}

func (f *few) add(name string) {
	if len(f.names) == maxNamed {
		f.more++
		return
	}
	f.names = append(f.names, name)
}

func (f *few) String() string {
	text := strings.Join(f.names, ", ")
	if f.more > 0 {
		text += fmt.Sprintf(" and %d more", f.more)
	}
	return text
}

func meets(n *catalogv1.Node, require map[string]string) bool {
	for label, value := range require {
		if got, ok := n.GetLabels()[label]; !ok || got != value {
			return false
		}
	}
	return true
}
