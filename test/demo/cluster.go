package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"time"
)

// The cluster that the demo makes, and what it does to it.
const (
	clusterSize = 3
	rate        = 200 // calls per second
	calm        = 3 * time.Second
	settled     = 60 * time.Second // how long the cluster may take to do something
)

// cluster shows three nodes behave as one: a function runs on all of them and is called all the time, while the leader is
// killed and comes back.
func cluster(ctx context.Context, scratch string) (err error) {
	title("A cluster: the first node makes it, the others join with a token")
	c := &demoCluster{scratch: scratch}
	defer func() { err = errors.Join(err, c.stop()) }()
	if err := c.start(ctx); err != nil {
		return err
	}
	title("A function on all nodes, deployed through the second")
	e := examples[0]
	if err := c.shell(1).run(ctx, append(e.deploy(), "--replicas", "all")...); err != nil {
		return err
	}
	if err := c.wait(ctx, "the function is ready on all nodes", func() bool { return c.ready(ctx, e.name) == clusterSize }); err != nil {
		return err
	}
	if err := c.shell(2).run(ctx, "weft", "call", e.weft.method, e.weft.json); err != nil {
		return err
	}
	leader, err := c.leader(ctx)
	if err != nil {
		return err
	}
	title("%d calls a second at all nodes, while %s, which leads, is killed and comes back", rate, leader.name)
	t, err := startTraffic(ctx, c.addresses(), "demo.orders.v1.Orders/Find", []byte(`{"sku": "book-loom"}`))
	if err != nil {
		return err
	}
	defer t.stop()
	if err := c.killAndRestart(ctx, leader, t); err != nil {
		return err
	}
	report := t.stop()
	after, err := c.leader(ctx)
	if err != nil {
		return err
	}
	title("What came of it")
	fmt.Printf("calls sent     %d\ncalls failed   %d\nlongest gap    %v between two answers\nleader before  %s\nleader after   %s\n",
		report.sent, report.failed, report.gap.Round(time.Millisecond), leader.name, after.name)
	for _, text := range report.errors {
		fmt.Println("  failed:", text)
	}
	return c.shell(0).run(ctx, "weft", "nodes")
}

// demoCluster is the nodes of the demo.
type demoCluster struct {
	scratch string
	nodes   []*node
}

// start starts the first node and has the others join it.
func (c *demoCluster) start(ctx context.Context) error {
	for i := range clusterSize {
		name := fmt.Sprintf("n%d", i+1)
		args := []string{"--name", name}
		if i > 0 {
			token, err := c.shell(0).output(ctx, "weft", "token")
			if err != nil {
				return err
			}
			args = append(args, "--join", c.nodes[0].cluster, "--token", strings.TrimSpace(token))
		}
		n, err := startNode(ctx, name, filepath.Join(c.scratch, name), args...)
		if err != nil {
			return err
		}
		c.nodes = append(c.nodes, n)
	}
	if err := c.wait(ctx, "all nodes are voters", func() bool { return c.voters(ctx) == clusterSize }); err != nil {
		return err
	}
	return c.shell(0).run(ctx, "weft", "nodes")
}

// killAndRestart kills a node while traffic runs, lets the others go on without it, and starts it again.
func (c *demoCluster) killAndRestart(ctx context.Context, n *node, t *traffic) error {
	pause := func() error {
		select {
		case <-time.After(calm):
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	if err := pause(); err != nil {
		return err
	}
	fmt.Printf("\n$ kill -9 %d   # %s\n", n.cmd.Process.Pid, n.name)
	n.kill()
	if err := c.wait(ctx, "another node leads", func() bool {
		l, err := c.leader(ctx)
		return err == nil && l != n
	}); err != nil {
		return err
	}
	if err := pause(); err != nil {
		return err
	}
	again, err := startNode(ctx, n.name, filepath.Join(c.scratch, n.name), "--name", n.name)
	if err != nil {
		return err
	}
	*n = *again
	t.move(c.addresses())
	if err := c.wait(ctx, "the function is ready on all nodes again", func() bool {
		return c.ready(ctx, examples[0].name) == clusterSize
	}); err != nil {
		return err
	}
	return pause()
}

func (c *demoCluster) stop() error {
	var errs []error
	for _, n := range c.nodes {
		errs = append(errs, n.stop())
	}
	return errors.Join(errs...)
}

func (c *demoCluster) shell(i int) *shell { return &shell{addr: c.nodes[i].grpc} }

// alive gives a shell at a node that runs.
func (c *demoCluster) alive() *shell {
	for i, n := range c.nodes {
		if !n.killed {
			return c.shell(i)
		}
	}
	return c.shell(0)
}

func (c *demoCluster) addresses() []string {
	var all []string
	for _, n := range c.nodes {
		all = append(all, n.grpc)
	}
	return all
}

// wait polls for something that the cluster does by itself.
func (c *demoCluster) wait(ctx context.Context, what string, done func() bool) error {
	for deadline := time.Now().Add(settled); !done(); {
		select {
		case <-time.After(100 * time.Millisecond):
		case <-ctx.Done():
			return ctx.Err()
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("not within %v: %s", settled, what)
		}
	}
	return nil
}

// nodesAnswer is what the demo reads of `weft nodes --json`.
type nodesAnswer struct {
	Leader string `json:"leader"`
	Nodes  []struct {
		Name string `json:"name"`
		Raft string `json:"raft"`
	} `json:"nodes"`
}

func (c *demoCluster) list(ctx context.Context) (nodesAnswer, error) {
	var answer nodesAnswer
	text, err := c.alive().output(ctx, "weft", "nodes", "--json")
	if err == nil {
		err = json.Unmarshal([]byte(text), &answer)
	}
	return answer, err
}

func (c *demoCluster) leader(ctx context.Context) (*node, error) {
	answer, err := c.list(ctx)
	if err != nil {
		return nil, err
	}
	for _, n := range c.nodes {
		if n.name == answer.Leader {
			return n, nil
		}
	}
	return nil, fmt.Errorf("nobody leads")
}

func (c *demoCluster) voters(ctx context.Context) (count int) {
	answer, err := c.list(ctx)
	if err != nil {
		return 0
	}
	for _, n := range answer.Nodes {
		if n.Raft == "voter" || n.Raft == "leader" {
			count++
		}
	}
	return count
}

// ready counts the nodes on which the current revision of a function is ready.
func (c *demoCluster) ready(ctx context.Context, name string) (count int) {
	text, err := c.alive().output(ctx, "weft", "describe", name, "--json")
	if err != nil {
		return 0
	}
	var answer struct {
		Function struct {
			Revision  int `json:"revision"`
			Revisions []struct {
				Number     int `json:"number"`
				Placements []struct {
					State string `json:"state"`
				} `json:"placements"`
			} `json:"revisions"`
		} `json:"function"`
	}
	if json.Unmarshal([]byte(text), &answer) != nil {
		return 0
	}
	for _, r := range answer.Function.Revisions {
		if r.Number != answer.Function.Revision {
			continue
		}
		for _, p := range r.Placements {
			if p.State == "ready" {
				count++
			}
		}
	}
	return count
}
