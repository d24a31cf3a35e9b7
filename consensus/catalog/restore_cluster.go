package catalog

import (
	"fmt"
	"slices"

	"github.com/benbjohnson/immutable"

	catalogv1 "github.com/weft-run/weft/proto/weft/catalog/v1"
)

// clusterBuilder takes in the rows that came with level 2.
type clusterBuilder struct {
	seen bool // whether there is any of them, or a revision with what came with level 2

	nodes      *immutable.SortedMapBuilder[string, *catalogv1.Node]
	removed    *immutable.SortedMapBuilder[string, string]
	tokens     *immutable.SortedMapBuilder[string, *catalogv1.Token]
	placements *immutable.SortedMapBuilder[string, *catalogv1.Placement]
	nodeNames  *immutable.SortedMapBuilder[string, *catalogv1.Node]
	hashes     *immutable.SortedMapBuilder[string, *catalogv1.Token] // tokens by hash of their secret
	placed     *immutable.SortedMapBuilder[string, struct{}]
}

func newClusterBuilder() clusterBuilder {
	return clusterBuilder{
		nodes:      immutable.NewSortedMapBuilder[string, *catalogv1.Node](nil),
		removed:    immutable.NewSortedMapBuilder[string, string](nil),
		tokens:     immutable.NewSortedMapBuilder[string, *catalogv1.Token](nil),
		placements: immutable.NewSortedMapBuilder[string, *catalogv1.Placement](nil),
		nodeNames:  immutable.NewSortedMapBuilder[string, *catalogv1.Node](nil),
		hashes:     immutable.NewSortedMapBuilder[string, *catalogv1.Token](nil),
		placed:     immutable.NewSortedMapBuilder[string, struct{}](nil),
	}
}

func (b *builder) putNode(n *catalogv1.Node) error {
	c := &b.cluster
	c.seen = true
	if _, taken := c.nodeNames.Get(n.GetName()); taken || checkNode(n) != nil || !b.advance(nodeKind, n.GetId()) {
		return fmt.Errorf("node %q: %w", clip(n.GetId()), errRow)
	}
	c.nodes.Set(n.GetId(), n)
	c.nodeNames.Set(n.GetName(), n)
	return nil
}

func (b *builder) putRemoved(r *catalogv1.RemovedNode) error {
	c := &b.cluster
	c.seen = true
	if _, there := c.nodes.Get(r.GetId()); there || checkNodeID(r.GetId()) != nil || !b.advance(removedKind, r.GetId()) {
		return fmt.Errorf("removed node %q: %w", clip(r.GetId()), errRow)
	}
	c.removed.Set(r.GetId(), r.GetName())
	return nil
}

func (b *builder) putToken(t *catalogv1.Token) error {
	c := &b.cluster
	c.seen = true
	if _, taken := c.hashes.Get(string(t.GetSecretHash())); taken || checkToken(t) != nil || !b.advance(tokenKind, t.GetId()) || c.tokens.Len() >= maxTokens {
		return fmt.Errorf("token %q: %w", clip(t.GetId()), errRow)
	}
	c.tokens.Set(t.GetId(), t)
	c.hashes.Set(string(t.GetSecretHash()), t)
	return nil
}

// putPlacement wants a placement of a revision that is there, on nodes that are executors.
func (b *builder) putPlacement(p *catalogv1.Placement) error {
	if err := b.closeFunction(); err != nil {
		return err
	}
	c := &b.cluster
	c.seen = true
	bad := fmt.Errorf("placement of revision %d of %q: %w", p.GetRevision(), clip(p.GetName()), errRow)
	k := placementKey(p.GetNamespace(), p.GetName(), p.GetRevision())
	f, _ := b.functions.Get(key(p.GetNamespace(), p.GetName()))
	if revision(f, p.GetRevision()) == nil || len(p.GetNodes()) == 0 || checkPlacement(p) != nil || !b.advance(placementKind, k) {
		return bad
	}
	for i, id := range p.GetNodes() {
		n, ok := c.nodes.Get(id)
		if !ok || !n.GetExecutor() {
			return bad
		}
		p.Nodes[i] = n.GetId() // the same text, in memory once; see state.executors
		c.placed.Set(placedKey(id, k), struct{}{})
	}
	p.Nodes = slices.Clip(p.GetNodes())
	p.Namespace, p.Name = f.GetNamespace(), f.GetName()
	c.placements.Set(k, p)
	return nil
}

// finish moves the rows into a state whose level is known by now.
func (c *clusterBuilder) finish(s *state) error {
	if c.seen && s.level < 2 {
		return fmt.Errorf("at level %d: %w", s.level, errRow)
	}
	s.nodes, s.removed, s.tokens, s.placements = c.nodes.Map(), c.removed.Map(), c.tokens.Map(), c.placements.Map()
	s.nodeNames, s.tokenHashes, s.placed = c.nodeNames.Map(), c.hashes.Map(), c.placed.Map()
	return nil
}
