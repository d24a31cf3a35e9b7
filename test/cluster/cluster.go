package cluster

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/weft-run/weft/test/components"
)

// Cluster is some nodes with a network between them.
type Cluster struct {
	Network *Network

	tb  testing.TB
	dir string

	mu    sync.Mutex
	nodes []*Node // guarded by mu
}

// New makes a cluster without nodes. It is gone when the test ends.
func New(tb testing.TB) *Cluster {
	tb.Helper()
	c := &Cluster{Network: newNetwork(), tb: tb, dir: tb.TempDir()}
	tb.Cleanup(c.close)
	return c
}

// Nodes are all nodes that were ever started, in that order. It may be called from any goroutine.
func (c *Cluster) Nodes() []*Node {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.nodes)
}

// Alive are the nodes that run, paused or not. It may be called from any goroutine.
func (c *Cluster) Alive() []*Node {
	var alive []*Node
	for _, n := range c.Nodes() {
		if n.Alive() {
			alive = append(alive, n)
		}
	}
	return alive
}

// Others are all nodes but the given ones.
func (c *Cluster) Others(but ...*Node) []*Node {
	return slices.DeleteFunc(c.Nodes(), func(n *Node) bool { return slices.Contains(but, n) })
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

// Grow founds a cluster of so many nodes, named n1, n2 and so on and else as the spec says, and waits until they have
// settled.
func (c *Cluster) Grow(nodes int, spec Spec) []*Node {
	c.tb.Helper()
	for i := range nodes {
		spec.Name = fmt.Sprintf("n%d", i+1)
		if i == 0 {
			c.Found(spec)
			c.Leader()
		} else {
			c.Join(spec)
		}
	}
	c.Settle()
	return c.Nodes()
}

func (c *Cluster) node(spec Spec) *Node {
	c.tb.Helper()
	if spec.Binary == "" {
		spec.Binary = Faulty
	}
	base := filepath.Join(c.dir, fmt.Sprintf("%d-%s", len(c.Nodes())+1, spec.Name))
	n := &Node{
		Name: spec.Name, Dir: filepath.Join(base, "data"), Disk: Disk(filepath.Join(base, "faults")),
		cluster: c, spec: spec, logPath: filepath.Join(base, "log"),
	}
	if err := os.MkdirAll(string(n.Disk), 0o700); err != nil {
		c.tb.Fatalf("cluster: %v", err)
	}
	if spec.Lossy {
		if err := n.Disk.Lose(); err != nil {
			c.tb.Fatalf("cluster: %v", err)
		}
	}
	var err error
	if n.proxy, err = listenFor(n, c.Network); err != nil {
		c.tb.Fatalf("cluster: %v", err)
	}
	c.mu.Lock()
	c.nodes = append(c.nodes, n)
	c.mu.Unlock()
	c.Network.add(n)
	return n
}

// lastLines is how much of each log is printed when a test fails.
const lastLines = 60

func (c *Cluster) close() {
	failed := c.tb.Failed()
	for _, n := range c.Nodes() {
		n.forget()
		if failed {
			c.tb.Logf("the log of %s ends:\n%s", n.Name, tail(n.Log(), lastLines))
			n.dump()
		}
		if p := n.running(); p != nil {
			p.kill()
		}
		n.proxy.close()
	}
	if failed {
		if dir, err := c.keepLogs(); err != nil {
			c.tb.Logf("cluster: keep the logs: %v", err)
		} else {
			c.tb.Logf("the logs, with the goroutines of the nodes that ran, are in %s", dir)
		}
	}
}

// dump has a node that runs write its goroutines to its log and end.
func (n *Node) dump() {
	p := n.running()
	if p == nil || p.signal(syscall.SIGCONT) != nil || p.signal(syscall.SIGQUIT) != nil {
		return
	}
	select {
	case <-p.ended:
	case <-time.After(5 * time.Second):
	}
}

// keepLogs copies the logs to where they outlive the test.
func (c *Cluster) keepLogs() (string, error) {
	root, err := components.Root()
	if err != nil {
		return "", err
	}
	dir := filepath.Join(root, "build", "cluster", "failed", strings.ReplaceAll(c.tb.Name(), "/", "-"))
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return "", err
	}
	return dir, c.SaveLogs(dir)
}

// SaveLogs copies the nodes' logs into a directory, which must exist.
func (c *Cluster) SaveLogs(dir string) error {
	for i, n := range c.Nodes() {
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
