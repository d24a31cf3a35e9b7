package catalog

import (
	"maps"
	"slices"

	catalogv1 "github.com/weft-run/weft/proto/weft/catalog/v1"
	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"
)

// modelCluster is the model's part for level 2.
type modelCluster struct {
	nodes      map[string]*catalogv1.Node
	removed    map[string]bool
	tokens     map[string]*catalogv1.Token
	placements map[Key][]string
}

func newModelCluster() modelCluster {
	return modelCluster{
		nodes: map[string]*catalogv1.Node{}, removed: map[string]bool{}, tokens: map[string]*catalogv1.Token{}, placements: map[Key][]string{},
	}
}

func (m *model) doCluster(cmd *catalogv1.Command) *catalogv1.Result {
	c := &m.cluster
	ok := &catalogv1.Result{}
	known := func(id string) *catalogv1.Result {
		switch {
		case c.removed[id]:
			return no(catalogv1.Refusal_REASON_REMOVED)
		case c.nodes[id] == nil:
			return no(catalogv1.Refusal_REASON_NOT_FOUND)
		}
		return nil
	}
	switch a := cmd.Action.(type) {
	case *catalogv1.Command_PutNode:
		n := proto.CloneOf(a.PutNode.Node)
		if c.removed[n.Id] {
			return no(catalogv1.Refusal_REASON_REMOVED)
		}
		for id, other := range c.nodes {
			if id != n.Id && other.Name == n.Name {
				return no(catalogv1.Refusal_REASON_TAKEN)
			}
		}
		old := c.nodes[n.Id]
		if old != nil && !n.Scheduler && c.isLast(old) {
			return no(catalogv1.Refusal_REASON_IN_USE)
		}
		n.Draining, n.JoinedIndex = false, m.index
		if old != nil {
			n.Draining, n.JoinedIndex = old.Draining, old.JoinedIndex
		}
		c.nodes[n.Id] = n
		c.unplace()
		return ok
	case *catalogv1.Command_RemoveNode:
		id := a.RemoveNode.Node
		if refusal := known(id); refusal != nil {
			return refusal
		}
		if c.isLast(c.nodes[id]) {
			return no(catalogv1.Refusal_REASON_IN_USE)
		}
		delete(c.nodes, id)
		c.removed[id] = true
		c.unplace()
		return ok
	case *catalogv1.Command_SetDrain:
		if refusal := known(a.SetDrain.Node); refusal != nil {
			return refusal
		}
		c.nodes[a.SetDrain.Node].Draining = a.SetDrain.Draining
		return ok
	case *catalogv1.Command_PutToken:
		t := a.PutToken.Token
		if t.ExpiresUnixNanos <= cmd.TimeUnixNanos {
			return no(catalogv1.Refusal_REASON_INVALID)
		}
		left := maps.Clone(c.tokens)
		maps.DeleteFunc(left, func(id string, old *catalogv1.Token) bool {
			return id == t.Id || old.ExpiresUnixNanos <= cmd.TimeUnixNanos
		})
		for _, other := range left {
			if string(other.SecretHash) == string(t.SecretHash) {
				return no(catalogv1.Refusal_REASON_TAKEN)
			}
		}
		left[t.Id] = t
		c.tokens = left
		return ok
	case *catalogv1.Command_RevokeToken:
		id := a.RevokeToken.Id
		if id != "" && c.tokens[id] == nil {
			return no(catalogv1.Refusal_REASON_NOT_FOUND)
		}
		maps.DeleteFunc(c.tokens, func(other string, _ *catalogv1.Token) bool { return id == "" || id == other })
		return ok
	case *catalogv1.Command_SetPlacements:
		for _, p := range a.SetPlacements.Placements {
			if m.hasRevision(p.Name, p.Revision) {
				c.placements[Key{ns, p.Name, p.Revision}] = p.Nodes
			}
		}
		c.unplace()
		return ok
	}
	panic("unknown action")
}

func (m *model) hasRevision(name string, number uint32) bool {
	f := m.functions[name]
	return f != nil && slices.ContainsFunc(f.revisions, func(r *catalogv1.Revision) bool { return r.Number == number })
}

// trim drops the oldest revisions of a function one by one while there are too many.
func (m *model) trim(name string) {
	f := m.functions[name]
	for len(f.revisions) > keptRevisions {
		oldest := slices.IndexFunc(f.revisions, func(r *catalogv1.Revision) bool {
			return r != f.current() && m.cluster.placements[Key{ns, name, r.Number}] == nil
		})
		if oldest < 0 {
			return
		}
		f.revisions = slices.Delete(f.revisions, oldest, oldest+1)
	}
}

