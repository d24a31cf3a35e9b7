package cluster

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
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
	nodes := c.Alive()
	answers, errs := statuses(nodes)
	var leader *Node
	var term uint64
	for i, s := range answers {
		if s != nil && s.GetLeader() == nodes[i].Name && (leader == nil || s.GetTerm() > term) {
			leader, term = nodes[i], s.GetTerm()
		}
	}
	if leader == nil {
		return nil, errors.Join(append(errs, errors.New("nobody leads"))...)
	}
	return leader, nil
}

// statuses asks nodes about themselves, all at once. Who did not answer has nil and an error.
func statuses(nodes []*Node) ([]*weftv1.StatusResponse, []error) {
	answers, errs := make([]*weftv1.StatusResponse, len(nodes)), make([]error, len(nodes))
	var asked sync.WaitGroup
	for i, n := range nodes {
		asked.Go(func() {
			s, err := n.Status(context.Background())
			if err != nil {
				errs[i] = fmt.Errorf("%s: %w", n.Name, err)
				return
			}
			answers[i] = s
		})
	}
	asked.Wait()
	return answers, errs
}

// maxVoters is how many schedulers have a vote.
const maxVoters = 5

// Settle waits until all of the given nodes, without any all that run, see each other alive, know one leader, have no
// fault and show the same catalog, and until as many schedulers have a vote as should.
func (c *Cluster) Settle(nodes ...*Node) {
	c.tb.Helper()
	if len(nodes) == 0 {
		nodes = c.Alive()
	}
	c.Eventually("a settled cluster", func() error { return settled(nodes) })
}

func settled(nodes []*Node) error {
	answers, errs := statuses(nodes)
	if err := errors.Join(errs...); err != nil {
		return err
	}
	first := answers[0]
	for i, s := range answers {
		name := nodes[i].Name
		switch {
		case s.GetLeader() == "" || s.GetLeader() != first.GetLeader():
			return fmt.Errorf("%s says that %q leads, %s %q", name, s.GetLeader(), nodes[0].Name, first.GetLeader())
		case s.GetFault() != "":
			return fmt.Errorf("%s: %s", name, s.GetFault())
		case s.GetAppliedIndex() != first.GetAppliedIndex():
			return fmt.Errorf("%s is at index %d, %s at %d", name, s.GetAppliedIndex(), nodes[0].Name, first.GetAppliedIndex())
		case s.GetStateHash() != first.GetStateHash():
			return fmt.Errorf("%s and %s have different catalogs at index %d", name, nodes[0].Name, s.GetAppliedIndex())
		}
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
	rows := map[string]*weftv1.Node{}
	schedulers, voters := 0, 0
	for _, row := range list.GetNodes() {
		rows[row.GetName()] = row
		if slices.Contains(row.GetRoles(), "scheduler") {
			schedulers++
		}
		if raft := row.GetRaft(); raft == "voter" || raft == "leader" {
			voters++
		}
	}
	for _, other := range nodes {
		if state := rows[other.Name].GetState(); state != "alive" && state != "draining" && state != "drained" {
			return fmt.Errorf("%s is %q", other.Name, state)
		}
	}
	if want := min(schedulers, maxVoters); voters != want {
		return fmt.Errorf("%d of %d schedulers have a vote", voters, schedulers)
	}
	return nil
}
