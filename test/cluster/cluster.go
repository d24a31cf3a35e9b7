package cluster

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Cluster is some nodes with a network between them.
type Cluster struct {
	Network *Network

	tb    testing.TB
	dir   string
	nodes []*Node
}

// New makes a cluster without nodes. It is gone when the test ends.
func New(tb testing.TB) *Cluster {
	tb.Helper()
	c := &Cluster{Network: newNetwork(), tb: tb, dir: tb.TempDir()}
	tb.Cleanup(c.close)
	return c
}

// Nodes are all nodes that were ever started, in that order.
func (c *Cluster) Nodes() []*Node { return c.nodes }

// Alive are the nodes that run, paused or not.
func (c *Cluster) Alive() []*Node {
	var alive []*Node
	for _, n := range c.nodes {
		if n.Alive() {
			alive = append(alive, n)
		}
	}
	return alive
}

// Others are all nodes but the given ones.
func (c *Cluster) Others(but ...*Node) []*Node {
	var others []*Node
	for _, n := range c.nodes {
		other := true
		for _, b := range but {
			other = other && n != b
		}
		if other {
			others = append(others, n)
		}
	}
	return others
}

// Found starts a node that founds a cluster.
func (c *Cluster) Found(spec Spec) *Node {
	c.tb.Helper()
	n := c.node(spec)
	if err := n.start(); err != nil {
		c.tb.Fatalf("cluster: start %s: %v", n.Name, err)
	}
	return n
}

// Join starts a node that joins the cluster through the first of its nodes that runs.
func (c *Cluster) Join(spec Spec) *Node {
	c.tb.Helper()
	n, err := c.TryJoin(spec, c.Token(c.Alive()[0]), c.Alive()[0].PeerAddr())
	if err != nil {
		c.tb.Fatalf("cluster: join %s: %v", n.Name, err)
	}
	return n
}

// TryJoin starts a node that may be refused. The error is that of the process; the node's log says why.
func (c *Cluster) TryJoin(spec Spec, token, address string) (*Node, error) {
	c.tb.Helper()
	n := c.node(spec)
	return n, n.start("--join", address, "--token", token)
}

// Grow founds a cluster of so many nodes, all schedulers and executors, named n1, n2 and so on, and waits until all see
// each other and know the leader.
func (c *Cluster) Grow(nodes int, env ...string) []*Node {
	c.tb.Helper()
	for i := range nodes {
		spec := Spec{Name: fmt.Sprintf("n%d", i+1), Env: env}
		if i == 0 {
			c.Found(spec)
			c.Leader()
		} else {
			c.Join(spec)
		}
	}
	c.Settle()
	return c.nodes
}

func (c *Cluster) node(spec Spec) *Node {
	c.tb.Helper()
	if spec.Binary == "" {
		spec.Binary = Faulty
	}
	base := filepath.Join(c.dir, fmt.Sprintf("%d-%s", len(c.nodes)+1, spec.Name))
	n := &Node{
		Name: spec.Name, Dir: filepath.Join(base, "data"), Disk: Disk(filepath.Join(base, "faults")),
		cluster: c, spec: spec, logPath: filepath.Join(base, "log"),
	}
	if err := os.MkdirAll(string(n.Disk), 0o700); err != nil {
		c.tb.Fatalf("cluster: %v", err)
	}
	var err error
	if n.proxy, err = listenFor(n, c.Network); err != nil {
		c.tb.Fatalf("cluster: %v", err)
	}
	c.nodes = append(c.nodes, n)
	c.Network.add(n)
	return n
}

// lastLines is how much of each log is printed when a test fails.
const lastLines = 60

func (c *Cluster) close() {
	for _, n := range c.nodes {
		n.forget()
		if p := n.running(); p != nil {
			p.kill()
		}
		n.proxy.close()
	}
	if c.tb.Failed() {
		for _, n := range c.nodes {
			c.tb.Logf("the log of %s ends:\n%s", n.Name, tail(n.Log(), lastLines))
		}
	}
}

// SaveLogs copies the nodes' logs into a directory, which must exist.
func (c *Cluster) SaveLogs(dir string) error {
	for i, n := range c.nodes {
		path := filepath.Join(dir, fmt.Sprintf("%d-%s.log", i+1, n.Name))
		if err := os.WriteFile(path, []byte(n.Log()), 0o600); err != nil {
			return err
		}
	}
	return nil
}

func tail(text string, lines int) string {
	all := strings.Split(strings.TrimRight(text, "\n"), "\n")
	return strings.Join(all[max(0, len(all)-lines):], "\n")
}
