package cluster

import (
	"errors"
	"fmt"
	"testing"

	"github.com/weft-run/weft/consensus/catalog"
	weftv1 "github.com/weft-run/weft/proto/weft/v1"
)

// expectLevel tells whether the cluster is at a format level.
func (c *Cluster) expectLevel(t *testing.T, want uint32) error {
	t.Helper()
	m, err := c.Alive()[0].Management()
	if err != nil {
		return err
	}
	r, err := m.ListNodes(t.Context(), &weftv1.ListNodesRequest{})
	if err == nil && r.GetLevel() != want {
		err = fmt.Errorf("level %d", r.GetLevel())
	}
	return err
}

// change restarts a node with another binary, while the others go on.
func (c *Cluster) change(n *Node, binary Binary) {
	n.Stop()
	n.Restart(func(s *Spec) { s.Binary = binary })
	c.Settle()
}

// TestRollingUpgrade goes to the next version node by node, back before the level is raised, and to it for good, while
// functions are called and changed.
func TestRollingUpgrade(t *testing.T) {
	c, nodes := three(t, Spec{})
	c.Eventually("the level of this version", func() error { return c.expectLevel(t, catalog.Level) })
	revision := 0
	changeSomething := func() {
		t.Helper()
		revision++
		c.Leader().Must("update", "calc", "--env", fmt.Sprintf("REVISION=%d", revision))
	}
	under := func(n *Node, binary Binary) {
		t.Helper()
		load := calls(c.Others(n)...)
		load.some(t, 20)
		c.change(n, binary)
		changeSomething()
		load.some(t, 20)
		load.none(t)
		n.adds(t)
	}

	under(nodes[0], Next)
	under(nodes[1], Next)
	if err := c.expectLevel(t, catalog.Level); err != nil {
		t.Fatalf("%v while %s knows level %d only", err, nodes[2].Name, catalog.Level)
	}
	under(nodes[0], Faulty) // back
	under(nodes[1], Faulty)
	for _, n := range nodes {
		under(n, Next)
	}
	c.Eventually("the next level", func() error { return c.expectLevel(t, catalog.Level+1) })
	changeSomething()

	// The log has commands of the next level now. An old version stops before the first of them, says so, and serves what it
	// has; with the next version it goes on.
	old := nodes[2]
	old.Stop()
	old.Restart(func(s *Spec) { s.Binary = Faulty })
	c.Eventually("the old version says why it stops", func() error {
		if !says(old.Log(), "the log has commands of a newer weft; upgrade this node") {
			return errors.New("it says nothing")
		}
		return nil
	})
	old.adds(t)
	under(old, Next)
}

var errTooFew = errors.New("too few calls")
