package cluster

import (
	"slices"
	"sync"
	"time"
)

// Network is what lies between the cluster ports of the nodes: a proxy before each node, which its peers reach it by.
// A proxy finds out who has dialed it from the kernel's table of sockets, so nodes need not say.
//
// A rule holds for what one node sends to another, over connections of either's making. It holds at once, for
// connections that are there too. What comes from nobody's process passes.
type Network struct {
	mu      sync.Mutex
	rules   map[direction]Rule // guarded by mu; directions that are not in it pass
	changed chan struct{}      // guarded by mu; closed at the next change of rules
	nodes   []*Node            // guarded by mu
}

// Rule is what happens to the bytes that one node sends to another.
type Rule struct {
	// Cut closes connections between the two and refuses new ones, as a machine that is not there does. A connection
	// needs both directions.
	Cut bool
	// Drop holds what is sent, as a network that loses packets does to a connection: its end learns nothing.
	Drop bool
	// Delay is how long bytes are on their way.
	Delay time.Duration
}

type direction struct{ from, to *Node }

func newNetwork() *Network {
	return &Network{rules: make(map[direction]Rule), changed: make(chan struct{})}
}

// Set sets the rule for what each of one group sends to each of another.
func (n *Network) Set(from, to []*Node, rule Rule) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, a := range from {
		for _, b := range to {
			n.rules[direction{a, b}] = rule
		}
	}
	close(n.changed)
	n.changed = make(chan struct{})
}

// Partition drops everything between two groups, in both directions.
func (n *Network) Partition(a, b []*Node) {
	n.Set(a, b, Rule{Drop: true})
	n.Set(b, a, Rule{Drop: true})
}

// Cut closes everything between two groups and refuses new connections.
func (n *Network) Cut(a, b []*Node) {
	n.Set(a, b, Rule{Cut: true})
	n.Set(b, a, Rule{Cut: true})
}

// OneWay drops what one group sends to another; what the other sends arrives.
func (n *Network) OneWay(from, to []*Node) { n.Set(from, to, Rule{Drop: true}) }

// Delay delays everything between all nodes by d in each direction.
func (n *Network) Delay(d time.Duration) {
	n.mu.Lock()
	all := slices.Clone(n.nodes)
	n.mu.Unlock()
	n.Set(all, all, Rule{Delay: d})
}

// Heal ends all rules. What was dropped is delivered.
func (n *Network) Heal() {
	n.mu.Lock()
	defer n.mu.Unlock()
	clear(n.rules)
	close(n.changed)
	n.changed = make(chan struct{})
}

// rule returns the rule for a direction, and what is closed when it may have changed. What comes from or goes to
// nobody passes.
func (n *Network) rule(from, to *Node) (Rule, <-chan struct{}) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.rules[direction{from, to}], n.changed
}

func (n *Network) add(node *Node) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.nodes = append(n.nodes, node)
}

// sender returns the node that has a socket; nil if none has.
func (n *Network) sender(inode string) *Node {
	n.mu.Lock()
	all := slices.Clone(n.nodes)
	n.mu.Unlock()
	for _, node := range all {
		if pid := node.pid(); pid != 0 && holds(pid, inode) {
			return node
		}
	}
	return nil
}