func (c *modelCluster) isLast(n *catalogv1.Node) bool {
	for _, other := range c.nodes {
		if other.Scheduler && other.Id != n.Id {
			return false
		}
	}
	return n.Scheduler
}

// unplace drops from all placements what is no executor, and placements that are left with none.
func (c *modelCluster) unplace() {
	for k, nodes := range c.placements {
		nodes = slices.DeleteFunc(slices.Clone(nodes), func(id string) bool { return !c.nodes[id].GetExecutor() })
		c.placements[k] = nodes
		if len(nodes) == 0 {
			delete(c.placements, k)
		}
	}
}

func drawClusterCommand(t *rapid.T, m *model, name string) *catalogv1.Command {
	node := rapid.IntRange(1, 5)
	switch kind := rapid.IntRange(0, 11).Draw(t, "kind"); {
	case kind < 3:
		return member(node.Draw(t, "node"), func(n *catalogv1.Node) {
			n.Name = rapid.SampledFrom([]string{"a", "b", "c", "d", "e", "f"}).Draw(t, "name")
			n.Scheduler = rapid.Bool().Draw(t, "scheduler")
			n.Executor = !n.Scheduler || rapid.IntRange(0, 3).Draw(t, "executor") > 0
		})
	case kind < 4:
		return removal(node.Draw(t, "node"))
	case kind < 5:
		return drain(node.Draw(t, "node"), rapid.Bool().Draw(t, "draining"))
	case kind < 6:
		now := rapid.Int64Range(0, 100).Draw(t, "now")
		return token(rapid.SampledFrom([]string{"x", "y", "z"}).Draw(t, "token"), rapid.SampledFrom([]string{"1", "2", "3"}).Draw(t, "secret"),
			now+rapid.Int64Range(0, 60).Draw(t, "lasts"), now)
	case kind < 7:
		return revoke(rapid.SampledFrom([]string{"", "x", "y", "z"}).Draw(t, "token"))
	}
	var ps []*catalogv1.Placement
	for number := uint32(1); number <= m.numbers[name]+1; number++ {
		if rapid.Bool().Draw(t, "placed") {
			nodes := rapid.SliceOfDistinct(node, rapid.ID[int]).Draw(t, "nodes")
			slices.Sort(nodes)
			ps = append(ps, on(name, number, nodes...))
		}
	}
	return place(ps...)
}

func compareCluster(t *rapid.T, m *model, v *View) {
	c := &m.cluster
	count := 0
	for n := range v.Nodes() {
		count++
		if !proto.Equal(n, c.nodes[n.Id]) || v.Node(n.Id) != n || v.NodeByName(n.Name) != n || v.Removed(n.Id) {
			t.Fatalf("node %v, model %v", n, c.nodes[n.Id])
		}
		var placed []Key
		for k := range v.Placed(n.Id) {
			placed = append(placed, k)
		}
		var want []Key
		for k, nodes := range c.placements {
			if slices.Contains(nodes, n.Id) {
				want = append(want, k)
			}
		}
		slices.SortFunc(want, compareKeys)
		if !slices.Equal(placed, want) {
			t.Fatalf("on node %s: %v, model %v", n.Id, placed, want)
		}
	}
	if count != len(c.nodes) {
		t.Fatalf("%d nodes, model %d", count, len(c.nodes))
	}
	for id := range c.removed {
		if !v.Removed(id) || v.Node(id) != nil {
			t.Fatalf("node %s was removed", id)
		}
	}
	count = 0
	for token := range v.Tokens() {
		count++
		if !proto.Equal(token, c.tokens[token.Id]) || v.TokenBySecret([32]byte(token.SecretHash)) != token {
			t.Fatalf("token %v, model %v", token, c.tokens[token.Id])
		}
	}
	if count != len(c.tokens) || v.state.tokenHashes.Len() != len(c.tokens) {
		t.Fatalf("%d tokens, model %d", count, len(c.tokens))
	}
	count = 0
	for p := range v.AllPlacements() {
		count++
		if want := c.placements[Key{ns, p.Name, p.Revision}]; !slices.Equal(p.Nodes, want) || !slices.Equal(v.Placement(ns, p.Name, p.Revision), want) {
			t.Fatalf("placement %v, model %v", p, want)
		}
	}
	if count != len(c.placements) {
		t.Fatalf("%d placements, model %d", count, len(c.placements))
	}
}

func compareKeys(a, b Key) int {
	if a.Function != b.Function {
		if a.Function < b.Function {
			return -1
		}
		return 1
	}
	return int(a.Revision) - int(b.Revision)
}
