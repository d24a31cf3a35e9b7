package consensus

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"

	catalogv1 "github.com/weft-run/weft/proto/weft/catalog/v1"
)

// route is the way to a leader: a term of this node, or another node that leads or knows of none better.
type route struct {
	session *session // nil if it is another node
	term    uint64

	node  string
	peers Peers
}

// leading returns the way to this node itself, if it leads.
func (n *Node) leading() (route, bool) {
	n.mu.Lock()
	s := n.session
	n.mu.Unlock()
	if s == nil {
		return route{}, false
	}
	term := s.leads()
	return route{session: s, term: term}, term != 0
}

// route finds the way to a leader, waiting for one until ctx is done.
func (n *Node) route(ctx context.Context) (route, error) {
	for {
		n.mu.Lock()
		s, fault, damage, changed, peers := n.session, n.fault, n.damage, n.changed, n.peers
		n.mu.Unlock()
		select {
		case <-n.closing:
			return route{}, ErrClosed
		default:
		}
		if damage != nil || fault != nil { // another could do it, but this node would not show it
			return route{}, errors.Join(damage, fault)
		}
		if to, ok := n.leading(); ok {
			return to, nil
		}
		if node, _ := n.leader(s); node != "" && peers != nil {
			return route{node: node, peers: peers}, nil
		}
		select {
		case <-changed:
		case <-n.closing:
		case <-ctx.Done():
			return route{}, context.Cause(ctx)
		}
	}
}

// leader returns the node that is to be asked for the leader's services, "" if there is none, and whether it is known to
// lead. A node with a raft session hears of leaders; one without asks where it last found one, or any scheduler.
func (n *Node) leader(s *session) (node string, known bool) {
	n.mu.Lock()
	hint := n.hint
	n.mu.Unlock()
	if s != nil {
		_, id := s.raft.LeaderWithID()
		hint = string(id)
	}
	switch {
	case hint == n.identity.ID:
		return "", false // of this node's own term callers hear from leading
	case hint != "":
		return hint, true
	case s != nil:
		return "", false
	}
	all := n.schedulers()
	if len(all) == 0 {
		return "", false
	}
	return all[rand.IntN(len(all))], false //nolint:gosec // no secret
}

// schedulers returns the other nodes that take part in raft, as the catalog says; while the catalog knows of none, all others
// that have an address. A node that has just joined may have its own row before that of the one that let it in.
func (n *Node) schedulers() (ids []string) {
	known := false
	for node := range n.catalog.View().Nodes() {
		if !node.GetScheduler() {
			continue
		}
		known = true
		if node.GetId() != n.identity.ID {
			ids = append(ids, node.GetId())
		}
	}
	if known {
		return ids
	}
	for _, a := range n.Addresses() {
		if a.Node != n.identity.ID {
			ids = append(ids, a.Node)
		}
	}
	return ids
}

// hear remembers who leads, for a node without a raft session; "" forgets it.
func (n *Node) hear(leader string) {
	n.mu.Lock()
	same := n.hint == leader
	n.mu.Unlock()
	if !same {
		n.update(func() { n.hint = leader })
	}
}

// forward has another node propose a command, and waits until the catalog here shows the result.
func (n *Node) forward(ctx context.Context, to route, cmd *catalogv1.Command) (*catalogv1.Result, error) {
	ask, cancel := n.whileLeader(ctx, to)
	defer cancel()
	result, err := to.peers.Apply(ask, to.node, cmd)
	if err != nil {
		n.lost(to)
		if !surelyNot(err) && !errors.Is(err, ErrTooLarge) {
			err = fmt.Errorf("%w: leader %s: %w", ErrOutcomeUnknown, to.node, err)
		}
		return nil, err
	}
	n.hear(to.node)
	index := result.GetIndex()
	if cmd.GetRemoveNode().GetNode() == n.identity.ID {
		return result, nil // nobody tells this node any more
	}
	if result.GetRefusal() != nil { // it was refused for what the leader's catalog has, and the caller must see that
		if index, err = to.peers.Linearize(ask, to.node); err != nil {
			n.lost(to)
			return nil, fmt.Errorf("%w: %w", ErrNotLeader, err)
		}
	}
	if err := n.reach(ctx, index); err != nil {
		return nil, fmt.Errorf("%w: the leader has it at index %d, and this node is at %d: %w", ErrOutcomeUnknown, index, n.catalog.View().Index(), err)
	}
	return result, nil
}

// forwardLinearize waits until the catalog here has all that the leader's has.
func (n *Node) forwardLinearize(ctx context.Context, to route) error {
	ask, cancel := n.whileLeader(ctx, to)
	defer cancel()
	index, err := to.peers.Linearize(ask, to.node)
	if err != nil {
		n.lost(to)
		return err
	}
	n.hear(to.node)
	return n.reach(ctx, index)
}

// lost notes that a node does not lead, or does not answer.
func (n *Node) lost(to route) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.hint == to.node {
		n.hint = ""
	}
}

// whileLeader returns a context that ends when another node than the one that is asked is known to lead: a leader that was
// paused or cut off would hold its callers up for as long as they have patience.
func (n *Node) whileLeader(ctx context.Context, to route) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	go func() { // ends with ctx
		for {
			n.mu.Lock()
			s, changed := n.session, n.changed
			n.mu.Unlock()
			_, here := n.leading()
			if now, known := n.leader(s); here || known && now != to.node {
				cancel()
				return
			}
			select {
			case <-changed:
			case <-ctx.Done():
				return
			}
		}
	}()
	return ctx, cancel
}

// reach returns once the catalog here shows an index.
func (n *Node) reach(ctx context.Context, index uint64) error {
	for {
		view := n.catalog.View()
		if view.Index() >= index {
			return nil
		}
		select {
		case <-view.Changed():
		case <-n.closing:
			return ErrClosed
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}
