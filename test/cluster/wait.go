package cluster

import (
	"context"
	"errors"
	"fmt"
	"time"

	weftv1 "github.com/weft-run/weft/proto/weft/v1"
)

// Eventually polls until something holds, for a minute at most.
func (c *Cluster) Eventually(what string, holds func() error) {
	c.tb.Helper()
	if err := Poll(patience, holds); err != nil {
		c.tb.Fatalf("cluster: %s: %v", what, err)
	}
}

// Poll polls until something holds, and returns its last error if that takes too long.
func Poll(limit time.Duration, holds func() error) error {
	for deadline := time.Now().Add(limit); ; time.Sleep(20 * time.Millisecond) {
		err := holds()
		if err == nil {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("not within %v: %w", limit, err)
		}
	}
}

// Leader waits until a node says that it leads, and returns it. Of several, it is the one of the highest term.
func (c *Cluster) Leader() *Node {
	c.tb.Helper()
	var leader *Node
	c.Eventually("a leader", func() error {
		var err error
		leader, err = c.FindLeader()
		return err
	})
	return leader
}

// FindLeader returns the node that leads, as far as nodes say so themselves now.
func (c *Cluster) FindLeader() (*Node, error) {
	var leader *Node
	var term uint64
	errs := []error{errors.New("nobody leads")}
	for _, n := range c.Alive() {
		s, err := n.Status(context.Background())
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", n.Name, err))
			continue
		}
		if s.GetLeader() == n.Name && (leader == nil || s.GetTerm() > term) {
			leader, term = n, s.GetTerm()
		}
	}
	if leader == nil {
		return nil, errors.Join(errs...)
	}
	return leader, nil
}

// Settle waits until every node that runs sees every other alive, in raft if it is a scheduler, knows one leader and
// has one catalog with it.
func (c *Cluster) Settle() {
	c.tb.Helper()
	c.Eventually("a settled cluster", func() error { return c.settled(c.Alive()) })
}

func (c *Cluster) settled(nodes []*Node) error {
	leader := ""
	var hashes = map[uint64]string{}
	var index uint64
	for _, n := range nodes {
		s, err := n.Status(context.Background())
		if err != nil {
			return fmt.Errorf("%s: %w", n.Name, err)
		}
		if leader == "" {
			leader, index = s.GetLeader(), s.GetAppliedIndex()
		}
		if s.GetLeader() == "" || s.GetLeader() != leader {
			return fmt.Errorf("%s says that %q leads, another one %q", n.Name, s.GetLeader(), leader)
		}
		if s.GetFault() != "" {
			return fmt.Errorf("%s: %s", n.Name, s.GetFault())
		}
		if s.GetAppliedIndex() != index {
			return fmt.Errorf("%s is at index %d, another one at %d", n.Name, s.GetAppliedIndex(), index)
		}
		hashes[s.GetAppliedIndex()] = s.GetStateHash()
		if hashes[index] != s.GetStateHash() {
			return fmt.Errorf("%s has another catalog at index %d", n.Name, index)
		}
	}
	if len(nodes) < 2 {
		return nil
	}
	for _, n := range nodes {
		if err := n.sees(nodes); err != nil {
			return fmt.Errorf("%s: %w", n.Name, err)
		}
	}
	return nil
}

// sees tells whether the node knows that all of some nodes are there.
func (n *Node) sees(nodes []*Node) error {
	m, err := n.Management()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	list, err := m.ListNodes(ctx, &weftv1.ListNodesRequest{Consistency: weftv1.Consistency_CONSISTENCY_STALE})
	if err != nil {
		return err
	}
	states := map[string]string{}
	for _, row := range list.GetNodes() {
		states[row.GetName()] = row.GetState()
	}
	for _, other := range nodes {
		if state := states[other.Name]; state != "alive" && state != "draining" && state != "drained" {
			return fmt.Errorf("%s is %q", other.Name, state)
		}
	}
	return nil
}
