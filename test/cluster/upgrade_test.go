package cluster

import (
	"context"
	"errors"
	"fmt"
	"testing"

	weftv1 "github.com/weft-run/weft/proto/weft/v1"
)

// level is the format level that the cluster is at.
func (c *Cluster) level(t *testing.T) uint32 {
	t.Helper()
	var level uint32
	c.Eventually("the format level", func() error {
		m, err := c.Alive()[0].Management()
		if err != nil {
			return err
		}
		r, err := m.ListNodes(context.Background(), &weftv1.ListNodesRequest{})
		level = r.GetLevel()
		return err
	})
	return level
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
	c.Eventually("level 2", func() error { return expectLevel(c.level(t), 2) })
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
	if got := c.level(t); got != 2 {
		t.Fatalf("level %d while %s knows level 2 only", got, nodes[2].Name)
	}
	under(nodes[0], Faulty) // back
	under(nodes[1], Faulty)
	for _, n := range nodes {
		under(n, Next)
	}
	c.Eventually("level 3", func() error { return expectLevel(c.level(t), 3) })
	changeSomething()

	// What an old version does not know stops it (consensus.TestNewerLevel). While the log has nothing of the new level
	// it goes on, with the same catalog.
	under(nodes[2], Faulty)
	under(nodes[2], Next)
}

func expectLevel(got, want uint32) error {
	if got != want {
		return fmt.Errorf("level %d", got)
	}
	return nil
}

var errTooFew = errors.New("too few calls")
