package cluster

import (
	"strings"
	"testing"

	"github.com/weft-run/weft/test/wat"
)

// three is a cluster of three nodes with a function named calc that runs on all.
func three(t *testing.T, spec Spec) (*Cluster, []*Node) {
	t.Helper()
	c := New(t)
	nodes := c.Grow(3, spec)
	nodes[0].Must("deploy", wat.Guest{}.File(t), "--name", "calc", "--replicas", "all")
	c.Settle()
	return c, nodes
}

func TestGrow(t *testing.T) {
	c, nodes := three(t, Spec{})
	for _, n := range nodes {
		n.adds(t)
	}
	leader := c.Leader()
	leader.Kill()
	if next := c.Leader(); next == leader {
		t.Error("who is dead leads")
	}
	for _, n := range c.Alive() {
		n.adds(t)
	}
	leader.Restart()
	c.Settle()
	leader.adds(t)
	for _, n := range nodes {
		if out := n.Must("nodes"); strings.Count(out, "alive") != 3 {
			t.Errorf("%s says\n%s", n.Name, out)
		}
	}
}
